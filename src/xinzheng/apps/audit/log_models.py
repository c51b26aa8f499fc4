"""The transparency log (透明日志, RFC 6962): what was issued or changed its status, in an order nobody can rewrite."""

from typing import ClassVar

from django.contrib.postgres.indexes import HashIndex
from django.db import models
from django.db.models import Q
from django.db.models.functions import Now

from xinzheng.apps.audit.history import append_only


class LogLeaf(models.Model):
    """Leaf (叶): the bytes a fact is logged as, written with the fact itself and before it has its place.

    ``kind`` and ``object_id`` say what it is about, for finding it again; neither is part of ``data``.
    """

    data = models.BinaryField()
    leaf_hash = models.BinaryField(max_length=32)
    kind = models.TextField()
    object_id = models.TextField()
    added_at = models.DateTimeField(db_default=Now())

    class Meta:
        triggers: ClassVar = append_only()
        indexes: ClassVar = [
            models.Index(fields=["object_id", "kind"], name="leaf_of_object"),
            HashIndex(fields=["leaf_hash"], name="leaf_by_hash"),
        ]

    def __str__(self) -> str:
        return f"{self.kind} {self.pk}"


class LogWaiting(models.Model):
    """A leaf that has no place yet (待收录): a work queue, so that sealing asks for what is due and nothing else."""

    leaf = models.OneToOneField(
        LogLeaf, primary_key=True, on_delete=models.PROTECT, related_name="waiting", db_constraint=False
    )

    def __str__(self) -> str:
        return str(self.leaf_id)


class LogPlace(models.Model):
    """A leaf's place in the log (叶的序号), counted from 0 without gaps.

    The sealer read the leaf a moment before and nothing removes leaves, so the database does not look again.
    """

    index = models.BigIntegerField(primary_key=True)
    leaf = models.OneToOneField(LogLeaf, on_delete=models.PROTECT, related_name="place", db_constraint=False)

    class Meta:
        triggers: ClassVar = append_only()

    def __str__(self) -> str:
        return str(self.index)


class LogNode(models.Model):
    """The hash of a complete subtree (节点) of 2 ** ``level`` leaves, the ``index``-th of its level."""

    pk = models.CompositePrimaryKey("level", "index")
    level = models.SmallIntegerField()
    index = models.BigIntegerField()
    hash = models.BinaryField(max_length=32)

    class Meta:
        triggers: ClassVar = append_only()

    def __str__(self) -> str:
        return f"{self.level}/{self.index}"


class Checkpoint(models.Model):
    """Checkpoint (检查点): the log's size and root under the log's signature; one size is never signed twice."""

    size = models.BigIntegerField(primary_key=True)
    root = models.BinaryField(max_length=32)
    note = models.TextField()
    made_at = models.DateTimeField(db_default=Now())

    class Meta:
        triggers: ClassVar = append_only()

    def __str__(self) -> str:
        return str(self.size)


class KeyEvent(models.Model):
    """What became of a published key (密钥事件): it came into use, was retired, or is known to others.

    ``material`` is public: a certificate or a public key, DER. ``effective_at`` is since when the event holds.
    """

    key_id = models.TextField()
    purpose = models.TextField()
    event = models.TextField()
    material = models.BinaryField()
    effective_at = models.DateTimeField()
    reason = models.TextField(default="")
    at = models.DateTimeField(db_default=Now())

    class Meta:
        triggers: ClassVar = append_only()
        constraints: ClassVar = [
            models.CheckConstraint(
                condition=Q(purpose__in=["document", "seal", "log", "stamp", "root"]), name="key_purpose_known"
            ),
            models.CheckConstraint(
                condition=Q(event__in=["published", "retired", "compromised"]), name="key_event_known"
            ),
            models.UniqueConstraint(fields=["key_id", "purpose", "event"], name="key_event_once"),
        ]

    def __str__(self) -> str:
        return f"{self.purpose} {self.event}"
