"""Where accounts want notices sent (通知邮箱): sealed, and used only once a code that was mailed there came back."""

import secrets
from datetime import datetime, timedelta
from email.utils import parseaddr
from typing import Any

from django.conf import settings
from django.core.cache import caches
from django.core.exceptions import ValidationError
from django.core.validators import validate_email
from django.db import transaction
from django.utils import timezone
from django.utils.crypto import constant_time_compare, salted_hmac

from xinzheng.apps.accounts.models import Account
from xinzheng.apps.audit.actions import record_event
from xinzheng.apps.codes.key_hooks import mail_owner
from xinzheng.apps.codes.mail_sending import Letter, post
from xinzheng.apps.codes.mail_words import written
from xinzheng.apps.codes.models import Mail, MailAddress
from xinzheng.apps.registry.keys import decrypt, encrypt, new_data_key, unwrap_key, wrap_key
from xinzheng.core.errors import XinzhengError
from xinzheng.core.lifecycle import TYPED_ALPHABET

LONGEST = 254
CODE_LENGTH = 10
CODE_LASTS = timedelta(minutes=30)
CODES_A_DAY, DAY_SECONDS = 5, 24 * 3600
MAILS_AT_MOST = 10_000


class MailError(XinzhengError):
    """An address is not kept or not confirmed."""

    code = "mail-address-unfit"


def is_mail_set_up() -> bool:
    """Whether the site has a mail server (邮件服务器)."""
    return bool(settings.XINZHENG_MAIL.host)


def keep_address(account: Account, address: str) -> None:
    """Keep an address in the place of the one before, and mail it a code; nothing else goes there before it is back.

    Raises MailError ``mail-address-unfit``, ``mail-not-set-up``, ``too-many-mail-codes``, or ``mail-not-sent``: the
    server did not take the mail; the address is kept all the same.
    """
    fit = _fit(address)
    if not is_mail_set_up():
        raise MailError("本站没有设置邮件服务器，不能登记邮箱；通知请在本站查看。", code="mail-not-set-up")
    _count_code(account)
    code = "".join(secrets.choice(TYPED_ALPHABET) for _ in range(CODE_LENGTH))
    with transaction.atomic():
        _keep(account, fit, code)
        record_event(who=account.actor, action="mail-address-kept", object_kind="mail-address", object_id=account.pk)
    said = written("confirm", code=f"{code[:5]} {code[5:]}")
    outcome = post(Letter(fit, said.template.subject_line, said.body))
    if not outcome.is_good:
        words = f"确认码没有发出：{outcome.said}请核对邮箱地址，或者稍后再试。"
        raise MailError(words, code="mail-not-sent")


def confirm_address(account: Account, code: str, now: datetime | None = None) -> None:
    """Take the code back that was mailed (确认邮箱). Raises MailError ``mail-code-wrong``."""
    at, typed = now or timezone.now(), "".join(code.upper().split())
    with transaction.atomic():
        kept = MailAddress.objects.select_for_update().filter(pk=account.pk, confirmed_at=None).first()
        is_in_time = kept is not None and kept.confirm_until is not None and at <= kept.confirm_until
        if kept is None or not is_in_time or not _is_code(account, typed, bytes(kept.confirm_digest)):
            raise MailError("确认码不对，或者已过30分钟；请核对，或者重新发送。", code="mail-code-wrong")
        kept.confirmed_at, kept.confirm_digest, kept.confirm_until = at, b"", None
        kept.save(update_fields=["confirmed_at", "confirm_digest", "confirm_until"])
        who = account.actor
        record_event(who=who, action="mail-address-confirmed", object_kind="mail-address", object_id=account.pk)


@transaction.atomic
def forget_address(account_id: int, *, by: str) -> bool:
    """Delete an account's address (删除邮箱); whether there was one. What waits to be sent is not sent."""
    gone, _ = MailAddress.objects.filter(pk=account_id).delete()
    if gone:
        record_event(who=by, action="mail-address-forgotten", object_kind="mail-address", object_id=account_id)
    return bool(gone)


def forget_address_of_person(subject_id: int, *, by: str) -> int:
    """Delete the address of a natural person who is being erased; how many."""
    own = Account.objects.filter(person_id=subject_id, pk__in=MailAddress.objects.values("pk"))
    return sum(forget_address(key, by=by) for key in own.values_list("pk", flat=True))


def forget_addresses_of_closed() -> int:
    """Delete the addresses of closed accounts; how many."""
    closed = Account.objects.filter(is_active=False, pk__in=MailAddress.objects.values("pk"))
    return sum(forget_address(key, by="system") for key in closed.values_list("pk", flat=True))


def address_of(kept: MailAddress) -> str:
    """The address in clear. Raises KeyFileError where no key fits."""
    owner = mail_owner(kept.pk)
    return decrypt(unwrap_key(bytes(kept.wrapped_key), owner), bytes(kept.address_ct), owner).decode()


def mail_facts(account: Account) -> dict[str, Any]:
    """What is kept of an account's address and mails, for itself to take along (随个人信息导出)."""
    kept = MailAddress.objects.filter(pk=account.pk).first()
    mails = Mail.objects.filter(account_id=account.pk).order_by("-written_at")[:MAILS_AT_MOST]
    return {
        "address": None if kept is None else address_of(kept),
        "kept_at": None if kept is None else kept.kept_at,
        "confirmed_at": None if kept is None else kept.confirmed_at,
        "mails": list(mails.values("written_at", "subject_line", "body")),
    }


def masked_address(address: str) -> str:
    """As it is shown: li***@example.com."""
    name, _, host = address.rpartition("@")
    return f"{name[:2] if len(name) > 3 else name[:1]}***@{host}"


def _fit(address: str) -> str:
    fit = address.strip()
    try:
        if len(fit) > LONGEST or not fit.isascii() or parseaddr(fit) != ("", fit):
            raise ValidationError("")
        validate_email(fit)
    except ValidationError as error:
        raise MailError("这不是一个邮箱地址，请写成 name@example.com 的样子，只写一个。") from error
    return fit


def _keep(account: Account, address: str, code: str) -> None:
    owner, key = mail_owner(account.pk), new_data_key()
    now = timezone.now()
    kept = {
        "wrapped_key": wrap_key(key, owner),
        "address_ct": encrypt(key, address.encode(), owner),
        "confirm_digest": _digest(account, code),
        "confirm_until": now + CODE_LASTS,
        "confirmed_at": None,
        "kept_at": now,
    }
    MailAddress.objects.update_or_create(account_id=account.pk, defaults=kept)


def _count_code(account: Account) -> None:
    shared, key = caches["default"], f"mail-code:{account.pk}"
    shared.add(key, 0, DAY_SECONDS)
    if shared.incr(key) > CODES_A_DAY:
        raise MailError(f"一天至多发送{CODES_A_DAY}次确认码，请明天再试。", code="too-many-mail-codes")


def _digest(account: Account, code: str) -> bytes:
    return salted_hmac("xinzheng.mail-code", f"{account.pk}:{code}", algorithm="sha256").digest()


def _is_code(account: Account, code: str, digest: bytes) -> bool:
    return bool(digest) and constant_time_compare(_digest(account, code), digest)
