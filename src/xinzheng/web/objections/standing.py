"""A subject's objections: the list, and one with where it stands, its clock, its course and what can be done."""

from collections.abc import Sequence

from django.conf import settings
from django.contrib import messages
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils.http import content_disposition_header
from django.views.decorators.http import require_safe

from xinzheng.apps.accounts.models import Account
from xinzheng.apps.accounts.permissions import refusals_to_object
from xinzheng.apps.audit.action_words import action_words
from xinzheng.apps.redress.clock import today
from xinzheng.apps.redress.errors import RedressError
from xinzheng.apps.redress.evidence_opening import EvidenceRow, evidence_of, open_evidence
from xinzheng.apps.redress.handling import Doing, take_step
from xinzheng.apps.redress.models import Step
from xinzheng.apps.redress.queries import Listed, ObjectionRow, ObjectionView, StepView, objection_view, rows_of
from xinzheng.apps.redress.words import MOST_CHARACTERS, words_of
from xinzheng.apps.reports.models import Report
from xinzheng.apps.reports.packs import current_policy
from xinzheng.apps.reports.printed import superseded_by
from xinzheng.core.errors import XinzhengError
from xinzheng.core.objections import Act, Party
from xinzheng.web.access import form_on, signed_in
from xinzheng.web.departments.duties import KIND_NAMES
from xinzheng.web.form_errors import FieldError, by_field
from xinzheng.web.limits import limited
from xinzheng.web.objections.files import FIELD, UPLOADS_A_MINUTE, files_of, hint, too_much
from xinzheng.web.objections.targets import domain_names
from xinzheng.web.objections.words import (
    GROUND_WORDS,
    STATE_WORDS,
    clock_in_a_list,
    clock_words,
    standing_of,
    state_mark,
    who_acted,
)
from xinzheng.web.public.body_size import sized
from xinzheng.web.subjects.access import own_subject

UNKNOWN = "没有这个编号的异议，请核对编号。"
DONE = {
    Act.SUPPLY: "已补充，等信用办决定是否受理。",
    Act.APPEAL: "已申请复核。",
    Act.WITHDRAW: "已撤回，办理结束。",
}
FIELDS = {
    "reason-missing": "words",
    "words-unfit": "words",
    "evidence-unfit": FIELD,
    "evidence-too-many": FIELD,
    "evidence-too-large": FIELD,
}


@require_safe
@signed_in
def objections(request: HttpRequest, account: Account) -> HttpResponse:
    """All of the subject's, what is open first."""
    subject_id = own_subject(account, refusals_to_object)
    rows = rows_of(Listed(subject_id=subject_id, states=None), today())
    return render(request, "objections/list.html", {"rows": [_row(row) for row in rows]})


def _row(row: ObjectionRow) -> dict[str, object]:
    icon, colour = state_mark(row.state)
    return {
        "row": row,
        "ground": GROUND_WORDS[row.ground],
        "what": what_words(row.policy_id, row.domain, row.kind, row.document_number),
        "state": STATE_WORDS[row.state],
        "icon": icon,
        "colour": colour,
        "clock": clock_in_a_list(row.clock),
    }


def what_words(policy_id: str, domain: str, kind: str, document_number: str) -> str:
    """What it is about, in one line."""
    names = domain_names(current_policy(policy_id))
    parts = dict.fromkeys([names.get(domain, domain), KIND_NAMES.get(kind, kind), document_number])
    return "，".join(part for part in parts if part)


@require_safe
@signed_in
def objection(request: HttpRequest, account: Account, number: str) -> HttpResponse:
    """One objection of a subject the account may act for; all others are not there."""
    return _page(request, _own(account, number), ())


def _refuse(request: HttpRequest, _why: str) -> HttpResponse:
    messages.add_message(request, messages.ERROR, too_much(), extra_tags="found")
    return redirect(request.path.removesuffix("/act"))


