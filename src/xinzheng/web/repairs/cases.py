"""One repair (信用修复办理): what was prepared, the file to hand over, evidence, what became of it."""

from collections.abc import Sequence

from django.conf import settings
from django.contrib import messages
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils.http import content_disposition_header
from django.views.decorators.http import require_safe

from xinzheng.apps.accounts.models import Account
from xinzheng.apps.redress.clock import today
from xinzheng.apps.redress.errors import RedressError
from xinzheng.apps.redress.models import RepairStep
from xinzheng.apps.redress.permissions import refusals_to_prepare_repair
from xinzheng.apps.redress.repair_handover import handover_file
from xinzheng.apps.redress.repairs import REASON_AT_MOST, CaseView, add_evidence, case_view, say
from xinzheng.core.errors import XinzhengError
from xinzheng.web.access import form_on, signed_in
from xinzheng.web.form_errors import FieldError, by_field
from xinzheng.web.limits import limited
from xinzheng.web.objections.files import FIELD, UPLOADS_A_MINUTE, files_of, hint, too_much
from xinzheng.web.public.body_size import sized

UNKNOWN = "没有这个编号的信用修复材料，请核对编号。"
ADD = "add"
LONGEST_SEEN = 5
FIELDS = {"reason-missing": "reason", "text-not-kept": "reason", "repair-step-illegal": "said"}


@require_safe
@signed_in
def repair(request: HttpRequest, account: Account, number: str) -> HttpResponse:
    """One repair of a subject the account may act for; all others are not there."""
    return _page(request, _own(account, number), ())


@require_safe
@signed_in
def repair_file(request: HttpRequest, account: Account, number: str) -> HttpResponse:
    """The file to hand over, as an attachment."""
    _own(account, number)
    try:
        packed = handover_file(number, account=account)
    except XinzhengError as error:
        messages.add_message(request, messages.WARNING, error.message, extra_tags="unver")
        return redirect("repair", number=number)
    disposition = content_disposition_header(as_attachment=True, filename=f"信用修复{number}.zip")
    headers = {"Content-Disposition": disposition or "attachment", "X-Content-Type-Options": "nosniff"}
    return HttpResponse(packed, content_type="application/zip", headers=headers)


def _refuse(request: HttpRequest, _why: str) -> HttpResponse:
    messages.add_message(request, messages.ERROR, too_much(), extra_tags="found")
    return redirect(request.path.removesuffix("/act"))


@limited("evidence", UPLOADS_A_MINUTE)
@sized("XINZHENG_EVIDENCE_TOGETHER_BYTES", _refuse)
@form_on("/repairs/{number}")
@signed_in
def act(request: HttpRequest, account: Account, number: str) -> HttpResponse:
    """Add evidence, or write down what became of it: what the form says."""
    view = _own(account, number)
    if request.POST.get("act") == ADD:
        return _add(request, account, view)
    seen = request.POST.get("seen", "")
    if not (seen.isascii() and seen.isdecimal() and len(seen) < LONGEST_SEEN):
        return _page(request, view, [FieldError("said", "请从页面上的按钮登记。")])
    try:
        say(number, request.POST.get("said", ""), request.POST.get("reason", ""), int(seen), account=account)
    except XinzhengError as error:
        return _page(request, _own(account, number), [FieldError(FIELDS.get(error.code, "said"), error.message)])
    messages.add_message(request, messages.SUCCESS, "进展已登记。", extra_tags="none")
    return redirect("repair", number=number)


def _add(request: HttpRequest, account: Account, view: CaseView) -> HttpResponse:
    files, errors = files_of(request)
    if errors:
        return _page(request, view, errors)
    try:
        count = add_evidence(view.number, files, account=account)
    except XinzhengError as error:
        return _page(request, _own(account, view.number), [FieldError(FIELD, error.message)])
    messages.add_message(request, messages.SUCCESS, f"已添加{count}个凭证文件。", extra_tags="none")
    return redirect("repair", number=view.number)


def _own(account: Account, number: str) -> CaseView:
    try:
        view = case_view(number, today())
    except RedressError as error:
        raise Http404(UNKNOWN) from error
    if refusals_to_prepare_repair(account, view.subject_id):
        raise Http404(UNKNOWN)
    return view


def _page(request: HttpRequest, view: CaseView, errors: Sequence[FieldError]) -> HttpResponse:
    context = {
        "view": view,
        "answer": _answer(view),
        "possible": [(said.value, said.label) for said in view.possible],
        "said": request.POST.get("said", ""),
        "reason": request.POST.get("reason", ""),
        "reason_at_most": REASON_AT_MOST,
        "errors": errors,
        "error_of": by_field(errors),
        "hint": hint(),
        "together": settings.XINZHENG_EVIDENCE_TOGETHER_BYTES,
    }
    return render(request, "repairs/repair.html", context, status=422 if errors else 200)


def _answer(view: CaseView) -> tuple[str, str, str]:
    """Where it stands: icon, sentence, what to do next."""
    if view.now is None:
        return "unver", "这条记录现在不再列示", "不用再申请；需要核对的，可以提出异议。"
    if view.repaired_date is not None and not view.possible:
        return "info", "修复记录已经归集，这条记录已信用修复", "公示和认定的变化见这条记录的指引。"
    said = view.steps[-1].said if view.steps else ""
    return "info", *NEXT[said]


Said = RepairStep.Said
WAIT = "修复结果以修复决定为准；修复记录归集后，这里和报告会自动反映。"
NEXT = {
    "": ("材料已准备好，还没有提交", "下载材料，到“信用中国”网站提交申请，提交后在下面登记。本平台不代为提交。"),
    Said.HANDED_OVER: ("已提交，等待受理", WAIT),
    Said.ACCEPTED: ("已受理，等待结果", WAIT),
    Said.REFUSED: ("没有受理或者没有同意修复", "按理由补正后，可以再次提交；对认定有异议的，向作出决定的单位提出。"),
    Said.GIVEN_UP: ("已不再申请", "以后需要的，可以从记录的指引里重新准备。"),
}
