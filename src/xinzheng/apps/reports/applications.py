"""Applications (申请): asked on a page, fulfilled by a task, followed on a progress page."""

import uuid
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.db import transaction
from django.db.models import F, OuterRef, Subquery
from django.utils import timezone

from xinzheng.apps.accounts.models import Account
from xinzheng.apps.accounts.permissions import refusals_to_apply
from xinzheng.apps.audit.actions import About, record_event
from xinzheng.apps.audit.privacy import text_to_keep
from xinzheng.apps.reports.daily_limits import keep_within_limit
from xinzheng.apps.reports.issuing import Order, issue_report
from xinzheng.apps.reports.models import Application, ApplicationState, Report
from xinzheng.apps.reports.serialising import request_from_json, request_to_json
from xinzheng.core.decision import Request, china_date
from xinzheng.core.errors import XinzhengError

BROKEN = "出具时发生了内部错误，没有占用报告编号以外的任何资源。请稍后重试；再次失败的，请联系信用办并提供申请号。"


@dataclass(frozen=True, slots=True)
class Applying:
    """What is applied for, by whom and for which subject.

    ``receiver_name``: the body it is meant for, as typed, or empty. ``again_of``: the number of the report that is
    made again with the same scope. ``client_id``: the platform through which it came. ``told``: what stands for the
    policy's exceptions (不能代替的情形) that were shown before it was made; kept in the event.
    """

    account: Account
    subject_id: int
    policy_id: str
    request: Request
    receiver_name: str = ""
    again_of: str = ""
    client_id: str = ""
    told: str = ""


class ApplicationError(XinzhengError):
    """The application cannot be taken; the message says why."""

    code = "application-refused"


def submit_application(applying: Applying, key: uuid.UUID) -> Application:
    """Record the application and queue it; the same key gives back the same application.

    Raises:
        ApplicationError: ``application-refused``: the account may not apply for the subject, or ``again_of`` is not
            the subject's; ``idempotency-key-reused``: the key belongs to another application.
        DailyLimitError: the subject has applied as often as it may today.
        UnkeepableTextError: the receiver's name is too long or holds a person's number.
    """
    asked = _row(applying)
    with transaction.atomic():
        known = Application.objects.filter(pk=key).first()
        if known is None:
            _check(applying, key)
            known, is_new = Application.objects.get_or_create(id=key, defaults=asked)
            if is_new:
                _tell(known, applying)
                _enqueue(known)
        if {field: getattr(known, field) for field in asked} != asked:
            raise ApplicationError(
                "同一申请号已经用于另一份申请，请回到申请页重新提交。", code="idempotency-key-reused"
            )
    return known


def _row(applying: Applying) -> dict[str, Any]:
    return {
        "subject_id": applying.subject_id,
        "policy_id": applying.policy_id,
        "request": request_to_json(applying.request),
        "receiver_name": text_to_keep(applying.receiver_name, field="要求提交证明的单位"),
        "again_of": applying.again_of,
        "client_id": applying.client_id,
        "account_id": applying.account.pk,
    }


def _check(applying: Applying, key: uuid.UUID) -> None:
    refusals = refusals_to_apply(applying.account, applying.subject_id)
    if refusals:
        raise ApplicationError("\n".join(refusals))
    if applying.again_of:
        own = Report.objects.filter(pk=applying.again_of, subject_id=applying.subject_id)
        if not own.exists():
            raise ApplicationError("本主体没有这份报告，不能按它的范围再次出具。")
    wanted = Application(id=key, subject_id=applying.subject_id, policy_id=applying.policy_id)
    keep_within_limit(wanted, china_date(timezone.now()))


def _tell(application: Application, applying: Applying) -> None:
    facts = {
        "policy": applying.policy_id,
        "purpose": applying.request.purpose,
        "again_of": applying.again_of,
        "client": applying.client_id,
        "told": applying.told,
    }
    record_event(
        who=applying.account.actor,
        action="application-submitted",
        object_kind="application",
        object_id=application.pk,
        details=About(applying.subject_id, details={name: said for name, said in facts.items() if said}),
    )


@dataclass(frozen=True, slots=True)
class ApplicationRow:
    """An application as its subject finds it again (申请记录)."""

    id: uuid.UUID
    policy_id: str
    purpose: str | None
    receiver_name: str
    state: str
    number: str | None
    again_of: str
    created_at: datetime


def applications_of(subject_id: int, *, before: datetime | None = None, limit: int = 50) -> list[ApplicationRow]:
    """A subject's applications, newest first, those made before a moment."""
    found = Application.objects.filter(subject_id=subject_id)
    if before is not None:
        found = found.filter(created_at__lt=before)
    return [
        ApplicationRow(
            row.pk, row.policy_id, row.request.get("purpose"), row.receiver_name, row.state, row.number,
            row.again_of, row.created_at,
        )
        for row in found.order_by("-created_at")[:limit]
    ]  # fmt: skip


def receiver_of(number: str) -> str:
    """The body that a report was applied for, as it was named; empty where nobody was."""
    keys = Report.objects.filter(pk=number).values("idempotency_key")
    return Application.objects.filter(pk__in=keys).values_list("receiver_name", flat=True).first() or ""


def retry_application(application: Application) -> Application:
    """Queue a failed application again under the same key, so that no second report can come of it.

    Raises:
        DailyLimitError: the subject has applied as often as it may on that day, without this one.
    """
    with transaction.atomic():
        failed = Application.objects.filter(pk=application.pk, state=ApplicationState.FAILED)
        if failed.exists():
            keep_within_limit(application, china_date(application.created_at))
        if failed.update(state=ApplicationState.QUEUED, message=""):
            _enqueue(application)
    return application


def _enqueue(application: Application) -> None:
    from xinzheng.apps.reports.tasks import fulfil

    fulfil.defer(application_id=str(application.pk))


def fulfil_application(application_id: uuid.UUID | str) -> Application:
    """Issue what was applied for and say how it went; what fails is kept with its reason and can be tried again."""
    application = Application.objects.get(pk=application_id)
    if application.state == ApplicationState.DONE:
        return application
    try:
        report = issue_report(_order(application))
    except XinzhengError as error:
        return _advance(application, ApplicationState.FAILED, message=error.message)
    except Exception:
        _advance(application, ApplicationState.FAILED, message=BROKEN)
        raise
    return _advance(application, ApplicationState.DONE, number=report.number)


def follow_reports() -> int:
    """Let applications that failed on the way follow their reports, which were numbered then and are completed now.

    How many changed. A report's idempotency key is its application's id.
    """
    failed = Application.objects.filter(state=ApplicationState.FAILED)
    numbered = Report.objects.filter(idempotency_key=OuterRef("pk"), document__isnull=False).values("number")
    done = failed.annotate(issued=Subquery(numbered)).filter(issued__isnull=False)
    return done.update(state=ApplicationState.DONE, number=F("issued"), message="", updated_at=timezone.now())


def _order(application: Application) -> Order:
    return Order(
        policy_id=application.policy_id,
        subject_id=application.subject_id,
        request=request_from_json(application.request),
        by=f"account:{application.account_id}",
        key=application.pk,
        on_stage=lambda stage: _show_stage(application, stage),
    )


def _show_stage(application: Application, stage: str) -> None:
    _advance(application, ApplicationState(stage))


def _advance(
    application: Application, state: ApplicationState, *, message: str = "", number: str | None = None
) -> Application:
    application.state, application.message, application.number = state, message, number
    application.save(update_fields=["state", "message", "number", "updated_at"])
    return application
