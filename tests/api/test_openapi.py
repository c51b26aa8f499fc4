"""The description kept in the repository is what the code does."""

import json
from typing import Any

import pytest
from django.test import Client
from pydantic import BaseModel

from xinzheng.api.v1.openapi import KEPT, described, text
from xinzheng.api.v1.platform import applying_schemas, code_schemas, notices, report_schemas, webhook_schemas

OPERATIONS = {
    ("get", "/api/v1/batches"),
    ("post", "/api/v1/batches"),
    ("post", "/api/v1/batches/{upload_id}/lines/{line}/explanation"),
    ("post", "/api/v1/batches/{upload_id}/withdrawal"),
    ("post", "/api/v1/batches/{upload_id}/confirmation"),
    ("get", "/api/v1/batches/{upload_id}"),
    ("get", "/api/v1/batches/{upload_id}/defects"),
    ("get", "/api/v1/batches/{upload_id}/defects.csv"),
    ("get", "/api/v1/batches/{upload_id}/file"),
    ("post", "/api/v1/coverage"),
    ("post", "/api/v1/coverage/withdrawals"),
    ("get", "/api/v1/responsibilities"),
}
FOR_ANYBODY = {("post", f"/api/v1/verify/{way}") for way in ("code", "qr", "picture", "file", "batch", "batch/files")}
OF_PLATFORMS = {
    ("get", "/api/v1/platform/application-forms"),
    ("post", "/api/v1/platform/applications"),
    ("get", "/api/v1/platform/applications/{application_id}"),
    ("get", "/api/v1/platform/reports"),
    ("get", "/api/v1/platform/reports/{number}"),
    ("get", "/api/v1/platform/reports/{number}/file"),
    ("get", "/api/v1/platform/reports/{number}/views"),
    ("post", "/api/v1/platform/reports/{number}/codes"),
    ("get", "/api/v1/platform/codes/{code_id}"),
    ("delete", "/api/v1/platform/codes/{code_id}"),
    ("post", "/api/v1/platform/codes/{code_id}/shown"),
    ("get", "/api/v1/platform/notices"),
    ("get", "/api/v1/platform/webhooks"),
    ("post", "/api/v1/platform/webhooks"),
    ("get", "/api/v1/platform/webhooks/{webhook_id}"),
    ("delete", "/api/v1/platform/webhooks/{webhook_id}"),
    ("post", "/api/v1/platform/webhooks/{webhook_id}/test"),
    ("post", "/api/v1/platform/webhooks/{webhook_id}/secret"),
}
UNIT, PLATFORM = {"UnitKey": []}, {"PlatformToken": []}


def test_the_kept_description_does_not_drift() -> None:
    assert KEPT.read_text(encoding="utf-8") == text(), "run: python -m xinzheng.api.v1"


def test_each_operation_but_verifying_needs_a_key_and_tells_its_problems() -> None:
    schema = described()
    found = {
        (method, path): operation for path, methods in schema["paths"].items() for method, operation in methods.items()
    }
    assert set(found) == OPERATIONS | FOR_ANYBODY | OF_PLATFORMS
    for called, operation in found.items():
        let_in = [{}, UNIT, PLATFORM] if called in FOR_ANYBODY else [PLATFORM if called in OF_PLATFORMS else UNIT]
        assert operation["security"] == let_in
        assert called not in OF_PLATFORMS or {"summary", "description"} <= set(operation)
        assert {"401", "429", "500"} <= set(operation["responses"])
        takes_a_body = {"400", "411", "413", "415", "422"} <= set(operation["responses"])
        assert takes_a_body == ("requestBody" in operation)
        assert ("404" in operation["responses"]) == ("{" in called[1])
        good = [response for status, response in operation["responses"].items() if status < "300"]
        assert good
        assert all({"RateLimit", "RateLimit-Policy"} <= set(response["headers"]) for response in good)
        assert all(
            response.get("content") or status == "204"
            for status, response in operation["responses"].items()
            if "$ref" not in response
        )
        assert all(content["schema"] for response in good for content in response.get("content", {}).values())
    assert schema["components"]["securitySchemes"]["UnitKey"] == {"type": "http", "scheme": "bearer"}
    assert references(schema) <= {f"#/components/schemas/{name}" for name in schema["components"]["schemas"]} | {
        f"#/components/{part}/{name}" for part in ("responses", "headers") for name in schema["components"][part]
    }


def test_a_refusal_of_its_own_is_told_with_its_codes_where_it_can_happen() -> None:
    paths = described()["paths"]
    told = paths["/api/v1/batches/{upload_id}/withdrawal"]["post"]["responses"]
    codes = told["409"]["content"]["application/problem+json"]["schema"]["allOf"][1]["properties"]["code"]["enum"]
    assert codes == ["batch-not-done", "batch-failed", "batch-withdrawn-already", "held-batch-waits"]
    assert "409" not in paths["/api/v1/verify/code"]["post"]["responses"]
    assert "403" not in paths["/api/v1/batches"]["get"]["responses"]


def test_examples_of_the_description_are_as_it_says() -> None:
    modules = (applying_schemas, report_schemas, code_schemas, notices, webhook_schemas)
    named = {name: thing for module in modules for name, thing in vars(module).items()}
    schemas = described()["components"]["schemas"]
    found = [(name, example) for name, one in schemas.items() for example in one.get("examples", ())]
    assert len(found) > 6
    for name, example in found:
        assert issubclass(named[name], BaseModel)
        assert named[name].model_validate(example)


def test_whoever_calls_is_told_in_chinese_and_reads_no_docstring() -> None:
    schema = described()
    assert {said for said in words_in(schema) if said.isascii()} == {"RFC 9457"}


def words_in(part: Any) -> set[str]:
    if isinstance(part, dict):
        own = {part[name] for name in ("description", "summary") if isinstance(part.get(name), str)}
        return own.union(*(words_in(value) for value in part.values()))
    return set().union(*(words_in(value) for value in part)) if isinstance(part, list) else set()


def references(part: Any) -> set[str]:
    if isinstance(part, dict):
        own = {part["$ref"]} if "$ref" in part else set()
        return own.union(*(references(value) for value in part.values()))
    return set().union(*(references(value) for value in part)) if isinstance(part, list) else set()


@pytest.mark.django_db
def test_whoever_writes_a_client_reads_it_without_a_key() -> None:
    sent = Client().get("/api/v1/openapi.json")
    assert sent.headers["Content-Type"] == "application/json"
    assert json.loads(sent.content)["openapi"].startswith("3.")
