"""Suggestions and complaints (意见建议、申诉投诉): by anybody; the credit office answers, number and code read it.

The words are sealed under a key of their own and deleted after their time: anybody may write anybody's data into them.
The code is derived from the form's key by a secret outside the database, so that the same form sent twice gets the
same code and the database holds a digest only.
"""

import hmac
import uuid
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta

from django.conf import settings
from django.db import IntegrityError, transaction
from django.db.models import Count, Min, Q
from django.utils.crypto import salted_hmac

from xinzheng.apps.accounts.models import Account, Role
from xinzheng.apps.audit.actions import About, record_event
from xinzheng.apps.audit.privacy import text_to_keep
from xinzheng.apps.audit.queries import head_position
from xinzheng.apps.codes.notice_events import SUGGESTION_LODGED
from xinzheng.apps.codes.notices import Addressee, tell
from xinzheng.apps.oversight.errors import OversightError
from xinzheng.apps.oversight.key_hooks import suggestion_owner
from xinzheng.apps.oversight.models import Suggestion, SuggestionAnswer, SuggestionWords
from xinzheng.apps.redress.clock import now
from xinzheng.apps.redress.numbers import take_number
from xinzheng.apps.registry.keys import decrypt, encrypt, new_data_key, unwrap_key, wrap_key
from xinzheng.apps.registry.queries import RegisteredUnit, units_at
from xinzheng.core.decision import china_date
from xinzheng.core.lifecycle import TYPED_LENGTH, normalise_number, normalise_typed_code, typed_code

PREFIX = "J"
SAID_AT_MOST = 2000
ANSWER_AT_MOST = 2000
QUESTION_AT_MOST = 200
OPEN_AT_MOST = 20
LISTED_AT_MOST = 50
SECRET_BYTES = 16
# What it is about (事项), as people choose it.
TOPICS = {
    "report": "申请和使用报告",
    "rule": "规则怎样理解",
    "data": "数据不准、不全",
    "service": "办事服务",
    "other": "其他",
}


@dataclass(frozen=True, slots=True)
class NewSuggestion:
    """What somebody has to say: kind, topic (a key of TOPICS), words, and the unit if it is about one."""

    kind: str
    topic: str
    words: str
    unit_name: str = ""


@dataclass(frozen=True, slots=True)
class Lodged:
    """What the one who lodged it takes away: number, and the code of twelve characters the answer is read with."""

    number: str
    code: str
    at: datetime


@dataclass(frozen=True, slots=True)
class Answer:
    """The office's answer (答复); with ``is_public`` everybody reads ``question`` and ``text``."""

    text: str
    question: str = ""
    is_public: bool = False


@dataclass(frozen=True, slots=True)
class SuggestionRow:
    """A suggestion as it is listed; ``words`` is None once they were deleted, and where the reader gets none."""

    number: str
    kind_word: str
    topic_word: str
    unit_name: str
    at: datetime
    is_signed_in: bool
    words: str | None = None
    answer: str = ""
    question: str = ""
    is_public: bool = False
    answered_at: datetime | None = None


@transaction.atomic
def lodge(new: NewSuggestion, *, account: Account | None, key: uuid.UUID) -> Lodged:
    """Keep what was said, sealed; the same ``key`` again gives the same answer.

    Raises:
        OversightError: ``suggestion-empty``, ``suggestion-too-long``, ``suggestion-kind-unknown``,
            ``topic-unknown``, ``unknown-unit``; ``suggestion-lodged-already``: the form was sent before with other
            words; ``too-many-suggestions``: the account has as many open ones as it may.
    """
    words, unit_id = _checked(new)
    before = _of_form(key)
    if before is None:
        if account is not None:
            _refuse_too_many(account)
        try:
            with transaction.atomic():
                return _kept(new, words, unit_id, account, key)
        except IntegrityError:  # the same form, sent twice at the same moment
            before = _of_form(key)
            if before is None:
                raise
    return _once_more(before, words)


def _of_form(key: uuid.UUID) -> Suggestion | None:
    return Suggestion.objects.filter(pk=key).select_related("words").first()


def _kept(new: NewSuggestion, words: str, unit_id: int | None, account: Account | None, key: uuid.UUID) -> Lodged:
    code, at = _code_of(key), now()
    made = Suggestion.objects.create(
        pk=key,
        number=take_number(PREFIX, china_date(at)),
        kind=new.kind,
        topic=new.topic,
        unit_id=unit_id,
        account_id=account.pk if account else None,
        subject_id=account.subject_id if account else None,
        code_digest=_digest(code),
        at=at,
    )
    _seal(made, words)
    record_event(
        who=account.actor if account else "public",
        action="suggestion-lodged",
        object_kind="suggestion",
        object_id=made.number,
        details=About(made.subject_id),
    )
    tell(SUGGESTION_LODGED, f"suggestion:{made.number}", [Addressee(role=Role.OFFICE_OPERATOR)], {})
    return Lodged(made.number, code, at)


