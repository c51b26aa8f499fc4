"""What the desk's figures, their keys and the parts of a range are called (指标名称): on the page, in the workbook."""

from collections.abc import Mapping
from types import MappingProxyType

from xinzheng.apps.oversight.desk_figures import Bucket, Step
from xinzheng.core.sentences import spoken_date

# By figure: its name, the unit it is counted in.
TITLES: Mapping[str, tuple[str, str]] = MappingProxyType(
    {
        "issued": ("出具报告", "份"),
        "replaced": ("替代证明", "份"),
        "looks": ("接受核验", "次"),
        "views": ("亮码查看", "次"),
        "ended": ("失效报告", "份"),
        "lacking": ("带“未能核查”的报告", "份"),
        "gaps": ("未能核查的领域", "份"),
    }
)
OUTCOMES: Mapping[str, str] = MappingProxyType(
    {"clear": "未查询到记录", "not_clear": "有记录", "not_verifiable": "未能核查"}
)
ENDS: Mapping[str, str] = MappingProxyType(
    {"superseded": "已更正", "revoked": "已作废", "expired": "已过期", "voided": "没有办成"}
)
WAYS: Mapping[str, str] = MappingProxyType(
    {
        "code": "输入编号",
        "link": "扫二维码",
        "qr": "二维码全文",
        "file": "上传文件",
        "batch": "批量核验",
        "share": "扫亮码",
    }
)
VIEWS: Mapping[str, str] = MappingProxyType({"scan": "扫码", "typed": "输入", "api": "接口"})
KEYS: Mapping[str, Mapping[str, str]] = MappingProxyType(
    {"issued": OUTCOMES, "ended": ENDS, "looks": WAYS, "views": VIEWS}
)
NOTES = (
    "按北京时间的日期统计。已经过完的日子每天汇总一次，今天的随时统计；同一段时间，何时、何处统计都一样。",
    "替代证明：一份报告涉及几个领域，就算替代几份原来逐家去开的证明；有记录、未能核查的领域也计入。",
    "接受核验：凭编号、二维码、文件和批量核验；亮码查看：凭主体出示的码看报告内容。",
    "带“未能核查”的报告：出具时至少一个领域因数据没有报送完整而未能核查的。失效按失效的日期统计。",
)


def key_name(figure: str, key: str, domains: Mapping[str, str]) -> str:
    """What a key of a figure is called; of domains by their names."""
    return domains.get(key, key) if figure == "gaps" else KEYS.get(figure, {}).get(key, key)


def name_of(bucket: Bucket, step: Step) -> str:
    """What a part of the range is called."""
    first = bucket.first
    if step is Step.DAY:
        return spoken_date(first)
    if step is Step.WEEK:
        return f"{spoken_date(first)}起的一周"
    if step is Step.MONTH:
        return f"{first.year}年{first.month}月"
    return f"{first.year}年第{first.month // 3 + 1}季度" if step is Step.QUARTER else f"{first.year}年"
