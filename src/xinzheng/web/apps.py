"""The pages of the site."""

from django.apps import AppConfig


class WebConfig(AppConfig):
    """Pages by audience, their templates and static files; no tables of its own."""

    name = "xinzheng.web"
    label = "web"
