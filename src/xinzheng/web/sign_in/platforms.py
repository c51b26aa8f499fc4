"""What an identity platform (OpenID Connect) says becomes an account; claims are used and not kept."""

from dataclasses import dataclass
from typing import Any

import structlog
from allauth.core.exceptions import ImmediateHttpResponse
from allauth.socialaccount.adapter import DefaultSocialAccountAdapter
from allauth.socialaccount.models import SocialAccount, SocialApp, SocialLogin
from allauth.socialaccount.providers.base.constants import AuthError
from django.contrib import messages
from django.db import transaction
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.shortcuts import render

from xinzheng.apps.accounts.mandates import MandateError
from xinzheng.apps.accounts.models import Account
from xinzheng.apps.accounts.platform_accounts import Claim, PlatformSignInError, account_for, recognise
from xinzheng.apps.audit.actions import About, record_event
from xinzheng.apps.audit.privacy import IDENTITY_NUMBER
from xinzheng.apps.registry.persons import PersonError, keep_phone, register_person
from xinzheng.apps.registry.queries import find_subject
from xinzheng.apps.registry.representatives import claim_representation
from xinzheng.core.identifiers import mask_name
from xinzheng.core.identity_platforms import IdentityPlatform, VerifiedPerson, verified_person
from xinzheng.web.sign_in.platform_buttons import buttons
from xinzheng.web.sign_in.staff import is_everybodys, is_staff

CONNECTIONS = "/account/connections"
KIND = "openid_connect"
CANCELLED = "您在平台上取消了登录，没有登录本站。"
UNFINISHED = "登录没有完成：平台没有应答，或者停留太久、返回的页面已经用过。请重新登录。"
NOT_VERIFIED = "平台没有给出实名认证的结果，不能登录。请先在平台上完成实名认证，再重新登录。"
STAFF = "工作人员的账户不能用政务服务账户登录，请用用户名、密码和动态口令。"
EVERYBODYS = "演示账户人人可以进入，不能连接平台账户。"
CLOSED = "账户已停用。需要恢复的，请联系系统管理员。"
TAKEN = "这个平台账户已经连接了本站的另一个账户，没有重复连接。"
OTHER_PERSON = "平台上的身份与本站账户不是同一个人，不能登录。请联系信用办核对。"
NUMBER_AS_ID = "平台的配置有误（用户编号是身份号码），不能登录。请联系系统管理员。"
log = structlog.get_logger(__name__)


@dataclass(frozen=True)
class Coming:
    """Somebody comes from a platform: ``person_id`` and ``person`` where the platform vouches for them."""

    platform: IdentityPlatform
    link: SocialAccount
    person: VerifiedPerson | None
    person_id: int | None

    @property
    def by(self) -> str:
        """How entries and audit events name the platform."""
        return f"platform:{self.platform.id}"


class Adapter(DefaultSocialAccountAdapter):  # type: ignore[misc]
    """Platforms come from the installation's file; whom they send is admitted by verified identity alone."""

    def list_apps(self, _request: HttpRequest, provider: str | None = None, client_id: str | None = None) -> list[Any]:
        """The platforms of the file as the library wants them; the database holds none."""
        return [
            _app(platform)
            for platform in buttons()
            if provider in (None, KIND, platform.id) and client_id in (None, platform.client_id)
        ]

    def populate_user(self, _request: HttpRequest, login: SocialLogin, _said: dict[str, Any]) -> Any:
        """Nothing of what was said goes into an account of the library's making."""
        return login.user

    def pre_social_login(self, request: HttpRequest, login: SocialLogin) -> None:
        """Find or open the account, or answer with the page that says why not."""
        is_connecting = login.state.get("process") == "connect"
        present = request.user if is_connecting and isinstance(request.user, Account) else None
        try:
            with transaction.atomic():
                account = _admit(_coming(login), present)
        except (PlatformSignInError, PersonError) as error:
            raise ImmediateHttpResponse(failed(request, error.message, status=403)) from error
        if is_connecting:
            messages.add_message(request, messages.SUCCESS, "已连接，以后也可以用它登录。", extra_tags="none")
            raise ImmediateHttpResponse(HttpResponseRedirect(CONNECTIONS))
        login.user = account

    def on_authentication_error(
        self, request: HttpRequest, provider: Any, error: str = "", exception: object = None, **_more: object
    ) -> None:
        """Say in our words that it did not work; what the platform wrote stays in the log."""
        if error == AuthError.CANCELLED:
            raise ImmediateHttpResponse(failed(request, CANCELLED, status=200))
        log.warning("platform sign-in failed", platform=provider.sub_id, reason=type(exception).__name__)
        raise ImmediateHttpResponse(failed(request, UNFINISHED, status=502 if exception else 400))


