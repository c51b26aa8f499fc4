"""The description of the interface (OpenAPI 3.1), kept in the repository so that every change of it is seen."""

import json
from pathlib import Path
from typing import Any

from django.http import HttpRequest, HttpResponse
from django.views.decorators.csrf import csrf_exempt
from django.views.decorators.http import require_safe

from xinzheng.api.problems import MEDIA_TYPE, TITLES
from xinzheng.api.v1.application import api

KEPT = Path(__file__).with_name("openapi.json")
PREFIX = "/api/v1/"

PROBLEM = {
    "type": "object",
    "title": "Problem",
    "description": "RFC 9457",
    "required": ["type", "title", "status", "detail", "code"],
    "properties": {
        "type": {"type": "string", "format": "uri"},
        "title": {"type": "string"},
        "status": {"type": "integer"},
        "detail": {"type": "string", "description": "什么有误、怎样处理"},
        "code": {"type": "string", "description": "稳定的代码"},
        "errors": {
            "type": "array",
            "items": {
                "type": "object",
                "properties": {name: {"type": "string"} for name in ("in", "field", "detail")},
            },
        },
    },
}


def described() -> dict[str, Any]:
    """The description of the operations as they are in the code."""
    schema: dict[str, Any] = json.loads(json.dumps(api.get_openapi_schema(path_prefix=PREFIX), default=str))
    components = schema["components"]
    components["schemas"]["Problem"] = PROBLEM
    content = {MEDIA_TYPE: {"schema": {"$ref": "#/components/schemas/Problem"}}}
    components["responses"] = {str(int(s)): {"description": said, "content": content} for s, said in TITLES.items()}
    for path in schema["paths"].values():
        for operation in path.values():
            operation["responses"] |= {s: {"$ref": f"#/components/responses/{s}"} for s in components["responses"]}
    return schema


def text() -> str:
    """The description as it is kept."""
    return json.dumps(described(), ensure_ascii=False, indent=2) + "\n"


@csrf_exempt
@require_safe
def openapi(_request: HttpRequest) -> HttpResponse:
    """The description, for whoever writes a client; it needs no key."""
    return HttpResponse(KEPT.read_bytes(), content_type="application/json")
