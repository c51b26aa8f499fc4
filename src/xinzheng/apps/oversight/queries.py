"""Read the quality of data. Whatever takes a position is answered as the ledger stood then, and never otherwise."""

from xinzheng.apps.oversight.calendar_queries import CoverageCalendar, Row, View, coverage_calendar_of
from xinzheng.apps.oversight.officers import named_officer
from xinzheng.apps.oversight.scopes import Scope, due_date, overseen_policies, scopes_of, unit_policies
from xinzheng.apps.oversight.score_queries import Scorecard, latest_complete_month, score_history, scorecards
from xinzheng.apps.oversight.scoring import scoring

__all__ = [
    "CoverageCalendar",
    "Row",
    "Scope",
    "Scorecard",
    "View",
    "coverage_calendar_of",
    "due_date",
    "latest_complete_month",
    "named_officer",
    "overseen_policies",
    "scopes_of",
    "score_history",
    "scorecards",
    "scoring",
    "unit_policies",
]