def _checked(new: NewSuggestion) -> tuple[str, int | None]:
    if new.kind not in Suggestion.Kind.values:
        raise OversightError("请选择是意见建议还是申诉投诉。", code="suggestion-kind-unknown")
    if new.topic not in TOPICS:
        raise OversightError("请选择是哪方面的事。", code="topic-unknown")
    words = "\n".join(" ".join(line.split()) for line in new.words.splitlines()).strip()
    if not words:
        raise OversightError("请写明内容。", code="suggestion-empty")
    if len(words) > SAID_AT_MOST:
        said = f"内容最多{SAID_AT_MOST}个字，现在有{len(words)}个，请缩短。"
        raise OversightError(said, code="suggestion-too-long")
    if not words.replace("\n", "").isprintable():
        raise OversightError("内容里有不能显示的字符，请重新填写。", code="suggestion-unreadable")
    return words, _unit_named(new.unit_name)


def _unit_named(name: str) -> int | None:
    wanted = " ".join(name.split())
    if not wanted:
        return None
    found = next((unit.id for unit in _units().values() if wanted in (unit.name, unit.short_name)), None)
    if found is None:
        raise OversightError("没有叫这个名称的单位，请从列出的单位中选，或者不填。", code="unknown-unit")
    return found


def _once_more(before: Suggestion, words: str) -> Lodged:
    said = _words(before)
    if said is not None and said != words:
        raise OversightError(
            f"这份表单已经提交过，编号{before.number}，内容不能再改。要补充的，请重新打开本页另写一份。",
            code="suggestion-lodged-already",
        )
    return Lodged(before.number, _code_of(before.pk), before.at)


def _refuse_too_many(account: Account) -> None:
    still_open = Suggestion.objects.filter(account_id=account.pk, answer__isnull=True).count()
    if still_open >= OPEN_AT_MOST:
        raise OversightError(f"已有{OPEN_AT_MOST}件没有答复，请等信用办答复后再提。", code="too-many-suggestions")


def _code_of(key: uuid.UUID) -> str:
    made = salted_hmac("xinzheng.suggestions", key.bytes, algorithm="sha256").digest()
    return typed_code(made[:SECRET_BYTES])


def _digest(code: str) -> bytes:
    return salted_hmac("xinzheng.suggestion-codes", code, algorithm="sha256").digest()


def _seal(suggestion: Suggestion, words: str) -> None:
    key, owner = new_data_key(), suggestion_owner(suggestion.pk)
    SuggestionWords.objects.create(
        suggestion=suggestion, wrapped_key=wrap_key(key, owner), words_ct=encrypt(key, words.encode(), owner)
    )


def _words(suggestion: Suggestion) -> str | None:
    kept: SuggestionWords | None = getattr(suggestion, "words", None)
    if kept is None:
        return None
    owner = suggestion_owner(suggestion.pk)
    return decrypt(unwrap_key(bytes(kept.wrapped_key), owner), bytes(kept.words_ct), owner).decode()


def find_answer(number: str, code: str) -> SuggestionRow | None:
    """What became of a suggestion, for whoever has number and code; None alike for an unknown number and a wrong code.

    The words themselves are not shown.
    """
    typed = normalise_typed_code(code[: TYPED_LENGTH * 4])
    digest = _digest(typed)
    wanted = normalise_number(number[:40])
    found = Suggestion.objects.filter(code_digest=digest).select_related("answer").first()
    if found is None or not hmac.compare_digest(found.number.encode(), wanted.encode("utf-8", "replace")):
        return None
    return _rows([found], with_words=False)[0]


