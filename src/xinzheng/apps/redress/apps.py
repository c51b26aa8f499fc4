"""The app of redress."""

from django.apps import AppConfig


class RedressConfig(AppConfig):
    """Objections, repairs (异议、信用修复)."""

    name = "xinzheng.apps.redress"
    label = "redress"
