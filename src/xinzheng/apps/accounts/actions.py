"""Open and close accounts, each with its audit event."""

from dataclasses import dataclass

from django.db import transaction

from xinzheng.apps.accounts.mandate_models import Mandate
from xinzheng.apps.accounts.mandates import NewMandate, grant
from xinzheng.apps.accounts.models import Account, Role
from xinzheng.apps.audit.actions import record_event


@dataclass(frozen=True)
class NewAccount:
    """What a new account is made of; ``unit_id`` for officers, ``subject_id`` for agents.

    Without a password it cannot sign in by password. ``person_id``: the natural person behind an agent or receiver,
    a subject of the register; a ``subject_id`` that is another's becomes a mandate.
    """

    username: str
    display_name: str
    role: Role
    unit_id: int | None = None
    subject_id: int | None = None
    password: str | None = None
    receiver_id: int | None = None
    person_id: int | None = None


@transaction.atomic
def open_account(new: NewAccount, *, by: str) -> Account:
    """Open an account (开户).

    Args:
        new: what it is made of.
        by: who opens it, e.g. ``account:<id>``.

    Raises:
        IntegrityError: the user name is taken, or unit and role do not fit.
    """
    account = Account(
        username=new.username,
        display_name=new.display_name,
        role=new.role,
        unit_id=new.unit_id,
        subject_id=new.subject_id or (new.person_id if new.role == Role.SUBJECT_AGENT else None),
        receiver_id=new.receiver_id,
        person_id=new.person_id,
    )
    account.set_password(new.password)
    account.save(force_insert=True)
    record_event(
        who=by, action="account-opened", object_kind="account", object_id=account.pk, details={"role": str(new.role)}
    )
    if new.subject_id is not None and new.subject_id != new.person_id:
        grant(NewMandate(account.pk, new.subject_id, Mandate.Basis.OPENED), by=by)
    return account


@transaction.atomic
def close_account(account: Account, *, by: str) -> None:
    """Close an account (停用): it can no longer sign in; what it did stays."""
    account.is_active = False
    account.save(update_fields=["is_active"])
    record_event(who=by, action="account-closed", object_kind="account", object_id=account.pk)
