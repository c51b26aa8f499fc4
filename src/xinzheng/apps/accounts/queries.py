"""Find accounts and keys."""

from xinzheng.apps.accounts.models import Account, ApiKey


def account_named(username: str) -> Account | None:
    """The account with this user name, or None."""
    return Account.objects.filter(username=username).first()


def api_keys(unit_id: int | None = None) -> list[ApiKey]:
    """The keys (接口密钥) of a unit, or of all; revoked ones too, latest first."""
    found = ApiKey.objects.order_by("-id")
    return list(found if unit_id is None else found.filter(unit_id=unit_id))
