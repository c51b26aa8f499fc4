"""Settling a held batch (暂存批次): a second officer lets it in, or it is taken back."""

from django.contrib import messages
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseRedirect
from django.shortcuts import redirect, render
from django.views.decorators.http import require_safe
from django_htmx.http import HttpResponseClientRedirect, HttpResponseClientRefresh

from xinzheng.apps.accounts.models import Account
from xinzheng.apps.accounts.permissions import refusals_to_confirm, refusals_to_decline
from xinzheng.apps.ledger.actions import queue_confirmation, withdraw_batch
from xinzheng.apps.ledger.models import Upload
from xinzheng.apps.ledger.queries import confirmation_of, submitter_of
from xinzheng.core.errors import XinzhengError
from xinzheng.web.access import form_on, refuse_if, signed_in
from xinzheng.web.departments.batches import batch_page, readable_batch, refuse_reading
from xinzheng.web.form_errors import FieldError

PAGE = "/department/batches/{batch_id}"
NOT_SAID = "请写明撤回的原因，例如“文件不完整，将重新报送”。没有撤回。"


@form_on(PAGE)
@signed_in
def confirm(request: HttpRequest, account: Account, batch_id: int) -> HttpResponse:
    """Have the batch booked behind the scenes; its page tells how far that is."""
    found = readable_batch(account, batch_id)
    refuse_if(refusals_to_confirm(account, found.unit_id, submitter_of(batch_id)))
    try:
        queue_confirmation(batch_id=batch_id, by=account.actor)
    except XinzhengError as error:
        messages.add_message(request, messages.ERROR, error.message, extra_tags="found")
        return redirect("department-batch", batch_id=batch_id)
    return HttpResponseRedirect(f"{PAGE.format(batch_id=batch_id)}#confirm-h")


@require_safe
@signed_in
def confirmation(request: HttpRequest, account: Account, batch_id: int) -> HttpResponse:
    """How far the confirmation is, as a part of the batch's page; once it is done, on to the booked batch."""
    refuse_reading(account, batch_id)
    found, page = confirmation_of(batch_id), PAGE.format(batch_id=batch_id)
    if found is None:
        raise Http404("这一批没有提交过确认。")
    if not getattr(request, "htmx", False):
        return HttpResponseRedirect(page)
    if found.state == Upload.State.DONE:
        said = f"批次{batch_id}已确认，由批次{found.batch_id}入账。"
        messages.add_message(request, messages.SUCCESS, said, extra_tags="none")
        return HttpResponseClientRedirect(PAGE.format(batch_id=found.batch_id))
    if found.state == Upload.State.FAILED:
        return HttpResponseClientRefresh()
    return render(request, "departments/confirmation.html", {"batch_id": batch_id, "upload": found})


@form_on(PAGE)
@signed_in
def decline(request: HttpRequest, account: Account, batch_id: int) -> HttpResponse:
    """Take the held batch back, with a reason; what is booked already is not taken back here."""
    found = readable_batch(account, batch_id)
    refuse_if(refusals_to_decline(account, found.unit_id))
    reason = request.POST.get("reason", "").strip()
    if not reason or "\0" in reason:
        return batch_page(request, account, found, [FieldError("decline-reason", NOT_SAID)])
    if not found.held:
        said = f"批次{batch_id}没有暂存，不能在这里撤回。"
        messages.add_message(request, messages.ERROR, said, extra_tags="found")
        return redirect("department-batch", batch_id=batch_id)
    try:
        withdraw_batch(batch_id=batch_id, reason=reason, by=account.actor)
    except XinzhengError as error:
        messages.add_message(request, messages.ERROR, error.message, extra_tags="found")
    else:
        messages.add_message(request, messages.SUCCESS, f"批次{batch_id}已撤回，没有入账。", extra_tags="none")
    return redirect("department-batch", batch_id=batch_id)
