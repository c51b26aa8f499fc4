"""The desk of objections (异议受理): the credit office takes in, declines, asks for more, and reviews appeals."""

from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType

from django.contrib import messages
from django.db import transaction
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils import timezone
from django.utils.http import urlencode
from django.views.decorators.http import require_safe

from xinzheng.adapters.workbook_out import Column, Sheet, write_workbook
from xinzheng.apps.accounts.models import Account
from xinzheng.apps.audit.actions import record_event
from xinzheng.apps.redress.clock import today
from xinzheng.apps.redress.handling import REASON_AT_MOST, Doing, moves_for, take_step
from xinzheng.apps.redress.permissions import refusals_to_take_in_objections
from xinzheng.apps.redress.queries import Listed, ObjectionRow, ObjectionView, objection_by_number, rows_of
from xinzheng.apps.redress.terms import terms_of
from xinzheng.core.errors import XinzhengError
from xinzheng.core.objections import OPEN, Act, State
from xinzheng.web.access import form_on, refuse_if, signed_in
from xinzheng.web.form_errors import by_field
from xinzheng.web.objections.acting import (
    CHECK,
    EDIT,
    MAIN,
    NOT_REFUSED,
    NUMBER,
    ActForm,
    Refused,
    number_in,
    refused,
    seen_in,
    unfit,
    units_for,
    view_of,
    was_done,
)
from xinzheng.web.objections.cases import CaseRow, case_context, case_rows, record_now
from xinzheng.web.objections.clock_view import NEAR, OVER, clock_view

