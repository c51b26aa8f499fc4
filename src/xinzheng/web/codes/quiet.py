"""Pages that a code leads to: no secret of theirs goes into a cache, a referrer, a search engine or a log."""

from collections.abc import Callable
from functools import wraps
from typing import Concatenate, ParamSpec

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render

P = ParamSpec("P")


def quiet(
    view: Callable[Concatenate[HttpRequest, P], HttpResponse],
) -> Callable[Concatenate[HttpRequest, P], HttpResponse]:
    """Keep the answer out of caches, its address out of referrers, and refusals (which name the path) out of the log.

    ``strict-origin`` and not ``no-referrer``: with the latter a browser sends ``Origin: null`` with the form, and the
    protection of forms has to refuse it. What is sent is the name of the site, which is no secret.
    """

    @wraps(view)
    def guarded(request: HttpRequest, /, *args: P.args, **kwargs: P.kwargs) -> HttpResponse:
        response = view(request, *args, **kwargs)
        response.headers["Cache-Control"] = "private, no-store"
        response.headers["Referrer-Policy"] = "strict-origin"
        response.headers["X-Robots-Tag"] = "noindex, nofollow"
        response._has_been_logged = True  # type: ignore[attr-defined]  # Django's mark: it logs an answer once
        return response

    return guarded


def bad_code(request: HttpRequest) -> HttpResponse:
    """The one answer to every code that opens nothing, whatever the reason."""
    return render(request, "codes/bad.html", status=404)
