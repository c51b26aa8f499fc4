"""What a signer is held against (信任依据): roots, lists of revoked certificates, and what became of the keys."""

from collections.abc import Iterable
from dataclasses import dataclass, replace

from xinzheng.adapters.signing.key_history import PublishedKey


@dataclass(frozen=True)
class Trust:
    """What a signer is held against (信任依据), certificates and lists in DER.

    ``roots``: the certificates a signer must lead to (受信任的根证书). ``crls``: lists of revoked certificates
    (吊销名单) known to the verifier, newer than those in the file as a rule. ``stamp_roots``: the certificates a
    time-stamping authority must lead to; if there are none, ``roots``. ``keys``: the history of the published keys
    (密钥历史); it need not be told by any list.
    """

    roots: tuple[bytes, ...]
    crls: tuple[bytes, ...] = ()
    stamp_roots: tuple[bytes, ...] = ()
    keys: tuple[PublishedKey, ...] = ()

    def knowing(self, keys: Iterable[PublishedKey]) -> "Trust":
        """The same, once this history of the keys is known: a root that others may have is none any more."""
        known = tuple(keys)
        given_up = {key.material for key in known if key.purpose == "root" and key.compromised_at is not None}
        held = {name: tuple(one for one in getattr(self, name) if one not in given_up) for name in ROOTS}
        return replace(self, **held, keys=known)


ROOTS = ("roots", "stamp_roots")
