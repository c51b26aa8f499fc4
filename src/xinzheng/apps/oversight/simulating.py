"""Simulating a draft (模拟): the pack in force and the draft over the whole ledger at one position, nothing changed."""

import uuid
from dataclasses import replace
from datetime import timedelta
from typing import Any

from django.db import InterfaceError, InternalError, OperationalError, transaction
from django.utils import timezone
from procrastinate.contrib.django.models import ProcrastinateJob

from xinzheng.apps.accounts.models import Account
from xinzheng.apps.audit.actions import record_event
from xinzheng.apps.audit.queries import head_position
from xinzheng.apps.oversight.errors import OversightError
from xinzheng.apps.oversight.models import Simulation
from xinzheng.apps.oversight.permissions import refusals_to_draft_pack
from xinzheng.apps.oversight.simulated_changes import Side, changes_between
from xinzheng.apps.reports import packs, ports
from xinzheng.apps.reports.models import StoredInput
from xinzheng.apps.reports.set_wise import EVERYBODY, one_moment, opened_engine, transfer, weighing_of
from xinzheng.core.decision import CHINA
from xinzheng.core.errors import XinzhengError
from xinzheng.core.policy import DateSpan, Policy

KIND = "simulation"
QUEUED, RUNNING, DONE, FAILED = "queued", "running", "done", "failed"
OPEN_STATES = (QUEUED, RUNNING)
STALE = timedelta(minutes=10)
UNEXPECTED = "模拟时发生意外，没有完成。请重新模拟；仍不成功的，请联系系统管理员。"
LEFT_BEHIND = "模拟中断，没有完成。请重新模拟；仍不成功的，请联系系统管理员。"
PASSING = (OperationalError, InterfaceError, InternalError)


class SimulationError(OversightError):
    """A draft is not simulated."""

    code = "simulation-refused"


@transaction.atomic
def ask_simulation(draft_sha256: str, policy_id: str, *, account: Account, against_sha256: str = "") -> Simulation:
    """Have a stored draft compared with a pack on the ledger's data, at its head; queued behind screenings.

    Where the same is under way, or nothing has happened since it was done today, that one is given back.

    Args:
        draft_sha256: the stored draft's digest in hexadecimal.
        policy_id: the policy it is a draft of.
        account: who asks.
        against_sha256: the version it is compared with; the pack in force where nothing is said.

    Raises:
        SimulationError: ``simulation-refused``; ``draft-unknown``: no pack of the policy is stored under the digest;
            ``simulation-other-place``: the draft is of another place, so that other records would be read.
        RefusedError: the policy is unknown.
    """
    refusals = refusals_to_draft_pack(account)
    if refusals:
        raise SimulationError("\n".join(refusals))
    current = packs.current_policy(policy_id)
    digest, against = (_stored(policy_id, text) for text in (draft_sha256, against_sha256 or current.sha256))
    if {packs.stored_policy(one).jurisdiction for one in (digest, against)} != {current.jurisdiction}:
        raise SimulationError("草案的适用地区与现行政策不同，读取的记录不同，不能比较。", code="simulation-other-place")
    position, now = head_position(), timezone.now()
    same = Simulation.objects.filter(policy_id=policy_id, draft_id=digest, against_id=against).order_by("-at").first()
    if same is not None and (same.state in OPEN_STATES or _still_holds(same, position)):
        return same
    made = Simulation.objects.create(
        policy_id=policy_id, draft_id=digest, against_id=against, as_of=now, position=position,
        account_id=account.pk, at=now,
    )  # fmt: skip
    facts = {"policy": policy_id, "draft": digest.hex(), "against": against.hex(), "position": position}
    record_event(who=account.actor, action="simulation-run", object_kind=KIND, object_id=made.pk, details=facts)
    _queue(made.pk)
    return made


def run_simulation(simulation_id: uuid.UUID) -> None:
    """Compare both packs; how it stands and what came of it is written into the simulation, and nowhere else."""
    open_ones = Simulation.objects.filter(pk=simulation_id, state__in=OPEN_STATES)
    if not open_ones.update(state=RUNNING):
        return
    try:
        figures = _figures(Simulation.objects.get(pk=simulation_id))
        open_ones.update(state=DONE, figures=figures, message="")
    except PASSING:
        raise
    except XinzhengError as error:
        open_ones.update(state=FAILED, message=error.message)
    except Exception:  # its words are for whoever runs the site
        open_ones.update(state=FAILED, message=UNEXPECTED)
        raise


def end_left_behind() -> int:
    """End what no task works on any more; how many."""
    from xinzheng.apps.oversight.tasks_screening import simulate

    at_work = ProcrastinateJob.objects.filter(task_name=simulate.name, status__in=("todo", "doing"))
    known = [uuid.UUID(job["simulation_id"]) for job in at_work.values_list("args", flat=True)]
    stale = Simulation.objects.filter(state__in=OPEN_STATES, at__lt=timezone.now() - STALE).exclude(pk__in=known)
    return stale.update(state=FAILED, message=LEFT_BEHIND)


def _figures(simulation: Simulation) -> dict[str, Any]:
    """Both packs over the same tables; the draft as though it were in force on the day."""
    as_of, position = simulation.as_of.astimezone(CHINA), simulation.position
    before = _as_in_force(packs.stored_policy(bytes(simulation.against_id)))
    after = _as_in_force(packs.stored_policy(bytes(simulation.draft_id)))
    with one_moment(), opened_engine() as engine:
        transfer(engine, before, position, EVERYBODY)
        sides = []
        for name, policy in (("before", before), ("after", after)):
            asking = weighing_of(policy, as_of, position)
            plan = ports.screening().plan(asking.weighing, policy, frozenset(asking.gaps), name=name)
            sides.append(Side(policy, plan, frozenset(asking.gaps)))
        figures = changes_between(engine, *sides)
    today = as_of.date()
    later = [c.id for c in after.clauses if c.in_effect.from_date is not None and c.in_effect.from_date > today]
    return figures | {"as_of": today.isoformat(), "later_clauses": later}


def _as_in_force(policy: Policy) -> Policy:
    return replace(policy, in_effect=DateSpan())


def _stored(policy_id: str, text: str) -> bytes:
    """The digest of a version of the policy; what is in force or was shipped is stored now, if it was not yet."""
    current = packs.current_policy(policy_id)
    if text == current.sha256:
        return packs.keep_inputs(current, packs.current_calendar()).pack
    if text == packs.shipped_digest(policy_id):
        return packs.keep_pack(policy_id, ports.policy_files().pack_bytes(policy_id))
    try:
        digest = bytes.fromhex(text)
    except ValueError:
        digest = b""
    if not StoredInput.objects.filter(sha256=digest, kind="policy", name=policy_id).exists():
        raise SimulationError("没有这份政策包草案，请重新上传。", code="draft-unknown")
    return digest


def _still_holds(same: Simulation, position: int) -> bool:
    is_today = same.as_of.astimezone(CHINA).date() == timezone.now().astimezone(CHINA).date()
    return same.state == DONE and same.position == position and is_today


def _queue(simulation_id: uuid.UUID) -> None:
    from xinzheng.apps.oversight.tasks_screening import simulate

    simulate.defer(simulation_id=str(simulation_id))
