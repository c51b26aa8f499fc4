"""Mandates (代理关系): whom one acts for, asking to act for a company, answering who asks, revoking."""

from collections.abc import Sequence
from datetime import date

from django.contrib import messages
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.views.decorators.http import require_http_methods, require_safe

from xinzheng.apps.accounts.mandate_models import Mandate, MandateRequest
from xinzheng.apps.accounts.mandates import (
    LETTER_SCOPES,
    MandateError,
    NewRequest,
    act_for,
    answer,
    refusals_to_answer,
    revoke,
)
from xinzheng.apps.accounts.models import Account, Role
from xinzheng.apps.accounts.permissions import refusals_to_ask_for_a_mandate, refusals_to_authorise
from xinzheng.apps.audit.actions import About, record_event
from xinzheng.apps.registry.letters import LARGEST, ask_with_letter, letter_of, organisation_asked_for, read_letter
from xinzheng.core.identifiers import check_uscc
from xinzheng.web.access import form_on, refuse_if, signed_in
from xinzheng.web.form_errors import FieldError, by_field
from xinzheng.web.limits import limited
from xinzheng.web.people.mandate_rows import (
    LONGEST_NUMBER,
    SCOPE_WORDS,
    mandates_for,
    own_requests,
    requests_to,
    subject_rows,
)
from xinzheng.web.sign_in.recent import freshly_signed_in

PAGE = "/mandates"
FIELDS = {"letter-unfit": "letter", "last-day-unfit": "until", "too-many-requests": "code"}
NO_CODE = "这不是统一社会信用代码，请核对每一位。"


@limited("mandate-ask")
@require_http_methods(["GET", "HEAD", "POST"])
@signed_in
def mandates(request: HttpRequest, account: Account) -> HttpResponse:
    """The page; POST asks to act for a company."""
    refuse_if(refusals_to_ask_for_a_mandate(account))
    if request.method != "POST":
        return _page(request, account, ())
    new, errors = _asked(request)
    if new is None or errors:
        return _page(request, account, errors)
    try:
        ask_with_letter(new, read_letter(_content(request)), account=account)
    except MandateError as error:
        return _page(request, account, [FieldError(FIELDS.get(error.code, "scopes"), error.message)])
    return _done(
        request, "已提交。法定代表人登录后可以看到授权书并确认；确认前没有任何权限。代码填错的，没有人能确认。"
    )


@form_on(PAGE)
@signed_in
def choose(request: HttpRequest, account: Account) -> HttpResponse:
    """From now on act for the subject that was chosen."""
    refuse_if(refusals_to_ask_for_a_mandate(account))
    chosen = request.POST.get("subject", "")
    if not (chosen.isascii() and chosen.isdecimal() and len(chosen) <= LONGEST_NUMBER):
        raise Http404
    try:
        act_for(account, int(chosen))
    except MandateError as error:
        return _done(request, error.message, is_well=False)
    return _done(request, "已切换。此后的申请、查看和亮码都是为所选的主体办理。")


@form_on(PAGE)
@signed_in
@freshly_signed_in
def answer_request(request: HttpRequest, account: Account, request_id: int) -> HttpResponse:
    """Confirm or refuse what an agent asks; the office where somebody says to be the representative."""
    asked = _seen(account, request_id)
    is_confirmed = request.POST.get("answer") == "confirm"
    if not is_confirmed and request.POST.get("answer") != "refuse":
        return _done(request, "请选择确认或者拒绝。", is_well=False)
    try:
        answer(asked.pk, account=account, is_confirmed=is_confirmed)
    except MandateError as error:
        return _done(request, error.message, is_well=False, account=account)
    said = "已确认，授权立即生效；可以随时撤销。" if is_confirmed else "已拒绝，没有给出任何授权。"
    return _done(request, said, account=account)


