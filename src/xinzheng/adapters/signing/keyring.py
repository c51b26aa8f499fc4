"""The keys of an installation (密钥环): who signs, who seals, who stamps, and what a reader needs to judge them."""

from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

from xinzheng.adapters.signing.keys import load_seal_key, load_signer
from xinzheng.adapters.signing.seals import SealKey
from xinzheng.adapters.signing.signer import Evidence, ReportSigner


@dataclass(frozen=True)
class PublishedKey:
    """A key as others may know it (公布的密钥): ``material`` is a certificate or a public key, DER."""

    key_id: str
    purpose: str
    material: bytes
    from_at: datetime
    until_at: datetime | None = None
    compromised_at: datetime | None = None


@dataclass(frozen=True)
class Keyring:
    """The current generation of keys in a folder."""

    folder: Path

    @property
    def signer(self) -> ReportSigner:
        """Who signs reports. Raises SigningUnavailableError."""
        return load_signer(self.folder)

    @property
    def seal_key(self) -> SealKey:
        """The key of the QR codes. Raises SigningUnavailableError."""
        return load_seal_key(self.folder)

    def evidence(self, now: datetime) -> Evidence:  # noqa: ARG002
        """What goes into each report beside its signature."""
        return Evidence()


def open_keyring(folder: Path, pkcs11: Path | None = None) -> Keyring:  # noqa: ARG001
    """The keyring kept in ``folder``, with keys in a hardware store if ``pkcs11`` names its description."""
    return Keyring(folder)


def published_keys(folder: Path) -> tuple[PublishedKey, ...]:
    """Every key ever published, oldest first."""
    raise NotImplementedError
