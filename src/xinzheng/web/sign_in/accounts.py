"""What the library may do with accounts: nobody opens one by himself; whoever enters leaves a trace."""

from ipaddress import ip_address, ip_network

from allauth.account.adapter import DefaultAccountAdapter
from allauth.account.internal.flows.login import get_authentication_records
from allauth.usersessions.models import UserSession
from django.contrib.auth import login
from django.db import transaction
from django.http import HttpRequest

from xinzheng.apps.accounts.models import Account
from xinzheng.apps.audit.actions import About, record_event
from xinzheng.web.access import safe_return
from xinzheng.web.sign_in.staff import first_page, is_everybodys, is_staff

BACKEND = "xinzheng.web.sign_in.backend.Backend"


class Adapter(DefaultAccountAdapter):  # type: ignore[misc]
    """Accounts of staff are opened by an administrator, those of the public by their identity platform."""

    def is_open_for_signup(self, _request: HttpRequest) -> bool:
        """Never."""
        return False

    def add_message(self, *_args: object, **_kwargs: object) -> None:
        """Our pages say what happened themselves."""

    def login(self, request: HttpRequest, account: Account) -> None:
        """The last step of every way of signing in; of a member of staff only the newest session lives on."""
        with transaction.atomic():
            login(request, account, backend=BACKEND)
            if is_staff(account) and not is_everybodys(account):
                for session in UserSession.objects.filter(user_id=account.pk):
                    session.end()
            place = coarse(request.META.get("REMOTE_ADDR", ""))
            about = About(account.person_id, place=place, details={"proofs": _proofs(request, account)})
            record_event(
                who=account.actor, action="signed-in", object_kind="account", object_id=account.pk, details=about
            )

    def get_login_redirect_url(self, request: HttpRequest) -> str:
        """The first page of the role."""
        return first_page(request.user) if isinstance(request.user, Account) else "/"

    def is_safe_url(self, url: str) -> bool:
        """Only addresses on this site."""
        return bool(url) and safe_return(self.request, url, "") == url

    def get_client_ip(self, request: HttpRequest) -> str:
        """What is kept of an address: its network. Limits of rate do not come here."""
        return coarse(request.META.get("REMOTE_ADDR", "")) or "0.0.0.0"  # noqa: S104  not an address to listen at


def _proofs(request: HttpRequest, account: Account) -> list[str]:
    """By what somebody signs in: password, totp, webauthn, recovery_codes, the platform's id; one click has none."""
    shown = get_authentication_records(request, account)
    return [str(proof.get("type") or proof.get("provider") or proof["method"]) for proof in shown]


def coarse(address: str) -> str:
    """The network an address is in (网段): the first 24 bits of IPv4, 48 of IPv6; empty for what is no address."""
    try:
        found = ip_address(address)
    except ValueError:
        return ""
    return str(ip_network(f"{found}/{24 if found.version == 4 else 48}", strict=False).network_address)
