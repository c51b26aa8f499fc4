"""Finding a verified receiver by name or code, for the forms in which a subject names one."""

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.views.decorators.http import require_safe

from xinzheng.apps.accounts.models import Account
from xinzheng.apps.accounts.permissions import refusals_to_ask_for_a_mandate
from xinzheng.apps.codes.receiver_queries import search_verified
from xinzheng.web.access import refuse_if, signed_in


@require_safe
@signed_in
def search_receivers(request: HttpRequest, account: Account) -> HttpResponse:
    """The verified receivers that fit what was typed, as choices for the field; nothing of any other."""
    refuse_if(refusals_to_ask_for_a_mandate(account))
    sought = request.GET.get("receiver_name") or request.GET.get("receiver") or ""
    return render(request, "receivers/choices.html", {"found": search_verified(sought)})
