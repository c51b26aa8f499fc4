"""A small city two of whose units have their data brought by the provincial platform as well."""

from dataclasses import dataclass, replace
from datetime import date

from tests.small_city import BY, LONG_AGO, PENALTY, SmallCity, today
from xinzheng.apps.ledger.actions import BatchResult, Scope, submit_batch
from xinzheng.apps.registry.queries import unit_by_uscc
from xinzheng.apps.reports.cases import answer_question
from xinzheng.apps.reports.issuing import question_now
from xinzheng.apps.reports.packs import current_policy
from xinzheng.core.decision import DomainResult, Request

PLATFORM, FINANCE, SOURCE = "11320000DEM090013T", "financial_regulation", "数据来源单位统一社会信用代码"


@dataclass
class Return:
    """A small city, two of whose units have their data brought by the provincial platform as well."""

    city: SmallCity

    @property
    def units(self) -> tuple[str, str]:
        return self.city.unit(FINANCE), self.city.unit(FINANCE, 1)

    def row(self, code: str, unit: int | None = 0, amount: int = 1, **columns: str) -> dict[str, str]:
        named = "" if unit is None else self.units[unit]
        return self.city.penalty(code, **{SOURCE: named, "处罚内容": f"罚款{amount}万元", **columns})

    def bring(
        self, *rows: dict[str, str], covers: tuple[date, date] | None = None, mode: str = "increment"
    ) -> BatchResult:
        """The platform delivers."""
        return self._deliver(PLATFORM, rows, covers, mode)

    def send(self, *rows: dict[str, str], unit: int = 0, covers: tuple[date, date] | None = None) -> BatchResult:
        """A unit delivers itself."""
        return self._deliver(self.units[unit], rows, covers, "increment")

    def _deliver(
        self, unit: str, rows: tuple[dict[str, str], ...], covers: tuple[date, date] | None, mode: str
    ) -> BatchResult:
        delivery = self.city.delivery(list(rows), FINANCE, covers)
        return submit_batch(replace(delivery, scope=Scope(unit, FINANCE, PENALTY), mode=mode), by=BY)

    def domain(self, subject_id: int) -> DomainResult:
        """What a report made now would say of the domain."""
        question = question_now(current_policy("suzhou-2024"), subject_id, Request())
        return next(d for d in answer_question(question).decision.domains if d.code == FINANCE)


def everything() -> tuple[date, date]:
    return LONG_AGO, today()


def unit_id(code: str) -> int:
    found = unit_by_uscc(code)
    assert found is not None
    return found.id
