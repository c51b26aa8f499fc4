"""Make keys, replace them, and give up those that others may have (轮换与泄露): nothing is ever taken away."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Literal

from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat, PublicFormat

from xinzheng.adapters.signing.demo_authority import (
    CRL_FILE,
    Authority,
    authority_files,
    is_demonstration,
    issue_signer,
    issue_stamper,
    load_authority,
    new_key,
    packed,
)
from xinzheng.adapters.signing.errors import KeyFileError, SigningUnavailableError
from xinzheng.adapters.signing.generations import (
    ABOUT_FILE,
    AUTHORITIES,
    CURRENT_FILE,
    GENERATIONS,
    PASSPHRASE_FILE,
    ROOT_FILE,
    SEAL_FILE,
    SEAL_PUBLIC_FILE,
    SIGNER_CHAIN_FILE,
    SIGNER_FILE,
    STAMP_FILE,
    STAMP_PASS_FILE,
    Kind,
    about_bytes,
    authority_folders,
    current_generation,
    next_number,
    read_certificates,
)
from xinzheng.adapters.signing.key_files import locked, read_key_file, replace_file, write_folder
from xinzheng.adapters.signing.key_history import (
    KeyFact,
    PublishedKey,
    certificate_fact,
    published,
    read_facts,
    seal_fact,
    spki_of,
    write_facts,
)
from xinzheng.adapters.signing.keyring import first_facts, published_keys
from xinzheng.adapters.signing.keys import load_pkcs12
from xinzheng.adapters.signing.lists import make_list, renew_crl
from xinzheng.adapters.signing.pkcs11_keys import StoreDescription, read_description, store_of
from xinzheng.adapters.signing.raw_keys import PublicKey

Algorithm = Literal["ecdsa-p256", "rsa-3072"]
LOOPBACK = "127.0.0.1:8000"
NEVER_RETIRED = ("root",)


@dataclass(frozen=True)
class OwnCertificate:
    """An operator's certificate (自有证书): a PKCS#12 file, the file with its passphrase, and its roots in PEM."""

    archive: Path
    passphrase_file: Path
    roots: Path


@dataclass(frozen=True)
class _Made:
    """Files of a new generation and what is published of it."""

    kind: Kind
    authority: int | None
    files: Mapping[str, bytes]
    facts: tuple[KeyFact, ...]


def ensure_demo_keys(folder: Path, made_at: datetime, host: str = LOOPBACK) -> None:
    """Make the demonstration's authority and keys where there are none; keys that are there stay.

    ``folder`` gets mode 0700 and its files 0600; processes that start together agree. A demonstration's folder of the
    first form gets a further generation, for its root cannot revoke; an operator's own keys are left as they are.
    ``host`` is where the list of revoked certificates will be served.
    """
    if (folder / CURRENT_FILE).exists() or _is_an_operators(folder):
        return
    try:
        with locked(folder):
            if not (folder / CURRENT_FILE).exists():
                _put_in_use(folder, _demonstration(folder, made_at, (host, "ecdsa-p256")), made_at)
    except (OSError, KeyFileError):
        if not (folder / SIGNER_FILE).exists():
            raise  # a folder of the first form that cannot be written to goes on working as it is


def rotate_demo_keys(folder: Path, made_at: datetime, host: str, algorithm: Algorithm = "ecdsa-p256") -> int:
    """New keys for documents, codes and stamps under the demonstration's root; the number of the new generation.

    A root that was given up is replaced too. Raises KeyFileError when the root's own key cannot be opened.
    """
    with locked(folder):
        return _put_in_use(folder, _demonstration(folder, made_at, (host, algorithm)), made_at)


def has_own_certificate(folder: Path) -> bool:
    """Whether an operator's certificate is in use, which the demonstration's must not replace unasked."""
    if not (folder / CURRENT_FILE).exists():
        return _is_an_operators(folder)
    return current_generation(folder).authority is None


def install_certificate(folder: Path, own: OwnCertificate, made_at: datetime) -> int:
    """Sign with an operator's certificate from now on, with a new key for codes; the new generation's number.

    Raises KeyFileError if the files cannot be opened, if the certificate does not lead to the roots given, or if its
    key was retired or lost before.
    """
    signer = load_pkcs12(own.archive, own.passphrase_file)
    roots = read_certificates(own.roots)
    above = (signer.others or (signer.certificate,))[-1]
    if not any(root.subject == above.issuer for root in roots):
        raise KeyFileError(f"签名证书的上级不在 {own.roots.name} 中，请给出它的根证书。")
    seal = ec.generate_private_key(ec.SECP256R1())
    files = {
        SIGNER_FILE: read_key_file(own.archive),
        PASSPHRASE_FILE: read_key_file(own.passphrase_file),
        ROOT_FILE: b"".join(root.public_bytes(Encoding.PEM) for root in roots),
        SEAL_FILE: _pem(seal),
    }
    facts = (
        *(certificate_fact("root", "published", root, made_at) for root in roots),
        certificate_fact("document", "published", signer.certificate, made_at),
        seal_fact("published", seal.public_key(), made_at),
    )
    with locked(folder):
        return _put_in_use(folder, _Made("pkcs12", None, files, facts), made_at)


