"""Fetch other authorities' lists of revoked certificates (取回吊销名单), never while a report is being signed.

Where they are, the certificates in use say. A list is kept only if the authority that issued the certificate signed
it, and if it is newer than the one at hand.
"""

import contextlib
import hashlib
import http.client
import urllib.parse
from collections.abc import Iterable
from pathlib import Path

from asn1crypto import cms  # type: ignore[import-untyped]
from cryptography import x509
from cryptography.hazmat.primitives.serialization import Encoding

from xinzheng.adapters.signing.demo_authority import is_demonstration
from xinzheng.adapters.signing.errors import SigningUnavailableError
from xinzheng.adapters.signing.generations import GENERATIONS, STAMP_ROOTS_FILE, numbered, read_certificates
from xinzheng.adapters.signing.key_files import locked, replace_file
from xinzheng.adapters.signing.keyring import open_keyring, published_keys
from xinzheng.adapters.signing.lists import OTHERS

PATIENCE = 10.0
MAX_LIST = 16 * 1024 * 1024


def fetch_lists(folder: Path, tokens: Iterable[bytes] = ()) -> tuple[str, ...]:
    """Fetch the lists that the certificates in use name; the hosts that did not answer with one.

    ``tokens``: time stamps of late, whose authority's certificates are looked at too.
    """
    known = [*_chains(folder), *(one for token in tokens for one in _certificates_in(token))]
    silent: dict[str, None] = {}
    for certificate in dict.fromkeys(known):
        issuers = [one for one in known if one.subject == certificate.issuer]
        for place in _places(certificate):
            try:
                _keep(folder, place, _fetched(place), issuers)
            except (OSError, ValueError, http.client.HTTPException):
                silent[urllib.parse.urlsplit(place).hostname or place] = None
    return tuple(silent)


def _chains(folder: Path) -> list[x509.Certificate]:
    """The operator's certificates with all that stands above them; a demonstration makes its own lists."""
    keys = [key for key in published_keys(folder) if key.purpose in ("document", "root")]
    found = [x509.load_der_x509_certificate(key.material) for key in keys]
    with contextlib.suppress(SigningUnavailableError):  # what is published is known all the same
        found += open_keyring(folder).signer.others
    found += [one for place in numbered(folder / GENERATIONS) for one in read_certificates(place / "signer.pem")]
    found += read_certificates(folder / STAMP_ROOTS_FILE)
    return [one for one in found if not is_demonstration(one)]


def _certificates_in(token: bytes) -> list[x509.Certificate]:
    bag = cms.ContentInfo.load(token)["content"]["certificates"]
    found = [x509.load_der_x509_certificate(one.chosen.dump()) for one in bag if one.name == "certificate"]
    return [one for one in found if not is_demonstration(one)]


def _places(certificate: x509.Certificate) -> list[str]:
    try:
        points = certificate.extensions.get_extension_for_class(x509.CRLDistributionPoints).value
    except x509.ExtensionNotFound:
        return []
    names = [name.value for point in points for name in point.full_name or ()]
    return [name for name in names if urllib.parse.urlsplit(str(name)).scheme in ("http", "https")][:1]


def _fetched(place: str) -> bytes:
    parts = urllib.parse.urlsplit(place)
    kind = http.client.HTTPSConnection if parts.scheme == "https" else http.client.HTTPConnection
    connection = kind(parts.netloc, timeout=PATIENCE)
    try:
        connection.request("GET", f"{parts.path or '/'}?{parts.query}" if parts.query else parts.path or "/")
        response = connection.getresponse()
        answer = response.read(MAX_LIST + 1)
    finally:
        connection.close()
    if response.status != 200 or len(answer) > MAX_LIST:
        raise OSError("not a list")
    return answer


def _keep(folder: Path, place: str, answer: bytes, issuers: list[x509.Certificate]) -> None:
    is_pem = answer.lstrip().startswith(b"-----BEGIN")
    crl = x509.load_pem_x509_crl(answer) if is_pem else x509.load_der_x509_crl(answer)
    if not any(crl.issuer == one.subject and _signed_by(crl, one) for one in issuers):
        raise ValueError("signed by somebody else")
    file = folder / OTHERS / f"{hashlib.sha256(place.encode()).hexdigest()[:16]}.crl"
    with locked(folder):
        file.parent.mkdir(mode=0o700, exist_ok=True)
        if file.exists() and x509.load_der_x509_crl(file.read_bytes()).last_update_utc >= crl.last_update_utc:
            return
        replace_file(file, crl.public_bytes(Encoding.DER))


def _signed_by(crl: x509.CertificateRevocationList, issuer: x509.Certificate) -> bool:
    try:
        return crl.is_signature_valid(issuer.public_key())  # type: ignore[arg-type]
    except TypeError:
        return False
