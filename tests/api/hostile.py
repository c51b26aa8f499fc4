"""Calls that are meant to break something, as a server hands them on: each byte of a header is a character."""

from collections.abc import Callable, Iterable, Iterator, Mapping
from io import BytesIO
from typing import Any
from urllib.parse import quote, unquote_to_bytes

from django.test import RequestFactory

Environ = dict[str, Any]
HEADERS: tuple[Mapping[str, str], ...] = (
    {"HTTP_IDEMPOTENCY_KEY": "\xff\xfe", "HTTP_ACCEPT": "\xff/\x00", "HTTP_RANGE": "bytes=9-"},
    {"HTTP_IDEMPOTENCY_KEY": "a\0b", "HTTP_COOKIE": "sessionid=\xff\x00; \xfe=\x01; elder=\xff"},
    {"HTTP_IDEMPOTENCY_KEY": "a" * 5000, "HTTP_X_FORWARDED_FOR": "\xff, 1.2.3.4, ::1%\x00"},
    {"HTTP_AUTHORIZATION": "Bearer \xff\xfe\x00"},
    {"HTTP_AUTHORIZATION": "Bearer " + "\xe4\xb8\xad" * 3000},
    {"HTTP_USER_AGENT": "\x00\xff" * 2000, "HTTP_REFERER": "\xff\x00", "HTTP_ORIGIN": "\xff"},
    {"CONTENT_TYPE": ""},
    {"CONTENT_TYPE": "\xff/\x00"},
    {"CONTENT_TYPE": "application/json; charset=\xff"},
    {"CONTENT_TYPE": "multipart/form-data"},
    {"CONTENT_TYPE": "multipart/form-data; boundary=\xff"},
    {"CONTENT_LENGTH": "-1"},
    {"CONTENT_LENGTH": "9" * 40},
    {"CONTENT_LENGTH": "\xb2"},
)
QUERIES = (
    "limit=%FF&before=%ED%A0%80&after=%00&status=%00&subject=%00",
    "a=1&" * 1500,
    "subject=" + "a" * 20_000,
    "before=" + "9" * 30 + "&after=" + "9" * 18 + "-" + "9" * 18,
)
BODIES = (
    b"",
    b"\xff\xfe\0",
    b"[" * 4000,
    b'{"reason":"\\ud800\\u0000","subject":"\\ud800","number":"\\ud800","url":"\\ud800","purpose":"\\u0000"}',
    b"1" * 3900,
    b'--x\r\nContent-Disposition: form-data; name="file"; filename="\xff\0"\r\n\r\na\r\n--x--\r\n',
)
IN_PATH = ("\0", "\ud800", "a" * 3000, "-1", "9" * 400, "/", "１")


def hostile_calls(method: str, operation: Mapping[str, Any], things: Mapping[str, Any], key: str) -> Iterator[Environ]:
    """What a server would hand on: an address of something there is but for one part that is meant to harm."""
    named = [one["name"] for one in operation.get("parameters", ()) if one["in"] == "path"]

    def call(body: bytes = b"{}", more: Mapping[str, str] | None = None, **values: str) -> Environ:
        told = {**things, **{name: (text,) for name, text in values.items()}}
        return environ(method, address_of(operation, told), body, shown(key) | (more or {}))

    yield from (call(more=headers) for headers in HEADERS)
    yield from (call(more={"QUERY_STRING": query}) for query in QUERIES)
    if "requestBody" in operation:
        (media_type,) = operation["requestBody"]["content"]
        sent = "multipart/form-data; boundary=x" if media_type.startswith("multipart") else media_type
        yield from (call(body, more={"CONTENT_TYPE": sent}) for body in BODIES)
    yield from (call(**{name: value}) for name in named for value in IN_PATH)


def call_of(method: str, operation: Mapping[str, Any], things: Mapping[str, Any], key: str) -> Environ:
    """A call with nothing odd about it."""
    return environ(method, address_of(operation, things), b"{}", shown(key))


def address_of(operation: Mapping[str, Any], things: Mapping[str, Any]) -> str:
    """The operation's address, about the first of the things that it names."""
    path: str = operation["path"]
    for name in [one["name"] for one in operation.get("parameters", ()) if one["in"] == "path"]:
        value = quote(str(things.get(name, ("1",))[0]), safe="", errors="surrogatepass")
        path = path.replace(f"{{{name}}}", value)
    return path


def shown(key: str) -> dict[str, str]:
    return {"HTTP_AUTHORIZATION": f"Bearer {key}"}


def environ(method: str, path: str, body: bytes, more: Mapping[str, str]) -> Environ:
    made = RequestFactory(SERVER_NAME="127.0.0.1").generic(method.upper(), "/", body, "application/json").environ
    here = {"PATH_INFO": unquote_to_bytes(path).decode("latin-1"), "HTTP_IDEMPOTENCY_KEY": "a"}
    return made | here | {"wsgi.input": BytesIO(body)} | more


def answer_to(asked: Environ, application: Callable[..., Iterable[bytes]]) -> tuple[int, str]:
    """Status and media type of the answer."""
    told: list[tuple[int, str]] = []

    def start(status: str, headers: list[tuple[str, str]], _failure: Any = None) -> None:
        told.append((int(status[:3]), dict(headers).get("Content-Type", "")))

    b"".join(application(asked, start))
    return told[0]
