"""Replay when what a report rested on is gone or has grown: the column map its records were read by, the calendar."""

from dataclasses import replace
from datetime import date, timedelta
from pathlib import Path
from typing import Any

import pytest

from tests.apps.test_ledger_maps import CONTENT, OWN, SOURCE_ROW, unit_id
from tests.small_city import BY, SmallCity, build_small_city, today, uscc
from xinzheng.adapters.calendar import default_calendar
from xinzheng.apps.ledger.actions import retire_column_map, save_column_map, submit_batch
from xinzheng.apps.ledger.errors import IntakeError
from xinzheng.apps.reports import packs
from xinzheng.apps.reports.issuing import Order, issue_report
from xinzheng.apps.reports.models import Report, StoredInput
from xinzheng.apps.reports.queries import current_status
from xinzheng.apps.reports.replaying import decision_of, replay_report
from xinzheng.apps.reports.reviewing import review_reports
from xinzheng.config.environment import calendar_years
from xinzheng.core.decision import Request

pytestmark = pytest.mark.django_db(transaction=True)
CODE = uscc(1)


@pytest.fixture
def city(transactional_db: None, tmp_path: Path) -> SmallCity:
    return build_small_city(tmp_path, units_per_domain=1)


def issue(subject_id: int) -> Report:
    return issue_report(Order("suzhou-2024", subject_id, Request(), BY))


def delivered_by_own_map(city: SmallCity) -> None:
    row = SOURCE_ROW | {"日子": (today() - timedelta(days=90)).isoformat()}
    submit_batch(replace(city.delivery([row]), map_name=OWN), by=BY)


def results(report: Report) -> dict[str, str]:
    return {domain.code: str(domain.result) for domain in decision_of(report)[1].domains}


def test_a_report_is_replayed_after_the_map_its_records_were_read_by_was_changed_and_retired(city: SmallCity) -> None:
    city.declare_everything()
    subject_id = city.firm(CODE)
    save_column_map(unit_id=unit_id(city), content=CONTENT, by=BY)
    delivered_by_own_map(city)
    report = issue(subject_id)
    assert results(report)["taxation"] == "records_found"

    # The source's words are turned round, so that the same row would be left out by now.
    turned = CONTENT | {"words": {"procedure": {"1": "简易程序", "2": "普通程序"}}}
    save_column_map(unit_id=unit_id(city), content=turned, by=BY)
    assert replay_report(report.number).is_same
    retire_column_map(unit_id=unit_id(city), name=OWN, by=BY)
    with pytest.raises(IntakeError):
        delivered_by_own_map(city)
    assert replay_report(report.number).is_same
    assert review_reports()["superseded"] == 0
    assert current_status(report.number) == "in_force"


def test_a_report_is_replayed_after_the_same_row_was_read_by_another_version_of_its_map(city: SmallCity) -> None:
    city.declare_everything()
    subject_id = city.firm(CODE)
    save_column_map(unit_id=unit_id(city), content=CONTENT, by=BY)
    delivered_by_own_map(city)
    before = issue(subject_id)
    turned = CONTENT | {"words": {"procedure": {"1": "简易程序", "2": "普通程序"}}}
    save_column_map(unit_id=unit_id(city), content=turned, by=BY)
    delivered_by_own_map(city)
    retire_column_map(unit_id=unit_id(city), name=OWN, by=BY)
    after = issue(subject_id)
    assert (results(before)["taxation"], results(after)["taxation"]) == ("records_found", "none_found")
    assert review_reports()["superseded"] == 1
    assert [current_status(report.number) for report in (before, after)] == ["superseded", "in_force"]
    assert all(replay_report(report.number).is_same for report in (before, after))


@pytest.fixture
def calendar_file(tmp_path: Path, settings: Any) -> Any:
    """Puts an operator's calendar of further years into use."""

    def put_in_use(*lines: str) -> None:
        path = tmp_path / "calendar.csv"
        path.write_text("\n".join(["日期,安排", *lines]) + "\n", encoding="utf-8")
        settings.XINZHENG_CALENDAR_YEARS = calendar_years(str(path))

    return put_in_use


def stored_years(report: Report) -> set[int]:
    body: dict[str, list[int]] = StoredInput.objects.get(sha256=report.calendar_id).body
    return set(body["years"])


def test_a_report_is_replayed_after_its_calendar_got_a_further_year(city: SmallCity, calendar_file: Any) -> None:
    city.declare_everything()
    subject_id = city.firm(CODE)
    before = issue(subject_id)
    further = max(default_calendar().years) + 1
    calendar_file(f"{further}-01-01,休", f"{further}-01-03,班")
    after = issue(subject_id)
    assert stored_years(after) - stored_years(before) == {further}
    packs.stored_calendar.cache_clear()
    assert all(replay_report(report.number).is_same for report in (before, after))
    assert review_reports()["superseded"] == 0


def test_a_report_is_replayed_by_its_own_calendar_where_that_of_today_would_decide_otherwise(
    city: SmallCity, calendar_file: Any
) -> None:
    """A year's days are announced again, and weekends are worked: seven working days reach back less far."""
    day = today()
    city.declare_everything(through=default_calendar().minus_working_days(day, 7))
    subject_id = city.firm(CODE)
    before = issue(subject_id)
    assert before.outcome == "clear"
    weekends = [day - timedelta(days=n) for n in range(1, 13) if (day - timedelta(days=n)).weekday() >= 5]
    rest = [date(year, 1, 1) for year in {one.year for one in (day, *weekends)}]
    calendar_file(*[f"{one},休" for one in rest], *[f"{one},班" for one in weekends if one not in rest])
    assert issue(subject_id).outcome == "not_verifiable"
    packs.stored_calendar.cache_clear()
    assert replay_report(before.number).is_same
