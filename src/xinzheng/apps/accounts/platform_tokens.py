"""Recognise a platform's token (访问令牌) at each call: what ended a moment ago opens nothing any more."""

import hashlib
from dataclasses import dataclass

from allauth.idp.oidc.models import Token
from django.utils import timezone

from xinzheng.apps.accounts.locking import is_locked, second_factor_of
from xinzheng.apps.accounts.mandate_queries import subjects_of
from xinzheng.apps.accounts.models import Account, Platform, Role

LOCKED = "account-locked", "该账户因多次登录失败暂时锁定，平台现在不能代办；请稍后再试，或者由本人联系安全管理员解锁。"
NOBODY_TO_ACT_FOR = "mandate-ended", "该账户现在没有可以代办的主体（授权已到期或者已撤销），平台不能代办。"


@dataclass(frozen=True)
class KnownToken:
    """A token in force: whose it is, for whom it acts (None: the platform itself), what it may, and its number."""

    platform: Platform
    account: Account | None
    scopes: frozenset[str]
    token_id: int


def token_digest(token: str) -> str:
    """How a token is kept: its SHA-256."""
    return hashlib.sha256(token.encode("utf-8", "surrogatepass")).hexdigest()


def recognise_token(token: str) -> KnownToken | None:
    """The token that is shown; None when it is unknown, over, taken back, of a revoked platform or closed account."""
    in_force = Token.objects.valid().filter(type=Token.Type.ACCESS_TOKEN, hash=token_digest(token))
    found = in_force.select_related("user").first()
    if found is None or found.client_id is None:
        return None
    platform = Platform.objects.filter(pk=found.client_id, revoked_at__isnull=True).first()
    if platform is None or (found.user is not None and not may_be_acted_for(found.user)):
        return None
    return KnownToken(platform, found.user, frozenset(found.get_scopes()), found.pk)


def token_holder(token: str) -> str | None:
    """Whose access token this is, or was, as audit events name it; None when it is nobody's."""
    found = Token.objects.filter(type=Token.Type.ACCESS_TOKEN, hash=token_digest(token)).select_related("user").first()
    return None if found is None or found.client_id is None else actor_name(found.client_id, found.user)


def actor_name(client_id: str, account: Account | None) -> str:
    """How entries, audit events and kept requests name a platform, and whom it acts for."""
    of = f"client:{client_id}"
    return of if account is None else f"{of}/account:{account.pk}"


def may_be_acted_for(account: Account) -> bool:
    """Whether platforms may act for this account at all: an open one of an agent (经办人)."""
    return account.is_active and account.role == Role.SUBJECT_AGENT


def hindrance(account: Account) -> tuple[str, str] | None:
    """Why nothing can be done for the account now, as code and words; None when nothing hinders it."""
    if is_locked(account.username) or is_locked(second_factor_of(account)):
        return LOCKED
    return None if acts_for_somebody(account) else NOBODY_TO_ACT_FOR


def acts_for_somebody(account: Account) -> bool:
    """Whether there is a subject the account may act for today."""
    return bool(subjects_of(account, timezone.localdate()))
