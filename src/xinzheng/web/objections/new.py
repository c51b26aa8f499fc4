"""The guided form of an objection (提出异议): which record, what is wrong, what shows it. All on one page."""

import uuid
from collections.abc import Sequence
from dataclasses import dataclass, replace

from django.conf import settings
from django.contrib import messages
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.views.decorators.http import require_http_methods

from xinzheng.apps.accounts.models import Account
from xinzheng.apps.accounts.permissions import refusals_to_object
from xinzheng.apps.audit.queries import head_position
from xinzheng.apps.redress.clock import today
from xinzheng.apps.redress.evidence import Found
from xinzheng.apps.redress.lodging import DOCUMENT_NUMBER_AT_MOST, NewObjection, lodge
from xinzheng.apps.redress.models import Objection
from xinzheng.apps.redress.queries import open_on
from xinzheng.apps.redress.shown import shown_record
from xinzheng.apps.redress.terms import redress_rules
from xinzheng.apps.redress.words import MOST_CHARACTERS
from xinzheng.apps.registry.queries import subject_at
from xinzheng.apps.reports.forms import open_policies, policies_for
from xinzheng.apps.reports.packs import current_policy
from xinzheng.core.errors import XinzhengError
from xinzheng.core.objections import Ground
from xinzheng.web.access import signed_in
from xinzheng.web.form_errors import FieldError, by_field
from xinzheng.web.limits import limited
from xinzheng.web.objections.files import FIELD, UPLOADS_A_MINUTE, files_of, hint, too_much
from xinzheng.web.objections.targets import Target, missing_scopes, target_in_report, targets_now
from xinzheng.web.objections.words import GROUND_WORDS
from xinzheng.web.public.body_size import sized
from xinzheng.web.subjects.access import own_subject

MISSING = "missing"
LONGEST_KEY, LONGEST_REPORT = 18, 40
ABOUT_A_RECORD = (Ground.WRONG, Ground.NOT_MINE, Ground.OVER_PERIOD)
FIELDS = {
    "reason-missing": "words",
    "words-unfit": "words",
    "evidence-unfit": FIELD,
    "evidence-too-many": FIELD,
    "evidence-too-large": FIELD,
    "text-not-kept": "document_number",
    "objection-refused": "scope",
}
GONE = "没有这条记录，可能已经更正或者撤下。请从报告的“逐条认定”里重新打开，或者选择“有记录遗漏”。"


@dataclass(frozen=True, slots=True)
class Asked:
    """What was filled in (填写内容), as text; ``record`` is a key of the ledger, ``missing``, or nothing yet."""

    policy_id: str
    report: str = ""
    record: str = ""
    ground: str = ""
    words: str = ""
    scope: str = ""
    document_number: str = ""

    @property
    def record_id(self) -> int | None:
        """The record, if one is named."""
        is_key = self.record.isascii() and self.record.isdecimal() and len(self.record) <= LONGEST_KEY
        return int(self.record) if is_key else None


@dataclass(frozen=True, slots=True)
class Shown:
    """What the page shows: for whom, which record if it is known, what is filled in and has to be mended."""

    subject_id: int
    asked: Asked
    key: uuid.UUID
    target: Target | None = None
    errors: Sequence[FieldError] = ()


def _refuse(request: HttpRequest, _why: str) -> HttpResponse:
    messages.add_message(request, messages.ERROR, too_much(), extra_tags="found")
    return redirect(request.get_full_path())


@limited("evidence", UPLOADS_A_MINUTE)
@sized("XINZHENG_EVIDENCE_TOGETHER_BYTES", _refuse)
@require_http_methods(["GET", "HEAD", "POST"])
@signed_in
def new_objection(request: HttpRequest, account: Account) -> HttpResponse:
    """The form, preset where it comes from a finding; POST lodges the objection and goes to its page."""
    subject_id = own_subject(account, refusals_to_object)
    served = policies_for(subject_id)
    if not served:
        return render(request, "objections/none.html", {})
    asked = _asked(request, subject_id, [policy_id for policy_id, _ in served])
    shown = Shown(subject_id, asked, _key(request), _target(asked, subject_id))
    if request.method != "POST":
        _refuse_gone(shown)
        return _page(request, shown)
    made = Objection.objects.filter(key=shown.key, account_id=account.pk).first()
    if made is not None:  # the same form, sent again
        return redirect("objection", number=made.number)
    files, errors = files_of(request)
    errors = [*_unfilled(asked), *errors]
    if errors:
        return _page(request, replace(shown, errors=errors))
    return _lodge(request, account, shown, files)


def _asked(request: HttpRequest, subject_id: int, served: Sequence[str]) -> Asked:
    given = request.POST if request.method == "POST" else request.GET
    wanted = given.get("policy", "")
    offered = [policy_id for policy_id, _ in open_policies(subject_id)] or served
    text = {name: given.get(name, "").strip() for name in ("report", "record", "ground", "scope", "document_number")}
    text["report"] = text["report"].replace("\0", "")[:LONGEST_REPORT]
    return Asked(wanted if wanted in served else offered[0], words=given.get("words", ""), **text)


