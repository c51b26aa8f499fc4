"""Refuse what is too much before it is read: a body by its announced length, a form by its number of files."""

from collections.abc import Callable
from functools import wraps

from django.conf import settings
from django.core.exceptions import TooManyFilesSent
from django.http import HttpRequest, HttpResponse
from django.views.decorators.csrf import csrf_exempt, csrf_protect

ROOM_FOR_FIELDS = 64 * 1024
TOO_LARGE, TOO_MANY = "too-large", "too-many"

View = Callable[..., HttpResponse]


def sized(setting: str, refuse: Callable[[HttpRequest, str], HttpResponse]) -> Callable[[View], View]:
    """Answer with ``refuse(request, TOO_LARGE)`` where the body is longer than the setting's bytes, TOO_MANY for files.

    The check of the form's token reads the body, so it has to stand within this, not around it.
    """

    def decorate(view: View) -> View:
        protected = csrf_protect(view)

        @wraps(view)
        def guarded(request: HttpRequest, /, **kwargs: object) -> HttpResponse:
            length = str(request.META.get("CONTENT_LENGTH") or "0")
            if not length.isdecimal() or int(length) > getattr(settings, setting) + ROOM_FOR_FIELDS:
                return refuse(request, TOO_LARGE)
            try:
                return protected(request, **kwargs)
            except TooManyFilesSent:
                return refuse(request, TOO_MANY)

        return csrf_exempt(guarded)

    return decorate