def install_hardware(folder: Path, pkcs11: Path, made_at: datetime, host: str) -> int:
    """Sign with the keys of a hardware store from now on; the new generation's number.

    Without a certificate in the description the demonstration's root certifies the key. Raises
    SigningUnavailableError when the store cannot be reached, KeyFileError for a certificate of another key.
    """
    description = read_description(pkcs11)
    store = store_of(description)
    keys = store.public_key(description.document_key), store.public_key(description.seal_key)
    with locked(folder):
        made = _certified(description, keys, made_at) or _demo_certified(folder, keys, made_at, host)
        return _put_in_use(folder, made, made_at)


def report_compromised(folder: Path, key_id: str, since: datetime, now: datetime, reason: str = "") -> PublishedKey:
    """Write down that others may have had a key ``since``, and revoke its certificate if its root is ours.

    ``key_id`` may be shortened as long as it names one key. Raises KeyFileError for a key that is not published here,
    for two of that beginning, or for a moment that is to come.
    """
    if since > now:
        raise KeyFileError("泄露的时间不能晚于现在。", code="signing-since-future")
    with locked(folder):
        key = _named(published_keys(folder), key_id)
        if key.compromised_at is not None:
            raise KeyFileError(
                f"密钥 {key.key_id} 早已登记为泄露，登记不能更改。", code="signing-key-known-compromised"
            )
        told = KeyFact(key.key_id, key.purpose, "compromised", key.material, since, reason)
        write_facts(folder, [*first_facts_unless_written(folder), told])
    for place in authority_folders(folder):
        renew_crl(folder, place, now)
    return _named(published_keys(folder), key.key_id)


def first_facts_unless_written(folder: Path) -> list[KeyFact]:
    """The beginning of the history of a folder that has none yet."""
    return [] if read_facts(folder) else first_facts(folder)


def _named(keys: tuple[PublishedKey, ...], key_id: str) -> PublishedKey:
    found = [key for key in keys if key_id and key.key_id.startswith(key_id)]
    if len(found) != 1:
        said = "没有这把密钥" if not found else "不止一把密钥以此开头"
        raise KeyFileError(f"{said}：{key_id}。密钥编号见 xinzheng signing status。", code="signing-key-unknown")
    return found[0]


def _is_an_operators(folder: Path) -> bool:
    """Whether a folder of the first form holds somebody's real certificate, which nothing may replace unasked."""
    if not (folder / SIGNER_FILE).exists():
        return False
    try:
        return not is_demonstration(load_pkcs12(folder / SIGNER_FILE, folder / PASSPHRASE_FILE).certificate)
    except SigningUnavailableError:
        return True


def _put_in_use(folder: Path, made: _Made, made_at: datetime) -> int:
    """Files first, then the history, then ``current``: a crash between leaves the old keys in use. Needs the lock."""
    before = [*read_facts(folder)] or first_facts(folder)
    _refuse_ended(published(before), made)
    if made.authority is not None:
        place = folder / AUTHORITIES / str(made.authority)
        replace_file(place / CRL_FILE, make_list(folder, place, made_at))
    number = next_number(folder / GENERATIONS)
    about = about_bytes(made.kind, made_at, made.authority)
    write_folder(folder / GENERATIONS / str(number), {**made.files, ABOUT_FILE: about})
    staying = {(fact.key_id, fact.purpose) for fact in made.facts}
    retired = [
        KeyFact(key.key_id, key.purpose, "retired", key.material, made_at)
        for key in published(before)
        if key.purpose not in NEVER_RETIRED and key.until_at is None and (key.key_id, key.purpose) not in staying
    ]
    write_facts(folder, [*first_facts_unless_written(folder), *retired, *made.facts])
    replace_file(folder / CURRENT_FILE, f"{number}\n".encode())
    return number


def _refuse_ended(known: tuple[PublishedKey, ...], made: _Made) -> None:
    """No key comes back: everybody who knows its end would not believe what it signs from now on."""
    coming = {(fact.key_id, fact.purpose) for fact in made.facts if fact.purpose not in NEVER_RETIRED}
    for key in known:
        if (key.key_id, key.purpose) in coming and (key.until_at is not None or key.compromised_at is not None):
            raise KeyFileError(
                f"密钥 {key.key_id} 早已停用或者登记为泄露，再用它签的报告核验时不会可信。请换一把新的密钥。",
                code="signing-key-ended",
            )


