"""Scores, bulletins and who may see them: counted from the ledger, frozen when published."""

import json
import zipfile
from datetime import date, timedelta
from io import BytesIO
from pathlib import Path

import pypdfium2
import pytest
from django.db import ProgrammingError, transaction
from python_calamine import CalamineWorkbook

from tests.small_city import LONG_AGO, SmallCity, build_small_city, today, uscc
from xinzheng.adapters.workbook_out import Column, Sheet, write_workbook
from xinzheng.apps.accounts.models import Account, Role
from xinzheng.apps.audit.models import AuditEvent
from xinzheng.apps.audit.queries import head_position
from xinzheng.apps.oversight.bulletin_files import bulletin_pdf, bulletin_workbook
from xinzheng.apps.oversight.bulletins import draft_bulletin, publish_bulletin, published_bulletin
from xinzheng.apps.oversight.errors import OversightError
from xinzheng.apps.oversight.models import Bulletin
from xinzheng.apps.oversight.permissions import (
    refusals_to_publish,
    refusals_to_see_all_quality,
    refusals_to_see_quality,
)
from xinzheng.apps.oversight.queries import Scorecard, score_history, scorecards
from xinzheng.apps.reports.packs import current_calendar, current_policy
from xinzheng.core.coverage_calendar import Month
from xinzheng.core.quality import Counts

pytestmark = pytest.mark.django_db
CODE, POLICY = uscc(1), "suzhou-2024"


def this() -> Month:
    return Month.of(today())


def past() -> Month:
    return this().plus(-2)


@pytest.fixture
def city(db: None, tmp_path: Path) -> SmallCity:
    return build_small_city(tmp_path, units_per_domain=1)


def card(city: SmallCity, month: Month | None = None, position: int | None = None) -> Scorecard:
    at = head_position() if position is None else position
    cards = scorecards(current_policy(POLICY), month or this(), at, today())
    return next(card for card in cards if card.unit.uscc == city.unit("taxation"))


def row(city: SmallCity, number: int, day: date) -> dict[str, str]:
    return city.penalty(CODE, f"苏税罚〔2026〕{number}号", 处罚决定日期=day.isoformat())


def test_a_unit_without_data_covers_no_day_and_one_with_everything_all(city: SmallCity) -> None:
    empty = card(city, past()).counts
    assert (empty.days_covered, empty.records, empty.lines) == (0, 0, 0)
    assert empty.days_due >= 28
    city.declare(city.unit("taxation"), "taxation")
    full = card(city, past())
    own = [card.counts for card in scorecards(current_policy(POLICY), past(), head_position(), today())]
    assert full.counts.days_covered > 0
    assert sum(counts.days_covered for counts in own) == full.counts.days_covered


def test_a_record_is_in_time_up_to_the_last_working_day_the_policy_allows(city: SmallCity) -> None:
    city.firm(CODE)
    policy, calendar = current_policy(POLICY), current_calendar()
    days = [today() - timedelta(days=n) for n in range(40)]
    in_time = next(day for day in reversed(days) if calendar.plus_working_days(day, policy.freshness_days) >= today())
    city.submit([row(city, 1, in_time), row(city, 2, in_time - timedelta(days=1))])
    months = {Month.of(in_time), Month.of(in_time - timedelta(days=1))}
    counted = [card(city, month).counts for month in months]
    assert sum(counts.records for counts in counted) == 2
    assert sum(counts.in_time for counts in counted) == 1


def test_sending_a_record_again_does_not_change_when_it_first_came(city: SmallCity) -> None:
    city.firm(CODE)
    city.submit([row(city, 1, today())])
    before = card(city).counts
    city.submit([row(city, 1, today()) | {"违法事实": "更正后的事实"}])
    after = card(city).counts
    assert (after.records, after.in_time) == (before.records, before.in_time) == (1, 1)


def test_rejected_lines_lower_the_accuracy_of_the_month_they_came_in(city: SmallCity) -> None:
    city.firm(CODE)
    wrong = row(city, 2, today()) | {"处罚决定日期": "2026-02-30"}
    city.submit([row(city, 1, today()), wrong])
    found = card(city).counts
    assert (found.lines, found.rejected, found.corrected) == (2, 1, 0)
    assert card(city, past()).counts.lines == 0


def test_as_at_an_earlier_position_a_score_is_as_it_was(city: SmallCity) -> None:
    position, before = head_position(), card(city)
    city.firm(CODE)
    city.submit([row(city, 1, today())], covers=(LONG_AGO, today()))
    assert card(city, position=position).counts == before.counts
    assert card(city).counts != before.counts


def test_the_best_unit_ranks_first_and_the_trend_looks_at_the_month_before(city: SmallCity) -> None:
    city.declare(city.unit("taxation"), "taxation", through=past().last)
    cards = scorecards(current_policy(POLICY), past(), head_position(), today())
    best = cards[0]
    assert (best.unit.uscc, best.rank) == (city.unit("taxation"), 1)
    assert best.trend == 0
    worse = card(city, past().plus(1))
    assert worse.trend is not None
    assert worse.trend < 0


def test_the_history_ends_with_the_month_asked_for(city: SmallCity) -> None:
    history = score_history(current_policy(POLICY), card(city).unit.id, past(), head_position(), today())
    assert [month for month, _card in history] == [past().plus(n) for n in range(-5, 1)]


