"""Passwords (口令): what they must be like, how long they last, which may not come again (等保三级)."""

import string
from collections.abc import Callable
from datetime import timedelta

from django.conf import settings
from django.contrib.auth.hashers import check_password
from django.contrib.auth.password_validation import validate_password
from django.core.exceptions import ValidationError
from django.db import transaction
from django.utils import timezone

from xinzheng.apps.accounts.models import Account, FormerPassword
from xinzheng.apps.audit.actions import record_event
from xinzheng.core.errors import XinzhengError

CLASSES_NEEDED = 3
FORMER_KEPT = 5


class PasswordError(XinzhengError):
    """The new password does not meet the rules; ``reasons`` are for people."""

    code = "password-refused"

    def __init__(self, reasons: list[str]) -> None:
        super().__init__("".join(reasons))
        self.reasons = reasons


class ThreeClasses:
    """Of capital letters, small letters, digits and other characters at least three are there (口令复杂度)."""

    def validate(self, password: str, _user: object = None) -> None:
        """Raises ValidationError."""
        tests: tuple[Callable[[str], bool], ...] = (
            lambda char: char in string.ascii_uppercase,
            lambda char: char in string.ascii_lowercase,
            lambda char: char.isdigit(),
            lambda char: not (char.isascii() and char.isalnum()),
        )
        if sum(any(map(test, password)) for test in tests) < CLASSES_NEEDED:
            raise ValidationError(self.get_help_text(), code="too-few-classes")

    def get_help_text(self) -> str:
        """The rule in words."""
        return "大写字母、小写字母、数字、其他字符中至少要有三种。"


class NotTheName:
    """The user name is not in it, nor the other way round (不得含用户名)."""

    def validate(self, password: str, user: Account | None = None) -> None:
        """Raises ValidationError."""
        if user is not None and user.username.casefold() in password.casefold():
            raise ValidationError(self.get_help_text(), code="holds-the-name")

    def get_help_text(self) -> str:
        """The rule in words."""
        return "密码里不能有用户名。"


class NotOfTheLast:
    """The present one and the four before are not used again (不得与最近五次相同)."""

    def validate(self, password: str, user: Account | None = None) -> None:
        """Raises ValidationError."""
        if user is None or user.pk is None:
            return
        former = user.former_passwords.order_by("-at", "-pk")[:FORMER_KEPT].values_list("password", flat=True)
        if any(check_password(password, encoded) for encoded in {user.password, *former}):
            raise ValidationError(self.get_help_text(), code="used-before")

    def get_help_text(self) -> str:
        """The rule in words."""
        return f"不能与最近{FORMER_KEPT}次用过的密码相同。"


@transaction.atomic
def change_password(account: Account, password: str, *, by: str, is_first: bool = False) -> None:
    """Set a password (修改密码); every session of the account ends.

    Args:
        account: whose.
        password: the new one.
        by: who sets it.
        is_first: somebody else chose it, so that it has to be changed at the first sign-in (首次登录强制修改).

    Raises:
        PasswordError: it does not meet the rules.
    """
    account = Account.objects.select_for_update().get(pk=account.pk)
    try:
        validate_password(password, account)
    except ValidationError as error:
        raise PasswordError(list(error.messages)) from error
    account.set_password(password)
    account.password_changed_at = timezone.now()
    account.must_change_password = is_first
    account.session_epoch += 1
    account.save(update_fields=["password", "password_changed_at", "must_change_password", "session_epoch"])
    FormerPassword.objects.create(account=account, password=account.password)
    kept = account.former_passwords.order_by("-at", "-pk")[:FORMER_KEPT].values_list("pk", flat=True)
    account.former_passwords.exclude(pk__in=list(kept)).delete()
    record_event(
        who=by, action="password-changed", object_kind="account", object_id=account.pk, details={"first": is_first}
    )


def is_password_due(account: Account) -> bool:
    """Whether the password has to be changed before anything else: chosen by somebody else, or too old."""
    if not account.has_usable_password():
        return False
    since = account.password_changed_at or account.created_at
    return account.must_change_password or timezone.now() - since > timedelta(days=settings.XINZHENG_PASSWORD_DAYS)


@transaction.atomic
def end_sessions(account: Account, *, by: str) -> Account:
    """Sign an account out everywhere (全部退出), at once; the account as it is now.

    No session from before opens anything any more.
    """
    account = Account.objects.select_for_update().get(pk=account.pk)
    account.session_epoch += 1
    account.save(update_fields=["session_epoch"])
    record_event(who=by, action="sessions-ended", object_kind="account", object_id=account.pk)
    return account
