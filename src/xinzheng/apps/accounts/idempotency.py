"""The same request sent twice does its work once (幂等)."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import timedelta

from django.db import transaction
from django.utils import timezone

from xinzheng.apps.accounts.models import ApiKey, KeptRequest
from xinzheng.core.errors import XinzhengError

# Longer than anybody waits before sending again; a file sent twice adds nothing to the ledger in any case.
KEPT_DAYS = 30


class KeptRequestError(XinzhengError):
    """The idempotency key was used for another request."""

    code = "idempotency-key-reused"


@dataclass(frozen=True)
class RepeatableRequest:
    """A request that may come again: who sends it, what the sender calls it, the SHA-256 of what it says."""

    api_key: ApiKey
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
        raise KeptRequestError("这个 Idempotency-Key 已经用于另一次内容不同的请求；请换一个，或者原样重发。")
    if is_first or kept.object_id is None:
        kept.object_id = act()
        kept.save(update_fields=["object_id"])
    return kept.object_id


def forget_old_requests() -> int:
    """Forget requests kept for longer than ``KEPT_DAYS``; how many. Sent again, they count as new ones."""
    oldest = timezone.now() - timedelta(days=KEPT_DAYS)
    forgotten, _ = KeptRequest.objects.filter(created_at__lt=oldest).delete()
    return forgotten
