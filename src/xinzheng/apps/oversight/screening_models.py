"""Screenings of lists (名单核查): what was asked on what basis, and which subjects were on the list."""

import uuid
from typing import ClassVar

from django.db import models
from django.db.models import Q
from django.db.models.functions import Now

from xinzheng.apps.audit.history import append_only


class Screening(models.Model):
    """A screening (名单核查), asked for on a legal basis; never changed. ``asked_for`` is the body that needs it."""

    id = models.UUIDField(primary_key=True, default=uuid.uuid4)
    policy_id = models.TextField()
    basis = models.TextField()
    document = models.TextField()
    purpose = models.TextField()
    asked_for = models.TextField()
    lines = models.IntegerField()
    list_sha256 = models.BinaryField(max_length=32)
    account_id = models.BigIntegerField()
    at = models.DateTimeField(db_default=Now())

    class Meta:
        triggers: ClassVar = append_only()
        indexes: ClassVar = [models.Index(fields=["-at"], name="screenings_by_time")]
        constraints: ClassVar = [
            models.CheckConstraint(
                name="screening_says_why",
                condition=~Q(basis="") & ~Q(document="") & ~Q(purpose="") & ~Q(asked_for=""),
            ),
            models.CheckConstraint(name="screening_at_most_a_million", condition=Q(lines__range=(1, 1_000_000))),
        ]

    def __str__(self) -> str:
        return str(self.id)


class ScreeningWork(models.Model):
    """The work on a screening: a queue row. List and answer lie in pieces under its key, deleted after days."""

    screening = models.OneToOneField(Screening, primary_key=True, on_delete=models.PROTECT, related_name="work")
    wrapped_key = models.BinaryField()
    state = models.TextField(choices=[(s, s) for s in ("queued", "running", "done", "failed")], default="queued")
    engine = models.TextField(default="")
    position = models.BigIntegerField(null=True)
    as_of = models.DateTimeField(null=True)
    pack_sha256 = models.BinaryField(max_length=32, null=True)
    counts = models.JSONField(null=True)
    message = models.TextField(default="")
    done_at = models.DateTimeField(null=True)

    def __str__(self) -> str:
        return f"{self.screening_id} {self.state}"


class ScreeningPiece(models.Model):
    """A piece of the list (``asked``) or of the answer (``answer``), sealed under the screening's key."""

    screening = models.ForeignKey(Screening, on_delete=models.PROTECT, related_name="pieces", db_index=False)
    part = models.TextField(choices=[(p, p) for p in ("asked", "answer")])
    seq = models.IntegerField()
    piece_ct = models.BinaryField()

    class Meta:
        constraints: ClassVar = [
            models.UniqueConstraint(name="one_screening_piece_per_place", fields=["screening", "part", "seq"])
        ]

    def __str__(self) -> str:
        return f"{self.screening_id} {self.part} {self.seq}"


class ScreenedSubject(models.Model):
    """A subject was on a list (被核查): what the subject reads of it. Deleted with the looks of its age."""

    subject_id = models.BigIntegerField()
    screening = models.ForeignKey(Screening, on_delete=models.PROTECT, related_name="+", db_index=False)

    class Meta:
        constraints: ClassVar = [models.UniqueConstraint(name="screened_once", fields=["subject_id", "screening"])]

    def __str__(self) -> str:
        return f"{self.subject_id} {self.screening_id}"
