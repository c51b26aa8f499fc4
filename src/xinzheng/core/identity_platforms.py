"""Identity platforms (身份认证平台): what an installation says of each, and what each says of a person."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from xinzheng.core.errors import XinzhengError


class PlatformError(XinzhengError):
    """The description of a platform cannot be used; the message names the entry."""

    code = "identity-platform-invalid"


@dataclass(frozen=True, slots=True)
class ClaimNames:
    """Under which names a platform says what; an empty one is never said.

    ``verified`` names the claim that tells whether the identity was verified, ``verified_is`` its values that say yes.
    """

    number: str = ""
    name: str = "name"
    phone: str = ""
    organisation: str = ""
    representative: str = ""
    verified: str = ""
    verified_is: tuple[str | bool | int, ...] = (True,)


@dataclass(frozen=True, slots=True)
class IdentityPlatform:
    """A platform (OpenID Connect) people may sign in with.

    ``origins``: where the platform's own pages stand, for the browser's rule about forms.
    ``vouches_for_identity``: whether its word about a verified person is taken.
    """

    id: str
    name: str
    server: str
    client_id: str
    secret: str = field(repr=False)
    scopes: tuple[str, ...] = ("openid",)
    vouches_for_identity: bool = False
    origins: tuple[str, ...] = ()
    claims: ClaimNames = ClaimNames()


@dataclass(frozen=True, slots=True)
class VerifiedPerson:
    """What a platform vouches for (实名信息): never stored as it is. ``organisation``: a unified social credit code."""

    number: str = field(repr=False)
    name: str = field(repr=False)
    phone: str = field(default="", repr=False)
    organisation: str = ""
    is_representative: bool = False


def verified_person(platform: IdentityPlatform, said: Mapping[str, Any]) -> VerifiedPerson | None:
    """The person of whom the platform says it verified who it is; None when it does not vouch or does not say so."""
    names = platform.claims
    if not (platform.vouches_for_identity and names.number and names.verified):
        return None
    stated = said.get(names.verified)
    # True is 1 for Python, but "level 1" is no yes where a yes is asked for.
    is_verified = any(type(stated) is type(value) and stated == value for value in names.verified_is)
    number, name = _text(said, names.number), _text(said, names.name)
    if not (is_verified and number and name):
        return None
    organisation = _text(said, names.organisation)
    is_representative = bool(organisation) and said.get(names.representative) is True
    return VerifiedPerson(number, name, _text(said, names.phone), organisation, is_representative)


def _text(said: Mapping[str, Any], name: str) -> str:
    value = said.get(name) if name else None
    return value.strip() if isinstance(value, str) else ""
