"""Upholding an objection from the unit's page (异议成立): filled in, shown once more with what changes, then done."""

from dataclasses import replace

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render

from xinzheng.apps.accounts.models import Account
from xinzheng.apps.redress.models import Correction
from xinzheng.apps.redress.upholding import Upholding, uphold
from xinzheng.core.errors import XinzhengError
from xinzheng.core.objections import Act
from xinzheng.web.departments.correction_form import column_errors, correction_form
from xinzheng.web.departments.objection_page import Case, objection_page, refused_page
from xinzheng.web.departments.upholding_ways import WAYS, Way
from xinzheng.web.form_errors import FieldError
from xinzheng.web.objections.acting import (
    DO,
    EDIT,
    MAIN,
    NOT_REFUSED,
    UNFIT,
    Refused,
    number_in,
    refused,
    seen_in,
    unfit,
    was_done,
)

UPHELD = "已办结：异议成立，{}。申请人会收到通知，受影响的报告几分钟内改为“已更正”。"


def uphold_by_form(request: HttpRequest, account: Account, case: Case) -> HttpResponse:
    """Take the form of a way: back to it, shown for the last look, or done."""
    way = WAYS.get(case.way)
    if way is None:
        return objection_page(request, account, replace(case, answer=unfit(MAIN, "请从页面上的按钮办理。")))
    row = case.record.row if case.record else None
    form = correction_form(row, request.POST) if way.has_columns and row is not None else None
    case, stage = replace(case, form=form), request.POST.get("stage", "")
    if stage == EDIT:
        return objection_page(request, account, case)
    has_moved_on = seen_in(request) != case.view.seq
    errors = () if has_moved_on else _incomplete(request, case, way)
    if errors:
        return objection_page(request, account, replace(case, answer=Refused(errors, UNFIT)))
    # Who looked at an older step is told so before the last look, not after it.
    return _do(request, account, case) if stage == DO or has_moved_on else _check(request, case, NOT_REFUSED)


def _incomplete(request: HttpRequest, case: Case, way: Way) -> tuple[FieldError, ...]:
    """What has to be filled in before it makes sense to look once more."""
    found = []
    if way.has_columns and case.form is not None and not case.form.changed:
        message = "还没有改动任何一栏。请改正有误的栏目；原内容无误的，请办理为异议不成立。"
        found.append(FieldError(f"{way.name}-columns", message))
    if way.has_batch and number_in(request.POST.get("batch", "")) is None:
        found.append(FieldError(f"{way.name}-batch", "请填写批次号，只填数字，在“报送记录”里可以查到。"))
    if not request.POST.get("reason", "").strip():
        found.append(FieldError(f"{way.name}-reason", "请写明理由，申请人和信用办会看到。"))
    return tuple(found)


def _do(request: HttpRequest, account: Account, case: Case) -> HttpResponse:
    way, seen = WAYS[case.way], seen_in(request)
    has_row = case.record is not None and case.record.row is not None
    upholding = Upholding(
        case.view.number, seen, way.what, request.POST.get("reason", ""),
        values=case.form.values if case.form is not None else None,
        batch_id=number_in(request.POST.get("batch", "")) if way.has_batch else None,
        seen_version=(number_in(request.POST.get("version", "")) or 0) if has_row else None,
    )  # fmt: skip
    try:
        uphold(upholding, account=account)
    except XinzhengError as error:
        if not _was_upheld_so(case, seen, account):
            return _refused(request, account, case, error)
    messages.add_message(request, messages.SUCCESS, UPHELD.format(way.what.label), extra_tags="none")
    return redirect("department-objection", number=case.view.number)


def _was_upheld_so(case: Case, seen: int, account: Account) -> bool:
    """Whether the same form was sent twice; who chose another way in another window is told that it was not done."""
    step = {"step__objection__number": case.view.number, "step__seq": seen + 1, "what": WAYS[case.way].what}
    return was_done(case.view, seen, Act.UPHOLD, account) and Correction.objects.filter(**step).exists()


def _refused(request: HttpRequest, account: Account, case: Case, error: XinzhengError) -> HttpResponse:
    """What is said: at the columns, at the last look where trying again is all there is to do, else on the page."""
    answer = refused(error, case.way)
    if error.code == "ledger-busy":
        return _check(request, case, answer)
    if error.code == "correction-rejected" and case.form is not None:
        answer = Refused(column_errors(case.form, error, f"{case.way}-columns"), UNFIT)
    return refused_page(request, account, case, answer)


def _check(request: HttpRequest, case: Case, answer: Refused) -> HttpResponse:
    """The last look: what changes, what follows from it, and the button."""
    way, reason, batch = WAYS[case.way], request.POST.get("reason", ""), request.POST.get("batch", "")
    typed = [(f"f-{column.id}", column.value) for column in case.form.columns] if case.form else []
    facts = [("更正方式", way.title), *([("批次", batch)] if way.has_batch else []), ("理由", reason)]
    context = {
        "view": case.view,
        "address": f"/department/objections/{case.view.number}",
        "title": f"{way.what.label}，办结这件异议？",
        "note": way.after,
        "facts": facts,
        "changes": case.form.changed if case.form else [],
        "kept": [
            ("act", way.name), ("seen", request.POST.get("seen", "")), ("version", request.POST.get("version", "")),
            ("reason", reason), ("batch", batch), *typed,
        ],
        "button": f"确认{way.what.label}，办结",
        "errors": answer.errors,
    }  # fmt: skip
    return render(request, "objections/check.html", context, status=answer.status)
