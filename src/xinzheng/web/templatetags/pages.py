"""Tags and filters of the pages: the frame, icons, marks, dates as people read them."""

import re
from collections.abc import Mapping
from datetime import date, datetime

from django import template
from django.template import Context
from django.utils import timezone
from django.utils.html import format_html, format_html_join
from django.utils.safestring import SafeString

from xinzheng.apps.audit.request_ids import current_request_id
from xinzheng.apps.ledger.models import Upload
from xinzheng.apps.ledger.queries import BatchSummary
from xinzheng.apps.ledger.uploads import is_kept_for_mapping
from xinzheng.web.context import Shell, shell_of

register = template.Library()

# A mark is shape, word and colour together: the shape's icon and the colour's class by what is marked.
MARKS = {
    "none_found": "none",
    "clear": "none",
    "records_found": "found",
    "not_clear": "found",
    "counted": "found",
    "marked": "found",
    "not_verifiable": "unver",
    "unresolved": "unver",
    "listed_apart": "apart",
    "excluded": "minus",
    "in_force": "info",
    "superseded": "unver",
    "expired": "unver",
    "prepared": "unver",
    "revoked": "found",
    "voided": "found",
}
COUNT = re.compile(r"(\d+(?:条|个领域|个单位))")
SHAPES = {"info": "none"}  # verification is blue, but its ring has a tick
COLOURS = {"minus": "apart"}


@register.simple_tag(takes_context=True)
def shell(context: Context) -> Shell:
    """The frame of this page; works on error pages without a request, too."""
    return shell_of(context.get("request"))


@register.simple_tag
def request_id() -> str:
    """The number of the request at hand, for who has to tell somebody what went wrong; empty outside of one."""
    return current_request_id()


@register.simple_tag
def icon(name: str, colour: str = "") -> SafeString:
    """An icon of the sprite, silent for screen readers: the word stands beside it."""
    kind = f"icon is-{colour}" if colour else "icon"
    return format_html('<svg class="{}" aria-hidden="true" focusable="false"><use href="#i-{}"/></svg>', kind, name)


@register.filter
def plain_status(words: str) -> str:
    """A status under a heading that already says what it is."""
    return words.removeprefix("报告状态：")


@register.filter
def mark_colour(state: str) -> str:
    """The colour class of a state, without its prefix."""
    mark = MARKS.get(str(state), "apart")
    return COLOURS.get(mark, mark)


@register.filter
def mark_icon(state: str) -> str:
    """The icon of a state."""
    mark = MARKS.get(str(state), "minus")
    return SHAPES.get(mark, mark)


def _moment(value: object) -> datetime | date | None:
    if isinstance(value, (datetime, date)):
        return value
    try:
        text = str(value)
        return datetime.fromisoformat(text) if "T" in text else date.fromisoformat(text)
    except ValueError:
        return None


@register.filter
def day(value: object) -> str:
    """A date, a moment or their ISO text as 2026年11月21日; empty for nothing."""
    moment = _moment(value)
    if moment is None:
        return ""
    if isinstance(moment, datetime) and timezone.is_aware(moment):
        moment = timezone.localtime(moment)
    return f"{moment.year}年{moment.month}月{moment.day}日"


@register.filter
def moment(value: object, seconds: str = "yes") -> str:
    """A moment as 2026年11月21日 20:15:08 in Beijing time; without seconds for any other argument."""
    when = _moment(value)
    if not isinstance(when, datetime):
        return day(value)
    if timezone.is_aware(when):
        when = timezone.localtime(when)
    return f"{day(when)} {when:%H:%M:%S}" if seconds == "yes" else f"{day(when)} {when:%H:%M}"


@register.filter
def unbroken(text: str) -> SafeString:
    """Keep a count and its measure word on one line."""
    pieces = COUNT.split(str(text))
    return format_html_join(
        "",
        "{}",
        ((format_html('<span class="nowrap">{}</span>', piece) if i % 2 else piece,) for i, piece in enumerate(pieces)),
    )


@register.filter
def machine(value: object) -> str:
    """The same moment for a time element's datetime attribute."""
    found = _moment(value)
    return "" if found is None else found.isoformat()


@register.filter
def thousands(value: int | str) -> str:
    """A whole number with separators."""
    try:
        return f"{int(value):,}"
    except (TypeError, ValueError):
        return str(value)


@register.filter
def roughly(value: int) -> str:
    """A large number that is no more exact than it looks: from a hundred thousand on in 万, as 138.6万."""
    return f"{value:,}" if value < 100_000 else f"{value / 10_000:,.1f}".removesuffix(".0") + "万"


@register.filter
def units_head(units: str) -> str:
    """The first of several responsible units; empty when there are too few to fold."""
    names = _unit_names(units)
    return names[0] if len(names) > FOLD_FROM else ""


@register.filter
def units_count(units: str) -> int:
    """How many responsible units a text names."""
    return len(_unit_names(units))


FOLD_FROM = 3


def _unit_names(units: str) -> list[str]:
    return [name for name in units.replace("，", "、").split("、") if name]


@register.filter
def kind_name(wording: Mapping[str, str], kind: object) -> str:
    """What the policy calls a kind of subject."""
    return wording.get(f"kind_{kind}", str(kind))


@register.filter
def value_of(mapping: Mapping[str, object], key: str) -> object:
    """The value under a key that is not a name a template can write."""
    return mapping.get(key, "") if mapping else ""


@register.filter
def numbered(prefix: str, number: int) -> str:
    """An id that ends with a number."""
    return f"{prefix}{number}"


@register.filter
def may_be_mapped(upload: Upload) -> bool:
    """Whether a column map may be made for its file."""
    return is_kept_for_mapping(upload)


@register.filter
def percent(upload: Upload) -> int:
    """How much of a file has been read."""
    return min(100, int(upload.lines_done * 100 / upload.lines_total)) if upload.lines_total else 0


@register.filter
def accepted(batch: BatchSummary) -> int:
    """How many lines of a batch stand in the ledger."""
    return batch.new + batch.changed + batch.identical
