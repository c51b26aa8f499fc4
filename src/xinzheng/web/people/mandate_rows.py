"""What the page of mandates shows: whom one acts for, who acts for us, what waits for an answer."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import date

from django.utils import timezone

from xinzheng.apps.accounts.mandate_models import Mandate, MandateRequest
from xinzheng.apps.accounts.mandate_queries import (
    ActsFor,
    agents_of,
    ended_mandates,
    is_for_the_office,
    open_requests,
    subjects_of,
)
from xinzheng.apps.accounts.mandates import refusals_to_answer
from xinzheng.apps.accounts.models import Account
from xinzheng.apps.audit.queries import head_position
from xinzheng.apps.registry.queries import UnknownSubjectError, subject_at

SCOPE_WORDS = {
    "apply": "申请报告",
    "read": "查看报告",
    "share": "亮码",
    "object": "提出异议、反映情况",
    "authorise": "授权他人",
}
ENDED_AT_MOST = 20
# The longest number of a row in digits.
LONGEST_NUMBER = 18


@dataclass(frozen=True)
class SubjectRow:
    """A subject the account may act for."""

    id: int
    name: str
    code: str
    words: str
    until: date | None
    is_now: bool
    is_oneself: bool


@dataclass(frozen=True)
class MandateRow:
    """A mandate, as whoever may revoke it sees it; ``why`` says how one ended."""

    id: int
    who: str
    words: str
    basis: str
    until: date | None
    is_own: bool
    why: str = ""


@dataclass(frozen=True)
class RequestRow:
    """A request that waits; ``may_answer`` whether it waits for who looks."""

    id: int
    who: str
    name: str
    code: str
    words: str
    until: date
    asked_on: date
    has_letter: bool
    may_answer: bool


def scope_words(scopes: Sequence[str] | frozenset[str]) -> str:
    """The scopes in words, in their order."""
    return "、".join(words for scope, words in SCOPE_WORDS.items() if scope in scopes)


def subject_rows(account: Account) -> list[SubjectRow]:
    """All subjects the account may act for."""
    return [_subject_row(acts, account) for acts in subjects_of(account, timezone.localdate())]


def own_requests(account: Account) -> list[RequestRow]:
    """What the account has asked for and nobody has answered yet: by the code it wrote, never by what that is of."""
    return [_own_request(asked, account) for asked in open_requests(account=account)]


def requests_to(account: Account, subject_id: int) -> list[RequestRow]:
    """What waits for this account's answer for a subject."""
    rows = [request_row(asked, account) for asked in open_requests(subject_id=subject_id)]
    return [row for row in rows if row.may_answer]


def mandates_for(account: Account, subject_id: int) -> tuple[list[MandateRow], list[MandateRow]]:
    """Who acts for a subject now, and whose mandates ended, latest first."""
    today = timezone.localdate()
    present = [_mandate_row(mandate, account) for mandate in agents_of(subject_id, today)]
    return present, [_mandate_row(ended, account, _why(ended)) for ended in ended_mandates(subject_id, today)][
        :ENDED_AT_MOST
    ]


def request_row(asked: MandateRequest, account: Account) -> RequestRow:
    """A request as this account sees it."""
    name, code = name_of(asked.subject_id)
    return RequestRow(
        id=asked.pk,
        who=asked.account.display_name,
        name=name,
        code=code,
        words=scope_words(asked.scopes),
        until=asked.until_date,
        asked_on=timezone.localdate(asked.created_at),
        has_letter=bool(asked.letter_type),
        may_answer=not refusals_to_answer(account, asked),
    )


def _own_request(asked: MandateRequest, account: Account) -> RequestRow:
    row = request_row(asked, account)
    return row if is_for_the_office(asked) else replace(row, name="", code=asked.said)


def name_of(subject_id: int) -> tuple[str, str]:
    """A subject's name and code as the register has them; a natural person's are masked."""
    try:
        subject = subject_at(subject_id, head_position())
    except UnknownSubjectError:
        return "（主体名录中没有名称）", ""
    return subject.name, subject.identifier


def _subject_row(acts: ActsFor, account: Account) -> SubjectRow:
    name, code = name_of(acts.subject_id)
    until = (
        None
        if any(m.until_date is None for m in acts.mandates)
        else max((m.until_date for m in acts.mandates if m.until_date), default=None)
    )
    return SubjectRow(
        id=acts.subject_id,
        name=name,
        code=code,
        words=scope_words(acts.scopes),
        until=until,
        is_now=acts.subject_id == account.subject_id,
        is_oneself=acts.is_oneself,
    )


def _mandate_row(mandate: Mandate, account: Account, why: str = "") -> MandateRow:
    return MandateRow(
        id=mandate.pk,
        who=mandate.account.display_name,
        words=scope_words(mandate.scopes),
        basis=Mandate.Basis(mandate.basis).label,
        until=mandate.until_date,
        is_own=mandate.account_id == account.pk,
        why=why,
    )


def _why(mandate: Mandate) -> str:
    if hasattr(mandate, "end"):
        return "已撤销"
    if mandate.until_date is not None and mandate.until_date < timezone.localdate():
        return "已到期"
    return "账户已停用" if not mandate.account.is_active else "登记的法定代表人已变更"
