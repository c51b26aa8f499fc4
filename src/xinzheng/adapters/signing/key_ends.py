"""Since when a key makes nothing that counts (密钥的终止), by the published history: one rule for files and codes."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta

from xinzheng.adapters.signing.key_history import PublishedKey, Purpose, spki_in

CHANGING = timedelta(days=1)  # what was being signed while a key was replaced still counts


@dataclass(frozen=True)
class KeyEnds:
    """``retired_at``: nothing new is made with the key any more. ``lost_at``: since when others may have had it."""

    retired_at: datetime | None = None
    lost_at: datetime | None = None

    def is_retired(self, moment: datetime) -> bool:
        """Whether what was made at ``moment`` came later than any change of keys explains."""
        return self.retired_at is not None and moment - self.retired_at >= CHANGING


def ends_of(keys: Iterable[PublishedKey], purpose: Purpose, spki: bytes) -> KeyEnds:
    """What is published of the key of this SubjectPublicKeyInfo, whichever certificate it has."""
    same = [key for key in keys if key.purpose == purpose and spki_in(key.material) == spki]
    return KeyEnds(
        min((key.until_at for key in same if key.until_at is not None), default=None),
        min((key.compromised_at for key in same if key.compromised_at is not None), default=None),
    )
