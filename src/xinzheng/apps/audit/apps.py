"""The audit app: the order in which things became true, and who did what."""

from django.apps import AppConfig


class AuditConfig(AppConfig):
    """Entries, positions and audit events."""

    name = "xinzheng.apps.audit"
    label = "audit"
