"""Signing in with an identity platform (OpenID Connect)."""

from allauth.socialaccount.adapter import DefaultSocialAccountAdapter


class Adapter(DefaultSocialAccountAdapter):  # type: ignore[misc]
    """What a platform says of a person becomes an account."""
