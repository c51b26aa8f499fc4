"""Bodies that still demand paper certificates (仍要求纸质证明): subjects report them, the credit office answers."""

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime

from django.db import transaction

from xinzheng.apps.audit.actions import About, open_entry, record_event, take_position
from xinzheng.apps.audit.privacy import text_to_keep
from xinzheng.apps.oversight.errors import OversightError
from xinzheng.apps.oversight.models import PaperDemand, PaperDemandAnswer
from xinzheng.apps.registry.models import Subject

SAID_AT_MOST = 500
OPEN_AT_MOST = 20


@dataclass(frozen=True, slots=True)
class Demand:
    """What a subject reports: the body that demands paper, for what, where it is, in its own words."""

    subject_id: int
    body_name: str
    purpose: str = ""
    division: str = ""
    said: str = ""


@dataclass(frozen=True, slots=True)
class DemandRow:
    """A demand as it is listed, with the answer once there is one."""

    id: int
    subject_id: int
    body_name: str
    purpose: str
    division: str
    said: str
    at: datetime
    result: str
    answered_at: datetime | None


@transaction.atomic
def report_demand(demand: Demand, *, by: str) -> int:
    """Keep a report (反映); its number.

    Raises:
        UnkeepableTextError: a text is too long or holds a person's number.
        OversightError: ``body-missing``; ``demand-open-already``: the same body is reported and not answered yet;
            ``too-many-demands``: the subject has as many open ones as it may.
    """
    words = _words(demand)
    if not words["body_name"]:
        raise OversightError("请填写仍要求纸质证明的单位名称。", code="body-missing")
    Subject.objects.select_for_update(no_key=True).get(pk=demand.subject_id)
    still_open = PaperDemand.objects.filter(subject_id=demand.subject_id, answer__isnull=True)
    if still_open.filter(body_name=words["body_name"]).exists():
        raise OversightError("这个单位的情况已经反映过，信用办正在处理，不用再次提交。", code="demand-open-already")
    if still_open.count() >= OPEN_AT_MOST:
        raise OversightError(f"已有{OPEN_AT_MOST}件正在处理，请等信用办答复后再反映。", code="too-many-demands")
    entry = open_entry(kind="paper-demanded", by=by)
    PaperDemand.objects.create(entry=entry, subject_id=demand.subject_id, **words)
    about = About(demand.subject_id, details={"body": words["body_name"]})
    record_event(who=by, action="paper-demand-reported", object_kind="paper-demand", object_id=entry.pk, details=about)
    take_position(entry)
    return entry.pk


def _words(demand: Demand) -> dict[str, str]:
    return {
        "body_name": text_to_keep(demand.body_name, field="单位名称"),
        "purpose": text_to_keep(demand.purpose, field="办什么事"),
        "division": text_to_keep(demand.division, field="单位所在地"),
        "said": text_to_keep(demand.said, field="情况说明", most=SAID_AT_MOST),
    }


@transaction.atomic
def answer_demand(demand_id: int, result: str, *, by: str) -> int:
    """Tell the subject what was done about it (答复); the position.

    Raises:
        UnkeepableTextError: the answer is too long or holds a person's number.
        OversightError: ``unknown-demand``, ``answer-missing``, ``demand-answered-already``.
    """
    said = text_to_keep(result, field="处理结果", most=SAID_AT_MOST)
    if not said:
        raise OversightError("请写明怎样处理的，反映情况的主体会看到。", code="answer-missing")
    demand = PaperDemand.objects.select_for_update(no_key=True).filter(pk=demand_id).first()
    if demand is None:
        raise OversightError("没有这件反映。", code="unknown-demand")
    if PaperDemandAnswer.objects.filter(demand=demand).exists():
        raise OversightError("这件反映已经答复过。", code="demand-answered-already")
    entry = open_entry(kind="paper-demand-answered", by=by)
    PaperDemandAnswer.objects.create(entry=entry, demand=demand, result=said)
    about = About(demand.subject_id)
    record_event(who=by, action="paper-demand-answered", object_kind="paper-demand", object_id=demand.pk, details=about)
    return take_position(entry)


def demands_of(subject_id: int) -> list[DemandRow]:
    """What a subject has reported, newest first."""
    return _rows(PaperDemand.objects.filter(subject_id=subject_id).order_by("-pk")[:100])


def open_demands(limit: int = 200) -> list[DemandRow]:
    """What nobody has answered yet, oldest first."""
    return _rows(PaperDemand.objects.filter(answer__isnull=True).order_by("pk")[:limit])


def answered_demands(limit: int = 50) -> list[DemandRow]:
    """What was answered, latest report first."""
    return _rows(PaperDemand.objects.filter(answer__isnull=False).order_by("-pk")[:limit])


def bodies_reported(rows: Iterable[DemandRow]) -> list[tuple[str, int]]:
    """How often each body was reported, the most first."""
    return Counter(row.body_name for row in rows).most_common()


def _rows(found: "Iterable[PaperDemand]") -> list[DemandRow]:
    keys = [demand.pk for demand in found]
    demands = PaperDemand.objects.select_related("entry", "answer__entry").in_bulk(keys)
    return [_row(demands[key]) for key in keys]


def _row(demand: PaperDemand) -> DemandRow:
    answer: PaperDemandAnswer | None = getattr(demand, "answer", None)
    return DemandRow(
        demand.pk,
        demand.subject_id,
        demand.body_name,
        demand.purpose,
        demand.division,
        demand.said,
        demand.entry.recorded_at,
        answer.result if answer else "",
        answer.entry.recorded_at if answer else None,
    )
