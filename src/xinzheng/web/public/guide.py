"""The guide (办事指南): who, what, steps, how long, what it replaces, questions; for each audience."""

from django.conf import settings
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render

from xinzheng.web.public.policy_words import guide_quotes, policies_served, window_text


def guide(request: HttpRequest) -> HttpResponse:
    """Show the guide; everything a policy decides is said per policy."""
    policies = policies_served()
    # A pack without quotations says nothing of what its decree says or leaves out.
    quoted = [(policy, quotes) for policy in policies if (quotes := guide_quotes(policy.id))]
    context = {
        "rows": [(policy, window_text(policy)) for policy in policies],
        "shown": [(policy, quotes.get("show")) for policy, quotes in quoted],
        "applied": [quotes["apply"] for _, quotes in quoted if "apply" in quotes],
        "share_seconds": settings.XINZHENG_SHARE_SECONDS,
        "share_days": settings.XINZHENG_SHARE_MAX_DAYS,
        "view_minutes": settings.XINZHENG_VIEW_MINUTES,
    }
    return render(request, "public/guide.html", context)
