"""Platforms (平台) that act for their users through the interface, beside the OAuth client of the same id."""

from typing import ClassVar

from django.db import models
from django.db.models.functions import Now


class Platform(models.Model):
    """Platform (平台), e.g. 苏商通: what its OAuth client may do and how often."""

    client_id = models.TextField(primary_key=True)
    name = models.TextField()
    receiver_id = models.BigIntegerField(null=True)
    per_minute = models.IntegerField(default=600)
    created_by = models.TextField()
    created_at = models.DateTimeField(db_default=Now())
    revoked_at = models.DateTimeField(null=True)

    def __str__(self) -> str:
        return self.client_id


class KeptPlatformRequest(models.Model):
    """As KeptRequest, of a platform: ``caller`` is ``client:<id>`` or ``client:<id>/account:<id>``."""

    caller = models.TextField()
    idempotency_key = models.CharField(max_length=200)
    body_sha256 = models.BinaryField(max_length=32)
    made = models.TextField(default="")
    created_at = models.DateTimeField(db_default=Now(), db_index=True)

    class Meta:
        constraints: ClassVar = [
            models.UniqueConstraint(fields=["caller", "idempotency_key"], name="one_platform_request_per_key"),
        ]

    def __str__(self) -> str:
        return f"{self.caller}/{self.idempotency_key}"
