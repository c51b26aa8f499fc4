"""Superseding: what the ledger learns of a report's own time supersedes it; what happened later, or waits, never."""

from collections.abc import Callable
from datetime import timedelta
from pathlib import Path

import pytest

from tests.small_city import BY, LONG_AGO, PENALTY, SmallCity, build_small_city, today, uscc
from xinzheng.apps.audit.models import LogLeaf, Position
from xinzheng.apps.ledger.actions import Scope, explain_line, withdraw_batch, withdraw_coverage
from xinzheng.apps.registry.models import Succession
from xinzheng.apps.registry.successions import withdraw_succession
from xinzheng.apps.reports.issuing import Order, issue_report
from xinzheng.apps.reports.models import Report, ReviewFlag, StatusEvent
from xinzheng.apps.reports.reviewing import review_reports
from xinzheng.core.decision import Request

pytestmark = pytest.mark.django_db
FIRM, OTHER = uscc(1), uscc(2)


@pytest.fixture
def city(db: None, tmp_path: Path) -> SmallCity:
    small = build_small_city(tmp_path, units_per_domain=1)
    small.declare_everything()
    return small


def issue(city: SmallCity, code: str = FIRM) -> Report:
    return issue_report(Order("suzhou-2024", city.firm(code), Request(), BY))


def status_of(report: Report) -> StatusEvent:
    return StatusEvent.objects.filter(report=report).latest("id")


def days_ago(days: int) -> str:
    return (today() - timedelta(days=days)).isoformat()


def fined(city: SmallCity) -> Report:
    city.firm(FIRM)
    city.submit([city.penalty(FIRM, "一号")])
    report = issue(city)
    assert report.outcome == "not_clear"
    return report


def test_a_record_of_then_that_arrives_later_supersedes_since_it_arrived(city: SmallCity) -> None:
    report, other = issue(city), issue(city, OTHER)
    batch = city.submit([city.penalty(FIRM)]).batch
    city.submit([city.penalty(uscc(3), "别人的")])
    assert review_reports()["superseded"] == 1
    event = status_of(report)
    assert (event.status, event.reason_code, event.caused_by) == ("superseded", "records-added", batch)
    assert event.effective_at == Position.objects.get(entry_id=batch).entry.recorded_at
    assert LogLeaf.objects.filter(kind="status", object_id=report.number).count() == 1
    assert status_of(other).status == "in_force"
    assert not ReviewFlag.objects.filter(decided_at=None)


def corrected_away(city: SmallCity) -> str:
    city.submit([city.penalty(FIRM, "一号", 程序="简易程序")])
    return "records-corrected"


def sealed(city: SmallCity) -> str:
    row = city.penalty(FIRM, "一号") | {"依法封存": "是"}
    city.submit([row])
    return "records-corrected"


def withdrawn_before_its_time(city: SmallCity) -> str:
    city.submit([city.penalty(FIRM, "一号", 处罚状态="撤销", 状态日期=days_ago(30))])
    return "records-corrected"


def batch_withdrawn(city: SmallCity) -> str:
    batch = Position.objects.filter(entry__kind="batch").latest("position").entry_id
    withdraw_batch(batch_id=batch, reason="报错了", by=BY)
    return "records-withdrawn"


def another_one(city: SmallCity) -> str:
    city.submit([city.penalty(FIRM, "二号", 处罚决定日期=days_ago(400))])
    return "records-added"


@pytest.mark.parametrize("learn", [corrected_away, withdrawn_before_its_time, batch_withdrawn, another_one, sealed])
def test_what_is_learnt_of_then_supersedes(city: SmallCity, learn: Callable[[SmallCity], str]) -> None:
    report = fined(city)
    code = learn(city)
    assert review_reports()["superseded"] == 1
    assert status_of(report).reason_code == code


def tomorrow(city: SmallCity) -> None:
    """The next day's knowledge, as dates have it."""
    day = (today() + timedelta(days=1)).isoformat()
    city.submit([city.penalty(FIRM, "一号", 处罚状态="撤销", 状态日期=day)])


def long_before(city: SmallCity) -> None:
    city.submit([city.penalty(FIRM, "二号", 处罚决定日期=days_ago(2000))])


def text_only(city: SmallCity) -> None:
    city.submit([city.penalty(FIRM, "一号", 违法事实="写得更清楚的事实")])


def excluded_one(city: SmallCity) -> None:
    city.submit([city.penalty(FIRM, "二号", 程序="简易程序")])


def renamed(city: SmallCity) -> None:
    city.firm(FIRM, name="苏州更名以后有限公司", 登记状态="注销")


def delivered_again(city: SmallCity) -> None:
    city.submit([city.penalty(FIRM, "一号")])


@pytest.mark.parametrize("learn", [tomorrow, long_before, text_only, excluded_one, renamed, delivered_again])
def test_what_changes_nothing_that_was_said_leaves_a_report_in_force(
    city: SmallCity, learn: Callable[[SmallCity], None]
) -> None:
    report = fined(city)
    learn(city)
    answers = review_reports()
    assert answers["superseded"] == answers["failed"] == answers["not-derivable"] == 0
    assert status_of(report).status == "in_force"
    assert not ReviewFlag.objects.filter(decided_at=None)


def test_a_record_outside_a_report_s_period_is_not_even_looked_at(city: SmallCity) -> None:
    fined(city)
    review_reports()
    long_before(city)
    assert review_reports()["flagged"] == 0


