"""Apply for a report with one click, and watch it being made."""

import uuid
from collections.abc import Sequence
from dataclasses import dataclass, replace

from django.contrib import messages
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseRedirect
from django.shortcuts import redirect, render
from django.utils import timezone
from django.views.decorators.http import require_http_methods, require_safe
from django_htmx.http import HttpResponseClientRedirect

from xinzheng.apps.accounts.models import Account
from xinzheng.apps.accounts.permissions import refusals_to_apply
from xinzheng.apps.reports.applications import Applying, retry_application, submit_application
from xinzheng.apps.reports.daily_limits import DailyLimitError, left_today
from xinzheng.apps.reports.forms import ApplicationForm, application_form, open_policies, told_of
from xinzheng.apps.reports.models import Application, ApplicationState
from xinzheng.core.decision import china_date
from xinzheng.core.errors import XinzhengError
from xinzheng.web.access import form_on, refuse_if, signed_in
from xinzheng.web.form_errors import FieldError, by_field
from xinzheng.web.subjects.access import own_subject
from xinzheng.web.subjects.request_form import Asked, preset, read_request
from xinzheng.web.subjects.same_scope import recognised

STEPS = (
    (ApplicationState.QUEUED, "受理申请"),
    (ApplicationState.DECIDING, "逐个领域核查"),
    (ApplicationState.REHEARSING, "生成报告并预检"),
    (ApplicationState.SIGNING, "签名盖章"),
)
SLOW_SECONDS = 20


@dataclass(frozen=True)
class Shown:
    """What the page shows: for whom, the form, which policies else, what was asked, what has to be mended.

    ``changed``: what cannot be as it was in the report that is asked for again.
    """

    subject_id: int
    form: ApplicationForm
    offered: list[tuple[str, str]]
    asked: Asked | None = None
    errors: Sequence[FieldError] = ()
    changed: Sequence[str] = ()


@require_http_methods(["GET", "HEAD", "POST"])
@signed_in
def apply(request: HttpRequest, account: Account) -> HttpResponse:
    """Show the preset form; on POST queue the application and go to its progress page."""
    subject_id = own_subject(account)
    offered = open_policies(subject_id)
    if not offered:
        return render(request, "subjects/apply_none.html", {})
    wanted = request.POST.get("policy") or request.GET.get("policy", "")
    policy_id = wanted if wanted in dict(offered) else offered[0][0]
    form = application_form(policy_id, subject_id)
    if request.method != "POST":
        return form_page(request, Shown(subject_id, form, offered))
    asked = recognised(form, read_request(form, request.POST), request.POST.get("again_of", ""), subject_id)
    if wanted and wanted != policy_id:
        gone = FieldError("main", "原来选的政策现在不能申请。下面是可以申请的，请核对后再点“出具报告”。")
        return form_page(request, Shown(subject_id, form, offered, None, (gone,)))
    if asked.errors:
        return form_page(request, Shown(subject_id, form, offered, asked, asked.errors))
    return _submit(request, account, Shown(subject_id, form, offered, asked), asked)


def _submit(request: HttpRequest, account: Account, shown: Shown, asked: Asked) -> HttpResponse:
    applying = Applying(
        account,
        shown.subject_id,
        shown.form.policy_id,
        asked.request,
        asked.receiver_name,
        asked.again_of,
        told=asked.told,
    )
    try:
        application = submit_application(applying, asked.key)
    except XinzhengError as error:
        return form_page(request, replace(shown, errors=(FieldError("main", error.message),)))
    return redirect("application", application_id=application.pk)


def form_page(request: HttpRequest, shown: Shown) -> HttpResponse:
    """The form as it is to be filled in, or mended."""
    form, asked = shown.form, shown.asked
    values = asked.values if asked else preset(form)
    purposes = {code: name for code, name, _ in form.purposes}
    context = {
        "form": form,
        "offered": shown.offered,
        "values": values,
        "purpose_name": purposes[str(values["purpose"])],
        "key": asked.key if asked else uuid.uuid4(),
        "errors": shown.errors,
        "error_of": by_field(shown.errors),
        "told": told_of(form),
        "again_of": asked.again_of if asked else "",
        "changed": shown.changed,
        "left": left_today(shown.subject_id, form.policy_id, china_date(timezone.now())),
    }
    return render(request, "subjects/apply.html", context, status=422 if shown.errors else 200)


@require_safe
@signed_in
def application(request: HttpRequest, account: Account, application_id: uuid.UUID) -> HttpResponse:
    """Show how far an application has come; go on to the report when it is done."""
    found = _own_application(account, application_id)
    asks_for_part = bool(getattr(request, "htmx", False))
    if found.state == ApplicationState.DONE and found.number:
        address = f"/reports/{found.number}"
        return HttpResponseClientRedirect(address) if asks_for_part else HttpResponseRedirect(address)
    template = "subjects/progress_part.html" if asks_for_part else "subjects/progress.html"
    return render(request, template, _progress(found))


@form_on("/applications/{application_id}")
@signed_in
def retry(request: HttpRequest, account: Account, application_id: uuid.UUID) -> HttpResponse:
    """Try a failed application again under the same key."""
    found = _own_application(account, application_id)
    try:
        retry_application(found)
    except DailyLimitError as error:
        messages.add_message(request, messages.WARNING, error.message, extra_tags="unver")
    else:
        messages.add_message(request, messages.INFO, "已重新受理。", extra_tags="info")
    return redirect("application", application_id=found.pk)


def _own_application(account: Account, application_id: uuid.UUID) -> Application:
    found = Application.objects.filter(pk=application_id).first()
    if found is None:
        raise Http404("没有这份申请。")
    refuse_if(refusals_to_apply(account, found.subject_id))
    return found


def _progress(found: Application) -> dict[str, object]:
    order = [state for state, _ in STEPS]
    now = order.index(ApplicationState(found.state)) if found.state in order else -1
    waited = (timezone.now() - found.created_at).total_seconds()
    return {
        "application": found,
        "steps": [(label, "done" if i < now else "now" if i == now else "later") for i, (_, label) in enumerate(STEPS)],
        "has_failed": found.state == ApplicationState.FAILED,
        "is_slow": waited > SLOW_SECONDS,
    }
