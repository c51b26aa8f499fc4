"""The versions of a policy's pack (政策包的各版): in force, coming, past, waiting for signatures."""

import uuid
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from enum import StrEnum

from xinzheng.apps.oversight.errors import OversightError
from xinzheng.apps.oversight.models import Proposal
from xinzheng.apps.oversight.pack_rows import cases_in_force
from xinzheng.apps.oversight.proposal_views import OPEN, proposals_of
from xinzheng.apps.reports import ports
from xinzheng.apps.reports.models import StoredInput
from xinzheng.apps.reports.pack_queries import recorded
from xinzheng.apps.reports.packs import in_force, shipped_digest, stored_files, stored_policy
from xinzheng.core.policy import Policy


class VersionState(StrEnum):
    """What a version is on a day (状态): 施行中, 待生效, 已被代替, 待会签."""

    IN_FORCE = "in_force"
    COMING = "coming"
    PAST = "past"
    DRAFT = "draft"


STATE_WORDS: Mapping[VersionState, str] = {
    VersionState.IN_FORCE: "施行中",
    VersionState.COMING: "待生效",
    VersionState.PAST: "已被代替",
    VersionState.DRAFT: "待会签",
}


@dataclass(frozen=True, slots=True)
class PackVersion:
    """One version (一版): its digest, from which day it holds, on which paper, and what it is now.

    ``proposal_id`` is the proposal it came by; None where it was shipped, or published by a command.
    """

    sha256: str
    state: VersionState
    from_date: date | None
    document: str
    reason: str = ""
    is_shipped: bool = False
    proposal_id: uuid.UUID | None = None

    @property
    def word(self) -> str:
        """Its state in words."""
        return STATE_WORDS[self.state]


def pack_versions(policy_id: str, day: date) -> list[PackVersion]:
    """Every version, latest first: those that wait for signatures, then by the day they hold from.

    Raises RefusedError ``unknown-policy``.
    """
    holds = in_force(policy_id, day)
    drafts = [
        PackVersion(
            view.pack_sha256,
            VersionState.DRAFT,
            date.fromisoformat(view.facts["from_date"]),
            view.facts["document"],
            view.reason,
            proposal_id=view.id,
        )
        for view in proposals_of(policy_id, ["pack"])
        if view.state == OPEN
    ]
    by_entry = dict(
        Proposal.objects.filter(kind="pack", end__entry_id__isnull=False).values_list("end__entry_id", "pk")
    )
    published = [
        PackVersion(
            one.sha256,
            VersionState.COMING
            if one.from_date > day
            else VersionState.IN_FORCE
            if one.entry == holds.entry
            else VersionState.PAST,
            one.from_date,
            one.document,
            one.reason,
            proposal_id=by_entry.get(one.entry),
        )
        for one in recorded().publications.get(policy_id, ())
    ]
    ordered = sorted(reversed(published), key=lambda version: version.from_date or date.min, reverse=True)
    return [*drafts, *ordered, *_shipped(policy_id, is_in_force=holds.entry is None)]


def pack_version(policy_id: str, sha256: str, day: date) -> Policy:
    """A version of the policy by its digest; of the one in force with its extensions.

    Raises:
        RefusedError: ``unknown-policy``.
        OversightError: ``unknown-pack``.
    """
    holds = in_force(policy_id, day)
    if sha256 in ("", holds.sha256):
        return holds.policy
    if sha256 == shipped_digest(policy_id):
        files = ports.policy_files()
        shipped: Policy = files.load_pack_bytes(files.pack_bytes(policy_id))
        return shipped
    return stored_policy(_kept(policy_id, sha256))


def version_files(policy: Policy) -> Mapping[str, bytes]:
    """A version's files, written out without aliases, so that a draft can begin with them."""
    files = ports.policy_files()
    digest = bytes.fromhex(policy.sha256)
    is_kept = StoredInput.objects.filter(sha256=digest).exists()
    found = stored_files(digest) if is_kept else files.pack_bytes(policy.id)
    cases = cases_in_force(policy)
    return {name: files.written_out(content) for name, content in (*found.items(), *cases.items())}


def _shipped(policy_id: str, *, is_in_force: bool) -> list[PackVersion]:
    digest = shipped_digest(policy_id)
    if digest is None:
        return []
    files = ports.policy_files()
    policy: Policy = files.load_pack_bytes(files.pack_bytes(policy_id))
    state = VersionState.IN_FORCE if is_in_force else VersionState.PAST
    return [PackVersion(digest, state, policy.in_effect.from_date, policy.document, is_shipped=True)]


def _kept(policy_id: str, sha256: str) -> bytes:
    """The digest of a pack of this policy that is kept; of another policy's it is not told that there is one."""
    try:
        digest = bytes.fromhex(sha256)
    except ValueError:
        digest = b""
    if not StoredInput.objects.filter(sha256=digest, kind="policy", name=policy_id).exists():
        raise OversightError("没有这一版政策包，请从列表里选择。", code="unknown-pack")
    return digest
