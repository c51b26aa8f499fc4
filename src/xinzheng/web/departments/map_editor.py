"""The editor of column maps (列对照): a sample's headings, what each is taken for, and how its first rows then read."""

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils.http import urlencode

from xinzheng.apps.accounts.models import Account
from xinzheng.apps.ledger.actions import save_column_map
from xinzheng.apps.ledger.map_models import MapSample
from xinzheng.apps.ledger.map_samples import best_map, deliver_sample, sample_of
from xinzheng.apps.ledger.map_sheets import Gap, Sheet, sheet_of
from xinzheng.apps.ledger.maps import ColumnMapError, draft_faults, map_fields, stored_map
from xinzheng.apps.ledger.queries import ColumnMapSummary, column_map
from xinzheng.apps.ledger.uploads import is_kept_for_mapping
from xinzheng.apps.registry.queries import RegisteredUnit
from xinzheng.core.errors import XinzhengError
from xinzheng.web.departments.duties import KIND_NAMES
from xinzheng.web.departments.map_draft import first_draft, places_of, read_draft
from xinzheng.web.form_errors import FieldError, by_field

PREVIEW, SAVE, DELIVER, DELIVER_BY = "preview", "save", "deliver", "deliver-by"


@dataclass(frozen=True)
class Editing:
    """Who edits which map of which sample; ``base`` is the map it began with."""

    unit: RegisteredUnit
    by: str
    sample: MapSample
    base: ColumnMapSummary | None

    @property
    def address(self) -> str:
        """Of the editor."""
        asked = {"sample": str(self.sample.pk)} | ({"base": self.base.name} if self.base else {})
        return f"/department/maps/new?{urlencode(asked)}"


def edit_map(request: HttpRequest, account: Account, unit: RegisteredUnit) -> HttpResponse:
    """Show the editor; POST previews, saves, or saves and delivers the failed upload the sample was taken from."""
    try:
        sample = sample_of(unit.id, _sample_id(request))
        editing = Editing(unit, account.actor, sample, _base(unit, request, sample))
    except XinzhengError as error:
        messages.add_message(request, messages.ERROR, error.message, extra_tags="found")
        return redirect("department-maps-new")
    action = request.POST.get("action", PREVIEW)
    if request.method == "POST" and action == DELIVER_BY:
        return _deliver_by(request, editing, request.POST.get("map", ""))
    kind = sample.kind
    posted = request.method == "POST"
    draft = read_draft(kind, request.POST, editing.base) if posted else first_draft(kind, editing.base)
    sheet = sheet_of(sample, draft)
    if not posted or action not in (SAVE, DELIVER):
        return _page(request, editing, draft, sheet, ())
    errors = _errors(editing, draft, sheet)
    return _page(request, editing, draft, sheet, errors) if errors else _save(request, editing, draft, action)


def _sample_id(request: HttpRequest) -> UUID:
    try:
        return UUID(request.GET.get("sample", ""))
    except ValueError:
        return UUID(int=0)


def _base(unit: RegisteredUnit, request: HttpRequest, sample: MapSample) -> ColumnMapSummary | None:
    """The map the officer began with; for a file nothing was chosen for, the one that knows most of its headings."""
    name = request.GET.get("base", "")
    if not name and request.method != "POST":
        name = best_map(sample)[0] or ""
    found = column_map(unit.id, name) if name else None
    return found if found is not None and found.kind == sample.kind else None


def _errors(editing: Editing, draft: dict[str, Any], sheet: Sheet) -> list[FieldError]:
    errors = places_of(draft_faults(editing.unit.id, draft, editing.base), sheet)
    if sheet.problem and not errors:
        errors.append(FieldError("name", sheet.problem))
    return errors + [FieldError(f"gap-{gap.field}", f"还缺“{gap.name}”：{_way_out(gap)}。") for gap in sheet.open_gaps]


def _way_out(gap: Gap) -> str:
    ways = ["请为它选一列"]
    ways += ["或者写明每行都填什么"] if gap.may_be_constant else []
    ways += ["或者勾选来源没有这一项"] if gap.may_be_waived else []
    return "，".join(ways)


def _save(request: HttpRequest, editing: Editing, draft: dict[str, Any], action: str) -> HttpResponse:
    saved = save_column_map(unit_id=editing.unit.id, content=draft, by=editing.by)
    if action == DELIVER:
        return _deliver_by(request, editing, saved.name)
    editing.sample.delete()
    messages.add_message(request, messages.SUCCESS, f"列对照“{saved.name}”已保存。", extra_tags="none")
    return redirect("department-map", name=saved.name)


def _deliver_by(request: HttpRequest, editing: Editing, name: str) -> HttpResponse:
    try:
        found = column_map(editing.unit.id, name)
        if found.kind != editing.sample.kind:
            raise ColumnMapError(f"列对照“{name}”用于另一种记录，请改选。", code="map-of-other-kind")
        upload = deliver_sample(editing.sample, stored_map(found), by=editing.by)
    except XinzhengError as error:
        messages.add_message(request, messages.ERROR, error.message, extra_tags="found")
        return redirect(editing.address)
    return redirect("department-upload-progress", upload_id=upload.pk)


def _page(
    request: HttpRequest, editing: Editing, draft: dict[str, Any], sheet: Sheet, errors: Sequence[FieldError]
) -> HttpResponse:
    sample, base = editing.sample, editing.base
    may_deliver = sample.upload is not None and is_kept_for_mapping(sample.upload)
    fitting = best_map(sample) if may_deliver and request.method != "POST" else (None, False)
    context = {
        "address": editing.address,
        "sample": sample,
        "kind_name": KIND_NAMES.get(sample.kind, sample.kind),
        "base": base,
        "draft": draft,
        "sheet": sheet,
        "fields": fields_of(sample.kind),
        "errors": errors,
        "error_of": by_field(errors) if errors else defaultdict(str),
        "may_deliver": may_deliver,
        "fitting": fitting[0] if fitting[1] else None,
    }
    return render(request, "departments/map_editor.html", context, status=422 if errors else 200)


def fields_of(kind: str) -> list[tuple[str, str]]:
    """The fields a heading can be taken for, with the word for those that are required."""
    return [(f.id, f"{f.name}（{_must(f.required)}）" if f.required else f.name) for f in map_fields(kind)]


def _must(required: str) -> str:
    return "必填" if required == "是" else required
