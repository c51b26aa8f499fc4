"""The description of the interface (OpenAPI 3.1), kept in the repository so that every change of it is seen."""

import json
from http import HTTPStatus
from pathlib import Path
from typing import Any

from django.http import HttpRequest, HttpResponse
from django.views.decorators.csrf import csrf_exempt
from django.views.decorators.http import require_safe

from xinzheng.api.v1.application import api
from xinzheng.api.v1.refusals import PROBLEM, headers_of, problems_of, shared_headers, shared_responses

KEPT = Path(__file__).with_name("openapi.json")
PREFIX = "/api/v1/"
FORM = "multipart/form-data"
SAID = {
    HTTPStatus.OK: "已办理",
    HTTPStatus.CREATED: "已办理，新增了一项",
    HTTPStatus.ACCEPTED: "已收下，在后台办理",
    HTTPStatus.NO_CONTENT: "已办理，没有内容",
}


def described() -> dict[str, Any]:
    """The description of the operations as they are in the code."""
    schema: dict[str, Any] = json.loads(json.dumps(api.get_openapi_schema(path_prefix=PREFIX), default=str))
    components = schema["components"]
    for model in components["schemas"].values():
        model.pop("description", None)  # our docstring, for whoever reads the code
    components["schemas"]["Problem"] = PROBLEM
    components["responses"] = shared_responses()
    components["headers"] = shared_headers()
    for path in schema["paths"].values():
        for operation in path.values():
            _state_words(operation)
            _state_absence(operation)
            _state_answers(operation)
    return schema


def _state_words(operation: dict[str, Any]) -> None:
    """Nothing but what is written for whoever calls: neither a docstring nor the words of the protocol."""
    if operation.get("description", "").isascii():
        operation.pop("description", None)
    for status, response in operation["responses"].items():
        if response["description"].isascii():
            response["description"] = SAID[HTTPStatus(int(status))]


def _state_answers(operation: dict[str, Any]) -> None:
    """Each answer with its headers: the good ones that are there, then the problems."""
    for status, response in operation["responses"].items():
        own = {name: {"required": True} | header for name, header in response.get("headers", {}).items()}
        response["headers"] = headers_of(HTTPStatus(int(status))) | own
    operation["responses"] |= problems_of(operation)


def _state_absence(operation: dict[str, Any]) -> None:
    """What is optional in an address, a header or a form is left away; null can be written in JSON only."""
    for parameter in operation.get("parameters", ()):
        parameter["schema"] = _without_null(parameter["schema"])
    form = operation.get("requestBody", {}).get("content", {}).get(FORM, {}).get("schema", {})
    for name, part in form.get("properties", {}).items():
        form["properties"][name] = _without_null(part)


def _without_null(schema: dict[str, Any]) -> dict[str, Any]:
    said: list[dict[str, Any]] = [option for option in schema.get("anyOf", ()) if option != {"type": "null"}]
    if len(said) != 1:
        return schema
    return said[0] | {name: value for name, value in schema.items() if name != "anyOf"}


def text() -> str:
    """The description as it is kept."""
    return json.dumps(described(), ensure_ascii=False, indent=2) + "\n"


@csrf_exempt
@require_safe
def openapi(_request: HttpRequest) -> HttpResponse:
    """The description, for whoever writes a client; it needs no key."""
    return HttpResponse(KEPT.read_bytes(), content_type="application/json")
