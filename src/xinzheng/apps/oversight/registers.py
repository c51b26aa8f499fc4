"""The office's registers: trainings that were held (培训登记), major problems until they are solved (重大问题)."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime

from django.db import IntegrityError, transaction

from xinzheng.apps.audit.actions import record_event
from xinzheng.apps.audit.privacy import text_to_keep
from xinzheng.apps.oversight.errors import OversightError
from xinzheng.apps.oversight.models import MajorProblem, MajorProblemStep, Training
from xinzheng.apps.redress.clock import now, today

MOST_ATTENDED = 100_000
SAID_AT_MOST = 1000


@dataclass(frozen=True, slots=True)
class Held:
    """A training that was held: day, what, for whom, where, how many came, what was handed out.

    ``replaces``: the row it corrects.
    """

    day: date
    title: str
    audience: str
    attended: int
    place: str = ""
    materials: str = ""
    replaces: int | None = None


@dataclass(frozen=True, slots=True)
class NewProblem:
    """A major problem: what it is called, what it is about, where it came up (a suggestion's number, a bulletin …)."""

    title: str
    said: str
    raised_from: str = ""


@dataclass(frozen=True, slots=True)
class Progress:
    """What happened with a problem since step ``seen_seq``; ``is_solved`` takes it off the list, or puts it back."""

    problem_id: int
    seen_seq: int
    said: str
    is_solved: bool = False


@dataclass(frozen=True, slots=True)
class ProblemStepView:
    """One line of a problem's progress."""

    said: str
    is_solved: bool
    at: datetime


@dataclass(frozen=True, slots=True)
class ProblemView:
    """A major problem with its progress; ``seq`` is the last step's, 0 before any."""

    id: int
    title: str
    said: str
    raised_from: str
    at: datetime
    seq: int
    is_solved: bool
    steps: Sequence[ProblemStepView]


@transaction.atomic
def keep_training(held: Held, *, by: str) -> int:
    """Register a training that was held, or the right words for one registered wrongly; its number.

    Raises:
        UnkeepableTextError: a text is too long or holds a person's number.
        OversightError: ``training-incomplete``, ``training-not-held-yet``, ``attended-unfit``;
            ``training-corrected-already``: ``replaces`` was corrected before, or there is none of this number.
    """
    title = text_to_keep(held.title, field="培训内容")
    audience = text_to_keep(held.audience, field="参加对象")
    if not title or not audience:
        raise OversightError("请写明培训内容和参加对象。", code="training-incomplete")
    if held.day > today():
        raise OversightError("日期还没有到。办完以后再登记。", code="training-not-held-yet")
    if not 0 <= held.attended <= MOST_ATTENDED:
        raise OversightError(f"参加人数应为0至{MOST_ATTENDED}的整数。", code="attended-unfit")
    made = _kept(held, title, audience, by)
    details = {"day": held.day.isoformat(), "attended": held.attended}
    record_event(who=by, action="training-kept", object_kind="training", object_id=str(made.pk), details=details)
    return made.pk


def _kept(held: Held, title: str, audience: str, by: str) -> Training:
    try:
        with transaction.atomic():
            return Training.objects.create(
                day=held.day,
                title=title,
                audience=audience,
                attended=held.attended,
                place=text_to_keep(held.place, field="地点"),
                materials=text_to_keep(held.materials, field="资料", most=SAID_AT_MOST),
                replaces=_corrected(held.replaces),
                actor=by,
            )
    except IntegrityError as error:
        raise _corrected_already() from error


def _corrected(training_id: int | None) -> Training | None:
    if training_id is None:
        return None
    found = Training.objects.filter(pk=training_id, replaced_by__isnull=True).first()
    if found is None:
        raise _corrected_already()
    return found


def _corrected_already() -> OversightError:
    return OversightError("这条培训已经更正过，或者不存在，请看最新的登记。", code="training-corrected-already")


@transaction.atomic
def raise_problem(new: NewProblem, *, by: str) -> int:
    """Put a major problem on the list; its number.

    Raises:
        UnkeepableTextError: a text is too long or holds a person's number.
        OversightError: ``problem-incomplete``.
    """
    title = text_to_keep(new.title, field="问题")
    said = text_to_keep(new.said, field="情况", most=SAID_AT_MOST)
    if not title or not said:
        raise OversightError("请写明是什么问题、有什么情况。", code="problem-incomplete")
    raised_from = text_to_keep(new.raised_from, field="来源")
    made = MajorProblem.objects.create(title=title, said=said, raised_from=raised_from, actor=by, at=now())
    record_event(who=by, action="problem-kept", object_kind="problem", object_id=str(made.pk))
    return made.pk


@transaction.atomic
def add_progress(made: Progress, *, by: str) -> None:
    """Say how far a problem has come.

    Raises:
        UnkeepableTextError: the text is too long or holds a person's number.
        OversightError: ``unknown-problem``, ``progress-missing``; ``problem-moved-on``: somebody was quicker.
    """
    said = text_to_keep(made.said, field="进展", most=SAID_AT_MOST)
    if not said:
        raise OversightError("请写明进展。", code="progress-missing")
    problem = MajorProblem.objects.select_for_update(no_key=True).filter(pk=made.problem_id).first()
    if problem is None:
        raise OversightError("没有这个问题。", code="unknown-problem")
    last = MajorProblemStep.objects.filter(problem=problem).order_by("-seq").first()
    if (last.seq if last else 0) != made.seen_seq:
        raise OversightError("刚才有人更新了进展，请看过以后再填。填写的内容还在。", code="problem-moved-on")
    MajorProblemStep.objects.create(
        problem=problem, seq=made.seen_seq + 1, said=said, is_solved=made.is_solved, actor=by, at=now()
    )
    details = {"solved": made.is_solved}
    record_event(who=by, action="problem-stepped", object_kind="problem", object_id=str(problem.pk), details=details)


def trainings() -> list[Training]:
    """The trainings held, latest first, each as it was last put right."""
    return list(Training.objects.filter(replaced_by__isnull=True).order_by("-day", "-pk"))


def problems() -> list[ProblemView]:
    """The major problems: unsolved first, of them the oldest first."""
    found = MajorProblem.objects.prefetch_related("steps").order_by("pk")
    views = [_problem(problem) for problem in found]
    return sorted(views, key=lambda view: (view.is_solved, view.id if not view.is_solved else -view.id))


def _problem(problem: MajorProblem) -> ProblemView:
    steps = sorted(problem.steps.all(), key=lambda step: step.seq)
    last = steps[-1] if steps else None
    return ProblemView(
        problem.pk,
        problem.title,
        problem.said,
        problem.raised_from,
        problem.at,
        last.seq if last else 0,
        bool(last and last.is_solved),
        [ProblemStepView(step.said, step.is_solved, step.at) for step in steps],
    )
