"""The reports of whom the platform acts for: the list, one report, its signed file, who looked at it."""

from base64 import b64encode
from hashlib import sha256
from http import HTTPStatus
from typing import Annotated, Any

from django.http import HttpRequest, HttpResponse
from django.urls import reverse
from django.utils.http import urlencode
from ninja import Path, Query, Router

from xinzheng.api.platforms import PerPlatform, PlatformCaller, PlatformToken
from xinzheng.api.v1.downloads import downloads
from xinzheng.api.v1.platform.acting import acting_for, own_report, subject_name, subject_named, unfit
from xinzheng.api.v1.platform.applying_schemas import SubjectName
from xinzheng.api.v1.platform.report_schemas import (
    FindingAnswer,
    InPath,
    LookAnswer,
    Number,
    ReportAnswer,
    ReportRowAnswer,
    ReportsAnswer,
    StatusEventAnswer,
    ViewAnswer,
    ViewsAnswer,
)
from xinzheng.api.v1.refusals import refuses
from xinzheng.apps.accounts.permissions import (
    refusals_to_read_report,
    refusals_to_see_reports,
    refusals_to_see_views,
)
from xinzheng.apps.audit.actions import About, record_event
from xinzheng.apps.codes.batch_queries import receiver_names
from xinzheng.apps.codes.view_queries import looks_on_duty, views_of
from xinzheng.apps.reports.look_queries import looks_of
from xinzheng.apps.reports.queries import FindingView, report_pdf, report_view, reports_before
from xinzheng.core.errors import XinzhengError

MOST = 100
READ, VIEWS = "reports:read", "views"

router = Router(tags=["platform"])
throttle: list[Any] = [PerPlatform()]


@router.get(
    "/reports",
    auth=PlatformToken(),
    throttle=throttle,
    response=ReportsAnswer,
    operation_id="listReports",
    summary="逐页列出一个主体的报告",
    description="须代表用户，权限 reports:read。最新的在前，网页申请的也在内。",
    url_name="platform-reports",
)
def reports(
    request: HttpRequest,
    subject: Annotated[SubjectName, Query()],
    before: Annotated[Number | None, Query(description="上一页 next 中的位置")] = None,
    limit: Annotated[int, Query(ge=1, le=MOST)] = 20,
) -> ReportsAnswer:
    """A page of the subject's reports."""
    caller, account = acting_for(request, READ)
    subject_id = subject_named(account, subject, refusals_to_see_reports)
    try:
        rows = reports_before(subject_id, before, limit + 1)
    except XinzhengError as error:
        raise unfit([("before", "不是上一页 next 中的位置。")], "query") from error
    named, following = subject_name(account, subject_id), None
    if len(rows) > limit:
        more = urlencode({"subject": named, "before": rows[limit - 1].number, "limit": str(limit)})
        following = f"{reverse('interface-1:platform-reports')}?{more}"
    _tell_of_list(caller, subject_id)
    return ReportsAnswer(
        subject=named,
        reports=[
            ReportRowAnswer.model_validate(
                {
                    "number": row.number,
                    "policy": row.policy_id,
                    "policy_title": row.policy_title,
                    "report_title": row.report_title,
                    "as_of": row.as_of,
                    "outcome": row.outcome,
                    "conclusion": row.conclusion,
                    "purpose": row.purpose,
                    "status": row.status,
                }
            )
            for row in rows[:limit]
        ],
        next=following,
    )


@router.get(
    "/reports/{number}",
    auth=PlatformToken(),
    throttle=throttle,
    response=ReportAnswer,
    operation_id="readReport",
    summary="查看一份报告的内容、状态和逐条认定",
    description="须代表用户，权限 reports:read。",
    url_name="platform-report",
)
def report(request: HttpRequest, number: Path[InPath]) -> ReportAnswer:
    """One report."""
    caller, account = acting_for(request, READ)
    own_report(account, number, refusals_to_read_report)
    view = report_view(number)
    _tell(caller, "report-read", number, view.subject_id)
    events = [
        StatusEventAnswer.model_validate({"at": e.at, "status": e.status, "words": e.words, "reason": e.reason})
        for e in view.status_events
    ]
    return ReportAnswer.model_validate(
        {
            "number": view.number,
            "subject": subject_name(account, view.subject_id),
            "policy": view.policy_id,
            "outcome": view.outcome,
            "status": view.status,
            "status_words": view.status_words,
            "status_events": events,
            "has_file": view.has_document,
            "content": view.content,
            "findings": [_finding(finding) for finding in view.findings],
        }
    )


def _finding(finding: FindingView) -> FindingAnswer:
    return FindingAnswer.model_validate(
        {
            "effect": finding.effect,
            "title": finding.title,
            "domain_name": finding.domain_name,
            "facts": dict(finding.facts),
            "sentence": finding.sentence,
            "citation": finding.citation,
        }
    )


@router.get(
    "/reports/{number}/file",
    auth=PlatformToken(),
    throttle=throttle,
    operation_id="downloadReport",
    summary="下载签名的报告文件",
    description="须代表用户，权限 reports:read。Repr-Digest 头是它的 SHA-256。还没有生成的，答复409。",
    openapi_extra=downloads("报告文件（PDF）", "application/pdf", has_digest=True)
    | refuses({HTTPStatus.CONFLICT: ("report-not-finished",)}),
)
def file(request: HttpRequest, number: Path[InPath]) -> HttpResponse:
    """The signed file."""
    caller, account = acting_for(request, READ)
    found = own_report(account, number, refusals_to_read_report)
    data = report_pdf(number)
    _tell(caller, "report-downloaded", number, found.subject_id)
    response = HttpResponse(data, content_type="application/pdf")
    response.headers["Content-Disposition"] = f'attachment; filename="{number}.pdf"'
    response.headers["Repr-Digest"] = f"sha-256=:{b64encode(sha256(data).digest()).decode()}:"
    return response


@router.get(
    "/reports/{number}/views",
    auth=PlatformToken(),
    throttle=throttle,
    response=ViewsAnswer,
    operation_id="listViews",
    summary="谁看过这份报告的内容，谁核验过",
    description="须代表用户，权限 views。最新的在前：内容至多150条，核验至多50条。",
)
def views(request: HttpRequest, number: Path[InPath]) -> ViewsAnswer:
    """Who looked."""
    caller, account = acting_for(request, VIEWS)
    found = own_report(account, number, refusals_to_see_views)
    rows = sorted(views_of(number=number) + looks_on_duty(number), key=lambda row: row.at, reverse=True)
    seen = looks_of(number, receiver_names)
    _tell(caller, "views-listed", number, found.subject_id)
    return ViewsAnswer(
        number=number,
        views=[
            ViewAnswer(
                at=row.at, who=row.who, known_by=row.known_by, purpose=row.purpose,
                place=row.place, device=row.device, way=row.way, code=row.share_id,
            )
            for row in rows
        ],
        verifications=[
            LookAnswer.model_validate({"at": look.at, "who": look.who, "way": look.way, "status": look.status})
            for look in seen.newest
        ],
        verifications_total=seen.total,
    )  # fmt: skip


def _tell_of_list(caller: PlatformCaller, subject_id: int) -> None:
    about = About(subject_id)
    record_event(who=caller.actor, action="reports-listed", object_kind="subject", object_id=subject_id, details=about)


def _tell(caller: PlatformCaller, action: str, number: str, subject_id: int) -> None:
    about = About(subject_id)
    record_event(who=caller.actor, action=action, object_kind="report", object_id=number, details=about)
