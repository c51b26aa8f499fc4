"""A small Suzhou for tests: the real policy, two units per domain, real intake, real coverage."""

import csv
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from datetime import date, timedelta
from pathlib import Path

from django.utils import timezone

from xinzheng.adapters.deployment_files import DeployedResponsibility, Deployment, deployment_of_policy
from xinzheng.apps.ledger.actions import BatchResult, Delivery, Scope, declare_coverage, submit_batch
from xinzheng.apps.ledger.identical_models import IdenticalLine
from xinzheng.apps.ledger.models import Line
from xinzheng.apps.registry.actions import apply_deployment, import_subjects
from xinzheng.apps.registry.queries import find_subject
from xinzheng.apps.reports.packs import current_policy
from xinzheng.core.decision import china_date
from xinzheng.core.identifiers import organisation_check_character, uscc_check_character

BY = "test"
LONG_AGO = date(2015, 1, 1)
PENALTY = "administrative_penalty"
COLUMNS = (
    "行政相对人名称", "行政相对人类别", "行政相对人代码_1(统一社会信用代码)", "行政处罚决定书文号", "违法行为类型",
    "违法事实", "处罚依据", "处罚类别", "处罚内容", "罚款金额(万元)", "处罚决定日期", "处罚有效期", "处罚机关",
    "处罚机关统一社会信用代码", "数据来源单位", "数据来源单位统一社会信用代码", "程序", "处理结果", "处罚状态",
    "状态日期", "修复日期",
)  # fmt: skip


def uscc(serial: int, prefix: str = "91320500") -> str:
    """A valid, invented unified social credit code."""
    body = f"MA{serial:06d}"
    first17 = prefix + body + organisation_check_character(body)
    return first17 + uscc_check_character(first17)


def today() -> date:
    """The day it is in China."""
    return china_date(timezone.now())


@dataclass
class SmallCity:
    """A city with its responsibilities, and short ways to act in it."""

    folder: Path
    policy_id: str
    responsibilities: tuple[DeployedResponsibility, ...]
    files: int = 0
    firms: int = 0

    def unit(self, domain: str, rank: int = 0) -> str:
        """The code of a unit that answers in the domain."""
        return [r.uscc for r in self.responsibilities if r.domain == domain][rank]

    def declare_everything(self, through: date | None = None, without: Iterable[tuple[str, str]] = ()) -> None:
        """Every responsible unit states that its data is complete since long ago, but the (domain, unit) named."""
        skipped = set(without)
        for who in self.responsibilities:
            if (who.domain, who.uscc) not in skipped:
                self.declare(who.uscc, who.domain, who.kind, through or today())

    def declare(self, unit: str, domain: str, kind: str = PENALTY, through: date | None = None) -> None:
        """One statement from long ago."""
        declare_coverage(Scope(unit, domain, kind), from_date=LONG_AGO, through_date=through or today(), by=BY)

    def firm(self, code: str, name: str = "苏州示例精密制造有限公司", **columns: str) -> int:
        """Register a firm; its subject id."""
        row = {"名称": name, "统一社会信用代码": code, "法定代表人": "示例甲", "登记状态": "存续"} | columns
        import_subjects(self._write([row], tuple(row)), by=BY)
        found = find_subject(code)
        assert found is not None
        return found

    def penalty(self, code: str, number: str = "苏税罚〔2026〕1号", **columns: str) -> dict[str, str]:
        """A sound row of the national penalty format, half a year old."""
        day = (today() - timedelta(days=180)).isoformat()
        row = dict.fromkeys(COLUMNS, "") | {
            "行政相对人名称": "苏州示例精密制造有限公司",
            "行政相对人类别": "法人及非法人组织",
            "行政相对人代码_1(统一社会信用代码)": code,
            "行政处罚决定书文号": number,
            "违法行为类型": "少缴税款",
            "违法事实": "示例事实",
            "处罚依据": "《中华人民共和国税收征收管理法》第六十三条",
            "处罚类别": "罚款",
            "处罚内容": "罚款1万元",
            "罚款金额(万元)": "1",
            "处罚决定日期": day,
            "处罚有效期": "2099/12/31",
            "处罚机关": "市税务局",
            "处罚机关统一社会信用代码": self.unit("taxation"),
            "数据来源单位": "市税务局",
            "数据来源单位统一社会信用代码": self.unit("taxation"),
            "程序": "普通程序",
            "处理结果": "予以处罚",
        }
        return row | columns

    def submit(
        self, rows: list[dict[str, str]], domain: str = "taxation", covers: tuple[date, date] | None = None
    ) -> BatchResult:
        """Deliver rows through the real intake, for the domain's first unit."""
        return submit_batch(self.delivery(rows, domain, covers), by=BY)

    def submit_kind(self, rows: list[dict[str, str]], domain: str, kind: str) -> BatchResult:
        """Deliver rows of any kind of record, for the first unit that answers for it in the domain."""
        unit = next(r.uscc for r in self.responsibilities if (r.domain, r.kind) == (domain, kind))
        return submit_batch(Delivery(self._write(rows, tuple(rows[0])), Scope(unit, domain, kind)), by=BY)

    def delivery(
        self, rows: list[dict[str, str]], domain: str = "taxation", covers: tuple[date, date] | None = None
    ) -> Delivery:
        """Rows as a file of the domain's first unit, not yet delivered."""
        return Delivery(self._write(rows, tuple(rows[0])), Scope(self.unit(domain), domain, PENALTY), covers)

    def _write(self, rows: Iterable[Mapping[str, str]], columns: tuple[str, ...]) -> Path:
        self.files += 1
        path = self.folder / f"file-{self.files}.csv"
        with path.open("w", encoding="utf-8-sig", newline="") as file:
            writer = csv.DictWriter(file, columns)
            writer.writeheader()
            writer.writerows(rows)
        return path


def kept_lines(batch: int) -> dict[int, str]:
    """The lines of a batch that made no version, and what became of each."""
    identical = IdenticalLine.objects.filter(entry_id=batch).values_list("line", flat=True)
    return {
        **dict(Line.objects.filter(entry_id=batch).values_list("line", "status")),
        **dict.fromkeys(identical, "identical"),
    }


def build_small_city(folder: Path, policy_id: str = "suzhou-2024", units_per_domain: int = 2) -> SmallCity:
    """The policy's deployment, cut to a few units per domain so that stating coverage is quick."""
    deployment: Deployment = deployment_of_policy(current_policy(policy_id))
    few = tuple(r for r in deployment.responsibilities if r.rank <= units_per_domain)
    apply_deployment(replace(deployment, responsibilities=few), by=BY)
    return SmallCity(folder, policy_id, few)
