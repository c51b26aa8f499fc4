"""Reading objections (查询异议): one as it stands with its clock, lists for desks, what is open on records."""

from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date, datetime

from django.db.models import Case, Exists, OuterRef, Prefetch, QuerySet, When

from xinzheng.apps.audit.queries import head_position
from xinzheng.apps.redress.errors import RedressError
from xinzheng.apps.redress.models import Correction, Evidence, Objection, ObjectionHead, Step, StepWords
from xinzheng.apps.redress.stepping import role_of
from xinzheng.apps.redress.terms import clock_on, last_day
from xinzheng.apps.registry.queries import units_at
from xinzheng.core.objection_clock import Clock
from xinzheng.core.objections import APPEALABLE, OPEN, Act, Course, Ground, Move, State

FAR = date.max


@dataclass(frozen=True, slots=True)
class EvidenceView:
    """A file of a step: what it is, never its name."""

    id: int
    media_type: str
    size: int
    sha256: str


@dataclass(frozen=True, slots=True)
class CorrectionView:
    """What an upheld objection did (更正结果)."""

    what: str
    what_word: str
    record_id: int | None
    entry_id: int | None
    batch_id: int | None
    day: date


@dataclass(frozen=True, slots=True)
class StepView:
    """A step as it is told: in which role, never by whom."""

    id: int
    seq: int
    act: Act
    state: State
    by: str
    role: str
    unit_id: int | None
    unit_name: str
    reason_code: str
    reason: str
    at: datetime
    has_words: bool
    evidence: tuple[EvidenceView, ...]
    correction: CorrectionView | None


@dataclass(frozen=True, slots=True)
class ObjectionView:
    """An objection as it stands; ``clock`` is None once it is closed, ``appeal_until`` while there is no appeal.

    ``possible`` holds every arrow from here, of all parties; ``units`` are those it lies or lay with.
    """

    number: str
    ground: Ground
    subject_id: int
    policy_id: str
    report_number: str
    record_id: int | None
    version_id: int | None
    domain: str
    kind: str
    document_number: str
    answering_unit_id: int | None
    blamed_unit_id: int | None
    lodged_at: datetime
    state: State
    seq: int
    unit_id: int | None
    unit_name: str
    is_open: bool
    is_disputed: bool
    steps: tuple[StepView, ...]
    clock: Clock | None
    supply_until: date | None
    appeal_until: date | None
    possible: tuple[Move, ...]
    units: frozenset[int]

    @property
    def correction(self) -> CorrectionView | None:
        """What was done in the ledger, once it was upheld."""
        return self.steps[-1].correction


@dataclass(frozen=True, slots=True)
class Listed:
    """Which objections to list: of a subject, of a unit, or all; ``states`` None means any.

    ``with_past``: of a unit, also what lay with it before.
    """

    subject_id: int | None = None
    unit_id: int | None = None
    states: frozenset[State] | None = OPEN
    with_past: bool = False
    limit: int = 500


@dataclass(frozen=True, slots=True)
class ObjectionRow:
    """An objection in a list."""

    number: str
    ground: Ground
    subject_id: int
    policy_id: str
    record_id: int | None
    domain: str
    kind: str
    document_number: str
    unit_id: int | None
    unit_name: str
    state: State
    is_open: bool
    is_disputed: bool
    lodged_at: datetime
    changed_at: datetime
    clock: Clock | None


def objection_by_number(number: str) -> Objection:
    """Raises ``unknown-objection``."""
    found = Objection.objects.filter(number=number).first()
    if found is None:
        raise RedressError("没有这个编号的异议，请核对编号。", code="unknown-objection")
    return found


def objection_view(number: str, today: date) -> ObjectionView:
    """Everything about one objection; who may see it is asked by the caller. Raises ``unknown-objection``."""
    objection = objection_by_number(number)
    steps = list(_steps().filter(objection=objection))
    names, last = _unit_names(), steps[-1]
    course = Course(Ground(objection.ground), tuple(Act(step.act) for step in steps))
    appeal_until = last_day(objection, last, "appeal_within") if last.state in APPEALABLE else None
    is_late = appeal_until is not None and today > appeal_until
    possible = tuple(move for move in course.possible() if not (is_late and move.act is Act.APPEAL))
    may_appeal = any(move.act is Act.APPEAL for move in possible)
    views = tuple(_step_view(step, names) for step in steps)
    return ObjectionView(
        number=objection.number,
        ground=Ground(objection.ground),
        subject_id=objection.subject_id,
        policy_id=objection.policy_id,
        report_number=objection.report_number,
        record_id=objection.record_id,
        version_id=objection.version_id,
        domain=objection.domain,
        kind=objection.kind,
        document_number=objection.document_number,
        answering_unit_id=objection.unit_id,
        blamed_unit_id=objection.blamed_unit_id,
        lodged_at=objection.lodged_at,
        state=State(last.state),
        seq=last.seq,
        unit_id=last.unit_id,
        unit_name=names.get(last.unit_id, ""),
        is_open=course.is_open,
        is_disputed=course.is_disputed,
        steps=views,
        clock=clock_on(objection, steps, today) if course.is_open else None,
        supply_until=last_day(objection, last, "supply") if last.state == State.MORE_ASKED else None,
        appeal_until=appeal_until if may_appeal else None,
        possible=possible,
        units=frozenset(step.unit_id for step in steps if step.unit_id is not None),
    )


