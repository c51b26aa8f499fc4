"""What holds for every answer of the interface, wherever in Django it was made."""

from collections.abc import Callable

from django.http import HttpRequest, HttpResponse
from django.http.response import HttpResponseBase

from xinzheng.api.limits import limit_headers
from xinzheng.api.problems import MEDIA_TYPE, frame_problem, problem_response

ROOT = "/api/"
KEPT_HEADERS = ("Allow", "Retry-After", "WWW-Authenticate")
# Answers are for programs: whatever a browser made of one, it runs, frames, embeds and passes on nothing.
FOR_BROWSERS = {
    "Content-Security-Policy": "default-src 'none'; frame-ancestors 'none'",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Referrer-Policy": "no-referrer",
    "X-Frame-Options": "DENY",
}


class InterfaceAnswers:
    """Middleware: below ``/api/`` every refusal is a problem, nothing is cached, no cookie is set, browsers do nothing.

    It stands outside the rest, for the frame refuses too: an unknown address, a method, a body it cannot read.
    """

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponseBase]) -> None:
        self._get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponseBase:
        response = self._get_response(request)
        if not request.path_info.startswith(ROOT):
            return response
        if response.status_code >= 400 and not response.headers["Content-Type"].startswith(MEDIA_TYPE):
            response = _as_problem(response)
        response.headers.setdefault("Cache-Control", "no-store")
        for name, value in FOR_BROWSERS.items():
            response.headers[name] = value
        for name, value in limit_headers(request).items():
            response.headers[name] = value
        response.cookies.clear()
        return response


def _as_problem(response: HttpResponseBase) -> HttpResponse:
    problem = problem_response(frame_problem(response.status_code))
    for name in KEPT_HEADERS:
        if name in response.headers:
            problem.headers[name] = response.headers[name]
    # What the middleware inside has said about browsers stays said.
    for name, value in response.headers.items():
        if name not in ("Content-Type", "Content-Length", "Vary", "Set-Cookie"):
            problem.headers.setdefault(name, value)
    return problem
