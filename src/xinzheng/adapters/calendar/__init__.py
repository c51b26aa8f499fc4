"""The State Council's working days (工作日历): chinesecalendar's years, and years an operator imports."""

from xinzheng.adapters.calendar.calendars import default_calendar, read_years

__all__ = ["default_calendar", "read_years"]
