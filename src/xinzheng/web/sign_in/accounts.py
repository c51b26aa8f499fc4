"""What the library may do with accounts: nobody opens one by himself."""

from allauth.account.adapter import DefaultAccountAdapter
from django.http import HttpRequest


class Adapter(DefaultAccountAdapter):  # type: ignore[misc]
    """Accounts of staff are opened by an administrator, those of the public by their identity platform."""

    def is_open_for_signup(self, _request: HttpRequest) -> bool:
        """Never."""
        return False
