"""A row of a penalty as departments send it, and files made of such rows."""

from collections.abc import Mapping, Sequence
from datetime import date
from pathlib import Path

from xinzheng.adapters.tabular import BatchDefaults, ParsedBatch, read_batch
from xinzheng.core.identifiers import identity_check_character

TODAY = date(2026, 11, 21)
USCC, OTHER_USCC, ORGAN = "91320505MA1XG6125L", "92320505MA2HD1TJX6", "11320500MA4CL12T2B"
PERSON = "33050219900101001" + identity_check_character("33050219900101001")
ROW: Mapping[str, str] = {
    "行政相对人名称": "示例市博图科技有限公司",
    "行政相对人类别": "法人及非法人组织",
    "行政相对人代码_1(统一社会信用代码)": USCC,
    "行政处罚决定书文号": "示市监处罚〔2022〕1000号",
    "违法行为类型": "广告违法行为",
    "违法事实": "使用虚假广告宣传",
    "处罚依据": "广告法第五十五条",
    "处罚类别": "罚款",
    "处罚内容": "罚款300元",
    "罚款金额(万元)": "0.03",
    "处罚决定日期": "2022-05-16",
    "处罚有效期": "2099/12/31",
    "处罚机关": "示例市市场监督管理局",
    "处罚机关统一社会信用代码": ORGAN,
    "数据来源单位": "示例市市场监督管理局",
    "数据来源单位统一社会信用代码": ORGAN,
}


def defaults(kind: str = "administrative_penalty", **names: str) -> BatchDefaults:
    return BatchDefaults(kind, "market_regulation", TODAY, "批次.csv", names)


def csv_text(rows: Sequence[Mapping[str, str]]) -> str:
    columns = list(dict.fromkeys(name for row in rows for name in row))
    lines = [columns, *([row.get(name, "") for name in columns] for row in rows)]
    return "\n".join(",".join('"' + cell.replace('"', '""') + '"' for cell in line) for line in lines) + "\n"


def parse(folder: Path, *rows: Mapping[str, str], kind: str = "administrative_penalty", **names: str) -> ParsedBatch:
    path = folder / "batch.csv"
    path.write_text(csv_text(rows), encoding="utf-8")
    return read_batch(path, defaults(kind, **names))
