"""The oversight app (数据质量)."""

from django.apps import AppConfig


class OversightConfig(AppConfig):
    """Coverage calendars, scores, bulletins, reminders and reconciliation."""

    name = "xinzheng.apps.oversight"
    label = "oversight"
