"""What waits to be taken in behind the scenes: a work queue, no history."""

from typing import ClassVar

from django.db import models
from django.db.models import Q
from django.db.models.functions import Now

from xinzheng.apps.ledger.map_models import StoredMap


class Upload(models.Model):
    """Upload (上传): a file that waits to be taken in behind the scenes. No history: the batch is.

    ``confirms_id`` is the held batch a second officer confirmed, of which the kept file is taken in again: there are
    no pieces then, and no key.
    """

    class State(models.TextChoices):
        """How far it is (进度)."""

        QUEUED = "queued", "排队中"
        RUNNING = "running", "正在处理"
        DONE = "done", "已完成"
        FAILED = "failed", "未能接收"

    by = models.TextField()
    unit_uscc = models.TextField()
    domain = models.TextField()
    kind = models.TextField()
    mode = models.TextField()
    from_date = models.DateField(null=True)
    through_date = models.DateField(null=True)
    file_name = models.TextField()
    wrapped_key = models.BinaryField()
    column_map = models.ForeignKey(StoredMap, on_delete=models.PROTECT, null=True, related_name="+", db_index=False)
    confirms_id = models.BigIntegerField(null=True)
    state = models.TextField(choices=State.choices, default=State.QUEUED)
    lines_done = models.BigIntegerField(default=0)
    lines_total = models.BigIntegerField(null=True)
    message = models.TextField(default="")
    failure_code = models.TextField(default="")
    failed_at = models.DateTimeField(null=True)
    batch_id = models.BigIntegerField(null=True)
    created_at = models.DateTimeField(db_default=Now())

    class Meta:
        indexes: ClassVar = [models.Index(fields=["unit_uscc", "-created_at"], name="upload_of_unit")]
        constraints: ClassVar = [
            models.UniqueConstraint(
                fields=["confirms_id"], condition=Q(state__in=["queued", "running"]), name="one_open_confirmation"
            )
        ]

    def __str__(self) -> str:
        return f"{self.pk} {self.state}"


class UploadPiece(models.Model):
    """A piece of an uploaded file, encrypted as a raw file is; gone when the batch holds it.

    Of a file that failed for its headings it stays an hour, so that a column map can be made for it.
    """

    upload = models.ForeignKey(Upload, on_delete=models.CASCADE, related_name="pieces")
    seq = models.IntegerField()
    chunk = models.BinaryField()

    class Meta:
        constraints: ClassVar = [models.UniqueConstraint(fields=["upload", "seq"], name="one_piece_per_place")]

    def __str__(self) -> str:
        return f"{self.upload_id}/{self.seq}"
