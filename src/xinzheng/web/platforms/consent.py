"""The page on which a person lets a platform act for them (授权平台代办)."""

from collections.abc import Sequence

from allauth.idp.oidc.internal.oauthlib.server import get_server
from django.conf import settings
from django.core import signing
from django.db import transaction
from django.http import HttpRequest, HttpResponse, QueryDict
from django.shortcuts import render
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_http_methods

from xinzheng.apps.accounts.models import Account
from xinzheng.apps.accounts.permissions import refusals_to_let_platforms_act
from xinzheng.apps.accounts.platform_grants import narrow, note_consent, note_refusal
from xinzheng.apps.accounts.platforms import ON_BEHALF, OPENID
from xinzheng.web.access import refuse_if, signed_in
from xinzheng.web.form_errors import FieldError, by_field
from xinzheng.web.people.mandate_rows import subject_rows
from xinzheng.web.platforms.asking import ADDRESS, Asked, SentBackError, UnreadableRequestError, back, read_request
from xinzheng.web.platforms.strict import without_nul
from xinzheng.web.sign_in.recent import freshly_signed_in

SALT = "xinzheng.platform-consent"
TICKET_SECONDS = 600
TOO_LATE = "页面停留超过10分钟，没有授权。请回到平台重新开始。"
NOTHING_CHOSEN = "请至少选一项；都不同意的，请按“不同意”。"
NOBODY = "您现在没有可以代办的主体，不能授权平台代办。请先在“代理关系”中绑定企业，或者由本人登录办理。"


@never_cache
@without_nul
@require_http_methods(["GET", "HEAD", "POST"])
@signed_in
@freshly_signed_in
def authorize(request: HttpRequest, account: Account) -> HttpResponse:
    """Show who asks for what, for whom; POST answers. What the platform asked wrongly it is told at its own address."""
    refuse_if(refusals_to_let_platforms_act(account))
    try:
        if request.method == "POST":
            return _answer(request, account, read_request(_said_before(request, account)))
        return _page(request, account, read_request(request.GET), [])
    except UnreadableRequestError as error:
        return _impossible(request, error.message)
    except SentBackError as error:
        return error.response


def _answer(request: HttpRequest, account: Account, asked: Asked) -> HttpResponse:
    if request.POST.get("answer") != "allow":
        note_refusal(account, asked.platform.pk)
        return back(asked.said, error="access_denied", error_description="本人不同意。")
    ticked = set(request.POST.getlist("scopes"))
    chosen = [scope for scope in asked.scopes if scope in ticked or scope == OPENID]
    if not set(chosen) & set(ON_BEHALF):
        return _page(request, account, asked, [FieldError("scopes", NOTHING_CHOSEN)])
    if not subject_rows(account):
        return _impossible(request, NOBODY)
    with transaction.atomic():
        narrow(account, asked.platform.pk, set(asked.scopes) - set(chosen))
        note_consent(account, asked.platform.pk, chosen)
        headers, body, status = get_server().create_authorization_response(
            asked.uri, "GET", "", {}, scopes=chosen, credentials={"user": account}
        )
    response = HttpResponse(body or "", status=status)
    response.headers["Location"] = f"{headers['Location']}&iss={settings.XINZHENG_ORIGIN}"
    return response


def _said_before(request: HttpRequest, account: Account) -> QueryDict:
    """What the page was shown for: signed, to this account, some minutes ago."""
    try:
        said, shown_to = signing.loads(request.POST.get("request", ""), salt=SALT, max_age=TICKET_SECONDS)
    except signing.BadSignature as error:
        raise UnreadableRequestError(TOO_LATE) from error
    if shown_to != account.pk:
        raise UnreadableRequestError(TOO_LATE)
    return QueryDict(said)


def _page(request: HttpRequest, account: Account, asked: Asked, errors: Sequence[FieldError]) -> HttpResponse:
    subjects = subject_rows(account)
    if not subjects:
        return _impossible(request, NOBODY)
    context = {
        "platform": asked.platform,
        "origin": asked.origin,
        "subjects": subjects,
        "scopes": [(scope, words) for scope, words in ON_BEHALF.items() if scope in asked.scopes],
        "is_known_by_number": OPENID in asked.scopes,
        "days": settings.IDP_OIDC_REFRESH_TOKEN_EXPIRES_IN // (24 * 60 * 60),
        "ticket": signing.dumps((asked.said.urlencode(), account.pk), salt=SALT),
        "address": ADDRESS,
        "again": asked.uri,
        "errors": errors,
        "error_of": by_field(errors),
    }
    response = render(request, "platforms/consent.html", context, status=422 if errors else 200)
    # A browser holds the redirect that follows a form to this, too.
    response._csp_update = {"form-action": [asked.origin]}  # type: ignore[attr-defined]  # how django-csp takes it
    return response


def _impossible(request: HttpRequest, message: str) -> HttpResponse:
    return render(request, "platforms/impossible.html", {"message": message}, status=400)
