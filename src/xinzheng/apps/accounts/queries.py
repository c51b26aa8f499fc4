"""Find accounts."""

from xinzheng.apps.accounts.models import Account


def account_named(username: str) -> Account | None:
    """The account with this user name, or None."""
    return Account.objects.filter(username=username).first()
