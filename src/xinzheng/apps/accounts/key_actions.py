"""Make and revoke keys (接口密钥) of units, and recognise one that is shown."""

import hashlib
import secrets
from dataclasses import dataclass
from datetime import date

from django.db import transaction
from django.utils import timezone

from xinzheng.apps.accounts.models import ApiKey
from xinzheng.apps.audit.actions import record_event
from xinzheng.core.errors import XinzhengError

PREFIX = "xz_"
RANDOM_BYTES = 32
LENGTH = len(PREFIX) + len(secrets.token_urlsafe(RANDOM_BYTES))
NAME_AT_MOST = 100
NOBODYS_DIGEST = bytes(32)


class ApiKeyError(XinzhengError):
    """A key is not made or not revoked."""

    code = "key-refused"


@dataclass(frozen=True)
class MadeKey:
    """A key just made. ``secret`` is shown this once and kept nowhere."""

    key: ApiKey
    secret: str


@transaction.atomic
def create_key(*, unit_id: int, name: str, by: str, is_responsible: bool = False) -> MadeKey:
    """Make a key (发放密钥) for a unit's system.

    Args:
        unit_id: the unit the key speaks for.
        name: what people call it, e.g. the system that uses it; no person's name.
        by: who makes it, ``account:<id>`` or ``command-line``.
        is_responsible: whether the system acts for the unit's responsible officer.

    Raises:
        ApiKeyError: ``key-name-unfit``.
    """
    called = name.strip()
    if not called or len(called) > NAME_AT_MOST or not called.isprintable():
        raise ApiKeyError(f"密钥须有名称，不超过{NAME_AT_MOST}个字，不含控制字符。", code="key-name-unfit")
    secret = PREFIX + secrets.token_urlsafe(RANDOM_BYTES)
    key = ApiKey.objects.create(
        unit_id=unit_id, name=called, digest=_digest(secret), created_by=by, is_responsible=is_responsible
    )
    details = {"unit_id": unit_id} | ({"is_responsible": True} if is_responsible else {})
    record_event(who=by, action="api-key-created", object_kind="api-key", object_id=key.pk, details=details)
    return MadeKey(key, secret)


@transaction.atomic
def revoke_key(*, key_id: int, by: str) -> ApiKey:
    """Revoke a key (吊销密钥): it opens nothing any more; what came through it stays.

    Raises:
        ApiKeyError: ``unknown-key`` or ``key-revoked-already``.
    """
    key = ApiKey.objects.select_for_update().filter(pk=key_id).first()
    if key is None:
        raise ApiKeyError(f"没有编号为{key_id}的密钥，请用 xinzheng keys list 查看。", code="unknown-key")
    if key.revoked_at is not None:
        raise ApiKeyError(f"编号为{key_id}的密钥已经吊销，无需再次吊销。", code="key-revoked-already")
    key.revoked_at = timezone.now()
    key.save(update_fields=["revoked_at"])
    record_event(
        who=by, action="api-key-revoked", object_kind="api-key", object_id=key.pk, details={"unit_id": key.unit_id}
    )
    return key


def shown_key(secret: str) -> ApiKey | None:
    """The key this is the secret of, in force or revoked; None when it is no key's.

    A wrong, a revoked and a malformed key take the same way: one hash, one look-up, one comparison in constant time.
    """
    digest = _digest(secret)
    found = ApiKey.objects.filter(digest=digest).first()
    is_same = secrets.compare_digest(bytes(found.digest) if found else NOBODYS_DIGEST, digest)
    return found if is_same else None


def recognise_key(secret: str, *, today: date) -> ApiKey | None:
    """The key in force that is shown, or None; notes the day it was used."""
    found = shown_key(secret)
    if found is None or found.revoked_at is not None:
        return None
    if found.last_used_date != today:
        ApiKey.objects.filter(pk=found.pk).update(last_used_date=today)
    return found


def is_key_shaped(text: str) -> bool:
    """Whether a text may be a unit's key; a platform's random token is longer, and may begin with any letters."""
    return text.startswith(PREFIX) and len(text) <= LENGTH


def _digest(secret: str) -> bytes:
    return hashlib.sha256(secret.encode("utf-8", "surrogatepass")).digest()
