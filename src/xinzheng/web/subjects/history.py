"""What a subject has applied for (申请记录)."""

import uuid

from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import render
from django.views.decorators.http import require_safe

from xinzheng.apps.accounts.models import Account
from xinzheng.apps.reports.applications import ApplicationRow, applications_of
from xinzheng.apps.reports.models import Application, ApplicationState
from xinzheng.apps.reports.packs import current_policy
from xinzheng.web.access import signed_in
from xinzheng.web.subjects.access import own_subject

SHOWN = 30


@require_safe
@signed_in
def applications(request: HttpRequest, account: Account) -> HttpResponse:
    """The applications of the subject, newest first, and what became of each."""
    subject_id = own_subject(account)
    before = _before(request.GET.get("before", ""), subject_id)
    found = applications_of(subject_id, before=before.created_at if before else None, limit=SHOWN + 1)
    rows = found[:SHOWN]
    policies = {policy_id: current_policy(policy_id) for policy_id in {row.policy_id for row in rows}}
    words = {policy_id: {p.code: p.name for p in policy.purposes} for policy_id, policy in policies.items()}
    context = {
        "rows": [(row, policies[row.policy_id].title, _purpose(row, words), _state(row)) for row in rows],
        "next": rows[-1].id if len(found) > SHOWN else None,
        "is_later": before is not None,
    }
    return render(request, "subjects/applications.html", context)


def _before(text: str, subject_id: int) -> Application | None:
    if not text:
        return None
    try:
        found = Application.objects.filter(pk=uuid.UUID(text), subject_id=subject_id).first()
    except ValueError:
        found = None
    if found is None:
        raise Http404("没有这份申请。")
    return found


def _purpose(row: ApplicationRow, words: dict[str, dict[str, str]]) -> str:
    return words[row.policy_id].get(row.purpose or "", "")


def _state(row: ApplicationRow) -> tuple[str, str]:
    """The mark and the words of what became of it."""
    if row.state == ApplicationState.DONE:
        return "apart", ApplicationState.DONE.label
    if row.state == ApplicationState.FAILED:
        return "found", ApplicationState.FAILED.label
    return "info", ApplicationState(row.state).label
