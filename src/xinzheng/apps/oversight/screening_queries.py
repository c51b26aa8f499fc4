"""Reading screenings (名单核查): the office's list, one with its answer, the auditor's register, the subject's own."""

import uuid
from base64 import b64decode
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from django.conf import settings
from django.db import transaction

from xinzheng.apps.accounts.models import Account
from xinzheng.apps.audit.actions import record_event
from xinzheng.apps.audit.models import AuditEvent
from xinzheng.apps.oversight.models import ScreenedSubject, Screening, ScreeningWork
from xinzheng.apps.oversight.permissions import refusals_to_screen
from xinzheng.apps.oversight.screening import DONE, OPEN_STATES, QUEUED, ScreeningError
from xinzheng.apps.oversight.screening_answers import OPEN_TO_ALL, SKIPPED, AnswerLine, ReasonLine
from xinzheng.apps.oversight.screening_seals import ANSWER, ScreeningKey
from xinzheng.apps.oversight.screening_tables import reasons_csv, rows_csv

STATE_WORDS = {"queued": "排队中", "running": "正在核查", "done": "已完成", "failed": "没有完成"}
SHOWN = 50


@dataclass(frozen=True, slots=True)
class ScreeningRow:
    """A screening as it is listed: what was stated, by which account, how it stands, what came of it."""

    id: uuid.UUID
    policy_id: str
    basis: str
    document: str
    purpose: str
    asked_for: str
    lines: int
    list_sha256: str
    account_id: int
    at: datetime
    state: str
    message: str
    engine: str
    as_of: datetime | None
    position: int | None
    done_at: datetime | None
    counts: Mapping[str, Any]
    is_kept: bool
    ahead: int = 0
    taken: int = 0

    @property
    def words(self) -> str:
        """The state in words."""
        return STATE_WORDS[self.state]

    @property
    def is_under_way(self) -> bool:
        """Whether it waits or runs."""
        return self.state in OPEN_STATES

    @property
    def is_done(self) -> bool:
        """Whether its answer came about."""
        return self.state == DONE

    @property
    def marks(self) -> Mapping[str, int]:
        """How many lines have each mark."""
        found: Mapping[str, int] = self.counts.get("marks", {})
        return found

    @property
    def skipped(self) -> list[tuple[str, int]]:
        """Why lines have no answer, and how many each."""
        return [
            (words.removeprefix("没有核查："), self.marks[mark])
            for mark, words in SKIPPED.items()
            if mark in self.marks
        ]

    @property
    def open_domains(self) -> list[str]:
        """The lines of the head that tell which domains could be verified for nobody."""
        return [line for line in self.counts.get("head", ()) if line.startswith(OPEN_TO_ALL)]

    @property
    def has_workbook(self) -> bool:
        """Whether the answer fits into a workbook."""
        return self.counts.get("workbook") is not None

    @property
    def deleted_at(self) -> datetime:
        """When list and answer are deleted at the latest, but for the hours until the night."""
        return self.at + timedelta(days=settings.XINZHENG_KEEP_SCREENING_DAYS)


@dataclass(frozen=True, slots=True)
class ScreenedRow:
    """That a subject was on a list (被核查), as it reads it: when, for which body, why and on what basis."""

    at: datetime
    asked_for: str
    basis: str
    document: str
    purpose: str


def screenings(before: datetime | None = None, limit: int = SHOWN) -> list[ScreeningRow]:
    """Screenings, latest first; those asked before a moment."""
    found = Screening.objects.select_related("work").order_by("-at", "-pk")
    if before is not None:
        found = found.filter(at__lt=before)
    rows = list(found[:limit])
    taken = _taken([row.pk for row in rows])
    return [_row(row, taken=taken.get(str(row.pk), 0)) for row in rows]


def screening_of(screening_id: uuid.UUID) -> ScreeningRow | None:
    """One screening, with how many wait before it; None where there is none."""
    found = Screening.objects.select_related("work").filter(pk=screening_id).first()
    if found is None:
        return None
    waiting = ScreeningWork.objects.filter(state__in=OPEN_STATES, screening__at__lt=found.at)
    ahead = waiting.count() if found.work.state == QUEUED else 0
    return _row(found, ahead=ahead, taken=_taken([found.pk]).get(str(found.pk), 0))


