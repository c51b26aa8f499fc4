"""A report asked for again with the same scope (按同样范围再次出具)."""

from collections.abc import Iterator
from dataclasses import dataclass, replace

from xinzheng.apps.reports.forms import ApplicationForm
from xinzheng.apps.reports.models import Report
from xinzheng.apps.reports.serialising import request_from_json
from xinzheng.core.decision import Request
from xinzheng.core.sentences import spoken_date
from xinzheng.web.subjects.request_form import Asked, within


@dataclass(frozen=True)
class ReportScope:
    """By which policy a report was made, and what was asked for."""

    policy_id: str
    request: Request


def own_report(number: str, subject_id: int) -> ReportScope | None:
    """The scope of one of the subject's own reports; None for another's or none."""
    found = Report.objects.filter(pk=number, subject_id=subject_id).values_list("policy_id", "request").first()
    return None if found is None else ReportScope(found[0], request_from_json(found[1]))


def recognised(form: ApplicationForm, asked: Asked, again_of: str, subject_id: int) -> Asked:
    """What was asked, with the report it repeats as long as nothing of its scope was changed on the page."""
    report = own_report(again_of, subject_id) if again_of else None
    if report is None or report.policy_id != form.policy_id or asked.request != within(form, report.request):
        return asked
    return replace(asked, again_of=again_of)


def closed_choices(form: ApplicationForm, request: Request) -> Iterator[str]:
    """What cannot be as it was then, in words."""
    now, names = within(form, request), {code for code, _ in form.domains}
    if request.domains is not None and not (form.may_choose_domains and set(request.domains) <= names):
        count = len(now.domains) if now.domains is not None else len(names)
        yield f"政策现在提供的领域与当时不同，本次核查{count}个领域。"
    asked_days = (request.from_date or form.from_date, request.to_date or form.to_date)
    days = (now.from_date or form.from_date, now.to_date or form.to_date)
    if asked_days != days:
        was, is_now = ("至".join(map(spoken_date, pair)) for pair in (asked_days, days))
        yield f"当时的查询期{was}超出现在可以查询的范围，本次查询期是{is_now}。"
    if request.purpose is not None and request.purpose != now.purpose:
        yield "当时的用途现在不在政策列出的用途中，请核对下面选好的用途。"