@transaction.atomic
def answer(number: str, given: Answer, *, by: str) -> None:
    """Answer a suggestion once; public answers carry the question in the office's own words.

    Raises:
        UnkeepableTextError: a text is too long or holds a person's number.
        OversightError: ``unknown-suggestion``, ``answer-missing``, ``question-missing``,
            ``suggestion-answered-already``.
    """
    text = text_to_keep(given.text, field="答复", most=ANSWER_AT_MOST)
    question = text_to_keep(given.question, field="公开的问题", most=QUESTION_AT_MOST)
    if not text:
        raise OversightError("请写明答复。", code="answer-missing")
    if given.is_public and not question:
        raise OversightError("要公开的，请用一句话概括问题，不写是谁提的。", code="question-missing")
    # A statement of its own: whoever answered at the same moment has committed by the time this one looks.
    suggestion = Suggestion.objects.select_for_update(no_key=True).filter(number=number).first()
    if suggestion is None:
        raise OversightError("没有这件意见建议。", code="unknown-suggestion")
    if SuggestionAnswer.objects.filter(suggestion=suggestion).exists():
        raise OversightError("这件意见建议已经答复过。", code="suggestion-answered-already")
    SuggestionAnswer.objects.create(
        suggestion=suggestion,
        question=question if given.is_public else "",
        answer=text,
        is_public=given.is_public,
        actor=by,
        at=now(),
    )
    about = About(suggestion.subject_id, details={"public": given.is_public})
    record_event(who=by, action="suggestion-answered", object_kind="suggestion", object_id=number, details=about)


def waiting(start: int = 0) -> list[SuggestionRow]:
    """What nobody has answered yet, oldest first, with the words: fifty, from the one at ``start`` on."""
    found = Suggestion.objects.filter(answer__isnull=True).select_related("words").order_by("at", "number")
    return _rows(found[start : start + LISTED_AT_MOST], with_words=True)


def waiting_since() -> tuple[int, datetime | None]:
    """How many nobody has answered yet, and when the oldest of them was lodged."""
    found = Suggestion.objects.filter(answer__isnull=True).aggregate(count=Count("pk"), oldest=Min("at"))
    return found["count"], found["oldest"]


def answered(limit: int = 50) -> list[SuggestionRow]:
    """What was answered, latest answer first; without the words."""
    found = Suggestion.objects.filter(answer__isnull=False).select_related("answer").order_by("-answer__at")
    return _rows(found[:limit], with_words=False)


def public_answers(limit: int = 50) -> list[SuggestionRow]:
    """Questions and answers everybody may read, latest first."""
    found = Suggestion.objects.filter(answer__is_public=True).select_related("answer").order_by("-answer__at")
    return _rows(found[:limit], with_words=False)


def suggestions_of(account: Account, limit: int = 50, *, with_words: bool = False) -> list[SuggestionRow]:
    """What an account has lodged while signed in, latest first."""
    found = Suggestion.objects.filter(account_id=account.pk).select_related("answer", "words").order_by("-at")
    return _rows(found[:limit], with_words=with_words)


def unit_names() -> list[str]:
    """The units a complaint can be about, by name."""
    return sorted({unit.name for unit in _units().values()})


def _units() -> dict[int, RegisteredUnit]:
    return units_at(head_position())


def _rows(found: Iterable[Suggestion], *, with_words: bool) -> list[SuggestionRow]:
    rows = list(found)
    named = _units() if any(row.unit_id for row in rows) else {}
    names = {key: unit.name for key, unit in named.items()}
    return [_row(row, names.get(row.unit_id or 0, ""), with_words=with_words) for row in rows]


def _row(row: Suggestion, unit_name: str, *, with_words: bool) -> SuggestionRow:
    given: SuggestionAnswer | None = getattr(row, "answer", None)
    return SuggestionRow(
        number=row.number,
        kind_word=Suggestion.Kind(row.kind).label,
        topic_word=TOPICS.get(row.topic, row.topic),
        unit_name=unit_name,
        at=row.at,
        is_signed_in=row.account_id is not None,
        words=_words(row) if with_words else None,
        answer=given.answer if given else "",
        question=given.question if given else "",
        is_public=bool(given and given.is_public),
        answered_at=given.at if given else None,
    )


@transaction.atomic
def forget_old() -> int:
    """Delete what was said once ``XINZHENG_KEEP_SUGGESTION_DAYS`` are over; how many. Number and answer stay."""
    before = now() - timedelta(days=settings.XINZHENG_KEEP_SUGGESTION_DAYS)
    deleted, _ = SuggestionWords.objects.filter(suggestion__at__lt=before).delete()
    if deleted:
        facts = {"count": deleted, "days": settings.XINZHENG_KEEP_SUGGESTION_DAYS}
        record_event(
            who="system", action="suggestions-deleted", object_kind="retention", object_id="suggestion", details=facts
        )
    return deleted


def forget_of(subject_id: int) -> int:
    """Delete what was said by accounts of a subject that is being erased; how many."""
    accounts = list(Account.objects.filter(person_id=subject_id).values_list("pk", flat=True))
    theirs = Q(suggestion__subject_id=subject_id) | Q(suggestion__account_id__in=accounts)
    deleted, _ = SuggestionWords.objects.filter(theirs).delete()
    return deleted
