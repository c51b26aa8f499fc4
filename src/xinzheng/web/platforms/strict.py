"""What the token office refuses before anybody reads it: a NUL, at which the database would stumble."""

import base64
import binascii
from collections.abc import Callable, Iterable
from functools import wraps
from typing import Concatenate, ParamSpec

from django.http import HttpRequest, HttpResponse, JsonResponse, QueryDict

P = ParamSpec("P")
LONGEST = 2000


def without_nul(
    view: Callable[Concatenate[HttpRequest, P], HttpResponse],
) -> Callable[Concatenate[HttpRequest, P], HttpResponse]:
    """Answer 400 to a NUL or to a text longer than any of ours, in the address, the form or the header."""

    @wraps(view)
    def guarded(request: HttpRequest, /, *args: P.args, **kwargs: P.kwargs) -> HttpResponse:
        if any("\0" in text or len(text) > LONGEST for text in _texts(request)):
            return oauth_error("invalid_request", "请求含有空字符或者过长的内容，请核对。")
        return view(request, *args, **kwargs)

    return guarded


def oauth_error(error: str, description: str, status: int = 400) -> HttpResponse:
    """A refusal as OAuth writes it (RFC 6749 §5.2), kept by no cache."""
    answer = {"error": error, "error_description": description}
    response = JsonResponse(answer, status=status, json_dumps_params={"ensure_ascii": False})
    response.headers["Cache-Control"] = "no-store"
    return response


def _texts(request: HttpRequest) -> Iterable[str]:
    yield request.path_info
    yield _basic(request.headers.get("Authorization", ""))
    for said in (request.GET, request.POST):
        yield from _of(said)


def _of(said: QueryDict) -> Iterable[str]:
    for name, values in said.lists():
        yield name
        # The one long thing is what we have signed ourselves.
        yield from ([] if name == "request" else [str(value) for value in values])
        yield from ["\0" for value in values if "\0" in str(value)]


def _basic(header: str) -> str:
    scheme, _, said = header.partition(" ")
    if scheme.lower() != "basic":
        return header
    try:
        return base64.b64decode(said).decode("utf-8", "replace")
    except (ValueError, binascii.Error):
        return said
