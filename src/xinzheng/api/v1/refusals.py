"""Which problems an operation can answer with: those that follow from what it takes, and those it names itself."""

from collections.abc import Iterable, Mapping
from http import HTTPStatus
from typing import Any

from xinzheng.api.problems import MEDIA_TYPE, TITLES

NAMED = "x-problems"
SCHEMA = {"$ref": "#/components/schemas/Problem"}
PLATFORM = "PlatformToken"
LIMITS = ("RateLimit-Policy", "RateLimit")

PROBLEM: dict[str, Any] = {
    "type": "object",
    "title": "Problem",
    "description": "RFC 9457",
    "required": ["type", "title", "status", "detail", "code"],
    "additionalProperties": False,
    "properties": {
        "type": {"type": "string", "format": "uri", "pattern": "^urn:xinzheng:problem:"},
        "title": {"type": "string", "minLength": 1},
        "status": {"type": "integer", "minimum": 400, "maximum": 599},
        "detail": {"type": "string", "minLength": 1, "description": "什么有误、怎样处理"},
        "code": {"type": "string", "pattern": "^[a-z0-9-]+$", "description": "稳定的代码"},
        "instance": {
            "type": "string",
            "format": "uri",
            "pattern": "^urn:xinzheng:request:",
            "description": "这次请求的编号，联系管理员时请一并告知；与 X-Request-ID 头相同",
        },
        "errors": {
            "type": "array",
            "items": {
                "type": "object",
                "required": ["in", "field", "detail"],
                "additionalProperties": False,
                "properties": {name: {"type": "string"} for name in ("in", "field", "detail")},
            },
        },
    },
}


def refuses(codes: Mapping[HTTPStatus, Iterable[str]]) -> dict[str, Any]:
    """For ``openapi_extra``: the codes an operation refuses with beyond what follows from its form, by status."""
    return {NAMED: {int(status): tuple(several) for status, several in codes.items()}}


def problems_of(operation: dict[str, Any]) -> dict[str, Any]:
    """The responses that tell problems, by status; takes the operation's own note of them out of it."""
    named = {int(status): tuple(codes) for status, codes in operation.pop(NAMED, {}).items()}
    responses: dict[str, Any] = {}
    for status in sorted({*_statuses(operation), *named}):
        codes = named.get(status, ())
        responses[str(status)] = _own(HTTPStatus(status), codes, operation) if codes else _shared(status)
    return responses


def shared_responses() -> dict[str, Any]:
    """The responses that operations refer to, by status."""
    return {str(int(status)): _response(status, said, SCHEMA) for status, said in TITLES.items()}


def _statuses(operation: Mapping[str, Any]) -> set[int]:
    """What follows from the form: who may call, what is sent, whether something is named in the address."""
    places = {parameter["in"] for parameter in operation.get("parameters", ())}
    found = {HTTPStatus.UNAUTHORIZED, HTTPStatus.TOO_MANY_REQUESTS, HTTPStatus.INTERNAL_SERVER_ERROR}
    if any(PLATFORM in scheme for scheme in operation.get("security", ())):
        found.add(HTTPStatus.FORBIDDEN)
    if "path" in places:
        found.add(HTTPStatus.NOT_FOUND)
    if places - {"path"}:
        found |= {HTTPStatus.BAD_REQUEST, HTTPStatus.UNPROCESSABLE_ENTITY}
    if "requestBody" in operation:
        found |= {HTTPStatus.BAD_REQUEST, HTTPStatus.UNPROCESSABLE_ENTITY, HTTPStatus.LENGTH_REQUIRED}
        found |= {HTTPStatus.REQUEST_ENTITY_TOO_LARGE, HTTPStatus.UNSUPPORTED_MEDIA_TYPE}
    return {int(status) for status in found}


def _shared(status: int) -> dict[str, Any]:
    return {"$ref": f"#/components/responses/{status}"}


def _own(status: HTTPStatus, codes: tuple[str, ...], operation: Mapping[str, Any]) -> dict[str, Any]:
    """A response with the codes it can have. A platform's token may be refused for more, told where tokens are."""
    said = f"{TITLES[status]}（{'、'.join(codes)}）"
    if status == HTTPStatus.UNPROCESSABLE_ENTITY or PLATFORM in str(operation.get("security")):
        return _response(status, said, SCHEMA)
    every = [*codes, "not-found"] if status == HTTPStatus.NOT_FOUND else list(codes)
    return _response(status, said, {"allOf": [SCHEMA, {"properties": {"code": {"enum": every}}}]})


def _response(status: HTTPStatus, said: str, schema: Mapping[str, Any]) -> dict[str, Any]:
    return {"description": said, "headers": headers_of(status), "content": {MEDIA_TYPE: {"schema": schema}}}


def headers_of(status: HTTPStatus) -> dict[str, Any]:
    """The headers an answer with this status has; how a limit stands is told once a call was counted."""
    if status == HTTPStatus.UNAUTHORIZED:
        return _headers("WWW-Authenticate")
    if status < HTTPStatus.BAD_REQUEST:
        return _headers(*LIMITS)
    told = {name: {"$ref": f"#/components/headers/{name}-if-counted"} for name in LIMITS}
    return told | (_headers("Retry-After") if status == HTTPStatus.TOO_MANY_REQUESTS else {})


def _headers(*names: str) -> dict[str, Any]:
    return {name: {"$ref": f"#/components/headers/{name}"} for name in names}


def shared_headers() -> dict[str, Any]:
    """The headers that responses refer to (limits: draft-ietf-httpapi-ratelimit-headers-10)."""
    policy = '^"(key|address|platform)";'
    limits = {
        "RateLimit-Policy": _header("按什么限制（密钥、网络地址、平台）：每 w 秒 q 次", policy + "q=[0-9]+;w=[0-9]+$"),
        "RateLimit": _header("还剩 r 次，t 秒后恢复；每个进程分别计数", policy + "r=[0-9]+;t=[0-9]+$"),
    }
    return limits | {
        **{f"{name}-if-counted": header | {"required": False} for name, header in limits.items()},
        "Retry-After": _header("多少秒后再试", "^[0-9]+$"),
        "WWW-Authenticate": _header("出示密钥的办法", "^Bearer "),
    }


def _header(said: str, pattern: str) -> dict[str, Any]:
    return {"description": said, "required": True, "schema": {"type": "string", "pattern": pattern}}
