"""Reports (报告)."""

from django.apps import AppConfig
from django.core.signals import request_finished, request_started


class ReportsConfig(AppConfig):
    """Deciding, issuing, keeping, replaying and verifying reports."""

    name = "xinzheng.apps.reports"
    label = "reports"

    def ready(self) -> None:
        """Django asks each connection at each request whether it stands; one that has just answered does.

        Which packs are in force is read once a page.
        """
        from xinzheng.apps.reports.pack_queries import begin_page, forget_page
        from xinzheng.apps.reports.prepared import trust_what_answered

        request_started.connect(trust_what_answered, dispatch_uid="xinzheng.reports.prepared")
        request_started.connect(begin_page, dispatch_uid="xinzheng.reports.pack_queries")
        request_finished.connect(forget_page, dispatch_uid="xinzheng.reports.pack_queries")
