"""What is noted of every request: its number, which view answered with which status, how long it took."""

import time
from collections.abc import Callable

import structlog
from django.conf import settings
from django.core.signals import request_finished
from django.http import HttpRequest, HttpResponse

from xinzheng.apps.audit.request_ids import begin_request, end_request, is_request_id, new_request_id
from xinzheng.web.observing.counting import count_request
from xinzheng.web.observing.views import BEFORE_ALL

HEADER = "X-Request-ID"
SLOW_SECONDS = 5.0
# Requests that no view was found for, by what they asked: never their path, which may hold anything.
STATIC, UNMATCHED = "static", "unmatched"

log = structlog.get_logger(__name__)


class RequestNotes:
    """Give each request its number, count it, and answer machines that only ask how things are before anybody else."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response
        # Not where this is left: what the frame logs of a refusal comes after the last middleware.
        request_finished.connect(_end, dispatch_uid=__name__)

    def __call__(self, request: HttpRequest) -> HttpResponse:
        request_id = _request_id_of(request)
        begin_request(request_id)
        begun = time.perf_counter()
        response = BEFORE_ALL.get(request.path_info, self.get_response)(request)
        self._note(request, response, time.perf_counter() - begun)
        response.headers[HEADER] = request_id
        return response

    def _note(self, request: HttpRequest, response: HttpResponse, seconds: float) -> None:
        if request.path_info in BEFORE_ALL:
            return
        view = _view_of(request)
        count_request(view, request.method or "", response.status_code, seconds)
        if seconds > SLOW_SECONDS:
            log.warning("request-slow", view=view, status=response.status_code, seconds=round(seconds, 3))


def _end(**_kwargs: object) -> None:
    end_request()


def _request_id_of(request: HttpRequest) -> str:
    """What our own proxy made, where there is one; strangers name nothing in our log."""
    given = request.META.get("HTTP_X_REQUEST_ID", "")
    return given if settings.XINZHENG_PROXIES and is_request_id(given) else new_request_id()


def _view_of(request: HttpRequest) -> str:
    found = request.resolver_match
    if found is not None:
        return found.view_name
    return STATIC if request.path_info.startswith(settings.STATIC_URL) else UNMATCHED