def _demonstration(folder: Path, made_at: datetime, wanted: tuple[str, Algorithm]) -> _Made:
    host, algorithm = wanted
    place, root_facts = _authority_in_use(folder, host, made_at)
    authority = load_authority(place)
    signer_key, seal_key = new_key(algorithm), ec.generate_private_key(ec.SECP256R1())
    signer, stamping = issue_signer(authority, signer_key.public_key(), made_at), _stamping(authority, made_at)
    archive, passphrase = packed(signer_key, signer, authority.certificate)
    files = {
        ROOT_FILE: authority.certificate.public_bytes(Encoding.PEM),
        SIGNER_FILE: archive,
        PASSPHRASE_FILE: passphrase,
        SEAL_FILE: _pem(seal_key),
        **stamping.files,
    }
    facts = (
        *root_facts,
        certificate_fact("document", "published", signer, made_at),
        *stamping.facts,
        seal_fact("published", seal_key.public_key(), made_at),
    )
    return _Made("demo", int(place.name), files, facts)


def _certified(description: StoreDescription, keys: tuple[PublicKey, PublicKey], made_at: datetime) -> _Made | None:
    """Keys of a store with the certificate its description names; None if it names none."""
    if description.certificate is None or description.roots is None:
        return None
    chain, roots = read_certificates(description.certificate), read_certificates(description.roots)
    if not chain or not roots:
        raise KeyFileError("certificate 或者 roots 指的文件中没有证书。")
    if spki_of(chain[0].public_key()) != spki_of(keys[0]):  # type: ignore[arg-type]
        raise KeyFileError(f"{description.certificate.name} 的第一张证书不是密钥“{description.document_key}”的。")
    facts = [certificate_fact("root", "published", root, made_at) for root in roots]
    return _Made(
        "pkcs11", None, _hardware_files(chain, roots, keys[1]), (*facts, *_hardware_facts(chain, keys, made_at))
    )


def _demo_certified(folder: Path, keys: tuple[PublicKey, PublicKey], made_at: datetime, host: str) -> _Made:
    place, facts = _authority_in_use(folder, host, made_at)
    authority = load_authority(place)
    chain = [issue_signer(authority, keys[0], made_at)]
    stamping = _stamping(authority, made_at)
    files = {**_hardware_files(chain, [authority.certificate], keys[1]), **stamping.files}
    told = (*facts, *_hardware_facts(chain, keys, made_at), *stamping.facts)
    return _Made("pkcs11", int(place.name), files, told)


def _hardware_files(
    chain: Sequence[x509.Certificate], roots: Sequence[x509.Certificate], seal: PublicKey
) -> dict[str, bytes]:
    return {
        ROOT_FILE: b"".join(root.public_bytes(Encoding.PEM) for root in roots),
        SIGNER_CHAIN_FILE: b"".join(one.public_bytes(Encoding.PEM) for one in chain),
        SEAL_PUBLIC_FILE: seal.public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo),
    }


def _hardware_facts(
    chain: Sequence[x509.Certificate], keys: tuple[PublicKey, PublicKey], made_at: datetime
) -> tuple[KeyFact, KeyFact]:
    return certificate_fact("document", "published", chain[0], made_at), seal_fact("published", keys[1], made_at)


def _stamping(authority: Authority, made_at: datetime) -> _Made:
    """A key that stamps times under the demonstration's root."""
    key = new_key("ecdsa-p256")
    certificate = issue_stamper(authority, key.public_key(), made_at)
    archive, passphrase = packed(key, certificate, authority.certificate)
    facts = (certificate_fact("stamp", "published", certificate, made_at),)
    return _Made("demo", None, {STAMP_FILE: archive, STAMP_PASS_FILE: passphrase}, facts)


def _authority_in_use(folder: Path, host: str, made_at: datetime) -> tuple[Path, list[KeyFact]]:
    """The newest root unless it was given up, else a new one; and what there is to publish of it."""
    given_up = {key.material for key in published(read_facts(folder)) if key.purpose == "root" and key.compromised_at}
    places = authority_folders(folder)
    if places:
        root = read_certificates(places[-1] / ROOT_FILE)[0]
        if root.public_bytes(Encoding.DER) not in given_up:
            return places[-1], [certificate_fact("root", "published", root, made_at)]
    number = next_number(folder / AUTHORITIES)
    place = folder / AUTHORITIES / str(number)
    write_folder(place, authority_files(number, host, made_at))
    return place, [certificate_fact("root", "published", load_authority(place).certificate, made_at)]


def _pem(key: ec.EllipticCurvePrivateKey) -> bytes:
    return key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
