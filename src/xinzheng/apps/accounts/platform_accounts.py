"""Accounts of people who come from identity platforms (身份认证平台): one for each verified person."""

import secrets
from dataclasses import dataclass

from django.db import IntegrityError, transaction

from xinzheng.apps.accounts.actions import NewAccount, open_account
from xinzheng.apps.accounts.models import Account, Role
from xinzheng.apps.audit.actions import About, record_event
from xinzheng.core.errors import XinzhengError


class PlatformSignInError(XinzhengError):
    """Whom a platform sends is not let in; the message says why and what to do, and names nobody."""

    code = "platform-sign-in-refused"


@dataclass(frozen=True)
class Claim:
    """A person whom a platform vouches for: key in the register, and the name as pages may show it."""

    person_id: int
    display_name: str


def account_for(claim: Claim, *, by: str) -> Account:
    """The person's account, whichever platform he comes from; opened for who has none.

    Raises:
        PlatformSignInError: ``account-closed``.
    """
    account = Account.objects.filter(person_id=claim.person_id).first() or _opened(claim, by)
    if not account.is_active:
        raise PlatformSignInError("账户已停用。需要恢复的，请联系系统管理员。", code="account-closed")
    return account


@transaction.atomic
def recognise(account: Account, person_id: int, *, by: str) -> Account:
    """Note which person an agent's account is (确认本人): a platform vouched for it while he was signed in.

    Raises:
        PlatformSignInError: ``other-person``: it is another's account, or the person has another one.
    """
    account = Account.objects.select_for_update().get(pk=account.pk)
    if account.person_id == person_id:
        return account
    if account.person_id is not None or Account.objects.filter(person_id=person_id).exists():
        raise PlatformSignInError(
            "平台上的身份与本账户不是同一个人，没有连接。请用本人的平台账户。", code="other-person"
        )
    account.person_id = person_id
    account.save(update_fields=["person_id"])
    record_event(
        who=by,
        action="account-recognised",
        object_kind="account",
        object_id=account.pk,
        details=About(person_id),
    )
    return account


def _opened(claim: Claim, by: str) -> Account:
    new = NewAccount(
        username=f"person-{secrets.token_hex(8)}",
        display_name=claim.display_name,
        role=Role.SUBJECT_AGENT,
        person_id=claim.person_id,
    )
    try:
        with transaction.atomic():
            return open_account(new, by=by)
    except IntegrityError:  # from another platform at the same moment
        return Account.objects.get(person_id=claim.person_id)
