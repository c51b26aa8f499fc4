"""Find accounts and keys."""

from django.db.models import Q

from xinzheng.apps.accounts.models import Account, ApiKey


def account_named(username: str) -> Account | None:
    """The account with this user name, or None."""
    return Account.objects.filter(username=username).first()


def api_keys(unit_id: int | None = None) -> list[ApiKey]:
    """The keys (接口密钥) of a unit, or of all; revoked ones too, latest first."""
    found = ApiKey.objects.order_by("-id")
    return list(found if unit_id is None else found.filter(unit_id=unit_id))


def accounts_like(text: str, *, after: int, limit: int) -> list[Account]:
    """Accounts whose user name or shown name holds the text, in the order they were opened, from after a number on."""
    found = Account.objects.filter(pk__gt=after)
    if text:
        found = found.filter(Q(username__icontains=text) | Q(display_name__icontains=text))
    return list(found.order_by("pk")[:limit])
