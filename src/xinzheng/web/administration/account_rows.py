"""What the page of accounts shows: which of them, and what who looks may do with each."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime

from xinzheng.apps.accounts.locking import locked_among, second_factor_of
from xinzheng.apps.accounts.models import Account, Role
from xinzheng.apps.accounts.permissions import (
    refusals_to_assign_role,
    refusals_to_close_account,
    refusals_to_open_account,
    refusals_to_secure,
    refusals_to_unlock,
)
from xinzheng.apps.accounts.queries import accounts_like
from xinzheng.web.people.mandate_rows import LONGEST_NUMBER

ROWS = 50
LONGEST_QUESTION = 100
OUTSIDERS = (Role.SUBJECT_AGENT, Role.RECEIVER)


@dataclass(frozen=True)
class AccountPage:
    """The accounts of a page, and the number after which the next begins."""

    shown: Sequence[Account]
    next: int | None


@dataclass(frozen=True)
class AccountRow:
    """An account as the page shows it."""

    id: int
    username: str
    name: str
    role: Role
    role_name: str
    unit_id: int | None
    unit: str
    last_login: datetime | None
    is_active: bool
    is_locked: bool
    may_close: bool
    may_assign: bool
    may_unlock: bool


def openable_roles(account: Account) -> list[Role]:
    """The roles this account may open accounts of."""
    return [role for role in Role if not refusals_to_open_account(account, role)]


def account_page(asked: Mapping[str, str]) -> tuple[str, AccountPage]:
    """What was asked for, and the accounts that fit."""
    text = asked.get("q", "").replace("\0", "").strip()[:LONGEST_QUESTION]
    after = asked.get("after", "")
    is_number = after.isascii() and after.isdecimal() and len(after) <= LONGEST_NUMBER
    found = accounts_like(text, after=int(after) if is_number else 0, limit=ROWS + 1)
    return text, AccountPage(found[:ROWS], found[ROWS - 1].pk if len(found) > ROWS else None)


def account_rows(account: Account, shown: Sequence[Account], units: Mapping[int, str]) -> list[AccountRow]:
    """The rows, each with what this account may do."""
    named = {name: other.pk for other in shown for name in (other.username, second_factor_of(other))}
    locked = {named[name] for name in locked_among(named)} if not refusals_to_secure(account) else set()
    return [replace(_row(account, other, units), is_locked=other.pk in locked) for other in shown]


def _row(account: Account, other: Account, units: Mapping[int, str]) -> AccountRow:
    role = Role(other.role)
    return AccountRow(
        id=other.pk,
        username=other.username,
        name=other.display_name,
        role=role,
        role_name=role.label,
        unit_id=other.unit_id,
        unit=units.get(other.unit_id, "已不在名录中的单位") if other.unit_id else "",
        last_login=other.last_login,
        is_active=other.is_active,
        is_locked=False,
        may_close=not refusals_to_close_account(account, other),
        may_assign=not refusals_to_assign_role(account, other) and role not in OUTSIDERS,
        may_unlock=not refusals_to_unlock(account, other),
    )
