"""Taking a step (走一步): the one place where a step, its head, files, mark, tidings and audit event are written."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime

from django.db import connection, transaction

from xinzheng.apps.accounts.models import Account, Role
from xinzheng.apps.audit.action_words import action_words
from xinzheng.apps.audit.actions import About, record_event
from xinzheng.apps.ledger.models import RecordHead
from xinzheng.apps.ledger.record_withdrawal import mark_disputed
from xinzheng.apps.redress.clock import now
from xinzheng.apps.redress.errors import RedressError
from xinzheng.apps.redress.evidence import Found, keep
from xinzheng.apps.redress.models import Correction, Objection, ObjectionHead, Step
from xinzheng.apps.redress.terms import stepped, terms_of
from xinzheng.apps.redress.tidings import tell_of
from xinzheng.apps.redress.words import keep_words
from xinzheng.core.decision import CHINA, china_date
from xinzheng.core.objection_clock import limit_of
from xinzheng.core.objections import Act, Course, Ground, Move, State

SYSTEM = "system"
# With these it lies with no unit: the office or the subject has it, or nobody was ever asked.
WITHOUT_UNIT = frozenset(
    {State.INTAKE, State.MORE_ASKED, State.APPEALED, State.DECLINED, State.CONFIRMED, State.LAPSED}
)
# Constant of the lock of one record's objections.
RECORD_LOCK = 0x6F626A65


@dataclass(frozen=True, slots=True)
class Corrected:
    """What a step did in the ledger (更正): as :class:`~xinzheng.apps.redress.models.Correction` keeps it."""

    what: Correction.What
    subject_id: int
    record_id: int
    entry_id: int | None = None
    batch_id: int | None = None
    payload_sha256: bytes | None = None


@dataclass(frozen=True, slots=True)
class Taking:
    """What a step says (步骤内容): who has it next, why, and what came with it; files were looked into already."""

    act: Act
    unit_id: int | None = None
    reason: str = ""
    reason_code: str = ""
    words: str = ""
    files: Sequence[Found] = ()
    entry_id: int | None = None
    corrected: Corrected | None = None


@dataclass(frozen=True, slots=True)
class Held:
    """An objection whose head is locked, with all its steps in order: nobody else takes one meanwhile."""

    objection: Objection
    head: ObjectionHead | None
    steps: tuple[Step, ...] = field(default=())

    @property
    def course(self) -> Course:
        """What was done so far."""
        return Course(Ground(self.objection.ground), tuple(Act(step.act) for step in self.steps))

    @property
    def seq(self) -> int:
        """How many steps there are."""
        return len(self.steps)

    @property
    def unit_id(self) -> int | None:
        """The unit it lies with."""
        return self.steps[-1].unit_id if self.steps else None

    def last(self, *acts: Act) -> Step | None:
        """The last step by one of these acts."""
        return next((step for step in reversed(self.steps) if step.act in acts), None)

    def unless_moved_on(self, seen_seq: int) -> None:
        """Raise ``objection-moved-on`` where somebody was faster than what was looked at; says who and when."""
        if self.seq != seen_seq:
            raise moved_on(self.steps[-1])


def hold_objection(number: str) -> Held:
    """Lock an objection for the rest of the transaction. Raises ``unknown-objection``."""
    head = ObjectionHead.objects.select_for_update(of=("self",)).filter(objection__number=number).first()
    if head is None:
        raise RedressError("没有这个编号的异议，请核对编号。", code="unknown-objection")
    objection = head.objection
    return Held(objection, head, tuple(objection.steps.order_by("seq")))


def moved_on(step: Step) -> RedressError:
    """What to say to who comes too late."""
    who, at = role_of(step.actor), step.at.astimezone(CHINA)
    words = action_words(f"objection-{step.act}")
    done = f"在你查看以后，{who}已于{at.month}月{at.day}日{at:%H:%M}办理“{words}”"
    message = f"{done}。你的这次办理没有保存，请刷新后重新核对。"
    return RedressError(message, code="objection-moved-on", role=who, act=step.act, at=step.at.isoformat())


def role_of(actor: str) -> str:
    """The role in which somebody acted, in words; never a name."""
    kind, _, key = actor.partition(":")
    account = Account.objects.filter(pk=int(key)).first() if kind == "account" and key.isdecimal() else None
    return Role(account.role).label if account is not None else "系统"


@transaction.atomic
def write_step(held: Held, taking: Taking, *, by: str) -> Step:
    """Write a step that was found legal, permitted and complete."""
    move = held.course.move(taking.act)
    step = _step(held, move, taking, by)
    if taking.corrected is not None:
        _write_correction(step, taking.corrected)
    keep(taking.files, step=step, by=by)
    keep_words(step, taking.words)
    after = Held(held.objection, held.head, (*held.steps, step))
    was_disputed = held.head.is_disputed if held.head is not None else False
    _move_head(after)
    tell_of(step)
    details = {"seq": step.seq, "state": step.state} | ({"unit": step.unit_id} if step.unit_id is not None else {})
    record_event(
        who=by, action=f"objection-{step.act}", object_kind="objection", object_id=held.objection.number,
        details=About(held.objection.subject_id, details=details),
    )  # fmt: skip
    if was_disputed != after.course.is_disputed:
        _mark(after, by)
    return step


def _step(held: Held, move: Move, taking: Taking, by: str) -> Step:
    kept = None if move.after in WITHOUT_UNIT else held.unit_id
    return Step.objects.create(
        objection=held.objection,
        seq=held.seq + 1,
        act=move.act,
        state=move.after,
        by=move.by,
        unit_id=taking.unit_id if taking.unit_id is not None else kept,
        reason=taking.reason,
        reason_code=taking.reason_code,
        entry_id=taking.corrected.entry_id if taking.corrected is not None else taking.entry_id,
        actor=by,
        at=_moment(held),
    )


def _write_correction(step: Step, corrected: Corrected) -> None:
    assert step.unit_id is not None
    Correction.objects.create(
        step=step,
        what=corrected.what,
        subject_id=corrected.subject_id,
        record_id=corrected.record_id,
        unit_id=step.unit_id,
        blamed_unit_id=step.objection.blamed_unit_id or step.unit_id,
        entry_id=corrected.entry_id,
        batch_id=corrected.batch_id,
        payload_sha256=corrected.payload_sha256,
        day=china_date(step.at),
    )


def _moment(held: Held) -> datetime:
    """Now, but never before the step before: a clock that was put back does not turn the order round."""
    return max(now(), held.steps[-1].at) if held.steps else held.objection.lodged_at


def _move_head(after: Held) -> None:
    last, course = after.steps[-1], after.course
    since, _limit = limit_of(stepped(after.steps), terms_of(after.objection).terms)
    ObjectionHead.objects.update_or_create(
        objection=after.objection,
        defaults={
            "seq": last.seq,
            "state": last.state,
            "unit_id": last.unit_id,
            "is_disputed": course.is_disputed,
            "clock_from": since,
            "changed_at": last.at,
        },
    )


def _mark(after: Held, by: str) -> None:
    """Last of all, since it holds the lock of positions until the commit."""
    record_id = after.objection.record_id
    assert record_id is not None
    # A record keeps its head when it is gone; whose it is does not change.
    subject_id = RecordHead.objects.values_list("subject_id", flat=True).get(record_id=record_id)
    is_open = after.course.is_disputed
    mark_disputed(record_id=record_id, subject_id=subject_id, reference=after.objection.number, is_open=is_open, by=by)


def lock_record(record_id: int) -> None:
    """One at a time opens an objection to a record, until the transaction ends."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_advisory_xact_lock(%s, hashint8(%s))", [RECORD_LOCK, record_id])
