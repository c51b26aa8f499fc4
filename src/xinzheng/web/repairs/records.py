"""A subject's records with their repair (记录与修复): the list, and the guidance for one."""

from django.contrib import messages
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.views.decorators.http import require_http_methods, require_safe

from xinzheng.apps.accounts.models import Account
from xinzheng.apps.accounts.permissions import refusals_to_object, refusals_to_see_reports
from xinzheng.apps.redress.clock import today
from xinzheng.apps.redress.errors import RedressError
from xinzheng.apps.redress.permissions import refusals_to_prepare_repair
from xinzheng.apps.redress.queries import open_on
from xinzheng.apps.redress.repair_queries import GuidedRecord, guided_record, guided_records, linked_since
from xinzheng.apps.redress.repair_words import (
    SECOND_HAND,
    STATE_WORDS,
    class_words,
    doubt_words,
    earliest_sentence,
    note_words,
    publication_sentence,
    span_words,
    to_do_words,
)
from xinzheng.apps.redress.repairs import cases_of, prepare
from xinzheng.core.policy import Citation
from xinzheng.core.repair import Guidance, PublicationState
from xinzheng.web.access import signed_in
from xinzheng.web.departments.duties import KIND_NAMES
from xinzheng.web.subjects.access import own_subject

# Shape and colour beside the words of a state; none of them says that nothing was found.
MARKS = {
    PublicationState.PUBLISHED_UNTIL: ("clock", "unver"),
    PublicationState.ENDED_BY_PERIOD: ("minus", "apart"),
    PublicationState.ENDED_BY_REPAIR: ("info", "info"),
    PublicationState.NOT_PUBLISHED: ("minus", "apart"),
    PublicationState.BY_SECTOR_RULES: ("unver", "unver"),
}
OVER = frozenset({PublicationState.ENDED_BY_PERIOD, PublicationState.ENDED_BY_REPAIR, PublicationState.NOT_PUBLISHED})
FACTS = (
    ("organ_name", "决定机关"),
    ("document_number", "文书文号"),
    ("category", "处罚类别"),
    ("content", "处罚内容"),
    ("list_name", "名单名称"),
)


def _refusals_to_look(account: Account, subject_id: int) -> list[str]:
    """Whoever may read the subject's reports, or object for it."""
    refusals = refusals_to_see_reports(account, subject_id)
    return refusals and refusals_to_object(account, subject_id) and refusals


@require_safe
@signed_in
def records(request: HttpRequest, account: Account) -> HttpResponse:
    """Every record the subject is shown, with its publication and what is still to do."""
    subject_id = own_subject(account, _refusals_to_look)
    found = guided_records(subject_id, today())
    rule = found.records[0].guidance.rule if found.records else None
    context = {
        "rows": [_row(one) for one in found.records],
        "missing": found.missing,
        "rule": rule,
        "source": source_words(rule.citation) if rule else "",
        "cases": cases_of(subject_id),
    }
    return render(request, "repairs/records.html", context)


def _row(one: GuidedRecord) -> dict[str, object]:
    icon, colour = MARKS[one.guidance.publication.state]
    return {
        "one": one,
        "kind": KIND_NAMES.get(one.record.kind, ""),
        "state": STATE_WORDS[one.guidance.publication.state],
        "icon": icon,
        "colour": colour,
        "publication": publication_sentence(one.guidance),
        "cls": class_words(one.guidance),
        "earliest": earliest_sentence(one.guidance),
    }


def source_words(citation: Citation) -> str:
    """Where a rule stands, marked where it was only seen second-hand."""
    place = "，".join(part for part in (citation.source, citation.section) if part)
    return f"{place}（{SECOND_HAND}）" if citation.second_hand else place


@require_http_methods(["GET", "HEAD", "POST"])
@signed_in
def record(request: HttpRequest, account: Account, record_id: int) -> HttpResponse:
    """The guidance for one record; POST puts the data of a repair together."""
    if request.method == "POST":
        return _prepare(request, account, record_id)
    subject_id = own_subject(account, _refusals_to_look)
    try:
        one = guided_record(subject_id, record_id, today())
    except RedressError as error:
        raise Http404(error.message) from error
    return render(request, "repairs/record.html", _context(one, account, subject_id))


def _prepare(request: HttpRequest, account: Account, record_id: int) -> HttpResponse:
    subject_id = own_subject(account, refusals_to_prepare_repair)
    try:
        case = prepare(record_id, account=account)
    except RedressError as error:
        if error.code == "record-not-shown":
            raise Http404(error.message) from error
        messages.add_message(request, messages.WARNING, error.message, extra_tags="unver")
        return redirect("record", record_id=record_id)
    assert case.subject_id == subject_id
    return redirect("repair", number=case.number)


def _context(one: GuidedRecord, account: Account, subject_id: int) -> dict[str, object]:
    found, content = one.guidance, one.record.content
    waits = found.possible_from is None or found.possible_from > today()
    since = linked_since(one.id) if one.repairs else {}
    return _row(one) | {
        "repairs": [(repair, since.get(int(repair.id))) for repair in one.repairs],
        "guidance": found,
        "facts": [(label, content[key]) for key, label in FACTS if content.get(key)],
        "day": one.record.window_date,
        "classes": [(c, span_words(c), doubt_words(c)) for c in found.candidates],
        "to_do": _to_do(found),
        "notes": note_words(found),
        "source": source_words(found.citation),
        "elsewhere": [(source_words(e.citation), e.citation.note) for e in found.elsewhere],
        "may_prepare": not refusals_to_prepare_repair(account, subject_id) and one.is_own,
        "waits": waits,
        "is_over": found.publication.state in OVER,
        "cases": [case for case in cases_of(subject_id) if case.record_id == one.id],
        "may_object": not refusals_to_object(account, subject_id),
        "objection": open_on(subject_id).get(one.id, ""),
    }


def _to_do(found: Guidance) -> list[tuple[str, str, str, str]]:
    """Each condition with its mark, colour and word; what only the subject knows is open."""
    words = {True: ("info", "info", "已满足"), False: ("clock", "unver", "还没有"), None: ("now", "info", "请自行确认")}
    return [(to_do_words(one, found), *words[one.is_done]) for one in found.to_do]
