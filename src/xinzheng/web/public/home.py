"""The home page: apply first, verify second, how it goes, what is checked."""

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render

from xinzheng.web.public.policy_words import policies_served, specimen, window_text


def home(request: HttpRequest) -> HttpResponse:
    """Show the policy asked for, else the first in force."""
    served = policies_served()
    wanted = request.GET.get("policy", "")
    shown = next((policy for policy in served if policy.id == wanted), served[0] if served else None)
    return render(
        request,
        "public/home.html",
        {
            "policies": served,
            "policy": shown,
            "window": window_text(shown) if shown else "",
            "specimen": specimen(shown) if shown else None,
        },
    )
