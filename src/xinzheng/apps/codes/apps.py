"""The codes app (一码通): share codes, receivers, what they were shown and are told."""

from django.apps import AppConfig


class CodesConfig(AppConfig):
    """Share codes, receivers, subscriptions, webhooks."""

    name = "xinzheng.apps.codes"
    label = "codes"
