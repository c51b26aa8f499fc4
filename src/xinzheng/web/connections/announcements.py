"""Announcements (公告) as the office and system administrators make, mend and take them back."""

from collections.abc import Mapping
from contextlib import suppress
from datetime import datetime
from typing import Any

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils import timezone
from django.views.decorators.http import require_http_methods

from xinzheng.apps.accounts.models import Account, Role
from xinzheng.apps.oversight.announcements import (
    TEXT_AT_MOST,
    TITLE_AT_MOST,
    AnnouncementError,
    NewAnnouncement,
    announce,
    announcement,
    newest_announcements,
    reasons_not_to_announce,
    take_back,
)
from xinzheng.apps.oversight.desk_models import EVERYBODY, Announcement
from xinzheng.apps.oversight.permissions import refusals_to_announce_maintenance
from xinzheng.core.errors import XinzhengError
from xinzheng.web.access import refuse_if, signed_in
from xinzheng.web.connections.announced import REMEMBERED
from xinzheng.web.form_errors import FieldError, by_field

MAINTENANCE, NEWS = Announcement.Kind.MAINTENANCE, Announcement.Kind.NEWS
FIELDS = ("kind", "audience", "title", "text", "shown_from", "shown_until", "begins_at", "ends_at", "replaces")
TIMES = {
    "shown_from": "开始显示的时间",
    "shown_until": "显示到的时间",
    "begins_at": "维护开始的时间",
    "ends_at": "维护结束的时间",
}
AUDIENCES = {EVERYBODY: "所有人", **{role.value: role.label for role in Role}}
YEARS = range(2020, 2100)
KEPT = "填写的内容都还在。"


@require_http_methods(["GET", "HEAD", "POST"])
@signed_in
def announcements(request: HttpRequest, account: Account) -> HttpResponse:
    """What was announced, with a form; POST announces, mends or takes back, as ``act`` says."""
    refuse_if(refusals_to_announce_maintenance(account))
    if request.method != "POST":
        return _page(request, account, _to_mend(request.GET.get("mend", ""), account), [])
    said = {name: request.POST.get(name, "") for name in FIELDS}
    refuse_if(reasons_not_to_announce(account, said["kind"] or MAINTENANCE))
    try:
        told = _act(request.POST.get("act", ""), said, account)
    except AnnouncementError as error:
        return _page(request, account, said, [FieldError(str(error.context.get("field", "title")), error.message)])
    except XinzhengError as error:
        return _page(request, account, said, [FieldError("announcements-h", error.message)])
    REMEMBERED.forget()
    messages.add_message(request, messages.SUCCESS, told, extra_tags="none")
    return redirect("announcements")


def _act(act: str, said: Mapping[str, str], account: Account) -> str:
    if act == "take-back":
        take_back(_number(said["replaces"]), account=account)
        return "已撤下，不再显示。"
    if act != "announce":
        raise XinzhengError("请从页面上的按钮办理。", code="act-unknown")
    announce(_new(said), timezone.now(), account=account)
    return "已更正公告。" if said["replaces"] else "已发布公告，到时间自动显示，过时间自动不再显示。"


def _new(said: Mapping[str, str]) -> NewAnnouncement:
    is_maintenance = said["kind"] == MAINTENANCE
    begins, ends = (_moment(said, name) if is_maintenance else None for name in ("begins_at", "ends_at"))
    until = _moment(said, "shown_until") or ends
    if until is None:
        field = "ends_at" if is_maintenance else "shown_until"
        raise AnnouncementError(f"请填写{TIMES[field]}。", field=field)
    return NewAnnouncement(
        said["kind"],
        said["audience"],
        said["title"],
        said["text"],
        _moment(said, "shown_from") or timezone.now(),
        until,
        begins,
        ends,
        _number(said["replaces"]) if said["replaces"] else None,
    )


def _moment(said: Mapping[str, str], name: str) -> datetime | None:
    """A time of China's as a field of the form has it; None where it is empty."""
    if not said[name]:
        return None
    at: datetime | None = None
    with suppress(ValueError):
        at = datetime.fromisoformat(said[name]).replace(tzinfo=None)
    # What lies at the edge of the calendar can be written to the database, and not be read any more.
    if at is None or at.year not in YEARS:
        raise AnnouncementError(f"{TIMES[name]}应形如2026-11-23 22:00。", field=name)
    return timezone.make_aware(at)


def _number(text: str) -> int:
    """The number of a row; nought, which none has, for anything else."""
    return int(text) if text.isascii() and text.isdigit() and len(text) < 18 else 0


def _to_mend(text: str, account: Account) -> Mapping[str, str]:
    """The form filled with what is to be mended; empty where nothing is."""
    found = announcement(_number(text))
    if found is None or reasons_not_to_announce(account, found.kind):
        return dict.fromkeys(FIELDS, "") | {"kind": NEWS, "audience": EVERYBODY}
    times = {name: getattr(found, name) for name in TIMES}
    filled = {name: f"{timezone.localtime(at):%Y-%m-%dT%H:%M}" if at else "" for name, at in times.items()}
    words = {name: str(getattr(found, name)) for name in ("kind", "audience", "title", "text")}
    return words | filled | {"replaces": str(found.pk)}


def _page(request: HttpRequest, account: Account, said: Mapping[str, str], errors: list[FieldError]) -> HttpResponse:
    now = timezone.now()
    kinds = [(kind.value, kind.label) for kind in (NEWS, MAINTENANCE) if not reasons_not_to_announce(account, kind)]
    rows = [_row(one, now, account) for one in newest_announcements()]
    context = {
        "rows": rows,
        "shown_count": sum(row["is_shown"] for row in rows),
        "kinds": kinds,
        "audiences": AUDIENCES.items(),
        "said": said,
        "errors": errors,
        "error_of": by_field(errors),
        "kept": KEPT,
        "title_at_most": TITLE_AT_MOST,
        "text_at_most": TEXT_AT_MOST,
    }
    return render(request, "connections/announcements.html", context, status=422 if errors else 200)


def _row(one: Announcement, now: datetime, account: Account) -> dict[str, Any]:
    is_over = one.is_taken_back or one.shown_until <= now
    is_shown = not is_over and one.shown_from <= now
    state = "已撤下" if one.is_taken_back else "已过期" if is_over else "正在显示" if is_shown else "待显示"
    return {
        "one": one,
        "audience": AUDIENCES[one.audience],
        "state": state,
        "is_shown": is_shown,
        "may_change": not is_over and not reasons_not_to_announce(account, one.kind),
    }
