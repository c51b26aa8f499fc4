"""Reports (报告)."""

from django.apps import AppConfig
from django.core.signals import request_started


class ReportsConfig(AppConfig):
    """Deciding, issuing, keeping, replaying and verifying reports."""

    name = "xinzheng.apps.reports"
    label = "reports"

    def ready(self) -> None:
        """Django asks each connection at each request whether it stands; one that has just answered does."""
        from xinzheng.apps.reports.prepared import trust_what_answered

        request_started.connect(trust_what_answered, dispatch_uid="xinzheng.reports.prepared")
