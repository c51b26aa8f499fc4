"""Reports (报告)."""

from django.apps import AppConfig


class ReportsConfig(AppConfig):
    """Deciding, issuing, keeping, replaying and verifying reports."""

    name = "xinzheng.apps.reports"
    label = "reports"
