"""The content while a view is open: to the browser that opened it, or to the account; gone at once when it closes."""

import uuid
from urllib.parse import urlencode

from django.conf import settings
from django.core.cache.backends.locmem import LocMemCache
from django.core.signing import BadSignature
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.shortcuts import render
from django.template.loader import render_to_string
from django.utils import timezone
from django.utils.safestring import SafeString, mark_safe
from django.views.decorators.http import require_safe

from xinzheng.apps.codes.looking import OpenView, content_of, view_now
from xinzheng.apps.codes.models import View
from xinzheng.apps.codes.receivers import receiver_of
from xinzheng.apps.codes.subscribing import may_subscribe
from xinzheng.core.lifecycle import STATUS_WORDS, ReportStatus
from xinzheng.web.access import SIGN_IN
from xinzheng.web.codes.quiet import bad_code, quiet
from xinzheng.web.context import signed_in_account

COOKIE, COOKIE_SALT = "xz_view", "xinzheng.view"
REMEMBERED_AFTER = 60 * 60
# Of their own: where limits are counted, nothing may be dropped to make room for what is large.
BODIES = LocMemCache("report-bodies", {"TIMEOUT": 15 * 60, "OPTIONS": {"MAX_ENTRIES": 300}})


def remember(response: HttpResponse, view: View) -> None:
    """Let this browser, and no other, open the view; one cookie for each, sent to its own address only.

    Lax and not Strict: the address is first opened from a camera's program.
    """
    left = int((view.open_until - timezone.now()).total_seconds())
    response.set_signed_cookie(
        COOKIE,
        str(view.pk),
        salt=COOKIE_SALT,
        max_age=max(0, left) + REMEMBERED_AFTER,
        path=f"/s/views/{view.pk}",
        httponly=True,
        secure=settings.SESSION_COOKIE_SECURE,
        samesite="Lax",
    )


@quiet
@require_safe
def view(request: HttpRequest, view_id: uuid.UUID) -> HttpResponse:
    """The content, asked anew each time whether it may still be shown."""
    found = _own_view(request, view_id)
    if found is None:
        return bad_code(request)
    if not _is_entered(request, found):
        back = f"{SIGN_IN}?{urlencode({'next': request.path})}"
        return HttpResponseRedirect(back) if signed_in_account(request) is None else bad_code(request)
    if not found.is_open:
        return render(request, "codes/view_over.html", {"why": _why_over(found)}, status=410)
    title, name, body = body_of(found.number, found.digest)
    account = signed_in_account(request)
    receiver = receiver_of(account) if account is not None else None
    context = {
        "view": found,
        "view_id": view_id,
        "report_title": title,
        "subject_name": name,
        "body": body,
        "may_subscribe": may_subscribe(receiver, view_id),
    }
    return render(request, "codes/view.html", context)


@quiet
@require_safe
def view_open(request: HttpRequest, view_id: uuid.UUID) -> HttpResponse:
    """Whether it is still open, for the page that shows it: nothing, or the word to load anew."""
    found = _own_view(request, view_id)
    if found is not None and found.is_open and _is_entered(request, found):
        return HttpResponse(status=204)
    return HttpResponse(headers={"HX-Refresh": "true"})


def _own_view(request: HttpRequest, view_id: uuid.UUID) -> OpenView | None:
    account = signed_in_account(request)
    try:
        is_held = request.get_signed_cookie(COOKIE, salt=COOKIE_SALT) == str(view_id)
    except (KeyError, BadSignature):
        is_held = False
    if not is_held and account is None:
        return None
    found = view_now(view_id)
    if found is None or not (is_held or (account is not None and found.account_id == account.pk)):
        return None
    return found


def _is_entered(request: HttpRequest, found: OpenView) -> bool:
    """Whether who was shown it as a verified body is still signed in as that: the browser alone may be anybody's."""
    if found.receiver_id is None or found.account_id is None:
        return True
    account = signed_in_account(request)
    return account is not None and account.pk == found.account_id


def _why_over(found: OpenView) -> str:
    if found.is_taken_back:
        return "主体已经收回同意。"
    if found.is_suspended:
        return "你单位的核验资格已停用，需要恢复的，请联系信用办。"
    if found.status != ReportStatus.IN_FORCE:
        return f"报告状态变为“{STATUS_WORDS[found.status]}”。"
    return "查看的时间到了。"


def body_of(number: str, digest: bytes) -> tuple[str, str, SafeString]:
    """A report's title, subject and content as a receiver reads them: what is in the signed file and nothing else.

    Drawn once and kept a while in this process: what a digest stands for never changes, and the status is asked each
    time.
    """
    key = f"{number}:{bytes(digest).hex()}"
    kept: tuple[str, str, str] | None = BODIES.get(key)
    if kept is None:
        from xinzheng.adapters.pdf.view import build  # the typesetter behind it is loaded when it is wanted

        content = content_of(number)
        drawn = render_to_string("codes/report_body.html", {"content": content, "words": build(content)})
        kept = "".join(content["title"]), content["subject"]["name"], drawn
        BODIES.set(key, kept)
    title, name, body = kept
    return title, name, mark_safe(body)  # noqa: S308  a template of ours made it
