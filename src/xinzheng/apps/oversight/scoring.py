"""How scores are put together (评分办法): read from ``scoring.yaml`` beside this file."""

from dataclasses import dataclass
from functools import cache
from importlib.resources import files

import yaml

from xinzheng.core.quality import Weights


@dataclass(frozen=True, slots=True)
class Scoring:
    """Weights of the shares, days until a reminder is repeated, months shown by calendar and trend."""

    weights: Weights
    repeat_after_days: int
    calendar_months: int
    trend_months: int


@cache
def scoring() -> Scoring:
    """The numbers in use."""
    found = yaml.safe_load(files(__package__).joinpath("scoring.yaml").read_text(encoding="utf-8"))
    months = found["months"]
    repeat = int(found["reminders"]["repeat_after_days"])
    return Scoring(Weights(**found["weights"]), repeat, int(months["calendar"]), int(months["trend"]))
