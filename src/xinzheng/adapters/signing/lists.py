"""Lists of revoked certificates as they are kept and served (吊销名单): one for each demonstration root."""

from datetime import datetime
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives.serialization import Encoding

from xinzheng.adapters.signing.demo_authority import CRL_FILE, authority_name, load_authority
from xinzheng.adapters.signing.errors import KeyFileError
from xinzheng.adapters.signing.generations import ROOT_FILE, authority_folders
from xinzheng.adapters.signing.key_files import locked, read_key_file, replace_file
from xinzheng.adapters.signing.key_history import read_facts
from xinzheng.adapters.signing.revocation import Revoked, is_due, make_crl

OTHERS = "lists"  # lists of other authorities, fetched from where their certificates say


def current_crl(folder: Path, name: str, now: datetime) -> bytes | None:
    """The list of the demonstration root of that name, made anew when it is a day old; None if there is no such root.

    A folder that cannot be written to is no reason to serve an old list.
    """
    place = _authority(folder, name)
    if place is None:
        return None
    kept = _kept(place)
    if kept is not None and not is_due(kept, now):
        return kept
    try:
        return renew_crl(folder, place, now)
    except (OSError, KeyFileError):
        return make_list(folder, place, now)


def renew_due_lists(folder: Path, now: datetime) -> None:
    """Make the lists of the demonstration's roots anew that are a day old."""
    for place in authority_folders(folder):
        current_crl(folder, authority_name(place), now)


def root_certificate(folder: Path, name: str) -> bytes | None:
    """The demonstration root of that name, DER; None if there is none."""
    place = _authority(folder, name)
    if place is None:
        return None
    return x509.load_pem_x509_certificate(read_key_file(place / ROOT_FILE)).public_bytes(Encoding.DER)


def known_crls(folder: Path) -> tuple[bytes, ...]:
    """Every list at hand, as it was last made or fetched."""
    kept = [crl for crl in map(_kept, authority_folders(folder)) if crl is not None]
    fetched = sorted((folder / OTHERS).glob("*.crl"))
    return (*kept, *(read_key_file(file) for file in fetched))


def renew_crl(folder: Path, place: Path, now: datetime) -> bytes:
    """Make the list of the root in ``place`` anew and keep it."""
    with locked(folder):
        crl = make_list(folder, place, now)
        replace_file(place / CRL_FILE, crl)
    return crl


def make_list(folder: Path, place: Path, now: datetime) -> bytes:
    """The list of the root in ``place`` by today's history, not kept yet."""
    kept = _kept(place)
    last = 0 if kept is None else _number(kept)
    authority = load_authority(place)
    return make_crl(authority, _revoked(folder, authority.certificate), now, max(last + 1, int(now.timestamp())))


def _revoked(folder: Path, root: x509.Certificate) -> list[Revoked]:
    found = []
    for fact in read_facts(folder):
        if fact.event == "compromised" and fact.purpose in ("document", "stamp"):
            certificate = x509.load_der_x509_certificate(fact.material)
            if certificate.issuer == root.subject:
                found.append(Revoked(certificate.serial_number, fact.effective_at))
    return found


def _authority(folder: Path, name: str) -> Path | None:
    return next((place for place in authority_folders(folder) if authority_name(place) == name), None)


def _kept(place: Path) -> bytes | None:
    return read_key_file(place / CRL_FILE) if (place / CRL_FILE).exists() else None


def _number(crl: bytes) -> int:
    return x509.load_der_x509_crl(crl).extensions.get_extension_for_class(x509.CRLNumber).value.crl_number
