"""The default calendar: announced years only, and an operator's file for those to come."""

from datetime import date

import pytest
from django.core.exceptions import ImproperlyConfigured

from xinzheng.adapters.calendar import default_calendar
from xinzheng.apps.reports.packs import current_calendar
from xinzheng.config.environment import calendar_years
from xinzheng.core.errors import CalendarError


@pytest.mark.parametrize(
    ("day", "works"),
    [
        (date(2025, 10, 1), False),  # National Day
        (date(2025, 9, 28), True),  # a Sunday with work
        (date(2025, 6, 2), False),  # Dragon Boat Festival, a Monday
        (date(2025, 6, 3), True),
        (date(2025, 6, 7), False),  # an ordinary Saturday
        (date(2024, 2, 29), True),
        (date(2004, 1, 1), False),
    ],
)
def test_days_are_as_the_state_council_announced(day, works):
    assert default_calendar().is_working_day(day) is works


@pytest.mark.parametrize("year", [2003, 2027])
def test_a_year_not_announced_is_an_error_that_says_what_to_import(year):
    with pytest.raises(CalendarError, match=f"{year}年.*请导入"):
        default_calendar().is_working_day(date(year, 5, 6))


def test_an_imported_year_is_known_and_the_others_stay(tmp_path):
    path = tmp_path / "2027.csv"
    path.write_text("日期,安排\n2027-01-01,休\n2027-01-03,班\n\n2027-01-02,休\n", encoding="utf-8-sig")
    calendar = default_calendar(path)
    assert not calendar.is_working_day(date(2027, 1, 1))
    assert calendar.is_working_day(date(2027, 1, 3))
    assert calendar.is_working_day(date(2027, 1, 4))
    assert not calendar.is_working_day(date(2025, 10, 1))


def test_an_imported_year_replaces_the_packaged_one(tmp_path):
    path = tmp_path / "2026.csv"
    path.write_text("日期,安排\n2026-01-05,休\n", encoding="utf-8")
    calendar = default_calendar(path)
    assert not calendar.is_working_day(date(2026, 1, 5))
    assert calendar.is_working_day(date(2026, 1, 1))


@pytest.mark.parametrize(
    ("text", "line", "message"),
    [
        ("day,plan\n", 1, "第一行应为"),
        ("日期,安排\n2027-02-30,休\n", 2, "不存在"),
        ("日期,安排\n2027-01-01,假\n", 2, "每行应为"),
        ("日期,安排\n2027-01-01,休\n2027-01-01,班\n", 1, "既写了"),
        ("日期,安排\n2027-01-03,班\n", 1, "不是完整的年度安排"),
        ("日期,安排\n", 1, "没有任何日期"),
        ("", 1, "第一行应为"),
    ],
)
def test_a_wrong_calendar_file_is_refused_with_its_line(tmp_path, text, line, message):
    path = tmp_path / "years.csv"
    path.write_text(text, encoding="utf-8")
    with pytest.raises(CalendarError, match=message) as refused:
        default_calendar(path)
    assert refused.value.context["line"] == line


def test_a_calendar_file_that_is_not_there_is_refused(tmp_path):
    with pytest.raises(CalendarError, match="文件不存在"):
        default_calendar(tmp_path / "none.csv")


def test_the_operator_s_file_is_the_calendar_in_use(tmp_path, settings):
    path = tmp_path / "years.csv"
    path.write_text("日期,安排\n2027-01-01,休\n", encoding="utf-8")
    settings.XINZHENG_CALENDAR_YEARS = calendar_years(str(path))
    assert not current_calendar().is_working_day(date(2027, 1, 1))
    assert current_calendar().is_working_day(date(2027, 1, 4))
    settings.XINZHENG_CALENDAR_YEARS = calendar_years("")
    with pytest.raises(CalendarError):
        current_calendar().is_working_day(date(2027, 1, 4))


def test_nothing_starts_with_a_wrong_calendar_file(tmp_path):
    path = tmp_path / "years.csv"
    path.write_text("日期,安排\n2027-13-01,休\n", encoding="utf-8")
    with pytest.raises(ImproperlyConfigured, match=r"XINZHENG_CALENDAR_YEARS：.*years.csv:2：日期“2027-13-01”不存在"):
        calendar_years(str(path))
