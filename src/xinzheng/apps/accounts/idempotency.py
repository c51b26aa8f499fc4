"""The same request sent twice does its work once (幂等)."""

import hashlib
from collections.abc import Callable
from dataclasses import dataclass
from datetime import timedelta

from django.db import transaction
from django.utils import timezone

from xinzheng.apps.accounts.models import ApiKey, KeptPlatformRequest, KeptRequest
from xinzheng.core.errors import XinzhengError

# Longer than anybody waits before sending again; a file sent twice adds nothing to the ledger in any case.
KEPT_DAYS = 30
REUSED = "这个 Idempotency-Key 已经用于另一次内容不同的请求；请换一个，或者原样重发。"


class KeptRequestError(XinzhengError):
    """The idempotency key was used for another request."""

    code = "idempotency-key-reused"


@dataclass(frozen=True)
class RepeatableRequest:
    """A request that may come again: who sends it, what the sender calls it, the SHA-256 of what it says."""

    api_key: ApiKey
    idempotency_key: str
    body_sha256: bytes


@dataclass(frozen=True)
class PlatformRequest:
    """A platform's request that may come again: ``caller`` is ``client:<id>`` or ``client:<id>/account:<id>``."""

    caller: str
    idempotency_key: str
    body_sha256: bytes


@transaction.atomic
def once(request: RepeatableRequest, act: Callable[[], int]) -> int:
    """Do ``act`` for the first of equal requests and return the key of what it made; for later ones the same key.

    Of two at the same moment the second waits for the first. What fails is not kept: it can be tried again.

    Raises:
        KeptRequestError: the idempotency key came with another body before.
    """
    kept, is_first = KeptRequest.objects.get_or_create(
        api_key=request.api_key,
        idempotency_key=request.idempotency_key,
        defaults={"body_sha256": request.body_sha256},
    )
    if bytes(kept.body_sha256) != request.body_sha256:
        raise KeptRequestError(REUSED)
    if is_first or kept.object_id is None:
        kept.object_id = act()
        kept.save(update_fields=["object_id"])
    return kept.object_id


@transaction.atomic
def once_for_platform(request: PlatformRequest, act: Callable[[], str]) -> str:
    """As ``once``, of a platform: what ``act`` made is named by a text.

    Raises:
        KeptRequestError: the idempotency key came with another body before.
    """
    kept, is_first = KeptPlatformRequest.objects.get_or_create(
        caller=request.caller,
        idempotency_key=kept_key(request),
        defaults={"body_sha256": request.body_sha256},
    )
    if bytes(kept.body_sha256) != request.body_sha256:
        raise KeptRequestError(REUSED)
    if is_first or not kept.made:
        kept.made = act()
        kept.save(update_fields=["made"])
    return kept.made


def kept_key(request: PlatformRequest) -> str:
    """What is kept of a key, a digest: platforms write into it what they like, also what numbers a person."""
    return hashlib.sha256(f"{request.caller} {request.idempotency_key}".encode()).hexdigest()


def forget_old_requests() -> int:
    """Forget requests kept for longer than ``KEPT_DAYS``; how many. Sent again, they count as new ones."""
    oldest = timezone.now() - timedelta(days=KEPT_DAYS)
    of_keys, _ = KeptRequest.objects.filter(created_at__lt=oldest).delete()
    of_platforms, _ = KeptPlatformRequest.objects.filter(created_at__lt=oldest).delete()
    return of_keys + of_platforms
