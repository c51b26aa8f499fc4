"""Who needs a second factor (第二因子), and who is everybody's: the accounts of a demonstration."""

from collections.abc import Mapping
from ipaddress import ip_address

from django.conf import settings
from django.http import HttpRequest
from django.urls import reverse
from django.utils import timezone

from xinzheng.apps.accounts.mandate_queries import scopes_of
from xinzheng.apps.accounts.models import OF_A_UNIT, Account, Role

DEMO_PREFIX = "demo-"
OUTSIDERS = (Role.SUBJECT_AGENT, Role.RECEIVER)
# The page each role begins at, by its name among the addresses; an agent where its mandate lets it in.
FIRST_PAGES: Mapping[Role, str] = {
    Role.SUBJECT_AGENT: "apply",
    Role.RECEIVER: "receiver",
    Role.OFFICE_OPERATOR: "office",
    Role.JUSTICE_LEAD: "office",
    Role.DATA_LEAD: "office",
    Role.SECURITY_ADMINISTRATOR: "accounts",
    Role.AUDITOR: "audit",
    Role.SYSTEM_ADMINISTRATOR: "keys",
    **dict.fromkeys(OF_A_UNIT, "department"),
}
PAGES_BY_SCOPE = (("apply", "apply"), ("read", "reports"))


def is_staff(account: Account) -> bool:
    """Everybody who works for a unit, the office or the administration: all but agents and receivers."""
    return account.role not in OUTSIDERS


def needs_second_factor(account: Account) -> bool:
    """Whether a password alone is not enough for this account."""
    return is_staff(account) and settings.XINZHENG_SECOND_FACTOR != "off"


def is_everybodys(account: Account) -> bool:
    """Whether anyone may enter by one click, only while the whole site is a demonstration; nobody may change it."""
    return (
        bool(settings.XINZHENG_DEMONSTRATION)
        and account.username.startswith(DEMO_PREFIX)
        and not account.has_usable_password()
    )


def first_page(account: Account) -> str:
    """Where somebody begins who wanted nothing in particular."""
    name = FIRST_PAGES[Role(account.role)]
    return reverse(_page_of_agent(account) if account.role == Role.SUBJECT_AGENT else name)


def _page_of_agent(account: Account) -> str:
    scopes = scopes_of(account, account.subject_id or 0, timezone.localdate())
    return next((page for scope, page in PAGES_BY_SCOPE if scope in scopes), "mandates")


def takes_security_keys(request: HttpRequest) -> bool:
    """Whether browsers use security keys here: only where the host has a name."""
    try:
        ip_address(request.get_host().rsplit(":", 1)[0].strip("[]"))
    except ValueError:
        return True
    return False
