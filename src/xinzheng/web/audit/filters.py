"""What the auditor asks for (筛选): read from an address or a form, with what is wrong at each field."""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta

from xinzheng.apps.accounts.models import Account
from xinzheng.apps.audit.action_words import ACTION_WORDS, OBJECT_WORDS
from xinzheng.apps.audit.event_queries import EventFilter
from xinzheng.apps.audit.privacy import IDENTITY_NUMBER
from xinzheng.core.decision import CHINA
from xinzheng.web.actors import through_platforms
from xinzheng.web.form_errors import FieldError

NAMES = ("who", "action", "kind", "object", "subject", "since", "until")
OTHERS = {"系统": "system", "命令行": "command-line", "公众": "public"}
ACTOR = re.compile(r"[a-z][a-z-]{0,30}(:[0-9A-Za-z-]{1,60}(/account:[0-9]{1,18})?)?")
OBJECT = re.compile(r"[0-9A-Za-z._:/-]+")
NUMBER = re.compile(r"[1-9][0-9]{0,17}")
LONGEST = 100


@dataclass(frozen=True)
class Asked:
    """What was filled in, the filter it makes, and what is wrong with it."""

    values: Mapping[str, str]
    filter: EventFilter
    errors: list[FieldError]

    @property
    def is_empty(self) -> bool:
        """Whether everything is asked for."""
        return not any(self.values.values())


def read_filter(given: Mapping[str, str]) -> Asked:
    """Read the fields; where one is wrong the filter asks as if it were empty, and the errors say so."""
    values = {name: given.get(name, "").replace("\0", "").strip()[:LONGEST] for name in NAMES}
    errors: list[FieldError] = []
    who = _who(values["who"], errors)
    action = _of("action", values, ACTION_WORDS, errors)
    kind, key = _of("kind", values, OBJECT_WORDS, errors), _object(values, errors)
    subject = _subject(values["subject"], errors)
    since, until = _day("since", values, errors), _day("until", values, errors)
    if since and until and until < since:
        errors.append(FieldError("until", "止日早于起日，请改正。"))
    end = _start(until + timedelta(days=1)) if until and until < date.max else None
    found = EventFilter(who, action, kind, key, subject, _start(since), end, through_platforms(who or ""))
    return Asked(values, found, errors)


def _who(text: str, errors: list[FieldError]) -> str | None:
    if not text:
        return None
    if text in OTHERS:
        return OTHERS[text]
    if NUMBER.fullmatch(text):
        return f"account:{text}"
    key = Account.objects.filter(username=text).values_list("pk", flat=True).first()
    if key is not None:
        return f"account:{key}"
    if ACTOR.fullmatch(text) and (":" in text or text in OTHERS.values()):
        return text
    errors.append(FieldError("who", "没有这个账户。请填登录名、账户编号，或者“系统”“命令行”“公众”。"))
    return None


def _of(name: str, values: Mapping[str, str], words: Mapping[str, str], errors: list[FieldError]) -> str | None:
    if values[name] and values[name] not in words:
        errors.append(FieldError(name, "没有这一项，请从列表中选择。"))
        return None
    return values[name] or None


def _object(values: Mapping[str, str], errors: list[FieldError]) -> str | None:
    text = values["object"]
    if text and (IDENTITY_NUMBER.search(text) or not OBJECT.fullmatch(text)):
        errors.append(FieldError("object", "请填对象的编号；审计记录里没有名称和身份号码。"))
        return None
    if text and not values["kind"]:
        errors.append(FieldError("object", "请同时选择对象的种类。"))
        return None
    return text or None


def _subject(text: str, errors: list[FieldError]) -> int | None:
    if text and not NUMBER.fullmatch(text):
        errors.append(FieldError("subject", "主体编号是名录里的数字编号，不是统一社会信用代码。"))
        return None
    return int(text) if text else None


def _day(name: str, values: Mapping[str, str], errors: list[FieldError]) -> date | None:
    try:
        return date.fromisoformat(values[name]) if values[name] else None
    except ValueError:
        errors.append(FieldError(name, "应是日期，例如 2026-11-20。"))
        return None


def _start(day: date | None) -> datetime | None:
    return None if day is None else datetime.combine(day, time(), CHINA)
