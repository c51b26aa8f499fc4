"""Packs and extensions that were published here (发布的政策包、延期): what is in force beside the shipped packs."""

from typing import ClassVar

from django.db import models
from django.db.models import Q

from xinzheng.apps.audit.history import append_only
from xinzheng.apps.audit.models import Entry


def _entry() -> "models.OneToOneField[Entry, Entry]":
    return models.OneToOneField(Entry, primary_key=True, on_delete=models.PROTECT, related_name="+")


class PackPublication(models.Model):
    """A pack put in force (发布政策包): what is decided from ``from_date`` on is decided by it.

    Of one policy the publication with the latest day that has begun holds, of one day the later entry. ``document`` is
    the number of the paper that ordered it. Reports decided before keep their own pack.
    """

    entry = _entry()
    policy_id = models.TextField()
    pack = models.ForeignKey("reports.StoredInput", on_delete=models.PROTECT, related_name="+")
    from_date = models.DateField()
    document = models.TextField(default="")
    reason = models.TextField()

    class Meta:
        triggers: ClassVar = append_only()
        indexes: ClassVar = [models.Index(fields=["policy_id", "-from_date"], name="packs_of_policy")]
        constraints: ClassVar = [models.CheckConstraint(name="publication_has_a_reason", condition=~Q(reason=""))]

    def __str__(self) -> str:
        return f"{self.policy_id} {self.from_date}"


class PackExtension(models.Model):
    """A document that prolongs a policy (延期), recorded here beside those of the deployment's file."""

    entry = _entry()
    policy_id = models.TextField()
    document = models.TextField()
    until_date = models.DateField()
    note = models.TextField(default="")

    class Meta:
        triggers: ClassVar = append_only()
        constraints: ClassVar = [
            models.UniqueConstraint(fields=["policy_id", "document"], name="one_extension_per_document"),
            models.CheckConstraint(name="extension_has_a_document", condition=~Q(document="")),
        ]

    def __str__(self) -> str:
        return f"{self.policy_id} {self.document}"
