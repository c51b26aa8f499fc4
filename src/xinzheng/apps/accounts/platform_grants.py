"""What people let platforms do (对平台的授权): seen and taken back by them, ended when nothing carries it any more."""

from collections.abc import Collection, Iterable
from dataclasses import dataclass
from datetime import datetime

from allauth.idp.oidc.models import Token
from django.db import transaction
from django.utils import timezone

from xinzheng.apps.accounts.mandate_queries import subjects_of
from xinzheng.apps.accounts.models import Account, Platform
from xinzheng.apps.accounts.platform_tokens import acts_for_somebody, may_be_acted_for
from xinzheng.apps.accounts.platforms import ON_BEHALF, PlatformError
from xinzheng.apps.audit.actions import About, record_event

CLOSED, MANDATE_ENDED, OVER, CODE_REUSED = "account-closed", "mandate-ended", "over", "code-reused"


@dataclass(frozen=True)
class Grant:
    """A platform a person lets act: what it may, since when, and until when it may without asking again."""

    client_id: str
    name: str
    scopes: frozenset[str]
    since: datetime
    until: datetime | None


def grants_of(account: Account) -> list[Grant]:
    """The platforms that may act for the account now, by name."""
    held: dict[str, list[Token]] = {}
    for token in Token.objects.valid().filter(user=account, client__isnull=False).order_by("pk"):
        held.setdefault(token.client_id, []).append(token)
    names = dict(Platform.objects.filter(pk__in=held).values_list("pk", "name"))
    found = [_grant(client_id, names.get(client_id, ""), tokens) for client_id, tokens in held.items()]
    return sorted(found, key=lambda grant: grant.name)


@transaction.atomic
def note_consent(account: Account, client_id: str, scopes: Collection[str]) -> None:
    """Write down that the person let the platform act (同意)."""
    _record("platform-allowed", client_id, account, account.actor, {"scopes": sorted(scopes)})


@transaction.atomic
def note_refusal(account: Account, client_id: str) -> None:
    """Write down that the person did not let the platform act (不同意)."""
    _record("platform-declined", client_id, account, account.actor, {})


@transaction.atomic
def narrow(account: Account, client_id: str, refused: Collection[str]) -> None:
    """Take from what the platform holds already what the person, asked again, did not agree to (缩小授权)."""
    if not refused:
        return
    Platform.objects.select_for_update().get(pk=client_id)  # as in take_back
    for token in Token.objects.filter(user=account, client_id=client_id):
        left = [scope for scope in token.get_scopes() if scope not in refused]
        if set(left) & set(ON_BEHALF):
            token.set_scopes(left)
            token.save(update_fields=["scopes"])
        else:
            token.delete()


@transaction.atomic
def take_back(account: Account, client_id: str) -> Platform:
    """Take back what the platform may do for the account (收回授权): its tokens open nothing from now on.

    Raises:
        PlatformError: ``unknown-grant``.
    """
    # Held, so that a token that is just being given is there to be deleted, or is not given any more.
    platform = Platform.objects.select_for_update().filter(pk=client_id).first()
    count, _ = Token.objects.filter(user=account, client_id=client_id).delete()
    if platform is None or not count:
        raise PlatformError("这个平台已经没有您的授权，请刷新页面后再看。", code="unknown-grant")
    _record("platform-consent-taken-back", client_id, account, account.actor, {"tokens": count})
    return platform


@transaction.atomic
def end_given_since(client_id: str, account_id: int, since: datetime) -> int:
    """Delete what the platform was given for the account since a moment, when its code came again; how many."""
    count: int = Token.objects.filter(client_id=client_id, user=account_id, created_at__gte=since).delete()[0]
    if count:
        _note_ended([(client_id, account_id)], CODE_REUSED)
    return count


@transaction.atomic
def end_grants() -> int:
    """Delete tokens that are over, and those for accounts that are closed or act for nobody any more; how many.

    Nothing of it opens anything before either: each call asks. What is deleted is not there to be stolen.
    """
    over = Token.objects.expired()
    _note_ended({(token.client_id, token.user_id) for token in over.filter(type=Token.Type.REFRESH_TOKEN)}, OVER)
    count: int = over.delete()[0]
    for account in Account.objects.filter(pk__in=Token.objects.filter(user__isnull=False).values("user")):
        count += end_grants_of(account)
    return count


@transaction.atomic
def end_grants_of(account: Account) -> int:
    """Delete an account's tokens if it is closed or acts for nobody any more; how many."""
    why = _why_ended(account)
    if why is None:
        return 0
    tokens = Token.objects.filter(user=account)
    _note_ended(set(tokens.values_list("client_id", "user_id")), why)
    count: int = tokens.delete()[0]
    return count


def _why_ended(account: Account) -> str | None:
    if not may_be_acted_for(account):
        return CLOSED
    return None if acts_for_somebody(account) else MANDATE_ENDED


def _note_ended(pairs: Iterable[tuple[str, int]], why: str) -> None:
    for client_id, user_id in sorted(pair for pair in pairs if all(pair)):
        _record("platform-consent-ended", client_id, Account.objects.get(pk=user_id), "system", {"why": why})


def _grant(client_id: str, name: str, tokens: list[Token]) -> Grant:
    refreshing = [token for token in tokens if token.type == Token.Type.REFRESH_TOKEN]
    ends = [token.expires_at for token in refreshing or tokens if token.expires_at is not None]
    scopes = frozenset(scope for token in tokens for scope in token.get_scopes())
    return Grant(client_id, name, scopes, min(token.created_at for token in tokens), max(ends, default=None))


def _record(action: str, client_id: str, account: Account, who: str, facts: dict[str, object]) -> None:
    """One event for each subject it is an affair of: those the account may act for, which each may read it."""
    subjects: list[int | None] = [acts.subject_id for acts in subjects_of(account, timezone.localdate())]
    for subject_id in subjects or [account.person_id]:
        about = About(subject_id, details=facts | {"account": account.pk})
        record_event(who=who, action=action, object_kind="platform", object_id=client_id, details=about)
