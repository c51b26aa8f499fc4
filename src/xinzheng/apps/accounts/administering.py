"""The three administrations apart (三员分立): who opens, who assigns and unlocks; nobody does it to himself.

Every function asks the permission again that its page asks, so that no way round a page leads anywhere.
"""

import secrets
from collections.abc import Sequence

from django.contrib.auth.password_validation import validate_password
from django.core.exceptions import ValidationError
from django.db import IntegrityError, transaction

from xinzheng.apps.accounts.actions import NewAccount, close_account, open_account
from xinzheng.apps.accounts.models import OF_A_UNIT, Account, Role
from xinzheng.apps.accounts.passwords import PasswordError, ThreeClasses, end_sessions
from xinzheng.apps.accounts.permissions import (
    refusals_to_assign_role,
    refusals_to_close_account,
    refusals_to_open_account,
)
from xinzheng.apps.accounts.platform_grants import end_grants_of
from xinzheng.apps.audit.actions import record_event
from xinzheng.apps.audit.privacy import IDENTITY_NUMBER
from xinzheng.core.errors import XinzhengError

NAME_AT_MOST = 150
COMMAND_LINE = "command-line"
FIRST_PASSWORD_LENGTH = 16
# Without those that look alike on paper.
READABLE = "ABCDEFGHJKLMNPQRSTUVWXYZabcdefghijkmnopqrstuvwxyz23456789"
# Agents and receivers come by their identity platform and are no staff: no role is turned into theirs or out of it.
OF_OUTSIDERS = (Role.SUBJECT_AGENT, Role.RECEIVER)


class AccountError(XinzhengError):
    """An account is not opened, closed or changed."""

    code = "account-refused"


@transaction.atomic
def open_for(new: NewAccount, *, by: Account | None) -> Account:
    """Open an account (开户); ``by`` is None on the command line, which whoever owns the machine uses.

    A password in ``new`` is a first one: it must be changed at the first sign-in.

    Raises:
        AccountError: ``account-refused``, ``user-name-unfit`` or ``user-name-taken``, ``unit-unfit``.
        PasswordError: the first password does not meet the rules.
    """
    if by is not None:
        _refuse(refusals_to_open_account(by, new.role))
    _check_names(new)
    if new.password is not None:
        _check_password(new)
    try:
        with transaction.atomic():
            made = open_account(new, by=COMMAND_LINE if by is None else by.actor)
    except IntegrityError as error:
        raise AccountError(f"用户名“{new.username}”已有人使用，请换一个。", code="user-name-taken") from error
    if new.password is not None:
        made.must_change_password = True
        made.save(update_fields=["must_change_password"])
    return made


@transaction.atomic
def close_for(account_id: int, *, by: Account | None) -> Account:
    """Close an account (停用): its sessions and what it let platforms do end for good; what it did stays.

    Raises:
        AccountError: ``account-refused``, ``unknown-account`` or ``account-closed-already``.
    """
    found = _locked(account_id)
    if by is not None:
        _refuse(refusals_to_close_account(by, found))
    if not found.is_active:
        raise AccountError("这个账户已经停用。", code="account-closed-already")
    actor = COMMAND_LINE if by is None else by.actor
    close_account(found, by=actor)
    end_grants_of(found)
    return end_sessions(found, by=actor)


@transaction.atomic
def reopen_for(account_id: int, *, by: Account | None) -> Account:
    """Let a closed account in again (恢复).

    Raises:
        AccountError: ``account-refused``, ``unknown-account`` or ``account-open-already``.
    """
    found = _locked(account_id)
    if by is not None:
        _refuse(refusals_to_close_account(by, found))
    if found.is_active:
        raise AccountError("这个账户没有停用。", code="account-open-already")
    found.is_active = True
    found.save(update_fields=["is_active"])
    actor = COMMAND_LINE if by is None else by.actor
    record_event(who=actor, action="account-reopened", object_kind="account", object_id=found.pk)
    return found


@transaction.atomic
def assign_role(account_id: int, role: Role, unit_id: int | None, *, by: Account | None) -> Account:
    """Give a member of staff another role (分配角色); every session of the account ends.

    Args:
        account_id: whose.
        role: the new role.
        unit_id: the unit of an officer, None for everybody else.
        by: the security administrator; None on the command line.

    Raises:
        AccountError: ``account-refused``, ``unknown-account``, ``role-unfit`` or ``unit-unfit``.
    """
    found = _locked(account_id)
    if by is not None:
        _refuse(refusals_to_assign_role(by, found))
    if OF_OUTSIDERS.count(Role(found.role)) or role in OF_OUTSIDERS:
        raise AccountError(
            "经办人和核验单位的账户不能改为工作人员，工作人员也不能改为它们；请另开账户。", code="role-unfit"
        )
    _check_unit(role, unit_id)
    former, found.role, found.unit_id = found.role, role, unit_id
    found.save(update_fields=["role", "unit_id"])
    actor = COMMAND_LINE if by is None else by.actor
    record_event(
        who=actor,
        action="role-assigned",
        object_kind="account",
        object_id=found.pk,
        details={"from": str(former), "to": str(role)},
    )
    return end_sessions(found, by=actor)


def _locked(account_id: int) -> Account:
    found = Account.objects.select_for_update().filter(pk=account_id).first()
    if found is None:
        raise AccountError("没有这个账户，请刷新页面后再看。", code="unknown-account")
    return found


def _refuse(refusals: Sequence[str]) -> None:
    if refusals:
        raise AccountError("\n".join(refusals))


def _check_names(new: NewAccount) -> None:
    for name, what in ((new.username, "用户名"), (new.display_name, "显示名称")):
        if not name.strip() or len(name) > NAME_AT_MOST or not name.isprintable() or IDENTITY_NUMBER.search(name):
            said = f"{what}须填写，不超过{NAME_AT_MOST}个字，不含控制字符和身份号码。"
            raise AccountError(said, code="user-name-unfit")
    _check_unit(new.role, new.unit_id)


def _check_unit(role: Role, unit_id: int | None) -> None:
    if (role in OF_A_UNIT) != (unit_id is not None):
        raise AccountError("数源单位的人员须选择单位，其他角色不选单位。", code="unit-unfit")


def _check_password(new: NewAccount) -> None:
    try:
        validate_password(new.password or "", Account(username=new.username))
    except ValidationError as error:
        raise PasswordError(list(error.messages)) from error


def first_password() -> str:
    """A random password that meets the rules, to be told once and changed at the first sign-in."""
    while True:
        made = "".join(secrets.choice(READABLE) for _ in range(FIRST_PASSWORD_LENGTH))
        try:
            ThreeClasses().validate(made)
        except ValidationError:
            continue
        return made
