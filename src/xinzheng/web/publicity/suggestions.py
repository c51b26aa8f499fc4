"""Suggestions and complaints (意见建议、申诉投诉): anybody writes one, and reads the answer with number and code."""

import uuid
from collections.abc import Mapping

from django.conf import settings
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.views.decorators.http import require_http_methods

from xinzheng.apps.oversight.suggestions import (
    SAID_AT_MOST,
    TOPICS,
    NewSuggestion,
    find_answer,
    lodge,
    public_answers,
    suggestions_of,
    unit_names,
)
from xinzheng.apps.reports.packs import current_policy
from xinzheng.core.errors import RefusedError, XinzhengError
from xinzheng.core.share_codes import spaced
from xinzheng.web.context import signed_in_account
from xinzheng.web.form_errors import FieldError, by_field
from xinzheng.web.limits import limited

LODGED_A_MINUTE, ASKED_A_MINUTE = 5, 10
FIELDS = ("kind", "topic", "unit", "words")
EMPTY = dict.fromkeys(FIELDS, "") | {"kind": "suggestion"}
FIELD_OF = {"suggestion-kind-unknown": "kind", "topic-unknown": "topic", "unknown-unit": "unit"}
# One answer for a number that nobody has, a wrong code, and both.
NOT_FOUND = "没有找到。请核对编号和查询码：编号以字母J开头，查询码是12个字母和数字。"


@require_http_methods(["GET", "HEAD", "POST"])
@limited("suggestions", LODGED_A_MINUTE)
def suggestions(request: HttpRequest) -> HttpResponse:
    """The form, one's own ones and the public answers; POST keeps one and shows its number and code."""
    if request.method != "POST":
        return _form(request, EMPTY | _about_a_rule(request), [], uuid.uuid4())
    values = {name: request.POST.get(name, "") for name in FIELDS}
    key, account = _key(request.POST.get("key", "")), signed_in_account(request)
    new = NewSuggestion(values["kind"], values["topic"], values["words"], values["unit"])
    try:
        made = lodge(new, account=account, key=key)
    except XinzhengError as error:
        field = FIELD_OF.get(error.code, "words")
        return _form(request, values, [FieldError(field, error.message)], key)
    told = {"made": made, "code": spaced(made.code), "days": settings.XINZHENG_KEEP_SUGGESTION_DAYS}
    response = render(request, "publicity/lodged.html", told)
    response.headers["Cache-Control"] = "private, no-store"
    return response


@require_http_methods(["GET", "HEAD", "POST"])
@limited("suggestion-answers", ASKED_A_MINUTE)
def read_answer(request: HttpRequest) -> HttpResponse:
    """What became of a suggestion; number and code come by POST, so that they stand in no address."""
    if request.method != "POST":
        return render(request, "publicity/answer.html", {"number": "", "error_of": by_field([])})
    number = request.POST.get("number", "")[:40]
    found = find_answer(number, request.POST.get("code", ""))
    errors = [] if found else [FieldError("number", NOT_FOUND)]
    context = {"number": number, "found": found, "errors": errors, "error_of": by_field(errors)}
    response = render(request, "publicity/answer.html", context, status=422 if errors else 200)
    response.headers["Cache-Control"] = "private, no-store"
    return response


def _form(request: HttpRequest, values: Mapping[str, str], errors: list[FieldError], key: uuid.UUID) -> HttpResponse:
    account = signed_in_account(request)
    context = {
        "values": values,
        "errors": errors,
        "error_of": by_field(errors),
        "key": key,
        "topics": TOPICS,
        "units": unit_names(),
        "said_at_most": SAID_AT_MOST,
        "days": settings.XINZHENG_KEEP_SUGGESTION_DAYS,
        "own": suggestions_of(account) if account else [],
        "answers": public_answers(),
    }
    response = render(request, "publicity/suggestions.html", context, status=422 if errors else 200)
    response.headers["Cache-Control"] = "private, no-store"
    return response


def _key(text: str) -> uuid.UUID:
    """The form's own; one that was not ours is as good as none."""
    try:
        return uuid.UUID(text)
    except ValueError:
        return uuid.uuid4()


def _about_a_rule(request: HttpRequest) -> dict[str, str]:
    """The words to begin with when somebody comes from a rule of a policy."""
    try:
        policy = current_policy(request.GET.get("policy", ""))
    except RefusedError:
        return {}
    clause = next((one for one in policy.clauses if one.id == request.GET.get("clause", "")), None)
    if clause is None:
        return {}
    return {"topic": "rule", "words": f"关于{policy.document}的规则“{clause.reason}”：\n"}
