"""Who comes with a code: from where (coarse), on what device, and how many bad codes came from there."""

import csv
import hashlib
import logging
import time
from functools import lru_cache
from pathlib import Path

from django.conf import settings
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render

from xinzheng.apps.codes.bad_codes import count_bad
from xinzheng.core.networks import Network, coarse_place, limit_network, read_network

WINDOW_SECONDS = 60
BAD_PER_WINDOW = 20
PHONE, COMPUTER = "手机", "电脑"
log = logging.getLogger(__name__)


def place_of(request: HttpRequest) -> str:
    """Where the visitor is, as coarse as it is kept: a place of ``XINZHENG_PLACES``, else a cut network."""
    return place_at(request.META.get("REMOTE_ADDR", ""))


def place_at(address: str) -> str:
    """Where an address, or a network that was kept of one, is."""
    return coarse_place(address, _places(settings.XINZHENG_PLACES))


def device_of(request: HttpRequest) -> str:
    """Phone or computer, as the browser says."""
    return PHONE if "Mobi" in request.META.get("HTTP_USER_AGENT", "") else COMPUTER


@lru_cache(maxsize=8)
def _places(path: str) -> dict[Network, str]:
    """The operator's table, read once. What cannot be read is told in the log: nobody is kept from looking by it."""
    found: dict[Network, str] = {}
    for number, line in enumerate(_lines(path), 1):
        if not line or line[0].startswith("#"):
            continue
        try:
            network, place = line
            found[read_network(network)] = place.strip()
        except ValueError:
            log.error("XINZHENG_PLACES 第%d行应为“网段,地点”，没有采用。", number)
    return found


def _lines(path: str) -> list[list[str]]:
    if not path:
        return []
    try:
        with Path(path).open(encoding="utf-8-sig", newline="") as file:
            return list(csv.reader(file))
    except (OSError, ValueError, csv.Error):
        log.exception("XINZHENG_PLACES 读不出来，大致位置只写网络。")
        return []


def count_bad_code(request: HttpRequest) -> None:
    """Count a code that led to nothing; good ones are never counted, so that a bank's counters share one address."""
    count_bad(visitor_key(request), WINDOW_SECONDS * 2)


def too_many(request: HttpRequest) -> HttpResponse:
    """The page that says when to try again."""
    wait = WINDOW_SECONDS - int(time.time()) % WINDOW_SECONDS
    response = render(request, "codes/too_many.html", {"per_window": BAD_PER_WINDOW, "wait": wait}, status=429)
    response.headers["Retry-After"] = str(wait)
    return response


def visitor_key(request: HttpRequest) -> str:
    """Whom bad codes are counted for within this minute. Hashed: the table of counts shall hold no addresses."""
    network = limit_network(request.META.get("REMOTE_ADDR", ""))
    digest = hashlib.sha256(f"{settings.SECRET_KEY}{network}".encode()).hexdigest()[:32]
    return f"bad-code:{digest}:{int(time.time()) // WINDOW_SECONDS}"
