"""What a draft would change on the ledger's data (模拟), as the pages show it."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from xinzheng.apps.accounts.models import Account
from xinzheng.apps.oversight.models import Simulation
from xinzheng.apps.oversight.simulating import ask_simulation
from xinzheng.apps.reports.packs import current_policy
from xinzheng.web.public.policy_words import EFFECT_WORDS

UNDER_WAY = ("queued", "running")
WORDS: Mapping[str, str] = {
    "clear": "未查询到记录",
    "not_clear": "有记录",
    "not_verifiable": "未能核查",
    "none_found": "未查询到记录",
    "records_found": "有记录",
    "absent": "没有这个领域",
    "subject-kind-not-served": "不适用这类主体",
    "subject-deregistered": "已注销",
}
NOT_WEIGHED = "不核查这条记录"


@dataclass(frozen=True)
class Move:
    """So many from one answer to another."""

    before: str
    after: str
    count: int


@dataclass(frozen=True)
class DomainMoves:
    """A domain whose results change, and how."""

    name: str
    changed: int
    moves: Sequence[Move]


@dataclass(frozen=True)
class SampledRecord:
    """A record that is found otherwise: with which effect and reason before and after."""

    number: int
    domain: str
    before: str
    after: str


@dataclass(frozen=True)
class Sampled:
    """A subject whose outcome changes, by its number only."""

    subject: int
    move: Move
    records: Sequence[SampledRecord]


@dataclass(frozen=True)
class Simulated:
    """A simulation: how far it is, and what it found once it is done.

    ``is_outdated``: the pack it was compared with is not in force any more.
    """

    state: str
    at: datetime
    position: int
    message: str
    is_outdated: bool = False
    subjects: int = 0
    changed: int = 0
    moves: Sequence[Move] = ()
    domains: Sequence[DomainMoves] = ()
    sample: Sequence[Sampled] = ()
    later_clauses: Sequence[str] = ()

    @property
    def is_under_way(self) -> bool:
        """Whether it waits or runs."""
        return self.state in UNDER_WAY

    @property
    def stays(self) -> int:
        """How many subjects are answered as before."""
        return self.subjects - self.changed


def ask_for(policy_id: str, draft_sha256: str, account: Account, against_sha256: str = "") -> str:
    """Ask for a simulation of a draft, against what is in force if nothing is said; what to tell.

    Raises what asking refuses.
    """
    asked = ask_simulation(draft_sha256, policy_id, account=account, against_sha256=against_sha256)
    if asked.state in UNDER_WAY:
        return "已开始模拟，结果列在本页；可以离开，稍后再看。"
    return "账本没有变化，模拟结果仍是最新的。"


def latest_simulation(policy_id: str, draft_sha256: str, against_sha256: str = "") -> Simulated | None:
    """The latest simulation of a pack, whoever asked for it: against this version, else against what is in force.

    Where it was not yet compared with what is in force now, the latest of all is told, as outdated.
    """
    every = Simulation.objects.filter(draft_id=bytes.fromhex(draft_sha256)).order_by("-at")
    wanted = against_sha256 or current_policy(policy_id).sha256
    found = every.filter(against_id=bytes.fromhex(wanted)).first()
    if found is None and not against_sha256:
        found = every.first()
    if found is None:
        return None
    figures: Mapping[str, Any] = found.figures or {}
    return Simulated(
        found.state,
        found.at,
        found.position,
        found.message,
        is_outdated=bytes(found.against_id).hex() != wanted,
        subjects=figures.get("subjects", 0),
        changed=figures.get("changed", 0),
        moves=_moves(figures.get("from_to", ())),
        domains=[
            DomainMoves(one["name"], one["changed"], _moves(one["from_to"])) for one in figures.get("by_domain", ())
        ],
        sample=[_sampled(one) for one in figures.get("sample", ())],
        later_clauses=figures.get("later_clauses", ()),
    )


def _moves(rows: Sequence[Mapping[str, Any]]) -> list[Move]:
    """What changes, most first; what stays is no move."""
    moves = [Move(_word(row["from"]), _word(row["to"]), row["count"]) for row in rows if row["from"] != row["to"]]
    return sorted(moves, key=lambda move: -move.count)


def _word(code: str) -> str:
    return WORDS.get(code, "不予出具")


def _sampled(row: Mapping[str, Any]) -> Sampled:
    records = [
        SampledRecord(one["record"], one["domain"], _found(one["before"]), _found(one["after"]))
        for one in row["records"]
    ]
    return Sampled(row["subject"], Move(_word(row["from"]), _word(row["to"]), 1), records)


def _found(finding: Mapping[str, str] | None) -> str:
    """An effect with its reason and where it stands, such as 不计入：…（三、适用范围）."""
    if finding is None:
        return NOT_WEIGHED
    section = f"（{finding['section']}）" if finding["section"] else ""
    return f"{EFFECT_WORDS.get(finding['effect'], finding['effect'])}：{finding['reason']}{section}"
