"""What the token office tells a platform of a person: a number of its own, and nothing else."""

import hashlib
import hmac
from typing import Any

from allauth.idp.oidc.adapter import DefaultOIDCAdapter
from allauth.idp.oidc.models import Client, PrivateKey
from django.conf import settings
from django.core.cache import cache

from xinzheng.apps.accounts.models import Account
from xinzheng.apps.accounts.platform_tokens import may_be_acted_for, token_digest
from xinzheng.web.platforms.keys import number_key, signing_key

# A code is good for a minute; so long the way back from a number to the account is kept.
NUMBER_SECONDS = 120


class Adapter(DefaultOIDCAdapter):  # type: ignore[misc]
    """Another number of the same person for each platform; neither name nor address of anybody is told."""

    def hash_token(self, token: str) -> str:
        """How a token is kept."""
        return token_digest(token)

    def get_issuer(self) -> str:
        """The site's own name, whatever name it was called by."""
        return settings.XINZHENG_ORIGIN

    def get_user_sub(self, client: Client, user: Account) -> str:
        """The person's number for this platform; the way back is kept until the code is over."""
        number = _number(client.pk, user)
        cache.set(_place(client.pk, number), user.pk, timeout=NUMBER_SECONDS)
        return number

    def get_user_by_sub(self, client: Client, sub: str) -> Account | None:
        """The person of a number given a moment ago, as long as platforms may act for them."""
        found = Account.objects.filter(pk=cache.get(_place(client.pk, sub))).first()
        return found if found is not None and may_be_acted_for(found) else None

    def get_claims(self, _purpose: str, user: Account, client: Client, *_asked: Any, **_more: Any) -> dict[str, Any]:
        """The number alone, whatever is asked for."""
        return {"sub": self.get_user_sub(client, user)}

    def list_private_keys(self, **_which: Any) -> list[PrivateKey]:
        """The one key, from the folder of keys."""
        return [PrivateKey(pem=signing_key())]


def forget_codes(client_id: str, account: Account) -> None:
    """Let no code that is out lead to the account any more."""
    cache.delete(_place(client_id, _number(client_id, account)))


def _number(client_id: str, account: Account) -> str:
    return hmac.new(number_key().encode(), f"{client_id}\0{account.pk}".encode(), hashlib.sha256).hexdigest()


def _place(client_id: str, number: str) -> str:
    return f"platform-person:{client_id}:{number}"
