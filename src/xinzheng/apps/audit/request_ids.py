"""The number of a request (请求编号): in every line logged meanwhile, in its answer, and where it went wrong."""

import re
import secrets

from structlog.contextvars import bind_contextvars, get_contextvars, unbind_contextvars

NAME = "request_id"
# What proxies make: 32 hexadecimal digits, or a UUID. Nothing that a person's number could hide in.
GIVEN = re.compile(r"[0-9a-f]{32}|[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}")
ONLY_DIGITS = re.compile(r"[0-9-]+")


def new_request_id() -> str:
    """Sixteen hexadecimal digits, which can be read out on the telephone."""
    return secrets.token_hex(8)


def is_request_id(text: str) -> bool:
    """Whether a proxy may have made it."""
    return GIVEN.fullmatch(text) is not None and ONLY_DIGITS.fullmatch(text) is None


def begin_request(request_id: str) -> None:
    """From now on every line of this thread carries it."""
    bind_contextvars(**{NAME: request_id})


def end_request() -> None:
    """The next line belongs to no request."""
    unbind_contextvars(NAME)


def current_request_id() -> str:
    """That of the request at hand; empty outside of one."""
    found: str = get_contextvars().get(NAME, "")
    return found
