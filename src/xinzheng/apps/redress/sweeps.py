"""Sweeps (到期办理): what time and deliveries do to objections. Each is safe to run again and beside another.

They look for what is missing in the tables, never for what came after the last one seen: transactions do not become
visible in the order of their numbers.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import date

from django.db import connection, transaction

from xinzheng.apps.accounts.models import Role
from xinzheng.apps.codes.notice_events import CORRECTION_UNDONE, OBJECTION_DUE_SOON, OBJECTION_OVERDUE
from xinzheng.apps.codes.notices import Addressee, tell
from xinzheng.apps.ledger.corrections import CurrentRow, head_since
from xinzheng.apps.ledger.models import RecordHead, RecordVersion
from xinzheng.apps.redress.models import Correction, Objection, ObjectionHead, Step
from xinzheng.apps.redress.stepping import SYSTEM, Corrected, Held, Taking, hold_objection, write_step
from xinzheng.apps.redress.terms import clock_on, last_day, stepped, terms_of
from xinzheng.apps.reports.printed import flag_printed
from xinzheng.core.identifiers import document_key
from xinzheng.core.objection_clock import Clock, limit_of
from xinzheng.core.objections import OPEN, Act, State
from xinzheng.core.records import RecordKind

OFFICE = Addressee(role=Role.OFFICE_OPERATOR.value)
LAPSED = "没有在期限内补充材料，视为不再补充，终止办理。"
# The last correction of each record against what the record says now; of a replaced record, that it is still gone.
UNDONE = """
WITH last AS (
    SELECT DISTINCT ON (c.record_id) c.step_id, c.record_id, c.payload_sha256
    FROM redress_correction c WHERE c.what <> 'taken-down' ORDER BY c.record_id, c.step_id DESC
), expected AS (
    SELECT step_id, record_id, payload_sha256 FROM last
    UNION ALL
    SELECT c.step_id, o.record_id, NULL
    FROM redress_correction c
    JOIN redress_step s ON s.id = c.step_id
    JOIN redress_objection o ON o.id = s.objection_id
    WHERE c.what = 'replaced'
    AND NOT EXISTS (SELECT 1 FROM last l WHERE l.record_id = o.record_id AND l.step_id > c.step_id)
)
SELECT e.step_id, h.version_id, h.unit_id
FROM expected e JOIN ledger_recordhead h ON h.record_id = e.record_id
WHERE h.payload_sha256 IS DISTINCT FROM e.payload_sha256
ORDER BY e.step_id
"""


def lapse(today: date) -> int:
    """Close what nobody supplied in time; how many. Where the days are not announced, nothing lapses by guess."""
    return sum(_lapse_one(number, today) for number in _numbers(State.MORE_ASKED))


@transaction.atomic
def _lapse_one(number: str, today: date) -> bool:
    held = hold_objection(number)
    asked = held.steps[-1]
    until = last_day(held.objection, asked, "supply") if asked.state == State.MORE_ASKED else None
    if until is None or today <= until:
        return False
    write_step(held, Taking(Act.LAPSE, reason=LAPSED), by=SYSTEM)
    return True


def escalate(today: date) -> int:
    """Tell who has it that it is due soon or late, the subject that it is late, later the office; how many notices."""
    told = 0
    for head, steps in _open_ones():
        told += _chase(head.objection, steps, clock_on(head.objection, steps, today))
    return told


@dataclass(frozen=True, slots=True)
class _Stage:
    """How late it is (催办等级), and who is told of it."""

    name: str
    event: str
    to: tuple[Addressee, ...]


def _chase(objection: Objection, steps: Sequence[Step], clock: Clock) -> int:
    dated = terms_of(objection)
    since, limit = limit_of(stepped(steps), dated.terms)
    holder = Addressee(unit_id=steps[-1].unit_id) if steps[-1].unit_id is not None else OFFICE
    chasing, subject = dated.chasing, Addressee(subject_id=objection.subject_id)
    stages = [
        (clock.left <= chasing.remind_before, _Stage("soon", OBJECTION_DUE_SOON, (holder,))),
        (clock.is_over, _Stage("over", OBJECTION_OVERDUE, (holder, subject))),
        (-clock.left >= chasing.escalate_after, _Stage("escalated", OBJECTION_OVERDUE, (OFFICE,))),
    ]
    if clock.is_paused:
        return 0
    # Who never was reminded while it was due soon is not reminded of that once it is late.
    reached = [stage for is_reached, stage in stages if is_reached]
    due = reached if len(reached) < 2 else reached[1:]
    # A stretch is told of once: it begins anew with the appeal, and the longer term begins with the acceptance.
    source = f"objection:{objection.pk}:{since:%Y%m%d}-{limit}"
    body = {"objection": objection.number}
    return sum(tell(stage.event, f"{source}:{stage.name}", stage.to, body) for stage in due)


def watch_corrections() -> int:
    """Tell unit, office and subject of each corrected record that says something else again; how many notices."""
    with connection.cursor() as cursor:
        cursor.execute(UNDONE)
        found = cursor.fetchall()
    return sum(_tell_undone(*row) for row in found)


def _tell_undone(step_id: int, version_id: int, unit_id: int) -> int:
    correction = Correction.objects.select_related("step__objection").get(pk=step_id)
    objection = correction.step.objection
    units = sorted({correction.unit_id, unit_id})
    to = [*(Addressee(unit_id=unit) for unit in units), OFFICE, Addressee(subject_id=objection.subject_id)]
    return tell(CORRECTION_UNDONE, f"correction:{step_id}:{version_id}", to, {"objection": objection.number})


def deliver_awaited() -> int:
    """Close what a unit promised and has delivered by now through its ordinary intake; how many."""
    return sum(_deliver_one(number) for number in _numbers(State.AWAITED))


@transaction.atomic
def _deliver_one(number: str) -> bool:
    held = hold_objection(number)
    row = _delivered(held) if held.steps[-1].state == State.AWAITED else None
    if row is None:
        return False
    version = RecordVersion.objects.get(pk=row.version_id)
    digest = bytes(RecordHead.objects.get(record_id=row.record_id).payload_sha256 or b"")
    corrected = Corrected(
        Correction.What.DELIVERED, row.subject_id, row.record_id, version.entry_id, version.batch_id, digest or None
    )
    write_step(held, Taking(Act.DELIVER, corrected=corrected), by=SYSTEM)
    flag_printed(row.subject_id, version.entry_id)
    return True


def _delivered(held: Held) -> CurrentRow | None:
    """What was delivered of it since it was lodged: of its domain and kind, by its document number if it has one."""
    objection, lodged = held.objection, held.steps[0]
    assert lodged.entry_id is not None
    key = document_key(objection.document_number) or None
    # A repair is found by the number of its penalty, whichever domain it was delivered for.
    is_repair = key is not None and objection.kind == RecordKind.CREDIT_REPAIR
    domain = None if is_repair else objection.domain
    return head_since(objection.subject_id, objection.kind, key, lodged.entry_id, domain=domain)


def _numbers(state: State) -> list[str]:
    found = ObjectionHead.objects.filter(state=state).order_by("objection_id")
    return list(found.values_list("objection__number", flat=True))


def _open_ones() -> Iterator[tuple[ObjectionHead, list[Step]]]:
    heads = ObjectionHead.objects.filter(state__in=OPEN).select_related("objection").order_by("objection_id")
    steps: dict[int, list[Step]] = {}
    for step in Step.objects.filter(objection__head__state__in=OPEN).order_by("objection_id", "seq"):
        steps.setdefault(step.objection_id, []).append(step)
    return ((head, steps[head.objection_id]) for head in heads)
