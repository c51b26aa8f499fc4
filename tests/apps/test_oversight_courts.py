"""A court is a source like any other: its judgments come in, its officer compares them month by month and signs."""

from dataclasses import replace
from datetime import date
from pathlib import Path

import pytest

from tests.small_city import BY, SmallCity, build_small_city, today, uscc
from xinzheng.adapters.deployment_files import DeployedResponsibility, DeployedUnit, deployment_of_policy
from xinzheng.apps.accounts.actions import NewAccount, open_account
from xinzheng.apps.accounts.models import Role
from xinzheng.apps.audit.queries import head_position
from xinzheng.apps.ledger.actions import BatchResult, Delivery, Scope, submit_batch
from xinzheng.apps.oversight.actions import own_list, reconcile, sign_reconciliation
from xinzheng.apps.oversight.permissions import refusals_to_sign
from xinzheng.apps.oversight.queries import scopes_of
from xinzheng.apps.registry.actions import apply_deployment
from xinzheng.apps.registry.queries import unit_by_uscc
from xinzheng.apps.reports.packs import current_policy
from xinzheng.core.coverage_calendar import Month
from xinzheng.core.records import RecordKind

pytestmark = pytest.mark.django_db

COURT = uscc(900, "11320500")
SCOPE = Scope(COURT, "taxation", RecordKind.CRIMINAL_JUDGMENT)


def past() -> Month:
    return Month.of(today()).plus(-1)


@pytest.fixture
def city(tmp_path: Path) -> SmallCity:
    """A small city in which a court answers for judgments."""
    city = build_small_city(tmp_path, units_per_domain=1)
    deployment = deployment_of_policy(current_policy(city.policy_id))
    court = DeployedUnit(COURT, "苏州市示例中级人民法院", "示例中院", deployment.jurisdiction)
    answers = DeployedResponsibility(SCOPE.domain, SCOPE.kind, COURT, 1)
    apply_deployment(
        replace(
            deployment,
            units=(*deployment.units, court),
            responsibilities=(*city.responsibilities, answers),
            returns=(),
        ),
        by=BY,
    )
    return city


def judgments(folder: Path, numbers: list[str], day: date) -> BatchResult:
    head = "主体名称,统一社会信用代码,裁判文书案号,生效日期,裁判法院,裁判结果"
    rows = [f"苏州示例有限公司,{uscc(n)},{number},{day},示例中院,罚金" for n, number in enumerate(numbers, 1)]
    file = folder / "刑事裁判.csv"
    file.write_text("\n".join([head, *rows]) + "\n", encoding="utf-8")
    return submit_batch(Delivery(file, SCOPE), by=BY)


def test_a_court_delivers_judgments_compares_them_and_its_officer_signs(city: SmallCity, tmp_path: Path) -> None:
    result = judgments(tmp_path, ["（2026）苏05刑终1号", "(2026)苏05刑终2号"], past().first)
    assert (result.new, result.rejected) == (2, 0)
    court = unit_by_uscc(COURT)
    assert court is not None
    (scope,) = scopes_of(current_policy(city.policy_id), head_position(), court.id)
    assert scope.kind == RecordKind.CRIMINAL_JUDGMENT
    alike = reconcile(SCOPE, past(), own_list(["(2026)苏05刑终1号", "（2026）苏05刑终2号"]), by=BY)
    assert alike.agrees
    differing = reconcile(SCOPE, past(), own_list(["(2026)苏05刑终1号", "(2026)苏05刑终3号"]), by=BY)
    assert not differing.agrees
    assert (len(differing.missing), len(differing.surplus)) == (1, 1)
    officer = open_account(NewAccount("court", "示例", Role.RESPONSIBLE_OFFICER, unit_id=court.id), by=BY)
    assert refusals_to_sign(officer, court.id, SCOPE.domain) == []
    sign_reconciliation(alike, officer, "")
    assert alike.signature.account_id == officer.pk
