"""Screening set-wise (批量核查): a policy's answers about a whole list at once, by the clauses ``decide`` goes by.

Importing this costs a second (ibis): tasks and commands do, web processes do not.
"""

from xinzheng.adapters.screening.answers import AnswerRow, DomainRow, FindingRow, Plan, plan
from xinzheng.adapters.screening.engines import Engine, Limits, open_engine
from xinzheng.adapters.screening.errors import EngineError
from xinzheng.adapters.screening.lists import LISTS

__all__ = [
    "LISTS",
    "AnswerRow",
    "DomainRow",
    "Engine",
    "EngineError",
    "FindingRow",
    "Limits",
    "Plan",
    "open_engine",
    "plan",
]
