"""Wrapping anew what the accounts app and the sign-in library keep sealed, when the key is replaced (更换密钥)."""

from collections.abc import Mapping
from types import MappingProxyType

from allauth.mfa.models import Authenticator

from xinzheng.apps.registry.key_rotation import Hook, Rewrap
from xinzheng.apps.registry.letters import rewrap_letters
from xinzheng.apps.registry.sealed_texts import rewrap_text

# What the secrets of second factors are bound to, and where they stand in a factor's data.
SECOND_FACTOR = "second-factor"
SEALED = ("secret", "seed")


def rewrap_factors(rewrap: Rewrap) -> int:
    """Wrap the secrets of one-time codes and recovery codes anew; how many."""
    done = 0
    for factor in Authenticator.objects.select_for_update().filter(data__has_any_keys=SEALED).order_by("pk"):
        for name in SEALED:
            if name in factor.data:
                factor.data[name] = rewrap_text(factor.data[name], SECOND_FACTOR, rewrap)
                done += 1
        factor.save(update_fields=["data"])
    return done


# For every table below the ledger whose keys are under the key-encryption key, but those of persons.
HOOKS: Mapping[str, Hook] = MappingProxyType(
    {"accounts_mandaterequest": rewrap_letters, "mfa_authenticator": rewrap_factors}
)
