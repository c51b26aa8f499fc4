"""Acting on objections from an official's page (办理异议): forms, what was typed, and what is said of a refusal."""

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from types import MappingProxyType

from django.http import Http404, HttpRequest

from xinzheng.apps.accounts.models import Account
from xinzheng.apps.audit.queries import head_position
from xinzheng.apps.redress.clock import today
from xinzheng.apps.redress.errors import RedressError
from xinzheng.apps.redress.models import Step
from xinzheng.apps.redress.queries import ObjectionView, objection_view
from xinzheng.apps.registry.queries import responsible_units, units_at
from xinzheng.core.errors import XinzhengError
from xinzheng.web.form_errors import FieldError

NUMBER = re.compile(r"Y[0-9]{8}-[0-9]{4,6}")
UNKNOWN = "没有这个编号的异议，请核对编号。"
MAIN = "main"
CHECK, DO, EDIT = "check", "do", "edit"
LONGEST_KEY = 18
CONFLICT, BUSY, UNFIT, DENIED = 409, 503, 422, 403
STATUS: Mapping[str, int] = MappingProxyType(
    {
        "objection-moved-on": CONFLICT,
        "objection-step-illegal": CONFLICT,
        "record-moved-on": CONFLICT,
        "unknown-record": CONFLICT,
        "ledger-busy": BUSY,
        "not-permitted": DENIED,
    }
)
# At which field of its form a refusal stands; all others stand at the top.
FIELD_OF: Mapping[str, str] = MappingProxyType(
    {
        "reason-missing": "reason",
        "text-not-kept": "reason",
        "unit-missing": "unit",
        "unit-not-responsible": "unit",
        "handed-over-twice": "unit",
        "evidence-missing": "evidence",
        "evidence-unfit": "evidence",
        "evidence-too-many": "evidence",
        "evidence-too-large": "evidence",
        "evidence-not-examined": "evidence",
        "batch-corrects-nothing": "batch",
        "correction-unchanged": "columns",
    }
)


@dataclass(frozen=True, slots=True)
class ActForm:
    """One thing that can be done (办理方式) as a form; ``note`` names what follows from it."""

    act: str
    title: str
    note: str
    button: str
    reason: str = ""
    units: Sequence[tuple[int, str]] = ()
    has_evidence: bool = False
    is_main: bool = False
    is_checked: bool = False


@dataclass(frozen=True, slots=True)
class Refused:
    """Why something was not done: what stands at which field, and the status of the answer."""

    errors: tuple[FieldError, ...] = ()
    status: int = 200

    @property
    def is_conflict(self) -> bool:
        """Whether nothing is to be mended, but something else came first."""
        return self.status in (CONFLICT, DENIED)


NOT_REFUSED = Refused()


def refused(error: XinzhengError, form: str) -> Refused:
    """What is said of an error in a form, whose fields' ids begin with its name."""
    field = FIELD_OF.get(error.code)
    at = f"{form}-{field}" if field else MAIN
    return Refused((FieldError(at, error.message),), STATUS.get(error.code, UNFIT))


def unfit(field: str, message: str) -> Refused:
    """One thing to mend."""
    return Refused((FieldError(field, message),), UNFIT)


def view_of(number: str) -> ObjectionView:
    """The objection as it stands. Http404 for a number that is none."""
    if not NUMBER.fullmatch(number):
        raise Http404(UNKNOWN)
    try:
        return objection_view(number, today())
    except RedressError as error:
        raise Http404(UNKNOWN) from error


def number_in(text: str) -> int | None:
    """A key as it was posted; None for what is none."""
    text = text.strip()
    return int(text) if text.isascii() and text.isdecimal() and len(text) <= LONGEST_KEY else None


def seen_in(request: HttpRequest) -> int:
    """The step that was looked at; none where the form does not say, which is then told as moved on."""
    return number_in(request.POST.get("seen", "")) or 0


def was_done(view: ObjectionView, seen: int, act: str, account: Account) -> bool:
    """Whether the same form was sent twice, and the first time did it."""
    found = Step.objects.filter(objection__number=view.number, seq=seen + 1).first()
    return found is not None and (found.act, found.actor) == (act, account.actor)


def units_for(view: ObjectionView, without: Iterable[int | None] = ()) -> list[tuple[int, str]]:
    """The units that may be given an objection: those that answer for its domain and kind, its own first."""
    found = {
        unit.unit_id: unit.full_name
        for unit in responsible_units(view.policy_id)
        if unit.domain == view.domain and view.kind in unit.kinds
    }
    own = view.answering_unit_id
    if own is not None:
        name = found.pop(own, None) or units_at(head_position())[own].name
        found = {own: name} | found
    return [(key, name) for key, name in found.items() if key not in set(without)]
