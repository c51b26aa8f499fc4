"""The guide (办事指南): who, what, steps, how long, what it replaces, questions; for each audience."""

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render

from xinzheng.web.public.policy_words import policies_served, window_text


def guide(request: HttpRequest) -> HttpResponse:
    """Show the guide; everything a policy decides is said per policy."""
    rows = [(policy, window_text(policy)) for policy in policies_served()]
    return render(request, "public/guide.html", {"rows": rows})
