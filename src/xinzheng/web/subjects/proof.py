"""The inclusion proof beside a report (收录证明), for its subject and the office."""

from django.contrib import messages
from django.http import Http404, HttpRequest, HttpResponse, JsonResponse
from django.shortcuts import redirect
from django.views.decorators.http import require_safe

from xinzheng.apps.accounts.models import Account
from xinzheng.apps.accounts.permissions import refusals_to_read_report
from xinzheng.apps.audit.actions import record_event
from xinzheng.apps.audit.log_queries import proofs_about
from xinzheng.apps.reports.queries import report_view
from xinzheng.core.errors import XinzhengError
from xinzheng.core.inclusion import proof_document
from xinzheng.web.access import refuse_if, signed_in

NOT_YET = "这份报告还没有收录进透明日志，请一分钟后再下载收录证明。"


@require_safe
@signed_in
def report_proof(request: HttpRequest, account: Account, number: str) -> HttpResponse:
    """That the report, and each change of its status, stands in the log; to keep beside the file."""
    try:
        view = report_view(number)
    except XinzhengError as error:
        raise Http404(error.message) from error
    refuse_if(refusals_to_read_report(account, view.subject_id))
    proofs = proofs_about(number)
    if not proofs:
        messages.add_message(request, messages.WARNING, NOT_YET, extra_tags="unver")
        return redirect("report", number=number)
    record_event(who=account.actor, action="proof-downloaded", object_kind="report", object_id=number)
    response = JsonResponse(proof_document(proofs[0].note, [proof.inclusion for proof in proofs]))
    response.headers["Content-Disposition"] = f'attachment; filename="{number}.proof.json"'
    return response
