"""Keys of units' systems (接口密钥): the system administrator makes them, sees when they were used, revokes them."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.views.decorators.http import require_http_methods

from xinzheng.apps.accounts.key_actions import NAME_AT_MOST, ApiKeyError, MadeKey, create_key, revoke_key
from xinzheng.apps.accounts.models import Account, ApiKey
from xinzheng.apps.accounts.permissions import refusals_to_manage_keys
from xinzheng.apps.accounts.queries import api_keys
from xinzheng.apps.audit.queries import head_position
from xinzheng.apps.registry.queries import units_at
from xinzheng.web.access import form_on, refuse_if, signed_in
from xinzheng.web.form_errors import FieldError, by_field

PAGE = "/administration/keys"
NO_UNIT = "请选择单位。"
SAME_NAME = "这个单位已有同名的有效密钥。请换一个名称，或者先吊销原来的。"


@dataclass(frozen=True)
class KeyRow:
    """A key as the page shows it; never the key itself."""

    id: int
    unit: str
    name: str
    created_at: datetime
    last_used_date: date | None
    revoked_at: datetime | None
    is_responsible: bool


@dataclass(frozen=True)
class Asked:
    """What the form asks for."""

    unit_id: int | None
    name: str
    is_responsible: bool


@require_http_methods(["GET", "HEAD", "POST"])
@signed_in
def keys(request: HttpRequest, account: Account) -> HttpResponse:
    """All keys; POST makes one and shows it, this once."""
    refuse_if(refusals_to_manage_keys(account))
    units = {unit.id: unit.name for unit in units_at(head_position()).values()}
    if request.method != "POST":
        return _page(request, units, None, [])
    asked = _asked(request, units)
    errors = _mistakes(asked)
    made = None
    if asked.unit_id is not None and not errors:
        try:
            made = create_key(
                unit_id=asked.unit_id, name=asked.name, by=account.actor, is_responsible=asked.is_responsible
            )
        except ApiKeyError as error:
            errors = [FieldError("name", error.message)]
    return _page(request, units, made, errors)


@form_on(PAGE)
@signed_in
def revoke(request: HttpRequest, account: Account, key_id: int) -> HttpResponse:
    """Revoke a key; it opens nothing any more."""
    refuse_if(refusals_to_manage_keys(account))
    try:
        key = revoke_key(key_id=key_id, by=account.actor)
    except ApiKeyError as error:
        messages.add_message(request, messages.ERROR, error.message, extra_tags="found")
    else:
        said = f"“{key.name}”已吊销，立即生效。已经报送的数据不受影响。"
        messages.add_message(request, messages.SUCCESS, said, extra_tags="none")
    return redirect(PAGE)


def _asked(request: HttpRequest, units: dict[int, str]) -> Asked:
    chosen = request.POST.get("unit", "")
    unit_id = int(chosen) if chosen.isascii() and chosen.isdigit() and len(chosen) < 19 else None
    is_responsible = request.POST.get("responsible") == "on"
    return Asked(unit_id if unit_id in units else None, request.POST.get("name", "").strip(), is_responsible)


def _mistakes(asked: Asked) -> list[FieldError]:
    """A name in use is refused: a page loaded again would otherwise make another key."""
    if asked.unit_id is None:
        return [FieldError("unit", NO_UNIT)]
    named = any(key.name == asked.name and key.revoked_at is None for key in api_keys(asked.unit_id))
    return [FieldError("name", SAME_NAME)] if named else []


def _page(
    request: HttpRequest, units: dict[int, str], made: MadeKey | None, errors: Sequence[FieldError]
) -> HttpResponse:
    rows = [_row(key, units) for key in api_keys()]
    context = {
        "made": made,
        "made_for": units.get(made.key.unit_id, "") if made else "",
        "valid": [row for row in rows if row.revoked_at is None],
        "revoked": [row for row in rows if row.revoked_at is not None],
        "units": sorted(units.items(), key=lambda unit: unit[1]),
        "errors": errors,
        "error_of": by_field(errors),
        "values": {name: "" if made else request.POST.get(name, "") for name in ("unit", "name", "responsible")},
        "name_at_most": NAME_AT_MOST,
    }
    return render(request, "administration/keys.html", context, status=422 if errors else 200)


def _row(key: ApiKey, units: dict[int, str]) -> KeyRow:
    unit = units.get(key.unit_id, "已不在名录中的单位")
    return KeyRow(key.pk, unit, key.name, key.created_at, key.last_used_date, key.revoked_at, key.is_responsible)