@limited("evidence", UPLOADS_A_MINUTE)
@sized("XINZHENG_EVIDENCE_TOGETHER_BYTES", _refuse)
@form_on("/objections/{number}")
@signed_in
def act(request: HttpRequest, account: Account, number: str) -> HttpResponse:
    """Supply what was asked for, withdraw, ask for review: what the form says the subject does."""
    view = _own(account, number)
    done = next((known for known in DONE if known == request.POST.get("act")), None)
    seen = request.POST.get("seen", "")
    if done is None or not (seen.isascii() and seen.isdecimal() and len(seen) < 5):
        return _page(request, view, [FieldError("main", "请从页面上的按钮办理。")])
    files, errors = files_of(request)
    if errors:
        return _page(request, view, errors)
    doing = Doing(number, int(seen), done, words=request.POST.get("words", ""), files=files)
    return _take(request, account, doing)


def _take(request: HttpRequest, account: Account, doing: Doing) -> HttpResponse:
    try:
        take_step(doing, account=account)
    except XinzhengError as error:
        now = _own(account, doing.number)
        if not _was_done(now, doing, account):
            return _page(request, now, [FieldError(FIELDS.get(error.code, "main"), error.message)])
    messages.add_message(request, messages.SUCCESS, DONE[doing.act], extra_tags="none")
    return redirect("objection", number=doing.number)


def _was_done(view: ObjectionView, doing: Doing, account: Account) -> bool:
    """Whether the same form was sent twice, and the first time did it."""
    found = Step.objects.filter(objection__number=view.number, seq=doing.seen_seq + 1).first()
    return found is not None and (found.act, found.actor) == (doing.act, account.actor)


@require_safe
@signed_in
def evidence(_request: HttpRequest, account: Account, number: str, evidence_id: int) -> HttpResponse:
    """A file for a party to the objection: to be kept, never shown within the site."""
    try:
        opened = open_evidence(evidence_id, of=number, account=account)
    except RedressError as error:
        raise Http404(error.message) from error
    disposition = content_disposition_header(as_attachment=True, filename=opened.name)
    headers = {
        "Content-Disposition": disposition or "attachment",
        "Content-Security-Policy": "sandbox; default-src 'none'",
        "X-Content-Type-Options": "nosniff",
    }
    return HttpResponse(opened.content, content_type=opened.media_type, headers=headers)


def _own(account: Account, number: str) -> ObjectionView:
    try:
        view = objection_view(number, today())
    except RedressError as error:
        raise Http404(UNKNOWN) from error
    if refusals_to_object(account, view.subject_id):
        raise Http404(UNKNOWN)
    return view


def _page(request: HttpRequest, view: ObjectionView, errors: Sequence[FieldError]) -> HttpResponse:
    acts = {move.act.value for move in view.possible if move.by is Party.SUBJECT}
    context = {
        "view": view,
        "standing": standing_of(view),
        "clock": clock_words(view.clock),
        "ground": GROUND_WORDS[view.ground],
        "what": what_words(view.policy_id, view.domain, view.kind, view.document_number),
        "steps": _steps(view),
        "acts": acts,
        "superseded": _superseded(view),
        "tried": request.POST.get("act", "") if errors else "",
        "words": request.POST.get("words", "") if errors else "",
        "errors": errors,
        "error_of": by_field(errors),
        "hint": hint(),
        "together": settings.XINZHENG_EVIDENCE_TOGETHER_BYTES,
        "words_at_most": MOST_CHARACTERS,
    }
    return render(request, "objections/objection.html", context, status=422 if errors else 200)


def _steps(view: ObjectionView) -> list[dict[str, object]]:
    """What was done, newest first, with what was said and the files given."""
    said, files = words_of(step.id for step in view.steps), evidence_of(view.number)
    lay_with = ["", *(step.unit_name for step in view.steps)]
    told = [_step(step, lay_with[step.seq - 1], files) | {"said": said.get(step.id, "")} for step in view.steps]
    return told[::-1]


def _step(step: StepView, lay_with: str, files: Sequence[EvidenceRow]) -> dict[str, object]:
    return {
        "step": step,
        "who": who_acted(step, lay_with),
        "did": action_words(f"objection-{step.act}"),
        "files": [file for file in files if file.step_id == step.id],
    }


def _superseded(view: ObjectionView) -> list[str]:
    """The subject's own reports that the correction made 已更正."""
    done = view.correction
    if done is None or done.entry_id is None:
        return []
    numbers = superseded_by(done.entry_id)
    own = Report.objects.filter(number__in=numbers, subject_id=view.subject_id)
    return sorted(own.values_list("number", flat=True))
