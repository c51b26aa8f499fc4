"""Lock after failures (登录锁定): a name, known or not, waits after so many failures in a row."""

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from datetime import timedelta
from typing import TypeVar

from django.conf import settings
from django.db import transaction
from django.utils import timezone
from django.utils.crypto import salted_hmac

from xinzheng.apps.accounts.models import Account, SignInFailure
from xinzheng.apps.audit.actions import record_event

Found = TypeVar("Found")
# Rows of names that nobody tried for so long say nothing any more.
KEPT_DAYS = 1


@dataclass(frozen=True)
class Attempt:
    """Somebody says to be ``account`` (None: a name nobody has); ``name`` is what failures are counted under.

    ``proof``: what is tried, ``password`` or ``second-factor``.
    """

    name: str
    account: Account | None
    proof: str


@transaction.atomic
def attempt(tried: Attempt, check: Callable[[], Found | None]) -> Found | None:
    """What ``check`` finds, unless the name is locked; failures are counted and recorded, a success forgets them.

    ``check`` is called in any case and an unknown name has its row, too, so that neither the answer nor the time it
    takes tells whether a name exists or is locked. Of several attempts at once each waits for the one before.
    """
    row = _row_of(tried.name)
    found = check()
    now = timezone.now()
    if found is not None and not _is_locked(row):
        row.count, row.locked_until = 0, None
        row.save(update_fields=["count", "locked_until"])
        return found
    row.count = 1 if row.locked_until is not None and not _is_locked(row) else row.count + 1
    row.last_at = now
    if not _is_locked(row):
        is_last = row.count >= settings.XINZHENG_LOCK_AFTER
        row.locked_until = now + timedelta(minutes=settings.XINZHENG_LOCK_MINUTES) if is_last else None
    row.save(update_fields=["count", "last_at", "locked_until"])
    _record(tried, row)
    return None


def is_locked(name: str) -> bool:
    """Whether the name waits now."""
    row = SignInFailure.objects.filter(name_hash=_hash(name)).first()
    return row is not None and _is_locked(row)


def locked_among(names: Iterable[str]) -> set[str]:
    """Those of the names that wait now."""
    hashes = {_hash(name): name for name in names}
    rows = SignInFailure.objects.filter(name_hash__in=list(hashes), locked_until__gt=timezone.now())
    return {hashes[bytes(row.name_hash)] for row in rows}


@transaction.atomic
def unlock(account: Account, *, by: str) -> None:
    """Let an account try again at once (解锁), its password and its second factor."""
    for name in (account.username, second_factor_of(account)):
        SignInFailure.objects.filter(name_hash=_hash(name)).delete()
    record_event(who=by, action="account-unlocked", object_kind="account", object_id=account.pk)


def second_factor_of(account: Account) -> str:
    """The name under which failures of an account's second factor are counted: no user name has a NUL in it."""
    return f"second-factor\0{account.pk}"


def forget_old_failures() -> int:
    """Forget failures nobody added to for a day; how many names."""
    now = timezone.now()
    old = SignInFailure.objects.filter(last_at__lt=now - timedelta(days=KEPT_DAYS)).exclude(locked_until__gt=now)
    return old.delete()[0]


def _row_of(name: str) -> SignInFailure:
    digest = _hash(name)
    SignInFailure.objects.bulk_create([SignInFailure(name_hash=digest)], ignore_conflicts=True)
    return SignInFailure.objects.select_for_update().get(name_hash=digest)


def _hash(name: str) -> bytes:
    # The key stands outside the database: from the rows nobody learns which names were tried.
    return salted_hmac("xinzheng.sign-in", name.strip().casefold(), algorithm="sha256").digest()


def _is_locked(row: SignInFailure) -> bool:
    return row.locked_until is not None and row.locked_until > timezone.now()


def _record(tried: Attempt, row: SignInFailure) -> None:
    object_id = "unknown" if tried.account is None else tried.account.pk
    details = {"proof": tried.proof, "failures": row.count, "locked": _is_locked(row)}
    record_event(who="public", action="sign-in-failed", object_kind="account", object_id=object_id, details=details)
