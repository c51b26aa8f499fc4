"""The policies reports rest on, clause by clause with their citations."""

from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import render
from django.utils import timezone

from xinzheng.apps.oversight.permissions import refusals_to_ask_for_ruling
from xinzheng.apps.oversight.rulings import rulings_in_force
from xinzheng.apps.reports.packs import current_policy
from xinzheng.core.errors import RefusedError
from xinzheng.web.context import signed_in_account
from xinzheng.web.public.policy_words import (
    all_policies,
    basis_word,
    clause_views,
    in_force_text,
    is_in_force,
    window_text,
)
from xinzheng.web.publicity.decree import marked_in_text


def policies(request: HttpRequest) -> HttpResponse:
    """List every policy with its state today."""
    today = timezone.localdate()
    rows = [(policy, in_force_text(policy), is_in_force(policy, today)) for policy in all_policies()]
    return render(request, "public/policies.html", {"rows": rows})


def policy_page(request: HttpRequest, policy_id: str) -> HttpResponse:
    """Show one policy: scope, domains, clauses with what was ruled on them, choices, exceptions."""
    try:
        policy = current_policy(policy_id)
    except RefusedError as error:
        raise Http404(error.message) from error
    today, rulings, account = timezone.localdate(), rulings_in_force(policy.id), signed_in_account(request)
    clauses = clause_views(policy)
    known = {clause.id for clause in clauses}
    return render(
        request,
        "public/policy.html",
        {
            "policy": policy,
            "in_force": in_force_text(policy),
            "is_in_force": is_in_force(policy, today),
            "extension": policy.extension_on(today),
            "window": window_text(policy),
            "window_basis": basis_word(policy.window.basis),
            "clauses": [(clause, rulings.get(clause.id, []), f"clause-{clause.id}") for clause in clauses],
            "on_gone_clauses": [ruling for key, found in rulings.items() if key not in known for ruling in found],
            "in_text": marked_in_text(policy.id),
            "may_ask": account is not None and not refusals_to_ask_for_ruling(account),
        },
    )
