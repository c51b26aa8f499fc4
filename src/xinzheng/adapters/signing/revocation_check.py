"""What lists of revoked certificates (吊销名单, CRL) say about a chain; pure look-up, nothing is fetched.

A list counts if the issuer of the certificate signed it and it speaks of all that issuer's certificates, or of those
that name the same distribution point. Parts that are kept elsewhere (delta, indirect, by reason) do not count.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from itertools import pairwise

from cryptography import x509

OF_NO_SUSPICION = {
    x509.ReasonFlags.affiliation_changed,
    x509.ReasonFlags.superseded,
    x509.ReasonFlags.cessation_of_operation,
}
UNDERSTOOD = {x509.CRLNumber.oid, x509.AuthorityKeyIdentifier.oid, x509.IssuingDistributionPoint.oid}


@dataclass(frozen=True)
class Revocation:
    """Since when a chain does not hold (吊销), and whether its key may have been in other hands before."""

    at: datetime
    is_suspicious: bool


@dataclass(frozen=True)
class RevocationFacts:
    """``revocation``: the earliest of the chain, None if none is known. ``is_covered``: every certificate that names
    a place for its list has a list that speaks of the moment asked."""

    revocation: Revocation | None
    is_covered: bool


def revocation_of(chain: Sequence[x509.Certificate], crls: Iterable[bytes], moment: datetime) -> RevocationFacts:
    """What ``crls`` (DER) say about ``chain``, root first, as of ``moment``. Lists that cannot be read say nothing."""
    lists = [parsed for der in dict.fromkeys(crls) if (parsed := _parse(der)) is not None]
    found: list[Revocation] = []
    is_covered = True
    for issuer, certificate in pairwise(chain):
        speaking = [one for one in lists if _speaks_of(one, certificate, issuer)]
        found += [entry for one in speaking if (entry := _entry(one, certificate.serial_number)) is not None]
        is_covered &= not _places(certificate) or any(
            one.next_update_utc is None or one.next_update_utc >= moment for one in speaking
        )
    earliest = min(found, key=lambda one: one.at, default=None)
    if earliest is not None:
        earliest = Revocation(earliest.at, any(one.is_suspicious for one in found))
    return RevocationFacts(earliest, is_covered)


def _parse(der: bytes) -> x509.CertificateRevocationList | None:
    try:
        parsed = x509.load_der_x509_crl(der)
        _ = parsed.extensions
    except ValueError:
        return None
    return parsed


def _speaks_of(crl: x509.CertificateRevocationList, certificate: x509.Certificate, issuer: x509.Certificate) -> bool:
    if crl.issuer != issuer.subject or not _may_sign_lists(issuer):
        return False
    if any(one.critical and one.oid not in UNDERSTOOD for one in crl.extensions):
        return False
    try:
        return crl.is_signature_valid(issuer.public_key()) and _is_in_scope(crl, certificate)  # type: ignore[arg-type]
    except (ValueError, TypeError):
        return False


def _may_sign_lists(issuer: x509.Certificate) -> bool:
    try:
        return issuer.extensions.get_extension_for_class(x509.KeyUsage).value.crl_sign
    except x509.ExtensionNotFound:
        return True


def _is_in_scope(crl: x509.CertificateRevocationList, certificate: x509.Certificate) -> bool:
    try:
        scope = crl.extensions.get_extension_for_class(x509.IssuingDistributionPoint).value
    except x509.ExtensionNotFound:
        return True
    if scope.indirect_crl or scope.only_some_reasons or scope.only_contains_attribute_certs or scope.relative_name:
        return False
    if scope.only_contains_ca_certs if not _is_authority(certificate) else scope.only_contains_user_certs:
        return False
    return scope.full_name is None or not set(scope.full_name).isdisjoint(_places(certificate))


def _is_authority(certificate: x509.Certificate) -> bool:
    try:
        return certificate.extensions.get_extension_for_class(x509.BasicConstraints).value.ca
    except x509.ExtensionNotFound:
        return False


def _places(certificate: x509.Certificate) -> list[x509.GeneralName]:
    """Where the certificate says its list is to be had."""
    try:
        points = certificate.extensions.get_extension_for_class(x509.CRLDistributionPoints).value
    except x509.ExtensionNotFound:
        return []
    return [name for point in points for name in point.full_name or ()]


def _entry(crl: x509.CertificateRevocationList, serial_number: int) -> Revocation | None:
    """The earlier of the day it was revoked and the day it is said to have become invalid."""
    entry = crl.get_revoked_certificate_by_serial_number(serial_number)
    if entry is None:
        return None
    at, reason = entry.revocation_date_utc, None
    for extension in entry.extensions:
        if isinstance(extension.value, x509.InvalidityDate):
            at = min(at, extension.value.invalidity_date_utc)
        if isinstance(extension.value, x509.CRLReason):
            reason = extension.value.reason
    return Revocation(at, reason not in OF_NO_SUSPICION)
