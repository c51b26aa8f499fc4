"""Proposals (会签事项): a pack, an extension, a unit, who answers for what; carried out when two offices have signed.

Signed is the digest of the facts, which say all of it. Nothing is edited: who changes his mind withdraws the proposal
and puts another one forward. What is refused when it would be carried out is refused when it is put forward.
"""

import uuid
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from django.db import connection, transaction

from xinzheng.apps.accounts.models import Account
from xinzheng.apps.audit.actions import record_event
from xinzheng.apps.audit.privacy import text_to_keep
from xinzheng.apps.codes.notice_events import PROPOSAL_WAITS
from xinzheng.apps.codes.notices import Addressee, tell
from xinzheng.apps.oversight.carrying_out import carry_out, refuse_what_is_newer
from xinzheng.apps.oversight.errors import OversightError
from xinzheng.apps.oversight.models import Proposal, ProposalEnd, ProposalSignature
from xinzheng.apps.oversight.proposal_facts import Facts, NewPack, digest_of, facts_of
from xinzheng.apps.oversight.proposal_views import ProposalView, proposal_view
from xinzheng.apps.oversight.publicity_models import RULING_ROLES
from xinzheng.apps.redress.clock import now

REASON_AT_MOST = 500
# One proposal at a time is put forward or carried out; nothing else may lock this constant.
PROPOSAL_LOCK = 0x70726F706F73


@dataclass(frozen=True, slots=True)
class NewProposal:
    """What is put forward (提交会签).

    ``kind`` and its ``facts``: ``pack`` (from_date, document), ``extension`` (document, until_date, note),
    ``responsibility`` (deed add or end, domain, kind, uscc), ``unit`` (uscc, name, short_name). ``files`` is the pack,
    ``cases`` are its cases; none are those of the pack in force.
    """

    kind: str
    policy_id: str
    facts: Mapping[str, str]
    reason: str
    files: Mapping[str, bytes] = field(default_factory=dict)
    cases: Mapping[str, bytes] = field(default_factory=dict)


@transaction.atomic
def put_forward(new: NewProposal, *, account: Account) -> ProposalView:
    """Check a proposal strictly, keep it, and ask both offices to sign; nothing is in force by it.

    The very same that waits already is given back.

    Raises:
        UnkeepableTextError: a text is too long or holds a person's number.
        OversightError: ``reason-missing``; ``draft-unfit`` with ``mistakes``, each with file and line; ``cases-fail``
            with ``ran``; ``domain-unknown``, ``facts-missing``, ``date-unreadable``.
        XinzhengError: what publishing, extending, naming a unit or a responsibility refuses.
    """
    reason = text_to_keep(new.reason, field="理由", most=REASON_AT_MOST)
    if not reason:
        raise OversightError("请写明理由：为什么要改，依据什么。", code="reason-missing")
    facts = facts_of(new.kind, new.policy_id, new.facts, NewPack(new.files, new.cases))
    with_reason = Facts(facts.values | {"reason": reason}, facts.pack, facts.cases)
    digest = digest_of(with_reason.values)
    _one_at_a_time()
    same = Proposal.objects.filter(facts_sha256=digest, end__isnull=True).first()
    if same is not None:  # sent twice
        return proposal_view(same.pk)
    made = Proposal.objects.create(
        kind=new.kind,
        policy_id=new.policy_id,
        facts=with_reason.values,
        facts_sha256=digest,
        pack_id=with_reason.pack,
        cases_id=with_reason.cases,
        reason=reason,
        account_id=account.pk,
        at=now(),
    )
    _rehearse(made, account)
    details = {"kind": new.kind, "policy": new.policy_id}
    _event(account, "pack-proposed", made, details)
    tell(PROPOSAL_WAITS, f"proposal:{made.pk}", [Addressee(role=r) for r in RULING_ROLES if r != account.role], {})
    return proposal_view(made.pk)


