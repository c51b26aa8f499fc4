"""The pages of the site."""

from typing import Any

from django.apps import AppConfig
from django.contrib.auth.signals import user_logged_in
from django.http import HttpRequest


class WebConfig(AppConfig):
    """Pages by audience, their templates and static files; no tables of its own."""

    name = "xinzheng.web"
    label = "web"

    def ready(self) -> None:
        """Whoever signs in begins to be there, whichever way it was done."""
        user_logged_in.connect(_begin_session, dispatch_uid="xinzheng.web.sign_in")


def _begin_session(request: HttpRequest, **_kwargs: Any) -> None:
    from xinzheng.web.sign_in.guard import note_use

    note_use(request)