def _key(request: HttpRequest) -> uuid.UUID:
    try:
        return uuid.UUID(request.POST.get("key", ""))
    except ValueError:
        return uuid.uuid4()


def _target(asked: Asked, subject_id: int) -> Target | None:
    """The record the form is about, where an address named one that the subject is shown."""
    if asked.report:
        return target_in_report(asked.record_id or 0, asked.report, subject_id)
    if asked.record_id is None:
        return None
    return next((one for one in targets_now(subject_id, asked.policy_id) if one.record_id == asked.record_id), None)


def _refuse_gone(shown: Shown) -> None:
    """Raise Http404 where the address names a record that is not there, is another's, or was taken out meanwhile."""
    asked = shown.asked
    if asked.record == MISSING or not (asked.record or asked.report):
        return
    try:
        shown_record(asked.record_id or 0, shown.subject_id, asked.policy_id, asked.report)
    except XinzhengError as error:
        raise Http404(GONE) from error
    if shown.target is None:
        raise Http404(GONE)


def _unfilled(asked: Asked) -> list[FieldError]:
    errors = []
    if asked.record_id is None and asked.record != MISSING:
        errors.append(FieldError("record", "请选择对哪条记录提出异议。"))
    if asked.record != MISSING and asked.ground not in ABOUT_A_RECORD:
        errors.append(FieldError("ground", "请选择哪里不对。"))
    if asked.record == MISSING and "|" not in asked.scope:
        errors.append(FieldError("scope", "请选择遗漏的是哪一类记录。"))
    if asked.record == MISSING and not asked.document_number:
        errors.append(FieldError("document_number", "请填写遗漏的记录的文书文号，例如信用修复决定书的文号。"))
    if not asked.words.strip():
        errors.append(FieldError("words", "请写明哪里不对、应当是什么。"))
    return errors


def _lodge(request: HttpRequest, account: Account, shown: Shown, files: Sequence[Found]) -> HttpResponse:
    asked = shown.asked
    domain, _, kind = asked.scope.partition("|") if asked.record == MISSING else ("", "", "")
    new = NewObjection(
        subject_id=shown.subject_id,
        policy_id=asked.policy_id,
        ground=Ground.MISSING if asked.record == MISSING else Ground(asked.ground),
        record_id=None if asked.record == MISSING else asked.record_id,
        report_number=asked.report,
        domain=domain,
        kind=kind,
        document_number=asked.document_number if asked.record == MISSING else "",
        words=asked.words,
        files=files,
    )
    try:
        made = lodge(new, account=account, key=shown.key)
    except XinzhengError as error:
        field = FIELDS.get(error.code, "record")
        return _page(request, replace(shown, errors=[FieldError(field, error.message)]))
    messages.add_message(request, messages.SUCCESS, f"已提出异议，编号{made.number}。", extra_tags="none")
    return redirect("objection", number=made.number)


def _page(request: HttpRequest, shown: Shown) -> HttpResponse:
    asked = shown.asked
    policy = current_policy(asked.policy_id)
    dated = redress_rules().terms_on(today(), policy.jurisdiction)
    targets = [] if shown.target else targets_now(shown.subject_id, asked.policy_id)
    open_already = open_on(shown.subject_id)
    context = {
        "asked": asked,
        "target": shown.target,
        "is_open": open_already.get(shown.target.record_id, "") if shown.target else "",
        "targets": sorted(
            ((target, open_already.get(target.record_id, "")) for target in targets), key=lambda pair: bool(pair[1])
        ),
        "offered": [] if shown.target else open_policies(shown.subject_id),
        "scopes": [] if shown.target else _by_kind(asked.policy_id),
        "grounds": [(ground.value, GROUND_WORDS[ground]) for ground in ABOUT_A_RECORD],
        "subject": subject_at(shown.subject_id, head_position()),
        "key": shown.key,
        "errors": shown.errors,
        "error_of": by_field(shown.errors),
        "terms": dated.terms,
        "terms_source": dated.citation,
        "hint": hint(),
        "together": settings.XINZHENG_EVIDENCE_TOGETHER_BYTES,
        "words_at_most": MOST_CHARACTERS,
        "number_at_most": DOCUMENT_NUMBER_AT_MOST,
    }
    return render(request, "objections/new.html", context, status=422 if shown.errors else 200)


def _by_kind(policy_id: str) -> list[tuple[str, list[tuple[str, str]]]]:
    """What may be missing, the domains under each kind."""
    found: dict[str, list[tuple[str, str]]] = {}
    for scope, domain, kind in missing_scopes(policy_id):
        found.setdefault(kind, []).append((scope, domain))
    return list(found.items())