@transaction.atomic
def sign(proposal_id: uuid.UUID, seen_sha256: str, *, account: Account) -> ProposalView:
    """Sign a proposal for one's own office; with the second signature it is carried out, in the same transaction.

    Args:
        proposal_id: which.
        seen_sha256: the digest of the facts that stood on the page, hexadecimal.
        account: who signs; the page has asked ``refusals_to_sign_proposal``.

    Raises:
        OversightError: ``unknown-proposal``, ``proposal-ended``; ``proposal-changed``: not what was seen, or something
            newer stands; ``same-person``, ``side-signed-already``; ``draft-unfit``, ``cases-fail``.
        XinzhengError: what carrying it out refuses; then the signature is not kept either.
    """
    proposal = _open_one(proposal_id)
    digest = bytes(proposal.facts_sha256)
    if seen_sha256 != digest.hex() or digest_of(proposal.facts) != digest:
        raise OversightError("会签的内容和页面上看到的不一致，请重新打开页面，看过再签。", code="proposal-changed")
    _refuse_second(proposal, account)
    ProposalSignature.objects.create(
        proposal=proposal, role=account.role, account_id=account.pk, facts_sha256=digest, at=now()
    )
    _event(account, "proposal-signed", proposal, {"role": str(account.role), "sha256": digest.hex()})
    if set(proposal.signatures.values_list("role", flat=True)) == {role.value for role in RULING_ROLES}:
        entry = carry_out(proposal, by=account.actor)
        ProposalEnd.objects.create(proposal=proposal, entry_id=entry, account_id=account.pk, at=now())
    return proposal_view(proposal.pk)


@transaction.atomic
def withdraw(proposal_id: uuid.UUID, reason: str, *, account: Account) -> ProposalView:
    """Withdraw a proposal that was not carried out (撤回).

    Raises:
        UnkeepableTextError: the reason is too long or holds a person's number.
        OversightError: ``unknown-proposal``, ``proposal-ended``, ``reason-missing``.
    """
    kept = text_to_keep(reason, field="撤回理由", most=REASON_AT_MOST)
    if not kept:
        raise OversightError("请写明为什么撤回。", code="reason-missing")
    proposal = _open_one(proposal_id)
    ProposalEnd.objects.create(proposal=proposal, reason=kept, account_id=account.pk, at=now())
    _event(account, "proposal-withdrawn", proposal, {"kind": proposal.kind})
    return proposal_view(proposal.pk)


def _open_one(proposal_id: uuid.UUID) -> Proposal:
    """The proposal, locked; what is carried out at the same moment has to wait."""
    _one_at_a_time()
    proposal = Proposal.objects.select_for_update(no_key=True, of=("self",)).filter(pk=proposal_id).first()
    if proposal is None:
        raise OversightError("没有这件会签事项。", code="unknown-proposal")
    if ProposalEnd.objects.filter(pk=proposal.pk).exists():
        raise OversightError("这件事项已经办结或者撤回，不能再办理。", code="proposal-ended")
    return proposal


def _one_at_a_time() -> None:
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_advisory_xact_lock(%s)", [PROPOSAL_LOCK])


def _refuse_second(proposal: Proposal, account: Account) -> None:
    """Two people, one of each office: nobody signs twice, also when his role has changed meanwhile."""
    signed = list(proposal.signatures.all())
    if any(signature.account_id == account.pk for signature in signed):
        raise OversightError("您已经会签过，须由另一单位的另一人会签。", code="same-person")
    if any(signature.role == account.role for signature in signed):
        raise OversightError("本单位已经会签过，须由另一单位会签。", code="side-signed-already")


def _rehearse(proposal: Proposal, account: Account) -> None:
    """Carry it out and undo it: whatever would be refused with the second signature is refused now."""
    refuse_what_is_newer(proposal)
    with transaction.atomic():
        carry_out(proposal, by=account.actor, is_checked=True)
        transaction.set_rollback(True)


def _event(account: Account, action: str, proposal: Proposal, details: Mapping[str, Any]) -> None:
    record_event(who=account.actor, action=action, object_kind="proposal", object_id=proposal.pk, details=dict(details))
