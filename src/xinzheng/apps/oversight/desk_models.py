"""What the desk remembers: figures of days that are over, and announcements."""

from typing import ClassVar

from django.db import models
from django.db.models import F, Q
from django.db.models.functions import Now

from xinzheng.apps.accounts.models import Role
from xinzheng.apps.audit.history import append_only

EVERYBODY = "everybody"


class TalliedDay(models.Model):
    """A day (of China) whose figures are counted (已汇总日): no transaction that began on it was under way any more."""

    day = models.DateField(primary_key=True)
    at = models.DateTimeField(db_default=Now())

    class Meta:
        triggers: ClassVar = append_only()

    def __str__(self) -> str:
        return str(self.day)


class DayTally(models.Model):
    """A figure of a day (日汇总): how many, by policy and by a key of the figure's own (outcome, way, domain …)."""

    day = models.ForeignKey(
        TalliedDay, on_delete=models.PROTECT, db_column="day", related_name="tallies", db_index=False
    )
    figure = models.TextField()
    policy_id = models.TextField(default="")
    key = models.TextField(default="")
    count = models.BigIntegerField()

    class Meta:
        triggers: ClassVar = append_only()
        constraints: ClassVar = [
            models.UniqueConstraint(name="one_tally_per_figure", fields=["day", "figure", "policy_id", "key"])
        ]

    def __str__(self) -> str:
        return f"{self.day_id} {self.figure} {self.key}"


class Announcement(models.Model):
    """Announcement (公告) to everybody or to a role: a maintenance window, or news. ``replaces``: the one it mends."""

    class Kind(models.TextChoices):
        """What it is (类型)."""

        MAINTENANCE = "maintenance", "停机维护"
        NEWS = "news", "通知公告"

    kind = models.TextField(choices=Kind.choices)
    audience = models.TextField(default=EVERYBODY)
    title = models.TextField()
    text = models.TextField()
    shown_from = models.DateTimeField()
    shown_until = models.DateTimeField()
    begins_at = models.DateTimeField(null=True)
    ends_at = models.DateTimeField(null=True)
    replaces = models.OneToOneField("self", on_delete=models.PROTECT, null=True, related_name="replaced_by")
    is_taken_back = models.BooleanField(default=False)
    account_id = models.BigIntegerField()
    at = models.DateTimeField(db_default=Now())

    class Meta:
        triggers: ClassVar = append_only()
        indexes: ClassVar = [models.Index(fields=["shown_until"], name="announcements_shown")]
        constraints: ClassVar = [
            models.CheckConstraint(name="announcement_not_reversed", condition=Q(shown_from__lt=F("shown_until"))),
            models.CheckConstraint(
                name="announcement_audience_known", condition=Q(audience__in=[EVERYBODY, *Role.values])
            ),
            models.CheckConstraint(
                name="maintenance_has_its_time",
                condition=~Q(kind="maintenance") | Q(begins_at__isnull=False, ends_at__gt=F("begins_at")),
            ),
        ]

    def __str__(self) -> str:
        return self.title
