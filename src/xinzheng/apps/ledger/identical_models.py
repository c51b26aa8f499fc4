"""Identical lines (相同行) as the ledger keeps them: many in one row, for most of what is delivered is not new."""

from typing import ClassVar

from django.contrib.postgres.fields import ArrayField
from django.db import models

from xinzheng.apps.audit.history import append_only


class IdenticalStretch(models.Model):
    """Stretch of identical lines (相同行段): lines of a batch, of one unit, that say what the ledger holds already.

    ``version_ids``: the version each of ``lines`` confirms, in their order; all else a line says is in that version.
    """

    entry_id = models.BigIntegerField()
    unit_id = models.BigIntegerField()
    lines = ArrayField(models.BigIntegerField())
    version_ids = ArrayField(models.BigIntegerField())

    class Meta:
        triggers: ClassVar = append_only()
        indexes: ClassVar = [models.Index(fields=["entry_id"], name="identical_lines_of_batch")]

    def __str__(self) -> str:
        return f"{self.entry_id}: {len(self.lines)}"


class IdenticalLine(models.Model):
    """Identical line (相同行): one by itself; a view, also over those that were once kept one by one as ``Line``."""

    pk = models.CompositePrimaryKey("entry_id", "line")
    entry_id = models.BigIntegerField()
    line = models.BigIntegerField()
    unit_id = models.BigIntegerField()
    version_id = models.BigIntegerField()

    class Meta:
        managed = False

    def __str__(self) -> str:
        return f"{self.entry_id}:{self.line} = {self.version_id}"