def test_a_published_bulletin_stays_when_the_ledger_goes_on(city: SmallCity) -> None:
    publish_bulletin(past(), "test", POLICY)
    before = published_bulletin(POLICY, past())
    city.declare_everything()
    assert published_bulletin(POLICY, past()) == before
    assert before is not None
    assert draft_bulletin(POLICY, past()).figures["units"] != before.figures["units"]
    assert AuditEvent.objects.filter(action="bulletin-published").count() == 1


def test_a_bulletin_is_published_once_and_only_when_the_month_is_due(city: SmallCity) -> None:
    publish_bulletin(past(), "test", POLICY)
    with pytest.raises(OversightError) as twice:
        publish_bulletin(past(), "test", POLICY)
    with pytest.raises(OversightError) as early:
        publish_bulletin(this(), "test", POLICY)
    assert (twice.value.code, early.value.code) == ("already-published", "month-not-due")


def test_the_database_refuses_to_change_or_remove_a_bulletin(city: SmallCity) -> None:
    publish_bulletin(past(), "test", POLICY)
    with pytest.raises(ProgrammingError, match="pgtrigger"), transaction.atomic():
        Bulletin.objects.update(figures="{}")
    with pytest.raises(ProgrammingError, match="pgtrigger"), transaction.atomic():
        Bulletin.objects.all().delete()


def test_the_figures_are_canonical_json_without_personal_data(city: SmallCity) -> None:
    found = publish_bulletin(past(), "test", POLICY)
    figures = json.loads(found.figures)
    assert figures["format"] == "xinzheng.bulletin/1"
    assert figures["position"] == found.position
    assert {unit["rank"] for unit in figures["units"]} == {1}
    assert found.figures == json.dumps(figures, ensure_ascii=False, separators=(",", ":"), sort_keys=True)


def test_the_paper_names_every_unit_and_is_the_same_each_time(city: SmallCity) -> None:
    publish_bulletin(past(), "test", POLICY)
    bulletin = published_bulletin(POLICY, past())
    assert bulletin is not None
    pdf = bulletin_pdf(bulletin)
    assert pdf == bulletin_pdf(bulletin)
    document = pypdfium2.PdfDocument(pdf)
    text = "".join(page.get_textpage().get_text_range() for page in document)
    document.close()
    told = "".join(text.split())
    assert "数据质量通报" in told
    assert "演示文件，数据虚构，无证明效力。" in told
    assert all("".join(unit["name"].split()) in told for unit in bulletin.figures["units"])


def test_a_draft_says_on_paper_that_it_is_one(city: SmallCity) -> None:
    document = pypdfium2.PdfDocument(bulletin_pdf(draft_bulletin(POLICY, past())))
    assert "草稿，未发布" in document[0].get_textpage().get_text_range()
    document.close()


def test_the_workbook_holds_the_figures_of_every_unit(city: SmallCity) -> None:
    publish_bulletin(past(), "test", POLICY)
    bulletin = published_bulletin(POLICY, past())
    assert bulletin is not None
    rows = CalamineWorkbook.from_filelike(BytesIO(bulletin_workbook(bulletin))).get_sheet_by_index(0).to_python()
    head = next(n for n, cells in enumerate(rows) if cells[0] == "名次")
    assert [cells[1] for cells in rows[head + 1 :]] == [unit["name"] for unit in bulletin.figures["units"]]
    assert f"摘要值（SHA-256）{bulletin.digest}" in [cells[0] for cells in rows[:head]]


def test_a_text_in_a_workbook_never_becomes_a_formula_or_a_link() -> None:
    data = write_workbook([Sheet("表", [], [Column("单位")], [["=1+1"], ["http://example.org"], [None]])])
    assert data == write_workbook([Sheet("表", [], [Column("单位")], [["=1+1"], ["http://example.org"], [None]])])
    with zipfile.ZipFile(BytesIO(data)) as parts:
        sheet = parts.read("xl/worksheets/sheet1.xml").decode()
        assert "<f>" not in sheet
        assert "hyperlink" not in sheet
        assert "=1+1" in parts.read("xl/sharedStrings.xml").decode()


def account(role: Role, unit: int | None = None) -> Account:
    return Account(pk=7, username="somebody", display_name="示例", role=role, unit_id=unit)


def test_the_office_sees_all_units_and_an_officer_only_the_own() -> None:
    office, officer = account(Role.OFFICE_OPERATOR), account(Role.DEPARTMENT_OFFICER, 1)
    agent = account(Role.SUBJECT_AGENT)
    assert refusals_to_see_quality(office, 1) == refusals_to_see_quality(officer, 1) == []
    assert refusals_to_see_all_quality(office) == refusals_to_publish(office) == []
    for refusals in (
        refusals_to_see_quality(officer, 2),
        refusals_to_see_quality(agent, 1),
        refusals_to_see_all_quality(officer),
        refusals_to_publish(officer),
    ):
        assert refusals


@pytest.mark.parametrize("role", [Role.JUSTICE_LEAD, Role.DATA_LEAD])
def test_the_leads_of_justice_and_data_read_and_settle_nothing(role: Role) -> None:
    lead = account(role)
    assert refusals_to_see_all_quality(lead) == []
    assert refusals_to_publish(lead)
    assert refusals_to_see_quality(lead, 1)
    lead.is_active = False
    assert refusals_to_see_all_quality(lead)


def test_counts_of_nothing_have_no_score(city: SmallCity) -> None:
    assert Counts().shares["timeliness"].percent is None
