"""Reading batch checks (批量核验): a receiver's own list, how far one is, its answers; and receivers by name."""

import uuid
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta

from django.conf import settings

from xinzheng.apps.codes.batch_answers import Summary, opened_summary, opened_table
from xinzheng.apps.codes.batch_seals import CheckKey
from xinzheng.apps.codes.batches import DONE, FAILED, OPEN_STATES
from xinzheng.apps.codes.models import BatchCheck, Receiver

STATE_WORDS = {"queued": "排队中", "running": "正在核验", DONE: "已完成", FAILED: "没有完成"}
SEALED = ("wrapped_key", "asked_ct", "answer_ct")


@dataclass(frozen=True, slots=True)
class CheckRow:
    """A check as its receiver sees it: file, lines and how many are done, state, what is said, when it is deleted."""

    id: uuid.UUID
    file_name: str
    lines: int
    done: int
    state: str
    message: str
    created_at: datetime

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
        """Whether its answers are there."""
        return self.state == DONE

    @property
    def percent(self) -> int:
        """How far it is."""
        return self.done * 100 // max(self.lines, 1)

    @property
    def deleted_at(self) -> datetime:
        """When it is deleted at the latest, but for the hours until the night."""
        return self.created_at + timedelta(days=settings.XINZHENG_KEEP_CHECK_DAYS)


def checks_of(receiver_id: int, at_most: int = 100) -> list[CheckRow]:
    """A receiver's checks, newest first."""
    found = BatchCheck.objects.filter(receiver_id=receiver_id).defer(*SEALED).order_by("-created_at", "-id")
    return [_row(check) for check in found[:at_most]]


def check_of(receiver_id: int, check_id: uuid.UUID) -> CheckRow | None:
    """One of the receiver's checks; None for anybody else's, as for one that never was."""
    found = BatchCheck.objects.filter(receiver_id=receiver_id, pk=check_id).defer(*SEALED).first()
    return _row(found) if found else None


def summary_of(check_id: uuid.UUID) -> Summary:
    """What a finished check shows."""
    return opened_summary(*_kept(check_id))


def table_of_check(check_id: uuid.UUID) -> bytes:
    """The table of a finished check (XLSX)."""
    return opened_table(*_kept(check_id))


def receiver_names(keys: Collection[int]) -> Mapping[int, str]:
    """The names of receivers by their numbers."""
    return dict(Receiver.objects.filter(pk__in=keys).values_list("pk", "name"))


def _kept(check_id: uuid.UUID) -> tuple[bytes, CheckKey]:
    check = BatchCheck.objects.only("wrapped_key", "answer_ct").get(pk=check_id, state=DONE)
    return bytes(check.answer_ct or b""), CheckKey.unwrapped(check.pk, check.wrapped_key)


def _row(check: BatchCheck) -> CheckRow:
    return CheckRow(check.pk, check.file_name, check.lines, check.done, check.state, check.message, check.created_at)
