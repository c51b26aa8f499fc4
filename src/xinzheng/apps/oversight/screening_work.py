"""Working on a screening (名单核查): the list looked up and weighed at one moment, its answers kept sealed.

Of the ledger nothing is changed; what is written is the answer, who was on the list, and that it was done.
"""

import uuid
from base64 import b64encode
from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from django.conf import settings
from django.db import InterfaceError, InternalError, OperationalError, connection, transaction
from django.utils import timezone

from xinzheng.apps.accounts.models import Account
from xinzheng.apps.audit.actions import record_event
from xinzheng.apps.audit.queries import head_position
from xinzheng.apps.oversight.models import Screening, ScreeningPiece, ScreeningWork
from xinzheng.apps.oversight.permissions import refusals_to_screen
from xinzheng.apps.oversight.screening import DONE, OPEN_STATES, RUNNING, STATED, ScreeningError, fail
from xinzheng.apps.oversight.screening_answers import Answers, Stated, summary_of
from xinzheng.apps.oversight.screening_files import ListedLine
from xinzheng.apps.oversight.screening_seals import ANSWER, ASKED, ScreeningKey, in_pieces
from xinzheng.apps.oversight.screening_tables import WORKBOOK_ROWS_AT_MOST, workbook
from xinzheng.apps.registry.listed_queries import subjects_of_codes
from xinzheng.apps.reports import packs, ports
from xinzheng.apps.reports.set_wise import Transferred, one_moment, opened_engine, record_facts, transfer, weighing_of
from xinzheng.core.decision import CHINA
from xinzheng.core.errors import XinzhengError

UNEXPECTED = "核查时发生意外，没有完成，也没有保存结果。请重新提交；仍不成功的，请联系系统管理员。"
# The database went away or is full: it is tried again.
PASSING = (OperationalError, InterfaceError, InternalError)
FACTS_AT_ONCE, SUBJECTS_AT_ONCE = 5_000, 50_000

TOLD = """
    INSERT INTO oversight_screenedsubject (subject_id, screening_id)
    SELECT unnest(%s::bigint[]), %s ON CONFLICT DO NOTHING
"""


@dataclass(frozen=True)
class _Job:
    """A screening with its key and its list."""

    screening: Screening
    key: ScreeningKey
    lines: Sequence[ListedLine]


@dataclass(frozen=True)
class _Done:
    """What came of it: sealed pieces, where rows and reasons lie among them, and what is told of it."""

    pieces: Sequence[bytes]
    counts: dict[str, Any]
    subjects: Sequence[int]
    position: int
    as_of: datetime
    pack_sha256: str


def work_on(screening_id: uuid.UUID) -> None:
    """Screen a list from its beginning to its end. What is over, or was called off meanwhile, keeps nothing."""
    try:
        job = _opened(screening_id)
        if job is not None:
            _keep(job, _screened(job))
    except PASSING:
        raise
    except XinzhengError as error:
        fail(screening_id, error.message)
    except Exception:  # its words are for whoever runs the site
        fail(screening_id, UNEXPECTED)
        raise


def _opened(screening_id: uuid.UUID) -> _Job | None:
    work = ScreeningWork.objects.select_related("screening").filter(pk=screening_id, state__in=OPEN_STATES).first()
    if work is None:
        return None
    refusals = refusals_to_screen(Account.objects.get(pk=work.screening.account_id))
    if refusals:
        raise ScreeningError("\n".join(refusals))
    key = ScreeningKey.unwrapped(screening_id, work.wrapped_key)
    open_ones = ScreeningWork.objects.filter(pk=screening_id, state__in=OPEN_STATES)
    open_ones.update(state=RUNNING, engine=settings.XINZHENG_SCREENING, message="正在转入数据并逐一核查")
    lines = [ListedLine(*cells) for piece in key.kept(ASKED) for cells in piece]
    return _Job(work.screening, key, lines)


def _screened(job: _Job) -> _Done:
    """The answers, sealed; all of the database that is looked at is of one moment."""
    with one_moment(), opened_engine() as engine:
        position, as_of = head_position(), timezone.now().astimezone(CHINA).replace(microsecond=0)
        policy = packs.current_policy(job.screening.policy_id, as_of.date())
        known = subjects_of_codes({line.code for line in job.lines if line.code}, position)
        asked = {one.id for one in known.values() if not (one.is_person or one.is_mistyped)}
        asking = weighing_of(policy, as_of, position)
        given = transfer(engine, policy, position, asked)
        plan = ports.screening().plan(asking.weighing, policy, frozenset(asking.gaps))
        rows = {row.subject: row for row in engine.run(plan)}
        domains: dict[int, list[Any]] = defaultdict(list)
        for one in engine.domains(plan):
            domains[one.subject].append(one)
        answers = Answers(policy, known, rows, domains, as_of.date())
        stated = Stated(
            policy, {name: getattr(job.screening, name) for name in STATED}, as_of, position, asking.gaps,
            packs.current_setting(policy.id).issuer.is_demonstration,
        )  # fmt: skip
        return _sealed(job, answers, stated, _reasons(engine.reasons(plan), answers, given, position))


