"""The notices of whoever is signed in (通知): read them, go on from them, mark them as read."""

import uuid

from django.contrib import messages
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.views.decorators.http import require_http_methods

from xinzheng.apps.accounts.models import Account
from xinzheng.apps.codes.inbox import notices_for, read, read_all
from xinzheng.core.errors import XinzhengError
from xinzheng.web.access import signed_in

SHOWN = 50


@require_http_methods(["GET", "HEAD", "POST"])
@signed_in
def notices(request: HttpRequest, account: Account) -> HttpResponse:
    """The list, newest first; POST marks one as read and leads on from it, or marks all."""
    if request.method == "POST":
        return _marked(request, account)
    rows = notices_for(account, _key(request.GET.get("before", "")), SHOWN + 1)
    shown = rows[:SHOWN]
    context = {
        "rows": shown,
        "fresh": sum(not row.is_read for row in shown),
        "older": shown[-1].id if len(rows) > SHOWN else None,
    }
    return render(request, "notices/notices.html", context)


def _marked(request: HttpRequest, account: Account) -> HttpResponse:
    if request.POST.get("act") == "read-all":
        read_all(account)
        messages.add_message(request, messages.INFO, "已全部标为已读。", extra_tags="info")
        return redirect("notices")
    key = _key(request.POST.get("notice", ""))
    if key is None:
        return redirect("notices")
    try:
        row = read(key, account)
    except XinzhengError as error:
        raise Http404(error.message) from error
    return redirect(row.url or "notices")


def _key(text: str) -> uuid.UUID | None:
    try:
        return uuid.UUID(text)
    except ValueError:
        return None