@require_safe
@signed_in
def letter(_request: HttpRequest, account: Account, request_id: int) -> HttpResponse:
    """The scan of a letter of authorisation, as a file to keep, never shown in the page."""
    asked = _seen(account, request_id)
    found = letter_of(asked)
    if found is None:
        raise Http404("授权书扫描件已按保存期限删除。")
    record_event(
        who=account.actor,
        action="letter-read",
        object_kind="mandate-request",
        object_id=asked.pk,
        details=About(asked.subject_id or None),
    )
    response = HttpResponse(found.content, content_type=found.media_type)
    response.headers["Content-Disposition"] = f'attachment; filename="letter-{asked.pk}.{found.ending}"'
    return response


@form_on(PAGE)
@signed_in
def revoke_mandate(request: HttpRequest, account: Account, mandate_id: int) -> HttpResponse:
    """End a mandate: whoever may authorise for the subject, and the agent his own. At once, without further proof."""
    found = Mandate.objects.filter(pk=mandate_id).first()
    if found is None or (found.account_id != account.pk and refusals_to_authorise(account, found.subject_id)):
        raise Http404("没有这项授权。")
    refuse_if(refusals_to_ask_for_a_mandate(account))
    try:
        revoke(found.pk, by=account.actor)
    except MandateError as error:
        return _done(request, error.message, is_well=False)
    return _done(request, "已撤销，立即生效。已经办理的事项不受影响。")


def _seen(account: Account, request_id: int) -> MandateRequest:
    """A request the account may see: its own, or one that waits for its answer; others are not there."""
    found = MandateRequest.objects.filter(pk=request_id).first()
    if found is None or (found.account_id != account.pk and refusals_to_answer(account, found)):
        raise Http404("没有这份授权申请。")
    return found


def _asked(request: HttpRequest) -> tuple[NewRequest | None, list[FieldError]]:
    code, scopes = request.POST.get("code", "").strip(), request.POST.getlist("scopes")
    errors = []
    # An identity number is no company's code: nobody is found by it here.
    checked = check_uscc(code)
    if not checked.ok:
        errors.append(FieldError("code", NO_CODE))
    if not scopes or not set(scopes) <= set(LETTER_SCOPES):
        errors.append(FieldError("scopes", "请至少选一项授权事项。"))
    until = _day(request.POST.get("until", ""))
    if until is None:
        errors.append(FieldError("until", "请填写授权的最后一日。"))
    if errors or until is None:
        return None, errors
    return NewRequest(organisation_asked_for(checked.value), scopes, until, checked.value), errors


def _content(request: HttpRequest) -> bytes:
    """What was sent; one byte more than is taken is enough to refuse it."""
    file = request.FILES.get("letter")
    return b"" if file is None else file.read(LARGEST + 1)


def _day(text: str) -> date | None:
    try:
        return date.fromisoformat(text)
    except ValueError:
        return None


def _done(request: HttpRequest, said: str, *, is_well: bool = True, account: Account | None = None) -> HttpResponse:
    level, tag = (messages.SUCCESS, "none") if is_well else (messages.ERROR, "found")
    messages.add_message(request, level, said, extra_tags=tag)
    is_office = account is not None and account.role == Role.OFFICE_OPERATOR
    return redirect("office-representatives" if is_office else "mandates")


def _page(request: HttpRequest, account: Account, errors: Sequence[FieldError]) -> HttpResponse:
    now = account.subject_id
    may_authorise = now is not None and now != account.person_id and not refusals_to_authorise(account, now)
    present, ended = mandates_for(account, now) if may_authorise and now else ([], [])
    rows = subject_rows(account)
    context = {
        "rows": rows,
        "now": next((row for row in rows if row.is_now), None),
        "own_requests": own_requests(account),
        "waiting": requests_to(account, now) if may_authorise and now else [],
        "may_authorise": may_authorise,
        "present": present,
        "ended": ended,
        "scope_choices": [(scope, SCOPE_WORDS[scope]) for scope in LETTER_SCOPES],
        "chosen": request.POST.getlist("scopes") if errors else ["apply", "read"],
        "values": {name: request.POST.get(name, "") for name in ("code", "until")},
        "errors": errors,
        "error_of": by_field(errors),
        "max_bytes": LARGEST,
    }
    return render(request, "people/mandates.html", context, status=422 if errors else 200)
