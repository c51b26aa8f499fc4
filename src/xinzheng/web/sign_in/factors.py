"""One-time codes (动态口令), security keys (安全密钥) and recovery codes (恢复码) of an account."""

import json
from collections.abc import Iterator

from allauth.mfa.models import Authenticator
from allauth.mfa.totp.internal.auth import format_hotp_value, hotp_value, yield_hotp_counters_from_time
from allauth.mfa.utils import decrypt
from allauth.mfa.webauthn.internal import auth as webauthn
from django.conf import settings
from django.core.exceptions import ValidationError
from django.db import transaction
from django.utils.crypto import constant_time_compare

from xinzheng.apps.accounts.models import Account

Kind = Authenticator.Type
CODE_DIGITS = 6


def counted_kinds() -> tuple[str, ...]:
    """The kinds that count as a second factor in this installation."""
    return (Kind.WEBAUTHN,) if settings.XINZHENG_SECOND_FACTOR == "webauthn" else (Kind.TOTP, Kind.WEBAUTHN)


def factors_of(account: Account) -> list[Authenticator]:
    """The account's second factors, oldest first; recovery codes are none."""
    return list(Authenticator.objects.filter(user_id=account.pk, type__in=counted_kinds()).order_by("pk"))


def has_factor(account: Account) -> bool:
    """Whether the account has a second factor."""
    return bool(factors_of(account))


@transaction.atomic
def factor_by_code(account: Account, code: str) -> Authenticator | None:
    """The factor that a typed code shows: the app's present code, each once, or a recovery code."""
    typed = "".join(code.split())
    held = Authenticator.objects.select_for_update().filter(user_id=account.pk)
    if len(typed) == CODE_DIGITS:
        found = held.filter(type=Kind.TOTP).first() if Kind.TOTP in counted_kinds() else None
        return found if found is not None and _use_code(found, typed) else None
    recovery = held.filter(type=Kind.RECOVERY_CODES).first()
    return recovery if recovery is not None and recovery.wrap().validate_code(typed) else None


def factor_by_key(account: Account, credential: str) -> Authenticator | None:
    """The security key that signed this session's challenge; ``credential`` is the browser's answer as JSON."""
    answer = browser_answer(credential)
    if answer is None:
        return None
    try:
        webauthn.parse_authentication_response(answer)
        return webauthn.complete_authentication(account, answer)
    except (ValidationError, ValueError, TypeError, KeyError, AttributeError):
        return None


def new_key(credential: str) -> dict[str, object] | None:
    """What a browser answered for a new security key, when it fits this session's challenge."""
    answer = browser_answer(credential)
    if answer is None:
        return None
    try:
        webauthn.parse_registration_response(answer)
        webauthn.complete_registration(answer)
    except (ValidationError, ValueError, TypeError, KeyError, AttributeError):
        return None
    return answer


def browser_answer(text: str) -> dict[str, object] | None:
    """The JSON object a browser sent, or None."""
    try:
        found = json.loads(text)
    except ValueError:
        return None
    return found if isinstance(found, dict) else None


def matching_counter(secret: str, code: str) -> int | None:
    """The time step whose code this is: the present one, the one before or the next."""
    for counter in _counters():
        if constant_time_compare(format_hotp_value(hotp_value(secret, counter)), code):
            return counter
    return None


def _counters() -> Iterator[int]:
    yield from yield_hotp_counters_from_time()


def _use_code(found: Authenticator, code: str) -> bool:
    """A code opens once: its step is kept in the locked row, so no other process takes it again (RFC 6238, 5.2)."""
    counter = matching_counter(decrypt(found.data["secret"]), code)
    if counter is None or counter <= found.data.get("last_step", 0):
        return False
    found.data["last_step"] = counter
    found.save(update_fields=["data"])
    return True
