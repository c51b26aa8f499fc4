"""Staff who are signed in (工作人员的登录): the security administrator sees where, and ends a session at once."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from allauth.usersessions.models import UserSession
from django.conf import settings
from django.contrib import messages
from django.contrib.auth import HASH_SESSION_KEY
from django.contrib.sessions.models import Session
from django.db import transaction
from django.db.models import Q
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils import timezone
from django.views.decorators.http import require_safe

from xinzheng.apps.accounts.models import Account, Role
from xinzheng.apps.accounts.permissions import refusals_to_secure, refusals_to_unlock
from xinzheng.apps.audit.actions import record_event
from xinzheng.web.access import form_on, refuse_if, signed_in
from xinzheng.web.administration.account_rows import LONGEST_QUESTION, OUTSIDERS
from xinzheng.web.codes.visitors import place_at
from xinzheng.web.sign_in.guard import SEEN
from xinzheng.web.sign_in.recent import freshly_signed_in
from xinzheng.web.sign_in.sessions import device_of
from xinzheng.web.sign_in.staff import is_everybodys

PAGE = "/administration/sessions"
SHOWN = 200


@dataclass(frozen=True)
class StaffSession:
    """A session of a member of staff as the page shows it; never its key."""

    id: int
    account_id: int
    name: str
    username: str
    role: str
    device: str
    place: str
    began_at: datetime
    used_at: datetime
    may_end: bool


@require_safe
@signed_in
def staff_sessions(request: HttpRequest, account: Account) -> HttpResponse:
    """Every session of staff that still opens something, newest first."""
    refuse_if(refusals_to_secure(account))
    asked = request.GET.get("q", "").replace("\0", "").strip()[:LONGEST_QUESTION]
    rows = list(_rows(account, asked))
    context = {
        "rows": rows[:SHOWN],
        "more": len(rows) - SHOWN,
        "asked": asked,
        "idle_minutes": settings.XINZHENG_IDLE_MINUTES,
        "is_demonstration": settings.XINZHENG_DEMONSTRATION,
    }
    return render(request, "administration/sessions.html", context)


@form_on(PAGE)
@signed_in
@freshly_signed_in
def end_staff_session(request: HttpRequest, account: Account, session_id: int) -> HttpResponse:
    """End one session of somebody else at once."""
    refuse_if(refusals_to_secure(account))
    session = UserSession.objects.select_related("user").filter(pk=session_id).first()
    if session is None or session.user.role in OUTSIDERS or is_everybodys(session.user):
        raise Http404("没有这次登录，可能已经退出；请刷新页面后再看。")
    refuse_if(refusals_to_unlock(account, session.user))
    with transaction.atomic():
        session.end()
        record_event(
            who=account.actor,
            action="session-ended",
            object_kind="account",
            object_id=session.user.pk,
            details={"device": device_of(session.user_agent)},
        )
    done = f"“{session.user.display_name}”的这次登录已经结束，立即生效。"
    messages.add_message(request, messages.SUCCESS, done, extra_tags="none")
    return redirect(PAGE)


def _rows(account: Account, asked: str) -> Iterable[StaffSession]:
    found = _of_staff(asked)
    live = {row.session_key: row for row in Session.objects.filter(session_key__in=[one.session_key for one in found])}
    for session in found:
        kept = live.get(session.session_key)
        used_at = None if kept is None else _used_at(session.user, kept)
        if used_at is not None and not is_everybodys(session.user):
            yield _row(account, session, used_at)


def _of_staff(asked: str) -> list[UserSession]:
    """Sessions of staff that began no longer ago than one can last."""
    since = timezone.now() - timedelta(seconds=settings.SESSION_COOKIE_AGE)
    found = UserSession.objects.filter(created_at__gt=since, user__is_active=True).exclude(user__role__in=OUTSIDERS)
    if asked:
        found = found.filter(Q(user__username__icontains=asked) | Q(user__display_name__icontains=asked))
    return list(found.select_related("user").order_by("-created_at", "-pk"))


def _used_at(account: Account, kept: Session) -> datetime | None:
    """When a session was last used; None where it opens nothing any more: late, idle, or from before a sign-out."""
    held = kept.get_decoded()
    if kept.expire_date <= timezone.now() or held.get(HASH_SESSION_KEY) != account.get_session_auth_hash():
        return None
    seen = datetime.fromtimestamp(held.get(SEEN, 0), UTC)
    return None if timezone.now() - seen > timedelta(minutes=settings.XINZHENG_IDLE_MINUTES) else seen


def _row(account: Account, session: UserSession, used_at: datetime) -> StaffSession:
    of = session.user
    return StaffSession(
        id=session.pk,
        account_id=of.pk,
        name=of.display_name,
        username=of.username,
        role=Role(of.role).label,
        device=device_of(session.user_agent),
        place=place_at(session.ip),
        began_at=session.created_at,
        used_at=used_at,
        may_end=not refusals_to_unlock(account, of),
    )
