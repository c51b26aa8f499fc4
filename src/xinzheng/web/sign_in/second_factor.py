"""How the library keeps one-time codes and security keys: secrets sealed, in the name of this site."""

from collections.abc import Sequence

from allauth.core import context
from allauth.mfa.adapter import DefaultMFAAdapter
from allauth.mfa.models import Authenticator
from django.conf import settings
from django.db import transaction

from xinzheng.apps.accounts.models import Account
from xinzheng.apps.registry.sealed_texts import open_text, seal_text
from xinzheng.web.context import DEFAULT_SITE_NAME
from xinzheng.web.sign_in.factors import counted_kinds

OWNER = "second-factor"


class Adapter(DefaultMFAAdapter):  # type: ignore[misc]
    """Secrets are sealed like everything personal."""

    def encrypt(self, text: str) -> str:
        """The secret as it may be stored."""
        with transaction.atomic():
            return seal_text(text, OWNER)

    def decrypt(self, encrypted_text: str) -> str:
        """The secret back."""
        return open_text(encrypted_text, OWNER)

    def is_mfa_enabled(self, user: Account, types: Sequence[str] | None = None) -> bool:
        """Whether this account is asked for a second factor: only kinds that count here are."""
        if user.is_anonymous:
            return False
        wanted = counted_kinds() if types is None else [kind for kind in types if kind in counted_kinds()]
        return bool(Authenticator.objects.filter(user_id=user.pk, type__in=wanted).exists())

    def get_totp_issuer(self) -> str:
        """The name an app shows the code under."""
        return self._get_site_name()

    def _get_site_name(self) -> str:
        return str(getattr(settings, "XINZHENG_SITE_NAME", DEFAULT_SITE_NAME))

    def get_public_key_credential_rp_entity(self) -> dict[str, str]:
        """Whom a security key answers: this host and no other."""
        return {"id": context.request.get_host().rsplit(":", 1)[0], "name": self._get_site_name()}
