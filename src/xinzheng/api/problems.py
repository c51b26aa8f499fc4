"""Problems (RFC 9457): every refusal has a status, a stable code and a Chinese sentence that says what to do."""

import json
from collections.abc import Mapping, Sequence
from http import HTTPStatus
from typing import Any

from django.http import HttpResponse

from xinzheng.apps.audit.request_ids import current_request_id
from xinzheng.core.errors import XinzhengError

MEDIA_TYPE = "application/problem+json"
TYPE = "urn:xinzheng:problem:"
REQUEST = "urn:xinzheng:request:"

TITLES = {
    HTTPStatus.BAD_REQUEST: "请求无法解读",
    HTTPStatus.UNAUTHORIZED: "没有有效的密钥或者令牌",
    HTTPStatus.FORBIDDEN: "不在权限之内",
    HTTPStatus.NOT_FOUND: "没有找到",
    HTTPStatus.METHOD_NOT_ALLOWED: "不支持这个方法",
    HTTPStatus.CONFLICT: "与现状不符",
    HTTPStatus.LENGTH_REQUIRED: "没有写明长度",
    HTTPStatus.REQUEST_ENTITY_TOO_LARGE: "请求太大",
    HTTPStatus.UNSUPPORTED_MEDIA_TYPE: "不支持这种内容类型",
    HTTPStatus.UNPROCESSABLE_ENTITY: "内容有误",
    HTTPStatus.TOO_MANY_REQUESTS: "请求太频繁",
    HTTPStatus.INTERNAL_SERVER_ERROR: "系统内部错误",
}
# What the frame itself refuses, before or behind our own code: its code and what to do.
OF_THE_FRAME = {
    HTTPStatus.BAD_REQUEST: ("request-unreadable", "请求无法解读，请核对格式和编码。"),
    HTTPStatus.UNAUTHORIZED: ("key-missing", "请在 Authorization 头写明“Bearer 密钥”，平台写“Bearer 令牌”。"),
    HTTPStatus.NOT_FOUND: ("not-found", "没有这个地址或者编号，请核对。"),
    HTTPStatus.METHOD_NOT_ALLOWED: ("method-not-allowed", "这个地址不支持该方法，支持的方法见 Allow 头。"),
    HTTPStatus.REQUEST_ENTITY_TOO_LARGE: ("request-too-large", "请求太大，请拆开后分别发送。"),
    HTTPStatus.TOO_MANY_REQUESTS: ("too-many-requests", "请求太频繁，请按 Retry-After 头的秒数等待后再试。"),
}
UNEXPECTED = ("unexpected", "系统内部错误，没有保存任何内容。请稍后原样重发；仍不成功的，请联系管理员。")

# Where a domain's refusal is something else than wrong content.
STATUSES = {
    "unknown-batch": HTTPStatus.NOT_FOUND,
    "unknown-line": HTTPStatus.NOT_FOUND,
    "line-settled": HTTPStatus.CONFLICT,
    "batch-withdrawn-already": HTTPStatus.CONFLICT,
    "batch-not-held": HTTPStatus.CONFLICT,
    "held-batch-waits": HTTPStatus.CONFLICT,
    "second-officer-needed": HTTPStatus.FORBIDDEN,
    "examiner-busy": HTTPStatus.TOO_MANY_REQUESTS,
    "unit-not-responsible": HTTPStatus.FORBIDDEN,
    "nothing-stated": HTTPStatus.CONFLICT,
    "not-a-zero-return": HTTPStatus.CONFLICT,
    "lines-waiting": HTTPStatus.CONFLICT,
    "application-refused": HTTPStatus.FORBIDDEN,
    "unknown-report": HTTPStatus.NOT_FOUND,
    "unknown-share": HTTPStatus.NOT_FOUND,
    "share-over": HTTPStatus.CONFLICT,
    "report-not-in-force": HTTPStatus.CONFLICT,
    "report-not-finished": HTTPStatus.CONFLICT,
    "unknown-webhook": HTTPStatus.NOT_FOUND,
    "webhook-exists": HTTPStatus.CONFLICT,
    "too-many-webhooks": HTTPStatus.CONFLICT,
    "raw-file-unreadable": HTTPStatus.INTERNAL_SERVER_ERROR,
    "key-file-unusable": HTTPStatus.INTERNAL_SERVER_ERROR,
    "key-does-not-fit": HTTPStatus.INTERNAL_SERVER_ERROR,
}
SOON = "5"  # seconds after which whoever came while others were served may come again


class ProblemError(XinzhengError):
    """A refusal of the interface itself, with its status and headers; ``errors`` name single fields."""

    code = "request-refused"

    def __init__(
        self,
        status: HTTPStatus,
        code: str,
        message: str,
        *,
        headers: Mapping[str, str] | None = None,
        errors: Sequence[Mapping[str, str]] = (),
    ) -> None:
        super().__init__(message, code=code)
        self.status = status
        self.headers = dict(headers or {})
        self.errors = list(errors)


def frame_problem(status: int) -> ProblemError:
    """The problem of a refusal that did not come from our own code; what is not known is the server's fault."""
    known = HTTPStatus(status) if status in OF_THE_FRAME else None
    if known is None and 400 <= status < 500:
        return ProblemError(HTTPStatus(status), "request-refused", "请求被拒绝，请核对。")
    code, message = OF_THE_FRAME[known] if known else UNEXPECTED
    return ProblemError(known or HTTPStatus.INTERNAL_SERVER_ERROR, code, message)


def problem_of(error: XinzhengError) -> ProblemError:
    """The problem of a refusal by an app: its code and message, and the status that fits."""
    if isinstance(error, ProblemError):
        return error
    status = STATUSES.get(error.code, HTTPStatus.UNPROCESSABLE_ENTITY)
    headers = {"Retry-After": SOON} if status == HTTPStatus.TOO_MANY_REQUESTS else {}
    return ProblemError(status, error.code, error.message, headers=headers)


def problem_response(problem: ProblemError) -> HttpResponse:
    """The answer that tells a problem."""
    body: dict[str, Any] = {
        "type": TYPE + problem.code,
        "title": TITLES.get(problem.status, problem.status.phrase),
        "status": int(problem.status),
        "detail": problem.message,
        "code": problem.code,
    }
    request_id = current_request_id()
    if request_id:
        body["instance"] = REQUEST + request_id
    if problem.errors:
        body["errors"] = problem.errors
    text = json.dumps(body, ensure_ascii=False)
    response = HttpResponse(text, status=int(problem.status), content_type=MEDIA_TYPE)
    for name, value in problem.headers.items():
        response.headers[name] = value
    return response
