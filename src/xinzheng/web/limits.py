"""A simple limit of requests from one address, so that codes cannot be guessed by trying."""

import time
from collections.abc import Callable
from functools import wraps
from typing import Concatenate, ParamSpec

from django.core.cache import caches
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render

P = ParamSpec("P")
WINDOW_SECONDS = 60
PER_WINDOW = 30


def limited(
    name: str, per_window: int = PER_WINDOW
) -> Callable[
    [Callable[Concatenate[HttpRequest, P], HttpResponse]], Callable[Concatenate[HttpRequest, P], HttpResponse]
]:
    """Allow ``per_window`` requests a minute from one address and process; more get a page that says when to try again.

    Looking at an empty form does not count: only requests that carry something to check do.
    """

    def decorate(
        view: Callable[Concatenate[HttpRequest, P], HttpResponse],
    ) -> Callable[Concatenate[HttpRequest, P], HttpResponse]:
        @wraps(view)
        def guarded(request: HttpRequest, /, *args: P.args, **kwargs: P.kwargs) -> HttpResponse:
            if _carries_something(request, kwargs) and _count(name, request) > per_window:
                return _too_many(request, per_window)
            return view(request, *args, **kwargs)

        return guarded

    return decorate


def _carries_something(request: HttpRequest, arguments: object) -> bool:
    return request.method == "POST" or bool(arguments)


def are_too_many(request: HttpRequest, name: str, many: int, per_window: int) -> HttpResponse | None:
    """Count so many things of one request; the page that says when to try again once the minute has had enough."""
    return _too_many(request, per_window) if _count(name, request, many) > per_window else None


def is_too_often(request: HttpRequest, name: str, per_window: int, *, many: int = 1) -> bool:
    """Count ``many`` more (0: only look) for the address; whether the minute has had more than it may."""
    return _count(name, request, many) + (many == 0) > per_window


def _count(name: str, request: HttpRequest, many: int = 1) -> int:
    window = int(time.time()) // WINDOW_SECONDS
    key = f"limit:{name}:{request.META.get('REMOTE_ADDR', '')}:{window}"
    if caches["local"].add(key, many, timeout=WINDOW_SECONDS * 2):
        return many
    try:
        return int(caches["local"].incr(key, many))
    except ValueError:  # it ran out between the two calls
        return many


def _too_many(request: HttpRequest, per_window: int) -> HttpResponse:
    wait = WINDOW_SECONDS - int(time.time()) % WINDOW_SECONDS
    response = render(request, "429.html", {"per_window": per_window, "wait": wait}, status=429)
    response.headers["Retry-After"] = str(wait)
    return response
