"""Codes that were redeemed (用过的授权码): what one gave ends when it comes again (RFC 6749 §4.1.2)."""

from datetime import datetime

from django.core.cache import cache

from xinzheng.apps.accounts.platform_grants import end_given_since
from xinzheng.apps.accounts.platform_tokens import token_digest

# Longer than a code is good for.
REMEMBERED_SECONDS = 600


def note_used(client_id: str, code: str, account_id: int | None, begun_at: datetime) -> None:
    """Remember for whom a code was redeemed, and since when what it gave is there."""
    if code and account_id is not None:
        cache.set(_place(client_id, code), (account_id, begun_at), timeout=REMEMBERED_SECONDS)


def end_if_used(client_id: str, code: str) -> None:
    """End what a code gave, if it was redeemed a moment ago. The platform must have proved that it is the one."""
    used = cache.get(_place(client_id, code)) if code else None
    if used is not None:
        end_given_since(client_id, *used)


def _place(client_id: str, code: str) -> str:
    return f"platform-used-code:{client_id}:{token_digest(code)}"