def _steps() -> QuerySet[Step, Step]:
    files = Prefetch("evidence", Evidence.objects.order_by("place"))
    said = Exists(StepWords.objects.filter(step=OuterRef("pk")))
    found = Step.objects.order_by("seq").select_related("correction").prefetch_related(files)
    return found.annotate(has_words=said)


def _step_view(step: Step, names: dict[int | None, str]) -> StepView:
    correction = getattr(step, "correction", None)
    return StepView(
        step.pk,
        step.seq,
        Act(step.act),
        State(step.state),
        step.by,
        role_of(step.actor),
        step.unit_id,
        names.get(step.unit_id, ""),
        step.reason_code,
        step.reason,
        step.at,
        step.has_words,  # type: ignore[attr-defined]  # annotated
        tuple(EvidenceView(e.pk, e.media_type, e.size, bytes(e.sha256).hex()) for e in step.evidence.all()),
        _correction_view(correction) if correction is not None else None,
    )


def _correction_view(row: Correction) -> CorrectionView:
    word = Correction.What(row.what).label
    return CorrectionView(row.what, word, row.record_id, row.entry_id, row.batch_id, row.day)


def _unit_names() -> dict[int | None, str]:
    return {key: unit.short_name for key, unit in units_at(head_position()).items()}


def rows_of(listed: Listed, today: date) -> list[ObjectionRow]:
    """Objections in a list: late first, then by the day they are due, what waits for the subject after; closed last."""
    heads = list(_heads(listed))
    steps: dict[int, list[Step]] = defaultdict(list)
    open_ids = [head.objection_id for head in heads if head.state in OPEN]
    for step in Step.objects.filter(objection__in=open_ids).order_by("objection_id", "seq"):
        steps[step.objection_id].append(step)
    names = _unit_names()
    rows = [_row(head, steps.get(head.objection_id, []), names, today) for head in heads]
    return sorted(rows, key=_urgency)


def _heads(listed: Listed) -> Iterable[ObjectionHead]:
    found = ObjectionHead.objects.select_related("objection")
    if listed.subject_id is not None:
        found = found.filter(objection__subject_id=listed.subject_id)
    if listed.unit_id is not None and listed.with_past:
        lay = Step.objects.filter(objection=OuterRef("objection"), unit_id=listed.unit_id)
        found = found.filter(Exists(lay))
    elif listed.unit_id is not None:
        found = found.filter(unit_id=listed.unit_id)
    if listed.states is not None:
        found = found.filter(state__in=listed.states)
    # Where there are too many, those that have waited longest are kept.
    waits_since = Case(When(state__in=OPEN, then="clock_from"))
    return found.order_by(waits_since.asc(nulls_last=True), "-changed_at", "-objection_id")[: listed.limit]


def _row(head: ObjectionHead, steps: list[Step], names: dict[int | None, str], today: date) -> ObjectionRow:
    objection = head.objection
    return ObjectionRow(
        objection.number,
        Ground(objection.ground),
        objection.subject_id,
        objection.policy_id,
        objection.record_id,
        objection.domain,
        objection.kind,
        objection.document_number,
        head.unit_id,
        names.get(head.unit_id, ""),
        State(head.state),
        head.state in OPEN,
        head.is_disputed,
        objection.lodged_at,
        head.changed_at,
        clock_on(objection, steps, today) if steps else None,
    )


def _urgency(row: ObjectionRow) -> tuple[int, date, float, str]:
    """Late, due, waiting or not known, closed; the newest change first among equals."""
    clock = row.clock
    if clock is None:
        return 3, FAR, -row.changed_at.timestamp(), row.number
    if clock.due is None:
        return 2, FAR, row.changed_at.timestamp(), row.number
    return (0 if clock.is_over else 1), clock.due, row.changed_at.timestamp(), row.number


def open_on(subject_id: int) -> dict[int, str]:
    """The numbers of a subject's open objections by the record they are against."""
    found = Objection.objects.filter(subject_id=subject_id, record_id__isnull=False, head__state__in=OPEN)
    return {record: number for record, number in found.values_list("record_id", "number") if record is not None}
