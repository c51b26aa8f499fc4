"""Who an account is, by user name and password or by an identity platform."""

from allauth.account.auth_backends import AuthenticationBackend


class Backend(AuthenticationBackend):  # type: ignore[misc]
    """The library's own, under a name that sessions may keep whatever becomes of the library."""