def _reasons(findings: Iterator[Any], answers: Answers, given: Transferred, position: int) -> Iterator[Any]:
    """The reasons in the order of the subjects, read some thousand at a time."""
    some: list[Any] = []
    for finding in findings:
        some.append(finding)
        if len(some) == FACTS_AT_ONCE:
            yield from _told(some, answers, given, position)
            some = []
    yield from _told(some, answers, given, position)


def _told(findings: Sequence[Any], answers: Answers, given: Transferred, position: int) -> Iterator[Any]:
    askers = {finding.subject for finding in findings}
    parties = askers.union(*(given.tied.get(asker, ()) for asker in askers))
    facts = record_facts({finding.record for finding in findings}, parties, position) if findings else {}
    for finding in findings:
        yield answers.reason(finding, facts.get(finding.record))


def _sealed(job: _Job, answers: Answers, stated: Stated, reasons: Iterator[Any]) -> _Done:
    """Rows, then reasons, then the workbook unless they are too many for one: pieces in the order of their places."""
    sealing = _Sealing(job.key)
    rows, why = sealing.add(answers.lines(job.lines)), sealing.add(reasons)
    head = stated.lines(summary_of(stated.policy, answers.counts))
    counts: dict[str, Any] = {
        "marks": dict(answers.counts),
        "head": head,
        "rows": [rows.first, rows.stop],
        "reasons": [why.first, why.stop],
        "reasons_in_all": why.number,
        "shown": len(sealing.pieces),
        "workbook": None,
    }
    sealing.add_piece(answers.shown())
    if max(rows.number, why.number) <= WORKBOOK_ROWS_AT_MOST:
        counts["workbook"] = len(sealing.pieces)
        sealing.add_piece(b64encode(workbook(head, rows.kept, why.kept, stated.as_of)).decode())
    subjects = [key for key in answers.first if not answers.rows[key].refusal]
    policy = stated.policy
    return _Done(sealing.pieces, counts, subjects, stated.position, stated.as_of, policy.sha256)


@dataclass(frozen=True, slots=True)
class _Part:
    """Where rows lie among the pieces, how many there are, and they themselves where they fit into a workbook."""

    first: int
    stop: int
    number: int
    kept: Sequence[Any]


@dataclass
class _Sealing:
    """Pieces sealed one after the other."""

    key: ScreeningKey
    pieces: list[bytes] = field(default_factory=list)

    def add(self, rows: Iterable[Any]) -> _Part:
        """Seal rows."""
        first, number, kept = len(self.pieces), 0, list[Any]()
        for piece in in_pieces(rows):
            self.add_piece(piece)
            number += len(piece)
            kept = [*kept, *piece] if number <= WORKBOOK_ROWS_AT_MOST else []
        return _Part(first, len(self.pieces), number, kept)

    def add_piece(self, piece: Any) -> None:
        """Seal one thing that JSON can say."""
        self.pieces.append(self.key.sealed(ANSWER, len(self.pieces), piece))


@transaction.atomic
def _keep(job: _Job, done: _Done) -> None:
    """Keep the answer and who was on the list, and tell it; nothing where it was called off meanwhile."""
    screening_id = job.screening.pk
    changed = ScreeningWork.objects.filter(pk=screening_id, state__in=OPEN_STATES).update(
        state=DONE,
        message=done.counts["head"][1],
        position=done.position,
        as_of=done.as_of,
        pack_sha256=bytes.fromhex(done.pack_sha256),
        counts=done.counts,
        done_at=timezone.now(),
    )
    if not changed:
        return
    ScreeningPiece.objects.filter(screening_id=screening_id).delete()
    job.key.store(ANSWER, done.pieces)
    with connection.cursor() as cursor:
        for first in range(0, len(done.subjects), SUBJECTS_AT_ONCE):
            cursor.execute(TOLD, [list(done.subjects[first : first + SUBJECTS_AT_ONCE]), screening_id])
    facts = {"position": done.position, "pack": done.pack_sha256, "engine": settings.XINZHENG_SCREENING}
    facts |= {"lines": job.screening.lines, "subjects": len(done.subjects)}
    record_event(who="system", action="screening-done", object_kind="screening", object_id=screening_id, details=facts)
