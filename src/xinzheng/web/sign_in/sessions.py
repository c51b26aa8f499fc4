"""Where one is signed in (登录的设备): see, end one, sign out everywhere."""

import re
from dataclasses import dataclass
from datetime import UTC, datetime
from importlib import import_module

from allauth.usersessions.models import UserSession
from django.conf import settings
from django.contrib import messages
from django.contrib.auth import logout
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseRedirect
from django.shortcuts import render

from xinzheng.apps.accounts.models import Account
from xinzheng.apps.accounts.passwords import end_sessions
from xinzheng.apps.audit.actions import About, record_event
from xinzheng.web.access import form_on, signed_in
from xinzheng.web.sign_in.guard import SEEN
from xinzheng.web.sign_in.staff import is_everybodys

PAGE = "/account/sessions"
SYSTEMS = (
    ("Windows", "Windows 电脑"),
    ("iPhone", "iPhone"),
    ("iPad", "iPad"),
    ("Android", "安卓手机或者平板"),
    ("Harmony", "鸿蒙设备"),
    ("Macintosh", "苹果电脑"),
    ("Linux", "Linux 电脑"),
)
BROWSERS = (
    ("MicroMessenger", "微信"),
    ("Edg", "Edge"),
    ("Firefox", "Firefox"),
    ("Chrom", "Chrome"),
    ("Safari", "Safari"),
)


@dataclass(frozen=True)
class SessionRow:
    """A session as the page shows it; never its key."""

    id: int
    device: str
    network: str
    began_at: datetime
    used_at: datetime | None
    is_here: bool


@signed_in
def sessions(request: HttpRequest, account: Account) -> HttpResponse:
    """The account's sessions that still open something."""
    if is_everybodys(account):
        # Whoever else tries the demonstration is nobody's business.
        held = []
    else:
        held = [_row(request, session) for session in UserSession.objects.purge_and_list(account)]
    held.sort(key=lambda row: (not row.is_here, -row.began_at.timestamp()))
    context = {
        "rows": held,
        "is_everybodys": is_everybodys(account),
        "idle_minutes": settings.XINZHENG_IDLE_MINUTES,
        "hours": settings.SESSION_COOKIE_AGE // 3600,
    }
    return render(request, "sign_in/sessions.html", context)


@form_on(PAGE)
@signed_in
def end(request: HttpRequest, account: Account, session_id: int) -> HttpResponse:
    """End one session at once; one's own is signing out."""
    session = UserSession.objects.filter(pk=session_id, user_id=account.pk).first()
    if session is None or is_everybodys(account):
        raise Http404
    if session.session_key == request.session.session_key:
        logout(request)
        session.delete()
        return HttpResponseRedirect("/sign-in")
    session.end()
    record_event(
        who=account.actor,
        action="session-ended",
        object_kind="account",
        object_id=account.pk,
        details=About(account.person_id),
    )
    messages.add_message(request, messages.SUCCESS, "那台设备已退出。", extra_tags="none")
    return HttpResponseRedirect(PAGE)


@form_on(PAGE)
@signed_in
def end_all(request: HttpRequest, account: Account) -> HttpResponse:
    """Sign out everywhere, here too."""
    if is_everybodys(account):
        raise Http404
    end_sessions(account, by=account.actor)
    for session in UserSession.objects.filter(user_id=account.pk):
        session.end()
    logout(request)
    messages.add_message(request, messages.SUCCESS, "所有设备都已退出。", extra_tags="none")
    return HttpResponseRedirect("/sign-in")


def device_of(agent: str) -> str:
    """A device in words by what its browser says of itself, e.g. Windows 电脑，Edge."""
    system = next((words for mark, words in SYSTEMS if mark in agent), "其他设备")
    browser = next((words for mark, words in BROWSERS if re.search(mark, agent)), "其他浏览器")
    return f"{system}，{browser}"


def _row(request: HttpRequest, session: UserSession) -> SessionRow:
    store = import_module(settings.SESSION_ENGINE).SessionStore(session.session_key)
    seen = store.get(SEEN)
    return SessionRow(
        id=session.pk,
        device=device_of(session.user_agent),
        network=_network(session.ip),
        began_at=session.created_at,
        used_at=None if seen is None else datetime.fromtimestamp(seen, UTC),
        is_here=session.session_key == request.session.session_key,
    )


def _network(address: str) -> str:
    if address.startswith("127.") or address == "::":
        return "本机"
    return re.sub(r"\.0$", ".*", address) if "." in address else address.rstrip(":") + ":*"
