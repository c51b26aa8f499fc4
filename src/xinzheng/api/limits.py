"""How often a key may ask, and how often an address may come with a key that is none; a minute at a time."""

import time
from dataclasses import dataclass

from django.core.cache import caches
from django.http import HttpRequest
from ninja.throttling import BaseThrottle

WINDOW_SECONDS = 60
PER_KEY = 120
WRONG_KEYS_PER_ADDRESS = 30
NOTED = "_xinzheng_standing"


@dataclass(frozen=True)
class Standing:
    """How a limit stands: how many of how many are left, and after how many seconds all are there again."""

    limit: int
    left: int
    reset_seconds: int
    policy: str = "key"


class PerKey(BaseThrottle):
    """Allow a key so many requests a minute and process (limits of the ``RateLimit`` draft)."""

    def allow_request(self, request: HttpRequest) -> bool:
        """Count the request of the key that was recognised before."""
        return count_for(request, f"key:{getattr(request, 'auth').key_id}", PER_KEY, "key")  # noqa: B009  set by ninja

    def wait(self) -> float | None:
        """Seconds until the next minute begins."""
        return float(seconds_left())


def limit_headers(request: HttpRequest) -> dict[str, str]:
    """``RateLimit`` and ``RateLimit-Policy`` of a counted request (draft-ietf-httpapi-ratelimit-headers-10)."""
    standing: Standing | None = getattr(request, NOTED, None)
    if standing is None:
        return {}
    return {
        "RateLimit-Policy": f'"{standing.policy}";q={standing.limit};w={WINDOW_SECONDS}',
        "RateLimit": f'"{standing.policy}";r={standing.left};t={standing.reset_seconds}',
    }


def count_for(request: HttpRequest, name: str, limit: int, policy: str) -> bool:
    """Count a request under the name and note for its answer how the limit stands; whether it is within the limit."""
    used, reset_seconds = count(name)
    setattr(request, NOTED, Standing(limit, max(limit - used, 0), reset_seconds, policy))
    return used <= limit


def count(name: str, many: int = 1) -> tuple[int, int]:
    """Count so many more under the name; how many there are in this minute, and the seconds until the next."""
    key = f"interface:{name}:{int(time.time()) // WINDOW_SECONDS}"
    if caches["local"].add(key, many, timeout=WINDOW_SECONDS * 2):
        return many, seconds_left()
    try:
        return int(caches["local"].incr(key, many)), seconds_left()
    except ValueError:  # it ran out between the two calls
        return many, seconds_left()


def seconds_left() -> int:
    """Seconds until the next minute begins."""
    return WINDOW_SECONDS - int(time.time()) % WINDOW_SECONDS
