"""One-time codes and security keys."""

from allauth.mfa.adapter import DefaultMFAAdapter


class Adapter(DefaultMFAAdapter):  # type: ignore[misc]
    """Secrets are sealed like everything personal."""