def take_coverage_back(city: SmallCity) -> None:
    scope = Scope(city.unit("taxation"), "taxation", PENALTY)
    withdraw_coverage(scope, from_date=LONG_AGO, through_date=today(), by=BY)


def test_coverage_withdrawn_supersedes_every_report_that_rested_on_it(city: SmallCity) -> None:
    reports = [issue(city, uscc(n)) for n in range(1, 4)]
    withdraw_coverage(
        Scope(city.unit("taxation"), "taxation", PENALTY), from_date=LONG_AGO, through_date=today(), by=BY
    )
    assert review_reports()["superseded"] == 3
    assert {status_of(report).reason_code for report in reports} == {"coverage-withdrawn"}


def test_data_that_comes_late_completes_what_could_not_be_checked(city: SmallCity) -> None:
    withdraw_coverage(
        Scope(city.unit("taxation"), "taxation", PENALTY), from_date=LONG_AGO, through_date=today(), by=BY
    )
    report = issue(city)
    assert report.outcome == "not_verifiable"
    city.declare(city.unit("taxation"), "taxation")
    assert review_reports()["superseded"] == 1
    assert status_of(report).reason_code == "coverage-completed"


def broken_row(city: SmallCity) -> dict[str, str]:
    """A row that names nobody."""
    return city.penalty("", "坏行", 行政相对人名称="读不出的公司")


def test_a_line_nobody_can_read_never_supersedes_and_is_waited_for(city: SmallCity) -> None:
    report = issue(city)
    rows = [city.penalty(FIRM, "旧", 处罚决定日期="2020-01-02"), broken_row(city)]
    result = city.submit(rows, covers=(LONG_AGO, today()))
    assert result.rejected == 1
    city.submit([city.penalty(FIRM, "简", 程序="简易程序")])
    answers = review_reports()
    assert (answers["superseded"], answers["waits"]) == (0, 1)
    assert status_of(report).status == "in_force"
    assert review_reports()["waits"] == 0, "nothing has happened since: it is not decided again"
    explain_line(batch_id=result.batch, line=3, reason="不是处罚", by=BY)
    answers = review_reports()
    assert (answers["superseded"], answers["stands"]) == (0, 1)
    assert status_of(report).status == "in_force"


def test_a_line_that_turns_out_to_be_a_record_of_then_supersedes_once_it_is_mended(city: SmallCity) -> None:
    report = issue(city)
    city.submit([city.penalty(FIRM, "一号", 处罚决定日期="不是日期")], covers=(LONG_AGO, today()))
    review_reports()
    assert status_of(report).status == "in_force"
    city.submit([city.penalty(FIRM, "一号")], covers=(LONG_AGO, today()))
    assert review_reports()["superseded"] == 1
    assert status_of(report).reason_code == "records-added"


def test_a_report_that_could_not_check_because_of_a_line_is_completed_when_that_is_explained(city: SmallCity) -> None:
    result = city.submit([city.penalty(FIRM, "一号", 处罚决定日期="不是日期")], covers=(LONG_AGO, today()))
    report = issue(city)
    assert report.outcome == "not_verifiable"
    explain_line(batch_id=result.batch, line=2, reason="不是处罚", by=BY)
    assert review_reports()["superseded"] == 1
    assert status_of(report).reason_code == "coverage-completed"


@pytest.mark.parametrize(
    ("kind", "days_ahead", "status"),
    [
        ("更名", -100, "superseded"),
        ("更名", 1, "in_force"),
        ("更名", None, "in_force"),
    ],
)
def test_a_succession_counts_from_its_own_date_on(
    city: SmallCity, kind: str, days_ahead: int | None, status: str
) -> None:
    city.firm(OTHER, name="苏州从前有限公司")
    city.submit([city.penalty(OTHER, "从前的", 行政相对人名称="苏州从前有限公司")])
    report = issue(city)
    day = None if days_ahead is None else today() + timedelta(days=days_ahead)
    columns = {"承继关系": kind, "关联主体代码": FIRM, "关联日期": day.isoformat() if day else ""}
    city.firm(OTHER, name="苏州从前有限公司", **columns)
    assert Succession.objects.get().date == day
    review_reports()
    assert status_of(report).status == status


def test_a_succession_that_was_wrong_takes_its_records_with_it(city: SmallCity) -> None:
    city.firm(FIRM)
    city.firm(OTHER, name="苏州从前有限公司", 承继关系="更名", 关联主体代码=FIRM)
    city.submit([city.penalty(OTHER, "从前的", 行政相对人名称="苏州从前有限公司")])
    report = issue(city)
    assert report.outcome == "not_clear"
    found = Succession.objects.get()
    withdraw_succession((found.subject_id, found.successor_id, found.kind), reason="登记有误", by=BY)
    assert review_reports()["superseded"] == 1
    assert status_of(report).reason_code == "records-withdrawn"


def test_since_when_is_the_entry_that_did_it_not_the_first_that_touched_it(city: SmallCity) -> None:
    report = issue(city)
    city.submit([city.penalty(FIRM, "简一", 程序="简易程序")])
    batch = city.submit([city.penalty(FIRM, "一号")]).batch
    city.submit([city.penalty(FIRM, "简二", 程序="简易程序")])
    review_reports()
    assert status_of(report).caused_by == batch


def test_a_superseded_report_stays_so_when_the_record_goes_again(city: SmallCity) -> None:
    report = issue(city)
    batch = city.submit([city.penalty(FIRM)]).batch
    review_reports()
    withdraw_batch(batch_id=batch, reason="报错了", by=BY)
    assert review_reports()["flagged"] == 0
    assert status_of(report).status == "superseded"
