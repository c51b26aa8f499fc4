"""What the ledger remembers of column maps: versions as history, and the sample a map is being made for."""

from typing import ClassVar
from uuid import uuid4

from django.db import models
from django.db.models import Q
from django.db.models.functions import Now

from xinzheng.apps.audit.history import append_only
from xinzheng.core.records import RecordKind


class StoredMap(models.Model):
    """Column map (列对照), a version of it; the latest of a name counts, a batch names the version it was read by.

    ``unit_id`` is null for a shipped map, kept when it is first used. ``content`` is the adapter's, ``sha256`` that of
    its canonical JSON. ``is_retired``: from here on the name is free.
    """

    unit_id = models.BigIntegerField(null=True)
    name = models.TextField()
    kind = models.TextField()
    content = models.JSONField()
    sha256 = models.BinaryField()
    is_retired = models.BooleanField(default=False)
    by = models.TextField()
    created_at = models.DateTimeField(db_default=Now())

    class Meta:
        triggers: ClassVar = append_only()
        constraints: ClassVar = [
            models.CheckConstraint(condition=Q(kind__in=[kind.value for kind in RecordKind]), name="map_kind_known")
        ]
        indexes: ClassVar = [models.Index(fields=["unit_id", "name", "-id"], name="map_of_unit")]

    def __str__(self) -> str:
        return f"{self.pk} {self.name}"


class MapSample(models.Model):
    """Sample (样本文件): the file a column map is being made for; kept, encrypted, while somebody edits the map.

    ``upload`` is the failed upload it was taken from, or null. ``content``: the beginning of the file, or all of a
    workbook, sealed as one piece of a raw file.
    """

    id = models.UUIDField(primary_key=True, default=uuid4, editable=False)
    unit_id = models.BigIntegerField()
    by = models.TextField()
    kind = models.TextField()
    file_name = models.TextField()
    upload = models.ForeignKey("ledger.Upload", on_delete=models.CASCADE, null=True, related_name="+")
    wrapped_key = models.BinaryField()
    content = models.BinaryField()
    created_at = models.DateTimeField(db_default=Now())

    def __str__(self) -> str:
        return str(self.pk)
