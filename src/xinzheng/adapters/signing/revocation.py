"""Lists of revoked certificates (吊销名单, RFC 5280): made by the demonstration authority, renewed every day."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from cryptography import x509
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.serialization import Encoding

from xinzheng.adapters.signing.demo_authority import Authority

LIFE = timedelta(days=7)
RENEWED_AFTER = timedelta(days=1)
CLOCK_SKEW = timedelta(minutes=10)


@dataclass(frozen=True)
class Revoked:
    """A certificate that is to be believed no longer (已吊销证书), and since when."""

    serial_number: int
    since: datetime
    reason: x509.ReasonFlags = x509.ReasonFlags.key_compromise


def make_crl(authority: Authority, revoked: Sequence[Revoked], now: datetime, number: int) -> bytes:
    """The list signed by the authority, DER. ``number`` must grow from list to list.

    A key is revoked from the moment others may have had it, not from the moment it was noticed: that date decides
    which signatures still count.
    """
    builder = (
        x509.CertificateRevocationListBuilder(authority.certificate.subject, now - CLOCK_SKEW, now + LIFE)
        .add_extension(x509.CRLNumber(number), critical=False)
        .add_extension(x509.AuthorityKeyIdentifier.from_issuer_public_key(authority.key.public_key()), critical=False)
    )
    for one in revoked:
        entry = x509.RevokedCertificateBuilder(one.serial_number, one.since)
        entry = entry.add_extension(x509.CRLReason(one.reason), critical=False)
        builder = builder.add_revoked_certificate(entry.add_extension(x509.InvalidityDate(one.since), False).build())
    return builder.sign(authority.key, SHA256()).public_bytes(Encoding.DER)


def is_due(crl: bytes, now: datetime) -> bool:
    """Whether a new list is to be made in place of this one."""
    listed = x509.load_der_x509_crl(crl)
    return now >= listed.last_update_utc + CLOCK_SKEW + RENEWED_AFTER