PAGE = 50
MOST = 5_000
XLSX = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"
CLOSED = frozenset(State) - OPEN
FOR_THE_OFFICE = frozenset({State.INTAKE, State.APPEALED})
SHOWS: Mapping[str, str] = MappingProxyType(
    {"": "全部在办", "office": "待信用办办理", "late": "已超期", "soon": "快到期", "closed": "已办结", "all": "全部"}
)
DONE: Mapping[Act, str] = MappingProxyType(
    {
        Act.ACCEPT: "已受理，交单位核实；申请人和单位会收到通知。",
        Act.DECLINE: "已记录为不予受理；申请人会看到理由。",
        Act.ASK: "已请申请人补充；等待的日子不计入时限。",
        Act.REMAND: "已退回重新核实；申请人和单位会收到通知。",
        Act.CONFIRM: "已维持原结果，办理结束。",
    }
)
COLUMNS = (
    Column("编号", 18), Column("主体", 36), Column("统一社会信用代码", 22), Column("事由", 18), Column("记录", 48),
    Column("环节", 14), Column("办理单位", 24), Column("提出时间（北京时间）", 22), Column("时限情况", 28),
    Column("到期", 18),
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class Chosen:
    """What the list is narrowed to (筛选): what to show, and the unit it lies with."""

    show: str
    unit: int | None

    @property
    def query(self) -> str:
        """Behind the question mark."""
        return urlencode({"show": self.show, "unit": self.unit or ""})


def _chosen(request: HttpRequest) -> Chosen:
    show = request.GET.get("show", "")
    return Chosen(show if show in SHOWS else "", number_in(request.GET.get("unit", "")))


def _rows(chosen: Chosen) -> list[ObjectionRow]:
    states = {"office": FOR_THE_OFFICE, "closed": CLOSED, "all": None}.get(chosen.show, OPEN)
    rows = rows_of(Listed(unit_id=chosen.unit, states=states, limit=MOST), today())
    kind = {"late": OVER, "soon": NEAR}.get(chosen.show)
    return rows if kind is None else [row for row in rows if (drawn := clock_view(row.clock)) and drawn.kind == kind]


@require_safe
@signed_in
def office_objections(request: HttpRequest, account: Account) -> HttpResponse:
    """All of them, late first, then what is due soon; a number asked for opens that one."""
    refuse_if(refusals_to_take_in_objections(account))
    asked = request.GET.get("number", "").strip().upper()
    if NUMBER.fullmatch(asked):
        return redirect("office-objection", number=asked)
    chosen, start = _chosen(request), number_in(request.GET.get("from", "")) or 0
    rows, open_rows = _rows(chosen), rows_of(Listed(limit=MOST), today())
    context = {
        "rows": case_rows(rows[start : start + PAGE]),
        "total": len(rows),
        "next": start + PAGE if len(rows) > start + PAGE else None,
        "is_later": start > 0,
        "chosen": chosen,
        "shows": SHOWS.items(),
        "units": sorted({(row.unit_id, row.unit_name) for row in open_rows if row.unit_id is not None}),
        "open": len(open_rows),
        "waiting": sum(row.state in FOR_THE_OFFICE for row in open_rows),
        "late": sum(row.clock is not None and row.clock.is_over for row in open_rows),
        "number": asked,
    }
    return render(request, "office/objections.html", context)


@require_safe
@signed_in
def office_objections_table(request: HttpRequest, account: Account) -> HttpResponse:
    """The list as it is narrowed, as a workbook."""
    refuse_if(refusals_to_take_in_objections(account))
    chosen = _chosen(request)
    rows = [_cells(row) for row in case_rows(_rows(chosen))]
    _note_export(account, chosen, len(rows))
    lines = (f"异议清单：{SHOWS[chosen.show]}", f"截至{timezone.localtime():%Y-%m-%d %H:%M}，{len(rows)}件")
    response = HttpResponse(write_workbook([Sheet("异议", lines, COLUMNS, rows)]), content_type=XLSX)
    response.headers["Content-Disposition"] = f'attachment; filename="objections-{today():%Y%m%d}.xlsx"'
    return response


@transaction.atomic
def _note_export(account: Account, chosen: Chosen, count: int) -> None:
    said = {"show": chosen.show, "unit": chosen.unit, "rows": count}
    record_event(
        who=account.actor, action="objections-exported", object_kind="objection", object_id="list", details=said
    )


def _cells(row: CaseRow) -> list[str]:
    return [
        row.number, row.subject, row.identifier, row.ground, row.what, row.state, row.unit_name,
        f"{timezone.localtime(row.lodged_at):%Y-%m-%d %H:%M}", row.clock.words if row.clock else "已办结",
        row.clock.due if row.clock else "",
    ]  # fmt: skip


def latest_objections(count: int) -> tuple[list[CaseRow], int]:
    """The most urgent open ones for another page of the office's, and how many there are."""
    rows = rows_of(Listed(limit=MOST), today())
    return case_rows(rows[:count]), len(rows)


@require_safe
@signed_in
def office_objection(request: HttpRequest, account: Account, number: str) -> HttpResponse:
    """One objection with what the office can do now."""
    refuse_if(refusals_to_take_in_objections(account))
    return _page(request, account, view_of(number), NOT_REFUSED)


@form_on("/office/objections/{number}")
@signed_in
def act(request: HttpRequest, account: Account, number: str) -> HttpResponse:
    """Do what the form says; what ends it for good is shown once more before."""
    refuse_if(refusals_to_take_in_objections(account))
    view, seen = view_of(number), seen_in(request)
    chosen = next((known for known in DONE if known == request.POST.get("act")), None)
    if chosen is None:
        return _page(request, account, view, unfit(MAIN, "请从页面上的按钮办理。"))
    stage, reason = request.POST.get("stage", ""), request.POST.get("reason", "")
    if stage == EDIT:
        return _page(request, account, view, NOT_REFUSED)
    if stage == CHECK and view.seq == seen and reason.strip():
        return _check(request, view, chosen, reason)
    doing = Doing(number, seen, chosen, reason=reason, unit_id=number_in(request.POST.get("unit", "")))
    try:
        take_step(doing, account=account)
    except XinzhengError as error:
        if not was_done(view, seen, chosen, account):
            return _page(request, account, view_of(number), refused(error, chosen))
    messages.add_message(request, messages.SUCCESS, DONE[chosen], extra_tags="none")
    return redirect("office-objection", number=number)


def _check(request: HttpRequest, view: ObjectionView, chosen: Act, reason: str) -> HttpResponse:
    context = {
        "view": view,
        "address": f"/office/objections/{view.number}",
        "title": "维持原结果？",
        "note": "维持以后办理结束，申请人不能再次申请复核；有新的情况，申请人可以重新提出异议。",
        "facts": [("理由", reason)],
        "kept": [("act", chosen.value), ("seen", view.seq), ("reason", reason)],
        "changes": (),
        "button": "确认维持",
        "errors": (),
    }
    return render(request, "objections/check.html", context)


def _page(request: HttpRequest, account: Account, view: ObjectionView, answer: Refused) -> HttpResponse:
    objection = objection_by_number(view.number)
    acts = [move.act for move in moves_for(view.possible, objection, view.unit_id, account)]
    forms = _forms(view, acts, terms_of(objection).terms.appeal_within)
    tried, reason = request.POST.get("act", ""), request.POST.get("reason", "")
    context = case_context(view, record_now(view)) | {
        "forms": forms,
        "tried": tried,
        "reason": reason,
        "unit": number_in(request.POST.get("unit", "")),
        "lost": [("理由", reason)] if reason and tried not in {form.act for form in forms} else [],
        "reason_at_most": REASON_AT_MOST,
        "is_conflict": answer.is_conflict,
        "errors": answer.errors,
        "error_of": by_field(answer.errors),
    }
    return render(request, "office/objection.html", context, status=answer.status)


def _forms(view: ObjectionView, acts: list[Act], appeal_within: int) -> list[ActForm]:
    units = units_for(view)
    known = {
        Act.ACCEPT: ActForm(
            "accept", "受理", "受理后由所选单位核实并答复；是针对已有记录的，报告里注明“异议处理中”，是否计入不变。",
            "受理，交单位核实", units=units, is_main=True,
        ),
        Act.ASK: ActForm(
            "ask", "要求补充", "等补充的日子不计入时限；到期没有补充的，自动终止，申请人可以重新提出。",
            "请申请人补充", reason="要补充什么，为什么",
        ),
        Act.DECLINE: ActForm(
            "decline", "不予受理", f"申请人会看到理由，{appeal_within}个工作日内可以申请一次复核。",
            "不予受理", reason="理由",
        ),
        Act.REMAND: ActForm(
            "remand", "退回重新核实", "由所选单位重新核实，在复核的时限内答复申请人。",
            "退回重新核实", reason="理由和要求", units=units, is_main=True,
        ),
        Act.CONFIRM: ActForm(
            "confirm", "维持原结果", "维持以后办理结束，不能再复核。下一步再确认一次。", "下一步：核对后维持",
            reason="理由", is_checked=True,
        ),
    }  # fmt: skip
    return [form for one, form in known.items() if one in acts]
