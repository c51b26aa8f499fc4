"""The guides (办事指南): for each role what can be done, how it goes step by step, and what is often asked."""

from collections.abc import Iterable
from dataclasses import dataclass

from django.conf import settings
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import render
from django.views.decorators.http import require_safe

from xinzheng.apps.redress.clock import today
from xinzheng.apps.redress.terms import redress_rules
from xinzheng.core.objection_clock import Terms
from xinzheng.core.policy import Policy
from xinzheng.core.redress_terms import DatedTerms
from xinzheng.web.public.policy_words import basis_word, guide_quotes, policies_served, window_text


@dataclass(frozen=True)
class Guide:
    """A guide: whom it is for, in a word and in a sentence."""

    role: str
    title: str
    lead: str


GUIDES = (
    Guide("subject", "申请报告的人", "申请、亮码、请人代办、提异议、信用修复"),
    Guide("receiver", "收到报告的单位", "核验真伪和状态、看亮码的报告、批量核验"),
    Guide("unit", "报送数据的单位", "报送、零报告、退回的行、办理异议、提请裁定"),
    Guide("office", "信用办", "归集、异议受理和复核、裁定、意见建议、培训"),
)


@require_safe
def role_guide(request: HttpRequest, role: str) -> HttpResponse:
    """The guide for one role."""
    guide = next((one for one in GUIDES if one.role == role), None)
    if guide is None:
        raise Http404("没有这份办事指南，请从“办事指南”页选择。")
    return render(request, f"publicity/guides/{guide.role}.html", {"guide": guide, "guides": GUIDES} | guide_facts())


def guide_facts() -> dict[str, object]:
    """What the guides say by policy and by the operator's settings."""
    policies = policies_served()
    # A pack without quotations says nothing of what its decree says or leaves out.
    quoted = [(policy, quotes) for policy in policies if (quotes := guide_quotes(policy.id))]
    return {
        "rows": [(policy, window_text(policy)) for policy in policies],
        "shown": [(policy, quotes.get("show")) for policy, quotes in quoted],
        "applied": [quotes["apply"] for _, quotes in quoted if "apply" in quotes],
        "share_seconds": settings.XINZHENG_SHARE_SECONDS,
        "share_days": settings.XINZHENG_SHARE_MAX_DAYS,
        "view_minutes": settings.XINZHENG_VIEW_MINUTES,
        "terms_of": _terms_of(policies),
        "check_days": settings.XINZHENG_KEEP_CHECK_DAYS,
        "suggestion_days": settings.XINZHENG_KEEP_SUGGESTION_DAYS,
        "evidence_mebibytes": settings.XINZHENG_EVIDENCE_MAX_BYTES // 2**20,
    }


def _terms_of(policies: Iterable[Policy]) -> list[tuple[str, Terms, str]]:
    """The terms for objections today, each once: where they hold, and on whose word they rest."""
    held: dict[DatedTerms, list[str]] = {}
    for policy in policies:
        held.setdefault(redress_rules().terms_on(today(), policy.jurisdiction), []).append(policy.jurisdiction_name)
    return [
        ("、".join(places), dated.terms, f"{basis_word(dated.basis)}。{dated.citation.note}")
        for dated, places in held.items()
    ]
