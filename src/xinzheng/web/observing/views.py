"""What machines ask of the system: whether it lives, whether it can serve, how it is doing."""

import json
from collections.abc import Callable, Mapping
from functools import wraps
from types import MappingProxyType

from django.conf import settings
from django.http import HttpRequest, HttpResponse, HttpResponseNotAllowed
from django.utils import timezone

from xinzheng.apps.oversight.health import NEEDED, State, checks, worst
from xinzheng.core.networks import is_within

PLAIN = "text/plain; charset=utf-8"
OUTSIDE = (
    "这里只供监控系统查看。请把监控服务器的地址或者网段写入 XINZHENG_METRICS_FROM；"
    "经过代理访问的，还须用 XINZHENG_PROXIES 写明前面有几层代理。\n"
)
Answering = Callable[[HttpRequest], HttpResponse]


def for_monitors(answering: Answering) -> Answering:
    """Answer those networks only that the settings name, and nobody whose request came through a proxy unknown."""

    @wraps(answering)
    def guarded(request: HttpRequest) -> HttpResponse:
        if not _is_monitor(request):
            return HttpResponse(OUTSIDE, status=403, content_type=PLAIN)
        if request.method not in ("GET", "HEAD"):
            return HttpResponseNotAllowed(["GET", "HEAD"])
        response = answering(request)
        response.headers["Cache-Control"] = "no-store"
        return response

    return guarded


@for_monitors
def healthz(request: HttpRequest) -> HttpResponse:  # noqa: ARG001  every address is asked alike
    """This process lives and answers; nothing else is looked at."""
    return HttpResponse("ok\n", content_type=PLAIN)


@for_monitors
def readyz(request: HttpRequest) -> HttpResponse:  # noqa: ARG001
    """Whether requests can be served: 503 with the reasons when not."""
    found = checks(timezone.now(), NEEDED)
    is_ready = worst(found) in (State.OK, State.WARNING)
    told = [{"name": one.name, "state": one.state, "said": one.said, "to_do": one.to_do} for one in found]
    text = json.dumps({"ready": is_ready, "checks": told}, ensure_ascii=False)
    return HttpResponse(text + "\n", status=200 if is_ready else 503, content_type="application/json")


@for_monitors
def metrics(request: HttpRequest) -> HttpResponse:  # noqa: ARG001
    """All counts and measures, in Prometheus' text format."""
    from prometheus_client import CONTENT_TYPE_LATEST, CollectorRegistry, generate_latest

    from xinzheng.web.observing.counting import counted
    from xinzheng.web.observing.gauges import SystemGauges

    measured = CollectorRegistry()
    measured.register(SystemGauges(timezone.now()))
    text = generate_latest(counted()) + generate_latest(measured)
    return HttpResponse(text, content_type=CONTENT_TYPE_LATEST)


# Answered before sessions, languages and hosts are looked at: by their paths, beside the table of addresses.
BEFORE_ALL: Mapping[str, Answering] = MappingProxyType({"/healthz": healthz, "/readyz": readyz, "/metrics": metrics})


def _is_monitor(request: HttpRequest) -> bool:
    through = request.META.get("HTTP_X_FORWARDED_FOR")
    # Fewer proxies than were told of: the address is that of one of them, not the visitor's.
    if through is not None and not 0 < settings.XINZHENG_PROXIES <= sum(
        bool(part.strip()) for part in through.split(",")
    ):
        return False
    return is_within(request.META.get("REMOTE_ADDR", ""), settings.XINZHENG_METRICS_FROM)
