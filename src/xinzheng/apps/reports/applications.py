"""Applications (申请): asked on a page, fulfilled by a task, followed on a progress page."""

import uuid

from django.db import transaction
from django.db.models import F, OuterRef, Subquery
from django.utils import timezone

from xinzheng.apps.accounts.models import Account
from xinzheng.apps.reports.issuing import Order, issue_report
from xinzheng.apps.reports.models import Application, ApplicationState, Report
from xinzheng.apps.reports.serialising import request_from_json, request_to_json
from xinzheng.core.decision import Request
from xinzheng.core.errors import XinzhengError

BROKEN = "出具时发生了内部错误，没有占用报告编号以外的任何资源。请稍后重试；再次失败的，请联系信用办并提供申请号。"


def submit_application(
    *, account: Account, subject_id: int, policy_id: str, request: Request, key: uuid.UUID
) -> Application:
    """Record the application and queue it; the same key gives back the same application.

    Raises ``idempotency-key-reused`` when the key belongs to another application.
    """
    with transaction.atomic():
        application, is_new = Application.objects.get_or_create(
            id=key,
            defaults={
                "subject_id": subject_id,
                "policy_id": policy_id,
                "request": request_to_json(request),
                "account_id": account.pk,
            },
        )
        asked = (subject_id, account.pk, policy_id, request_to_json(request))
        known = (application.subject_id, application.account_id, application.policy_id, application.request)
        if known != asked:
            raise XinzhengError("同一申请号已经用于另一份申请，请回到申请页重新提交。", code="idempotency-key-reused")
        if is_new:
            _enqueue(application)
    return application


def retry_application(application: Application) -> Application:
    """Queue a failed application again under the same key, so that no second report can come of it."""
    with transaction.atomic():
        failed = Application.objects.filter(pk=application.pk, state=ApplicationState.FAILED)
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
