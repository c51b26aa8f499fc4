"""What every page's frame needs to know: the site, who is there, where we are, how large the type is."""

from dataclasses import dataclass
from typing import cast

from django.conf import settings
from django.db import DatabaseError
from django.http import HttpRequest

from xinzheng.apps.accounts.models import OF_A_UNIT, Account, Role
from xinzheng.apps.codes.inbox import unread
from xinzheng.web.navigation import Navigation, navigation_of

ELDER_COOKIE = "elder"
ELDER_SIZES = {"large": "大字", "larger": "更大", "largest": "最大"}
DEFAULT_SITE_NAME = "信证"


@dataclass(frozen=True)
class Shell:
    """The frame of a page: header, navigation, demonstration strip, size of type."""

    site_name: str
    audience: str
    is_demonstration: bool
    elder: str
    sizes: dict[str, str]
    nav: Navigation
    account: Account | None
    here: str

    @property
    def unread(self) -> int:
        """How many notices whoever is there has not read; asked where the head is drawn, and never in the way of it."""
        if self.account is None:
            return 0
        try:
            return unread(self.account)
        except DatabaseError:
            return 0


def signed_in_account(request: HttpRequest | None) -> Account | None:
    """The account of this visitor, or None for the public."""
    user = getattr(request, "user", None)
    return cast(Account, user) if user is not None and user.is_authenticated else None


def elder_size(request: HttpRequest | None) -> str:
    """The size chosen in 长辈模式, or an empty string while it is off."""
    chosen = request.COOKIES.get(ELDER_COOKIE, "") if request is not None else ""
    return chosen if chosen in ELDER_SIZES else ""


def shell_of(request: HttpRequest | None) -> Shell:
    """The frame for this request; None (an error page without a request) gives the public frame."""
    account = signed_in_account(request)
    path = request.path if request is not None else ""
    return Shell(
        site_name=getattr(settings, "XINZHENG_SITE_NAME", DEFAULT_SITE_NAME),
        audience=_audience(account),
        is_demonstration=bool(getattr(settings, "XINZHENG_DEMONSTRATION", False)),
        elder=elder_size(request),
        sizes=ELDER_SIZES,
        nav=navigation_of(account, path),
        account=account,
        here=request.get_full_path() if request is not None and request.method == "GET" else "/",
    )


def _audience(account: Account | None) -> str:
    if account is not None and account.role in OF_A_UNIT:
        return "数源单位"
    if account is not None and account.role == Role.SYSTEM_ADMINISTRATOR:
        return "系统管理"
    if account is not None and account.role == Role.AUDITOR:
        return "审计"
    return "信用办" if account is not None and account.role == Role.OFFICE_OPERATOR else "专用信用报告"