def failed(request: HttpRequest, message: str, *, status: int) -> HttpResponse:
    """The page that says why nobody was signed in."""
    response = render(request, "sign_in/platform_failed.html", {"message": message}, status=status)
    response.headers["Cache-Control"] = "private, no-store"
    return response


def platform_named(platform_id: str) -> IdentityPlatform | None:
    """The platform of this id in the installation's file."""
    return next((platform for platform in buttons() if platform.id == platform_id), None)


def _coming(login: SocialLogin) -> Coming:
    platform = platform_named(login.account.provider)
    if platform is None:
        raise PlatformSignInError(UNFINISHED)
    if IDENTITY_NUMBER.search(login.account.uid):
        # It would stand in the clear in the database: the platform has to send another number.
        log.error("platform sends identity numbers as user ids", platform=platform.id)
        raise PlatformSignInError(NUMBER_AS_ID)
    person = verified_person(platform, login.said)
    by = f"platform:{platform.id}"
    return Coming(
        platform, login.account, person, register_person(person.number, person.name, by=by) if person else None
    )


def _admit(coming: Coming, present: Account | None) -> Account:
    """The account of who comes; ``present`` is signed in and connects the platform."""
    linked: Account | None = None if coming.link.pk is None else coming.link.user
    if present is not None:
        account = _connecting(coming, present, linked)
    elif linked is not None:
        account = linked
        if coming.person_id is not None and account.person_id not in (None, coming.person_id):
            raise PlatformSignInError(OTHER_PERSON)
    elif coming.person is None or coming.person_id is None:
        raise PlatformSignInError(NOT_VERIFIED)
    else:
        account = account_for(Claim(coming.person_id, mask_name(coming.person.name)), by=coming.by)
    if is_staff(account):
        raise PlatformSignInError(STAFF)
    if is_everybodys(account):
        raise PlatformSignInError(EVERYBODYS)
    if not account.is_active:
        raise PlatformSignInError(CLOSED)
    if linked is None:
        _link(coming, account)
    _note(coming, account)
    return account


def _connecting(coming: Coming, present: Account, linked: Account | None) -> Account:
    if linked is not None and linked.pk != present.pk:
        raise PlatformSignInError(TAKEN)
    return present if coming.person_id is None else recognise(present, coming.person_id, by=coming.by)


def _link(coming: Coming, account: Account) -> None:
    coming.link.user = account
    coming.link.extra_data = {}
    coming.link.save()
    about = About(account.person_id, details={"platform": coming.platform.id})
    record_event(who=coming.by, action="platform-connected", object_kind="account", object_id=account.pk, details=about)


def _note(coming: Coming, account: Account) -> None:
    """Keep the phone, and bind the organisation the person represents where the register agrees."""
    if coming.person is None or coming.person_id is None:
        return
    if coming.person.phone:
        try:
            keep_phone(coming.person_id, coming.person.phone, by=coming.by)
        except PersonError:
            log.warning("platform sends a phone that is none", platform=coming.platform.id)
    organisation = find_subject(coming.person.organisation) if coming.person.is_representative else None
    if organisation is not None and account.person_id == coming.person_id:
        try:
            claim_representation(account, organisation, coming.person.name)
        except MandateError:
            log.warning("platform names an organisation nobody represents", platform=coming.platform.id)


def _app(platform: IdentityPlatform) -> SocialApp:
    return SocialApp(
        provider=KIND,
        provider_id=platform.id,
        name=platform.name,
        client_id=platform.client_id,
        secret=platform.secret,
        settings={
            "server_url": platform.server,
            "scope": list(platform.scopes),
            "oauth_pkce_enabled": True,
            "uid_field": "sub",
        },
    )
