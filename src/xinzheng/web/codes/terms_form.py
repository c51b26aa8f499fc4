"""What the subject fills in before it shows a code (亮码条件): read, and said back where something is wrong."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import timedelta

from django.conf import settings
from django.utils import timezone

from xinzheng.apps.codes.models import Receiver
from xinzheng.apps.codes.receiver_queries import verified_named
from xinzheng.apps.codes.said import LONGEST, check_body_name
from xinzheng.apps.codes.sharing import MOST_VIEWS, NOT_VERIFIED, Terms
from xinzheng.apps.reports.packs import stored_policy
from xinzheng.core.errors import XinzhengError
from xinzheng.core.identifiers import check_uscc
from xinzheng.web.form_errors import FieldError

# How long, in hours: words.
PERIODS = {1: "1小时", 24: "1天", 72: "3天", 168: "7天", 720: "30天"}
PRESET_HOURS, PRESET_VIEWS = 1, 3


@dataclass(frozen=True)
class Asked:
    """The form as filled in; ``terms`` where nothing is wrong.

    ``is_bound``: only the accounts of the named body may look, which the office has verified.
    """

    purpose: str
    receiver_name: str
    hours: str
    views: str
    terms: Terms | None = None
    errors: tuple[FieldError, ...] = ()
    is_bound: bool = False
    may_subscribe: bool = False


def purposes_of(pack: bytes) -> list[tuple[str, str]]:
    """The purposes of a report's own pack, as (code, name): another pack may be in force by the time it is shown."""
    return [(purpose.code, purpose.name) for purpose in stored_policy(pack).purposes]


def periods() -> dict[int, str]:
    """The periods that are offered: none longer than ``XINZHENG_SHARE_MAX_DAYS``."""
    return {hours: words for hours, words in PERIODS.items() if hours <= settings.XINZHENG_SHARE_MAX_DAYS * 24}


def preset(pack: bytes, purpose_name: str, receiver_name: str = "") -> Asked:
    """The report's own purpose, an hour, three looks, the body it was applied for or anybody."""
    codes = {name: code for code, name in purposes_of(pack)}
    return Asked(codes.get(purpose_name, ""), receiver_name, str(PRESET_HOURS), str(PRESET_VIEWS))


def read_terms(pack: bytes, data: Mapping[str, str]) -> Asked:
    """The form as it came."""
    purpose, hours, views = (data.get(name, "").strip() for name in ("purpose", "hours", "views"))
    is_bound, may_subscribe = (data.get(name) == "1" for name in ("is_bound", "may_subscribe"))
    name, receiver, wrong_name = _read_receiver(data.get("receiver_name", ""), is_bound=is_bound)
    errors = []
    if purpose not in dict(purposes_of(pack)):
        errors.append(FieldError("purpose", "请从列出的用途中选一项。"))
    errors += wrong_name
    if hours not in {str(offered) for offered in periods()}:
        errors.append(FieldError("hours", "请从列出的有效期中选一项。"))
    if not (views.isascii() and views.isdigit() and len(views) < 5 and 1 <= int(views) <= MOST_VIEWS):
        errors.append(FieldError("views", f"次数请填1至{MOST_VIEWS}的整数。"))
    if errors:
        return Asked(purpose, name, hours, views, None, tuple(errors), is_bound, may_subscribe)
    receiver_id = receiver.pk if receiver is not None else None
    terms = Terms(purpose, timezone.now() + timedelta(hours=int(hours)), int(views), name, receiver_id, may_subscribe)
    return Asked(purpose, name, hours, views, terms, (), is_bound, may_subscribe)


def _read_receiver(text: str, *, is_bound: bool) -> tuple[str, Receiver | None, list[FieldError]]:
    """The body's name, and the receiver it is where the share is for its accounts only; a USCC stands for a name."""
    if is_bound or check_uscc(text[: LONGEST * 2]).ok:
        found = verified_named(text)
        if found is None:
            return text.strip()[: LONGEST * 2].replace("\0", ""), None, [FieldError("receiver_name", NOT_VERIFIED)]
        return found.name, found if is_bound else None, []
    name, wrong = _read_name(text)
    return name, None, wrong


def _read_name(text: str) -> tuple[str, list[FieldError]]:
    name = text.strip()[: LONGEST * 2]
    try:
        return (check_body_name(name) if name else ""), []
    except XinzhengError as error:
        return name.replace("\0", ""), [FieldError("receiver_name", error.message)]
