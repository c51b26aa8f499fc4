"""What the policy workshop remembers: proposals signed by two people, and what drafts would have changed."""

import uuid
from typing import ClassVar

from django.db import models
from django.db.models import Q

from xinzheng.apps.accounts.models import Role
from xinzheng.apps.audit.history import append_only
from xinzheng.apps.oversight.publicity_models import RULING_ROLES

PROPOSAL_KINDS = ("pack", "extension", "responsibility", "unit")


class Proposal(models.Model):
    """Something put forward for two people to sign (待会签事项): a pack, an extension, a unit, who answers for what.

    ``facts`` says all of it; its SHA-256 is what is signed. A changed mind is another proposal.
    """

    id = models.UUIDField(primary_key=True, default=uuid.uuid4)
    kind = models.TextField()
    policy_id = models.TextField()
    facts = models.JSONField()
    facts_sha256 = models.BinaryField(max_length=32)
    pack = models.ForeignKey("reports.StoredInput", on_delete=models.PROTECT, null=True, related_name="+")
    cases = models.ForeignKey("reports.StoredInput", on_delete=models.PROTECT, null=True, related_name="+")
    reason = models.TextField()
    account_id = models.BigIntegerField()
    at = models.DateTimeField()

    class Meta:
        triggers: ClassVar = append_only()
        constraints: ClassVar = [
            models.CheckConstraint(name="proposal_kind_known", condition=Q(kind__in=PROPOSAL_KINDS)),
            models.CheckConstraint(
                name="a_pack_for_a_pack",
                condition=Q(kind="pack", pack__isnull=False) | (~Q(kind="pack") & Q(pack__isnull=True)),
            ),
        ]
        indexes: ClassVar = [models.Index(fields=["policy_id", "-at"], name="proposals_of_policy")]

    def __str__(self) -> str:
        return f"{self.kind} {self.policy_id}"


class ProposalSignature(models.Model):
    """One of the two signatures (会签) under a proposal: the credit office's and the justice bureau's."""

    proposal = models.ForeignKey(Proposal, on_delete=models.PROTECT, related_name="signatures")
    role = models.TextField(choices=[(role.value, role.label) for role in RULING_ROLES])
    account_id = models.BigIntegerField()
    facts_sha256 = models.BinaryField(max_length=32)
    at = models.DateTimeField()

    class Meta:
        triggers: ClassVar = append_only()
        constraints: ClassVar = [
            models.UniqueConstraint(name="each_side_signs_once", fields=["proposal", "role"]),
            models.UniqueConstraint(name="nobody_signs_a_proposal_twice", fields=["proposal", "account_id"]),
            models.CheckConstraint(
                name="proposal_signed_by_these", condition=Q(role__in=[Role(r).value for r in RULING_ROLES])
            ),
        ]

    def __str__(self) -> str:
        return f"{self.proposal_id} {self.role}"


class ProposalEnd(models.Model):
    """What became of a proposal: carried out by an entry of the ledger (``entry_id``), or withdrawn."""

    proposal = models.OneToOneField(Proposal, primary_key=True, on_delete=models.PROTECT, related_name="end")
    entry_id = models.BigIntegerField(null=True)
    reason = models.TextField(default="")
    account_id = models.BigIntegerField()
    at = models.DateTimeField()

    class Meta:
        triggers: ClassVar = append_only()

    def __str__(self) -> str:
        return str(self.proposal_id)


class Simulation(models.Model):
    """What a draft would have changed (模拟): two packs on one ledger position; a work queue until it is done.

    ``figures`` counts, by domain too, and holds a sample with surrogate keys and record numbers, no names.
    """

    id = models.UUIDField(primary_key=True, default=uuid.uuid4)
    policy_id = models.TextField()
    draft = models.ForeignKey("reports.StoredInput", on_delete=models.PROTECT, related_name="+")
    against = models.ForeignKey("reports.StoredInput", on_delete=models.PROTECT, related_name="+")
    as_of = models.DateTimeField()
    position = models.BigIntegerField()
    state = models.TextField(choices=[(s, s) for s in ("queued", "running", "done", "failed")], default="queued")
    figures = models.JSONField(null=True)
    message = models.TextField(default="")
    account_id = models.BigIntegerField()
    at = models.DateTimeField()

    class Meta:
        indexes: ClassVar = [models.Index(fields=["draft", "-at"], name="simulations_of_draft")]

    def __str__(self) -> str:
        return f"{self.policy_id} {self.state}"
