"""Objections as officials see them (异议案件): rows of a list, and one with record, course and clock."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime

from xinzheng.apps.audit.action_words import action_words
from xinzheng.apps.audit.queries import head_position
from xinzheng.apps.ledger.corrections import CurrentRow, current_row
from xinzheng.apps.ledger.errors import IntakeError
from xinzheng.apps.ledger.maps import map_fields
from xinzheng.apps.ledger.models import RecordVersion
from xinzheng.apps.redress.evidence_opening import EvidenceRow, evidence_of
from xinzheng.apps.redress.queries import ObjectionRow, ObjectionView, StepView
from xinzheng.apps.redress.words import words_of
from xinzheng.apps.registry.queries import UnknownSubjectError, subject_at
from xinzheng.core.objections import Act, State
from xinzheng.core.sentences import spoken_date
from xinzheng.web.objections.clock_view import ClockView, clock_view
from xinzheng.web.objections.standing import what_words
from xinzheng.web.objections.words import (
    CORRECTED_WORDS,
    GROUND_WORDS,
    STATE_WORDS,
    Standing,
    state_mark,
    who_acted,
)


@dataclass(frozen=True, slots=True)
class CaseRow:
    """An objection in an official's list; the subject's name is masked where it is a natural person's."""

    number: str
    subject: str
    identifier: str
    ground: str
    what: str
    state: str
    icon: str
    colour: str
    unit_name: str
    is_open: bool
    lodged_at: datetime
    clock: ClockView | None


def case_rows(rows: Sequence[ObjectionRow]) -> list[CaseRow]:
    """The rows in words, in their order."""
    named = {subject_id: _subject(subject_id) for subject_id in {row.subject_id for row in rows}}
    return [_case_row(row, named[row.subject_id]) for row in rows]


def _case_row(row: ObjectionRow, subject: tuple[str, str]) -> CaseRow:
    return CaseRow(
        row.number,
        *subject,
        GROUND_WORDS[row.ground],
        what_words(row.policy_id, row.domain, row.kind, row.document_number),
        STATE_WORDS[row.state],
        *state_mark(row.state),
        row.unit_name,
        row.is_open,
        row.lodged_at,
        clock_view(row.clock),
    )


def _subject(subject_id: int) -> tuple[str, str]:
    """Name and code as the register shows them: a natural person's masked."""
    try:
        subject = subject_at(subject_id, head_position())
    except UnknownSubjectError as error:
        return error.message, ""
    return subject.name, subject.identifier


@dataclass(frozen=True, slots=True)
class RecordNow:
    """The record as it stands (记录现状): its row, and whether it changed since.

    There is none where it was taken out, or sealed (依法封存) by now and not the reader's own unit's.
    """

    row: CurrentRow | None
    facts: tuple[tuple[str, str], ...]
    has_changed: bool


def record_now(view: ObjectionView, unit_id: int | None = None) -> RecordNow | None:
    """The record objected to as it stands, to the office or a unit; None where one is missing."""
    if view.record_id is None:
        return None
    try:
        row = current_row(view.record_id)
    except IntakeError:
        return RecordNow(None, (), has_changed=True)
    if row.unit_id != unit_id and RecordVersion.objects.filter(pk=row.version_id, sealed=True).exists():
        return RecordNow(None, (), has_changed=True)
    labels = {field.id: field.name for field in map_fields(row.kind)}
    facts = tuple((labels.get(key, key), value) for key, value in row.values.items())
    return RecordNow(row, facts, has_changed=row.version_id != view.version_id)


def case_context(view: ObjectionView, record: RecordNow | None) -> dict[str, object]:
    """What every official's page of an objection shows."""
    name, identifier = _subject(view.subject_id)
    return {
        "view": view,
        "subject": name,
        "identifier": identifier,
        "ground": GROUND_WORDS[view.ground],
        "what": what_words(view.policy_id, view.domain, view.kind, view.document_number),
        "record": record,
        "steps": _course(view),
        "standing": official_standing(view),
        "clock": clock_view(view.clock),
    }


def _course(view: ObjectionView) -> list[dict[str, object]]:
    """What was done, newest first, with what was said and the files given."""
    said, files = words_of(step.id for step in view.steps), evidence_of(view.number)
    lay_with = ["", *(step.unit_name for step in view.steps)]
    told = [_step(step, lay_with[step.seq - 1], files) | {"said": said.get(step.id, "")} for step in view.steps]
    return told[::-1]


def _step(step: StepView, lay_with: str, files: Iterable[EvidenceRow]) -> dict[str, object]:
    return {
        "step": step,
        "who": who_acted(step, lay_with),
        "did": action_words(f"objection-{step.act}"),
        "gives": step.act in (Act.ACCEPT, Act.HAND_OVER, Act.REMAND),
        "files": [file for file in files if file.step_id == step.id],
    }


def official_standing(view: ObjectionView) -> Standing:
    """Where an objection stands, and who has to act until when."""
    unit = next((step.unit_name for step in reversed(view.steps) if step.unit_name), "责任单位")
    until = f"{spoken_date(view.clock.due)}前" if view.clock and view.clock.due else "按时限"
    until = "已经超期，请尽快" if view.clock and view.clock.is_over else until
    is_returned = view.steps[-1].act is Act.RETURN
    supply = f"请其在{spoken_date(view.supply_until)}前补充；" if view.supply_until else ""
    appeal = f"申请人在{spoken_date(view.appeal_until)}前可以申请一次复核。" if view.appeal_until else "办理结束。"
    done = CORRECTED_WORDS.get(view.correction.what, "") if view.correction else "异议成立，已经更正。"
    sentences = {
        State.INTAKE: (
            "数源单位退回，等信用办重新安排。" if is_returned else "等信用办决定是否受理。",
            f"{until}由信用办决定。",
        ),
        State.MORE_ASKED: ("等申请人补充材料。", f"{supply}等待的日子不计入时限，到期没有补充的自动终止。"),
        State.WITH_UNIT: (f"{unit}正在核实。", f"{until}由{unit}答复申请人。"),
        State.AWAITED: (f"{unit}已承诺补报，等记录入账。", "按平常的渠道报送；入账后自动办结。"),
        State.APPEALED: ("申请人不同意原结果，等信用办复核。", f"{until}由信用办决定退回重新核实或者维持。"),
        State.DECLINED: ("信用办没有受理。", appeal),
        State.DISMISSED: (f"{unit}认定异议不成立，记录没有改动。", appeal),
        State.CORRECTED: (done, "办理结束。受影响的报告改为“已更正”。"),
        State.CONFIRMED: ("复核维持原结果。", "办理结束。"),
        State.WITHDRAWN: ("申请人已经撤回。", "办理结束，记录没有改动。"),
        State.LAPSED: ("申请人到期没有补充，已经终止。", "办理结束，记录没有改动。"),
    }
    needs_somebody = view.is_open and view.state is not State.AWAITED
    return Standing("unver" if needs_somebody else "info", *sentences[view.state])
