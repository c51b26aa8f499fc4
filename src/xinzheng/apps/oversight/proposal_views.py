"""Proposals as people read them (会签事项): what is signed, by whom so far, what became of it."""

import uuid
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.db.models import Prefetch

from xinzheng.apps.oversight.errors import OversightError
from xinzheng.apps.oversight.models import Proposal, ProposalSignature
from xinzheng.apps.oversight.rulings import OFFICES, SignatureView

KIND_WORDS: Mapping[str, str] = {
    "pack": "发布政策包",
    "extension": "登记延期",
    "responsibility": "报送责任",
    "unit": "登记单位",
}
OPEN, DONE, WITHDRAWN = "open", "done", "withdrawn"


@dataclass(frozen=True, slots=True)
class ProposalView:
    """A proposal with its signatures; ``state`` is open, done or withdrawn, ``ended_at`` and ``end_reason`` its end."""

    id: uuid.UUID
    kind: str
    policy_id: str
    facts: Mapping[str, Any]
    facts_sha256: str
    pack_sha256: str
    reason: str
    account_id: int
    at: datetime
    signatures: Sequence[SignatureView]
    state: str
    ended_at: datetime | None = None
    end_reason: str = ""

    @property
    def word(self) -> str:
        """What it is about."""
        return KIND_WORDS[self.kind]

    @property
    def lacks(self) -> Sequence[str]:
        """The offices whose signature is missing."""
        signed = {signature.role for signature in self.signatures}
        return [office for role, office in OFFICES.items() if role not in signed]

    def waits_for(self, account_id: int, role: str) -> bool:
        """Whether this account can sign now: its office has not, nor has it."""
        signed = [s.role == role or s.account_id == account_id for s in self.signatures]
        return self.state == OPEN and role in OFFICES and not any(signed)


def proposal_view(proposal_id: uuid.UUID) -> ProposalView:
    """One proposal. Raises OversightError ``unknown-proposal``."""
    found = _views(Proposal.objects.filter(pk=proposal_id))
    if not found:
        raise OversightError("没有这件会签事项。", code="unknown-proposal")
    return found[0]


def proposals_of(
    policy_id: str | None = None, kinds: Iterable[str] = KIND_WORDS, limit: int = 50
) -> list[ProposalView]:
    """The proposals of a policy, or of all, latest first; those that wait for a signature before the others."""
    rows = Proposal.objects.filter(kind__in=list(kinds)).order_by("-at", "pk")
    found = _views((rows if policy_id is None else rows.filter(policy_id=policy_id))[:limit])
    return sorted(found, key=lambda view: view.state != OPEN)


def _views(rows: Any) -> list[ProposalView]:
    signatures = Prefetch("signatures", ProposalSignature.objects.order_by("at", "pk"))
    return [_view(row) for row in rows.select_related("end").prefetch_related(signatures)]


def _view(row: Proposal) -> ProposalView:
    end = getattr(row, "end", None)
    state = OPEN if end is None else WITHDRAWN if end.entry_id is None else DONE
    return ProposalView(
        id=row.pk,
        kind=row.kind,
        policy_id=row.policy_id,
        facts=row.facts,
        facts_sha256=bytes(row.facts_sha256).hex(),
        pack_sha256=bytes(row.pack_id).hex() if row.pack_id is not None else "",
        reason=row.reason,
        account_id=row.account_id,
        at=row.at,
        signatures=[SignatureView(s.role, OFFICES[s.role], s.account_id, s.at) for s in row.signatures.all()],
        state=state,
        ended_at=end.at if end is not None else None,
        end_reason=end.reason if end is not None else "",
    )
