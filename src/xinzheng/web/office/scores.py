"""Scorecards: the office compares all units, a unit sees its own."""

from dataclasses import dataclass
from decimal import Decimal

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.utils import timezone
from django.views.decorators.http import require_safe

from xinzheng.apps.accounts.models import Account
from xinzheng.apps.audit.queries import head_position
from xinzheng.apps.oversight.permissions import refusals_to_see_quality
from xinzheng.apps.oversight.queries import Scorecard, latest_complete_month, score_history, scorecards, scoring
from xinzheng.core.quality import Share
from xinzheng.web.access import refuse_if
from xinzheng.web.office.choices import (
    asked_month,
    in_words,
    months_to_choose,
    overseers_choices,
    quality_page,
    unit_choices,
)

UNKNOWN = "—"


@dataclass(frozen=True)
class CardView:
    """A scorecard in words."""

    name: str
    rank: str
    score: str
    trend: str
    completeness: str
    timeliness: str
    accuracy: str
    is_low: bool
    card: Scorecard


@require_safe
@quality_page
def office_scores(request: HttpRequest, account: Account) -> HttpResponse:
    """All units of a month, best first."""
    choices, month = overseers_choices(request, account), asked_month(request)
    cards = scorecards(choices.policy, month, head_position(), timezone.localdate())
    measured = [card.score for card in cards if card.score is not None]
    context = {
        "choices": choices,
        "month": month,
        "month_words": in_words(month),
        "months": [(str(found), in_words(found)) for found in months_to_choose()],
        "cards": [card_view(card) for card in cards],
        "measured": len(measured),
        "perfect": sum(score == 100 for score in measured),
        "weights": scoring().weights,
    }
    return render(request, "office/scores.html", context)


@require_safe
@quality_page
def unit_score(request: HttpRequest, account: Account) -> HttpResponse:
    """The own unit: its score, its rank among all, its latest months."""
    unit, choices = unit_choices(request, account)
    refuse_if(refusals_to_see_quality(account, unit.id))
    today, position = timezone.localdate(), head_position()
    month = latest_complete_month(today)
    cards = scorecards(choices.policy, month, position, today)
    own = next((card for card in cards if card.unit.id == unit.id), None)
    history = score_history(choices.policy, unit.id, month, position, today) if own else []
    context = {
        "unit": unit,
        "choices": choices,
        "month_words": in_words(month),
        "own": card_view(own) if own else None,
        "others": len(cards),
        "history": [(in_words(when), card_view(card)) for when, card in reversed(history) if card],
        "weights": scoring().weights,
    }
    return render(request, "office/unit_score.html", context)


def card_view(card: Scorecard) -> CardView:
    """A scorecard in words; what was not measured is a dash."""
    shares = card.counts.shares
    return CardView(
        name=card.unit.short_name,
        rank=UNKNOWN if card.rank is None else str(card.rank),
        score=_number(card.score),
        trend=_signed(card.trend),
        completeness=_percent(shares["completeness"]),
        timeliness=_percent(shares["timeliness"]),
        accuracy=_percent(shares["accuracy"]),
        is_low=card.counts.days_covered < card.counts.days_due,
        card=card,
    )


def _number(value: Decimal | None) -> str:
    return UNKNOWN if value is None else str(value)


def _percent(share: Share) -> str:
    return UNKNOWN if share.percent is None else f"{share.percent}%"


def _signed(value: Decimal | None) -> str:
    if value is None:
        return UNKNOWN
    if value == 0:
        return "持平"
    return f"升{value}" if value > 0 else f"降{-value}"
