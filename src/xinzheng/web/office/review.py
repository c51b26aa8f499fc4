"""The review queue (待核主体): the credit office sees what is not in the register, and decides."""

from collections.abc import Mapping
from types import MappingProxyType

from django.contrib import messages
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseRedirect
from django.shortcuts import render
from django.views.decorators.http import require_POST, require_safe

from xinzheng.apps.accounts.models import Account
from xinzheng.apps.accounts.permissions import refusals_to_run_the_office
from xinzheng.apps.audit.queries import head_position
from xinzheng.apps.registry.actions import confirm_subject, link_subject, reject_subject
from xinzheng.apps.registry.queries import (
    ReviewError,
    ReviewFilter,
    ReviewSubject,
    UnknownSubjectError,
    find_subject,
    review_counts,
    review_item,
    review_queue,
    subject_at,
)
from xinzheng.apps.registry.review_queries import OPEN, PAGE, STATES
from xinzheng.core.subjects import SubjectKind
from xinzheng.web.access import refuse_if, signed_in
from xinzheng.web.form_errors import FieldError, by_field

KIND_NAMES: Mapping[str, str] = MappingProxyType(
    {
        SubjectKind.ENTERPRISE_LEGAL_PERSON: "企业法人",
        SubjectKind.UNINCORPORATED_ENTERPRISE: "非法人企业",
        SubjectKind.INDIVIDUAL_BUSINESS: "个体工商户",
        SubjectKind.COOPERATIVE: "农民专业合作社",
        SubjectKind.SOCIAL_ORGANISATION: "社会组织",
        SubjectKind.PUBLIC_INSTITUTION: "事业单位",
        SubjectKind.NATURAL_PERSON: "自然人",
    }
)
WHO = MappingProxyType({"persons": True, "organisations": False})
DONE = MappingProxyType({"confirm": "已确认为新主体。", "link": "已并入已有主体。", "reject": "已记录为不予登记。"})
# At which field of the page an error of the registry stands.
FIELD_OF = MappingProxyType({"kind-unfit": "kind", "link-unfit": "to", "name-missing": "name", "name-too-long": "name"})
REASON_FIELD = MappingProxyType({"link": "link-reason", "reject": "reject-reason"})


@require_safe
@signed_in
def review(request: HttpRequest, account: Account) -> HttpResponse:
    """The queue, filtered and a page at a time."""
    refuse_if(refusals_to_run_the_office(account))
    state, who, text = (request.GET.get(name, "") for name in ("state", "who", "text"))
    chosen = ReviewFilter(state if state in STATES else OPEN, WHO.get(who), text)
    found = review_queue(PAGE + 1, _number(request.GET.get("after", "")), chosen)
    counts = review_counts()
    context = {
        "items": found[:PAGE],
        "next": found[PAGE - 1].subject_id if len(found) > PAGE else None,
        "is_later": bool(request.GET.get("after")),
        "states": [(code, word, counts[code]) for code, word in STATES.items()],
        "waiting": counts[OPEN],
        "state": chosen.state,
        "who": who,
        "text": text,
    }
    return render(request, "office/review.html", context)


@require_safe
@signed_in
def review_subject(request: HttpRequest, account: Account, subject_id: int) -> HttpResponse:
    """One item with the three ways to decide on it."""
    refuse_if(refusals_to_run_the_office(account))
    return _page(request, _item(subject_id), [])


@require_POST
@signed_in
def decide_review(request: HttpRequest, account: Account, subject_id: int) -> HttpResponse:
    """Decide and go back to the queue; a mistake is shown at its field, and what was filled in stays."""
    refuse_if(refusals_to_run_the_office(account))
    item = _item(subject_id)
    way = request.POST.get("way", "")
    if way not in DONE:
        raise Http404("没有这种处理。")
    try:
        _decide(request, subject_id, way, account.actor)
    except ReviewError as error:
        field = FIELD_OF.get(error.code) or REASON_FIELD.get(way, "name")
        return _page(request, item, [FieldError(field, error.message)])
    messages.add_message(request, messages.SUCCESS, DONE[way], extra_tags="none")
    return HttpResponseRedirect("/office/review")


def _decide(request: HttpRequest, subject_id: int, way: str, by: str) -> None:
    reason = request.POST.get("reason", "")
    if way == "confirm":
        kind = request.POST.get("kind", "")
        if kind not in KIND_NAMES:
            raise ReviewError("请选择类型。", code="kind-unfit")
        confirm_subject(subject_id, name=request.POST.get("name", ""), kind=SubjectKind(kind), by=by)
    elif way == "link":
        to = find_subject(request.POST.get("to", ""))
        if to is None:
            raise ReviewError("主体名录中没有这个代码，请核对要并入的主体的代码。", code="link-unfit")
        link_subject(subject_id, to=to, reason=reason, by=by)
    else:
        reject_subject(subject_id, reason=reason, by=by)


def _item(subject_id: int) -> ReviewSubject:
    try:
        return review_item(subject_id)
    except ReviewError as error:
        raise Http404(error.message) from None


def _page(request: HttpRequest, item: ReviewSubject, errors: list[FieldError]) -> HttpResponse:
    first_name = "" if item.is_person or not item.names else item.names[0]
    fits = [(code, name) for code, name in KIND_NAMES.items() if (code == SubjectKind.NATURAL_PERSON) == item.is_person]
    context = {
        "item": item,
        "kinds": fits,
        "kind_name": KIND_NAMES.get(item.kind or "", "未定"),
        "decided_by": _who(item.outcome.by) if item.outcome else "",
        "linked_code": _code(item.outcome.linked_id) if item.outcome and item.outcome.linked_id else "",
        "errors": errors,
        "error_of": by_field(errors),
        "values": {"name": first_name, "kind": item.kind, "way": "", "to": "", "reason": ""} | request.POST.dict(),
    }
    return render(request, "office/review_item.html", context, status=422 if errors else 200)


def _who(actor: str) -> str:
    """The account's name, or how else it was done."""
    kind, _, key = actor.partition(":")
    if kind != "account":
        return "命令行"
    return Account.objects.filter(pk=int(key)).values_list("display_name", flat=True).first() or actor


def _code(subject_id: int) -> str:
    """The code of a linked subject as it may be shown; empty where its kind is not known."""
    try:
        return subject_at(subject_id, head_position()).identifier
    except UnknownSubjectError:
        return ""


def _number(text: str) -> int:
    return int(text) if text.isascii() and text.isdigit() and len(text) < 19 else 0
