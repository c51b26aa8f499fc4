"""The interface's application: its operations, and how each error becomes a problem."""

from collections.abc import Mapping, Sequence
from http import HTTPStatus
from typing import Any

from django.conf import settings
from django.core.exceptions import RequestDataTooBig, TooManyFilesSent
from django.http import Http404, HttpRequest, HttpResponse, UnreadablePostError
from django.http.multipartparser import MultiPartParserError
from ninja import NinjaAPI
from ninja.errors import HttpError, ValidationError
from ninja.renderers import JSONRenderer

from xinzheng.api.callers import CHALLENGE
from xinzheng.api.limits import PerKey
from xinzheng.api.problems import ProblemError, frame_problem, problem_of, problem_response
from xinzheng.api.v1 import coverage, listing, responsibilities, settling, verifying
from xinzheng.api.v1.platform import applying, codes, notices, reports, webhooks
from xinzheng.core.errors import XinzhengError

DESCRIPTION = """数源单位的业务系统通过本接口报送数据、声明归集覆盖、取回退回的行；收到报告的单位通过本接口核验报告。
报送的每个请求在 Authorization 头出示密钥；单位由密钥确定，只能看到和办理本单位的事项。
核验（verify）人人可用，不需要密钥。
接入平台（platform）出示令牌：平台自己的，或者用户同意后替用户办理的；令牌在 /identity/o/ 办理，不在本说明之内，
错误按 RFC 6749 答复。主体在每个请求里写明，别人的与不存在的一样答复404。
一切错误都是 RFC 9457 的 application/problem+json，code 稳定不变，detail 说明怎样处理。"""

# Pydantic's words for what is wrong, in ours.
SAID = {
    "missing": "缺少必填项。",
    "extra_forbidden": "没有这一项，请核对名称。",
    "literal_error": "不在可选范围内，可用的有：{expected}。",
    "string_pattern_mismatch": "含有不允许的字符。",
    "string_too_long": "太长，至多{max_length}个字符。",
    "string_too_short": "不能为空。",
    "string_type": "应为文字。",
    "bool_type": "应为 true 或者 false。",
    "int_parsing": "应为整数。",
    "greater_than_equal": "不得小于{ge}。",
    "less_than_equal": "不得大于{le}。",
    "value_error": "{error}",
}
OTHERWISE = "填写有误，请核对。"


class ReadableJSON(JSONRenderer):
    """Chinese as it is written, not escaped."""

    json_dumps_params = {"ensure_ascii": False}


api = NinjaAPI(
    title="信证接口",
    version="1",
    description=DESCRIPTION,
    urls_namespace="interface-1",
    openapi_url=None,
    docs_url=None,
    renderer=ReadableJSON(),
    throttle=[PerKey()],
)
api.add_router("", listing.router)
api.add_router("", settling.router)
api.add_router("", coverage.router)
api.add_router("", responsibilities.router)
api.add_router("verify", verifying.router)
for platform in (applying, reports, codes, notices, webhooks):
    api.add_router("platform", platform.router)


@api.exception_handler(XinzhengError)
def refused(_request: HttpRequest, error: XinzhengError) -> HttpResponse:
    """A refusal by an app or by the interface itself."""
    return problem_response(problem_of(error))


@api.exception_handler(HttpError)
def refused_by_frame(_request: HttpRequest, error: HttpError) -> HttpResponse:
    """A refusal by the frame: no key at all, a body that is no JSON, too many requests."""
    problem = frame_problem(error.status_code)
    if problem.status == HTTPStatus.UNAUTHORIZED:
        problem.headers = CHALLENGE
    return problem_response(problem)


@api.exception_handler(Http404)
def not_found(_request: HttpRequest, _error: Http404) -> HttpResponse:
    """Nothing there, or not the caller's; both look the same."""
    return problem_response(frame_problem(HTTPStatus.NOT_FOUND))


@api.exception_handler(RequestDataTooBig)
def too_big(_request: HttpRequest, _error: RequestDataTooBig) -> HttpResponse:
    """A text field beyond what is kept in memory."""
    return problem_response(frame_problem(HTTPStatus.REQUEST_ENTITY_TOO_LARGE))


@api.exception_handler(TooManyFilesSent)
def too_many_files(_request: HttpRequest, _error: TooManyFilesSent) -> HttpResponse:
    """More files in one form than are ever taken."""
    message = f"一次至多{settings.DATA_UPLOAD_MAX_NUMBER_FILES}份文件，请分几次发送。"
    return problem_response(ProblemError(HTTPStatus.UNPROCESSABLE_ENTITY, "too-many-files", message))


@api.exception_handler(MultiPartParserError)
def not_multipart(_request: HttpRequest, _error: MultiPartParserError) -> HttpResponse:
    """A form that is none."""
    return problem_response(frame_problem(HTTPStatus.BAD_REQUEST))


@api.exception_handler(UnreadablePostError)
def broken_off(_request: HttpRequest, _error: UnreadablePostError) -> HttpResponse:
    """The sender broke off; nobody may read this answer."""
    return problem_response(frame_problem(HTTPStatus.BAD_REQUEST))


@api.exception_handler(ValidationError)
def unfit(_request: HttpRequest, error: ValidationError) -> HttpResponse:
    """Fields that are missing or unfit, each with its place and what is wrong; what was sent is not repeated."""
    errors = [_field_error(found) for found in error.errors]
    message = "；".join(f"{found['field'] or '内容'}：{found['detail']}" for found in errors)
    problem = ProblemError(HTTPStatus.UNPROCESSABLE_ENTITY, "request-invalid", message, errors=errors)
    return problem_response(problem)


def _field_error(found: Mapping[str, Any]) -> dict[str, str]:
    place: Sequence[Any] = found["loc"]
    facts = {name: str(value) for name, value in found.get("ctx", {}).items()}
    said = SAID.get(found["type"], OTHERWISE).format(**facts)
    # Our parameter's name stands before the fields of a JSON body, and alone for a form as a whole.
    inner = place[2:] if place[0] == "body" or tuple(place) == ("form", "form") else place[1:]
    return {"in": str(place[0]), "field": ".".join(str(part) for part in inner), "detail": said}
