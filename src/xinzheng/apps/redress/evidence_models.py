"""Evidence (证据) and the subject's own words: digests are history, contents are sealed and can be deleted."""

from typing import ClassVar

from django.db import models
from django.db.models import Q
from django.db.models.functions import Now

from xinzheng.apps.audit.history import append_only


class Evidence(models.Model):
    """A file given with a step (证据): its kind by content, its size and digest; never its name.

    Of a step of an objection, or of a repair case.
    """

    step = models.ForeignKey("redress.Step", on_delete=models.PROTECT, null=True, related_name="evidence")
    repair = models.ForeignKey("redress.RepairCase", on_delete=models.PROTECT, null=True, related_name="evidence")
    place = models.IntegerField()
    media_type = models.TextField()
    size = models.IntegerField()
    sha256 = models.BinaryField(max_length=32)
    actor = models.TextField()
    at = models.DateTimeField(db_default=Now())

    class Meta:
        triggers: ClassVar = append_only()
        constraints: ClassVar = [
            models.CheckConstraint(
                name="evidence_of_one",
                condition=Q(step__isnull=False, repair__isnull=True) | Q(step__isnull=True, repair__isnull=False),
            ),
            models.UniqueConstraint(name="evidence_in_order", fields=["step", "repair", "place"], nulls_distinct=False),
            models.CheckConstraint(name="evidence_not_empty", condition=Q(size__gt=0)),
        ]

    def __str__(self) -> str:
        return f"{self.pk} {self.media_type}"


class EvidenceContent(models.Model):
    """The file itself and its name, sealed; deleted XINZHENG_KEEP_EVIDENCE_DAYS after the objection was closed."""

    evidence = models.OneToOneField(Evidence, primary_key=True, on_delete=models.PROTECT, related_name="content")
    wrapped_key = models.BinaryField()
    content_ct = models.BinaryField()
    name_ct = models.BinaryField()

    def __str__(self) -> str:
        return str(self.evidence_id)


class StepWords(models.Model):
    """What the subject said with a step (陈述), sealed; deleted with the evidence."""

    step = models.OneToOneField("redress.Step", primary_key=True, on_delete=models.PROTECT, related_name="words")
    wrapped_key = models.BinaryField()
    words_ct = models.BinaryField()

    def __str__(self) -> str:
        return str(self.step_id)