def answer_rows(screening_id: uuid.UUID) -> Iterator[AnswerLine]:
    """The rows of an answer, in the list's order. Raises ``screening-not-there``."""
    key, counts = _kept(screening_id)
    return (AnswerLine(*cells) for piece in key.kept(ANSWER, range(*counts["rows"])) for cells in piece)


def reason_rows(screening_id: uuid.UUID) -> Iterator[ReasonLine]:
    """Why records count, by line. Raises ``screening-not-there``."""
    key, counts = _kept(screening_id)
    return (ReasonLine(*cells) for piece in key.kept(ANSWER, range(*counts["reasons"])) for cells in piece)


def shown_rows(screening_id: uuid.UUID, *, account: Account) -> list[AnswerLine]:
    """The first rows that somebody has to look at; that they were looked at is an event."""
    _tell_taken(screening_id, account, "page")
    key, counts = _kept(screening_id)
    return [AnswerLine(*cells) for cells in next(key.kept(ANSWER, range(counts["shown"], counts["shown"] + 1)))]


def workbook_of(screening_id: uuid.UUID, *, account: Account) -> bytes:
    """The answer as XLSX; that it was taken away is an event. Raises ``screening-not-there``, ``screening-refused``."""
    _tell_taken(screening_id, account, "xlsx")
    key, counts = _kept(screening_id)
    place = counts["workbook"]
    if place is None:
        raise _gone("结果太多，放不进一个表格，请下载CSV。")
    return b64decode(next(key.kept(ANSWER, range(place, place + 1))))


def csv_of(screening_id: uuid.UUID, *, account: Account) -> Iterator[bytes]:
    """The rows as CSV; likewise an event."""
    _tell_taken(screening_id, account, "csv")
    return rows_csv(_kept(screening_id)[1]["head"], answer_rows(screening_id))


def reasons_csv_of(screening_id: uuid.UUID, *, account: Account) -> Iterator[bytes]:
    """The reasons as CSV; likewise an event."""
    _tell_taken(screening_id, account, "reasons.csv")
    return reasons_csv(_kept(screening_id)[1]["head"], reason_rows(screening_id))


def screened(subject_id: int, limit: int = 100) -> list[ScreenedRow]:
    """The screenings that answered about a subject, latest first; none of them tells it anything about others."""
    keys = ScreenedSubject.objects.filter(subject_id=subject_id).values("screening_id")
    found = Screening.objects.filter(pk__in=keys).order_by("-at")[:limit]
    return [ScreenedRow(row.at, row.asked_for, row.basis, row.document, row.purpose) for row in found]


@transaction.atomic
def _tell_taken(screening_id: uuid.UUID, account: Account, form: str) -> None:
    refusals = refusals_to_screen(account)
    if refusals:
        raise ScreeningError("\n".join(refusals))
    _kept(screening_id)
    facts = {"form": form}
    record_event(
        who=account.actor, action="screening-taken", object_kind="screening", object_id=screening_id, details=facts
    )


def _kept(screening_id: uuid.UUID) -> tuple[ScreeningKey, Mapping[str, Any]]:
    work = ScreeningWork.objects.filter(pk=screening_id, state=DONE).exclude(wrapped_key=b"").first()
    if work is None or work.counts is None:
        raise _gone("没有这次核查的结果，可能没有完成，或者已经到期删除。")
    return ScreeningKey.unwrapped(screening_id, work.wrapped_key), work.counts


def _gone(message: str) -> ScreeningError:
    return ScreeningError(message, code="screening-not-there")


def _taken(keys: Sequence[uuid.UUID]) -> dict[str, int]:
    """How often each answer was taken away."""
    found = AuditEvent.objects.filter(
        object_kind="screening", object_id__in=[str(key) for key in keys], action="screening-taken"
    )
    counted: dict[str, int] = {}
    for key in found.values_list("object_id", flat=True):
        counted[key] = counted.get(key, 0) + 1
    return counted


def _row(found: Screening, *, ahead: int = 0, taken: int = 0) -> ScreeningRow:
    work = found.work
    return ScreeningRow(
        found.pk, found.policy_id, found.basis, found.document, found.purpose, found.asked_for, found.lines,
        bytes(found.list_sha256).hex(), found.account_id, found.at, work.state, work.message, work.engine, work.as_of,
        work.position, work.done_at, work.counts or {}, bool(bytes(work.wrapped_key)), ahead, taken,
    )  # fmt: skip
