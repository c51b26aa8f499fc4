"""The keys of an installation (密钥环): who signs, who seals, who stamps, and what a reader needs to judge them."""

from dataclasses import dataclass
from datetime import datetime
from functools import cached_property, lru_cache
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.serialization import Encoding, load_der_public_key, load_pem_public_key

from xinzheng.adapters.signing.demo_authority import Authority, authority_name, is_demonstration, load_authority
from xinzheng.adapters.signing.errors import KeyFileError, SigningUnavailableError
from xinzheng.adapters.signing.generations import (
    AUTHORITIES,
    CURRENT_FILE,
    PASSPHRASE_FILE,
    ROOT_FILE,
    SEAL_FILE,
    SEAL_PUBLIC_FILE,
    SIGNER_CHAIN_FILE,
    SIGNER_FILE,
    STAMP_FILE,
    STAMP_PASS_FILE,
    STAMP_ROOTS_FILE,
    Generation,
    authority_folders,
    current_generation,
    read_certificates,
    root_certificates,
)
from xinzheng.adapters.signing.key_files import read_key_file
from xinzheng.adapters.signing.key_history import (
    HISTORY_FILE,
    KeyFact,
    PublishedKey,
    certificate_fact,
    key_id_of_public,
    published,
    read_facts,
    seal_fact,
)
from xinzheng.adapters.signing.keys import chain_of, load_pkcs12, load_seal_file
from xinzheng.adapters.signing.lists import current_crl, known_crls
from xinzheng.adapters.signing.pkcs11_keys import (
    HardwareKey,
    HardwareSealKey,
    StoreDescription,
    read_description,
    store_of,
)
from xinzheng.adapters.signing.raw_keys import PublicKey
from xinzheng.adapters.signing.seals import SealKey, key_id_of
from xinzheng.adapters.signing.signer import Evidence, ReportSigner
from xinzheng.adapters.signing.trust import Trust

Mark = tuple[int, int, int] | None


@dataclass(frozen=True)
class Keyring:
    """One generation of keys, opened (密钥环). What is read from it once stays read; no key shows itself.

    ``pkcs11`` is the description of the key store where the generation's keys are kept in one.
    """

    folder: Path
    generation: Generation
    keys: tuple[PublishedKey, ...]
    pkcs11: Path | None = None

    @property
    def signer(self) -> ReportSigner:
        """Who signs reports. SigningUnavailableError if the key is out of reach or known to be stolen."""
        signer = self._signer
        self._refuse_stolen("document", signer.certificate.public_key())  # type: ignore[arg-type]
        return signer

    @property
    def seal_key(self) -> SealKey:
        """The key of the QR codes. Raises as ``signer``."""
        key = self._seal_key
        self._refuse_stolen("seal", key.private.public_key())
        return key

    @property
    def stamper_key(self) -> ReportSigner | None:
        """Who stamps times in the demonstration; None where the keys are not the demonstration's own."""
        key = self._stamper_key
        if key is not None:
            self._refuse_stolen("stamp", key.certificate.public_key())  # type: ignore[arg-type]
        return key

    @property
    def has_stamper(self) -> bool:
        """Whether these keys stamp times themselves."""
        return (self.generation.folder / STAMP_FILE).exists()

    @cached_property
    def authority(self) -> Authority | None:
        """The demonstration root above the keys; None where they have another."""
        number = self.generation.authority
        return None if number is None else load_authority(self.folder / AUTHORITIES / str(number))

    @property
    def certificate(self) -> x509.Certificate | None:
        """The signer's certificate, also when nothing may be signed; None if it cannot be read."""
        try:
            return self._signer.certificate
        except SigningUnavailableError:
            return None

    @property
    def algorithm(self) -> str:
        """The signer's algorithm as people write it, e.g. ``ECDSA P-256``."""
        key = self._signer.key
        return f"RSA-{key.bits}" if key.kind == "rsa" else f"ECDSA P-{key.bits}"

    @property
    def is_demonstration(self) -> bool:
        """Whether what is signed is of no use outside a demonstration."""
        return self.certificate is not None and is_demonstration(self.certificate)

    def ready(self, now: datetime) -> None:
        """Make sure that a report can be signed now; SigningUnavailableError if not, with the reason."""
        signer = self.signer
        until = signer.certificate.not_valid_after_utc
        if now >= until:
            raise SigningUnavailableError(
                f"签名证书已于 {until:%Y-%m-%d} 到期，请先轮换：xinzheng signing rotate。", code="signing-key-expired"
            )
        signer.ready()
        self.seal_key.private.sign(b"xinzheng: is the key there?", ec.ECDSA(SHA256()))

    def evidence(self, now: datetime) -> Evidence:
        """What goes into each report beside its signature: chains up to the roots, and today's lists."""
        signer, stamper = self._signer, self._stamper_key
        chain = [signer.certificate, *signer.others]
        if stamper is not None:
            chain += [stamper.certificate, *stamper.others]
        issuers = {certificate.issuer for certificate in chain}
        chain += [root for root in self._roots if root.subject in issuers]
        number = self.generation.authority
        if number is not None:
            current_crl(self.folder, authority_name(self.folder / AUTHORITIES / str(number)), now)
        crls = [crl for crl in known_crls(self.folder) if x509.load_der_x509_crl(crl).issuer in issuers]
        return Evidence(tuple(one.public_bytes(Encoding.DER) for one in dict.fromkeys(chain)), tuple(crls))

    @cached_property
    def _signer(self) -> ReportSigner:
        place = self.generation.folder
        if self._description is None:
            return load_pkcs12(place / SIGNER_FILE, place / PASSPHRASE_FILE)
        certificate, *others = read_certificates(place / SIGNER_CHAIN_FILE) or _missing(SIGNER_CHAIN_FILE)
        public = certificate.public_key()
        if not isinstance(public, ec.EllipticCurvePublicKey | rsa.RSAPublicKey):
            raise KeyFileError(f"{SIGNER_CHAIN_FILE} 中的证书应当是 ECDSA 或者 RSA。")
        key = HardwareKey(store_of(self._description), self._description.document_key, public)
        return ReportSigner(key, certificate, chain_of(certificate, others))

    @cached_property
    def _seal_key(self) -> SealKey:
        place = self.generation.folder
        if self._description is None:
            return load_seal_file(place / SEAL_FILE)
        public = load_pem_public_key(read_key_file(place / SEAL_PUBLIC_FILE))
        if not isinstance(public, ec.EllipticCurvePublicKey):
            raise KeyFileError(f"{SEAL_PUBLIC_FILE} 应当是 P-256 公钥。")
        return SealKey(HardwareSealKey(HardwareKey(store_of(self._description), self._description.seal_key, public)))

    @cached_property
    def _description(self) -> StoreDescription | None:
        """The key store of this generation; None where its keys are files. KeyFileError if setting and keys differ."""
        if (self.pkcs11 is not None) != (self.generation.kind == "pkcs11"):
            raise KeyFileError(
                "设置 XINZHENG_PKCS11 与正在使用的密钥不一致；改了设置，请运行 xinzheng signing rotate。",
                code="signing-key-store-differs",
            )
        return None if self.pkcs11 is None else read_description(self.pkcs11)

    @cached_property
    def _stamper_key(self) -> ReportSigner | None:
        place = self.generation.folder
        return load_pkcs12(place / STAMP_FILE, place / STAMP_PASS_FILE) if self.has_stamper else None

    @cached_property
    def _roots(self) -> list[x509.Certificate]:
        return root_certificates(self.folder)

    def _refuse_stolen(self, purpose: str, public: PublicKey) -> None:
        key_id, above = key_id_of_public(public), self._signer.certificate.issuer
        for key in self.keys:
            is_it = (key.key_id, key.purpose) == (key_id, purpose)
            is_root = key.purpose == "root" and x509.load_der_x509_certificate(key.material).subject == above
            if key.compromised_at is not None and (is_it or is_root):
                raise SigningUnavailableError(
                    f"密钥 {key.key_id} 已登记为泄露，停止签发。请先轮换：xinzheng signing rotate。",
                    code="signing-key-compromised",
                )


def open_keyring(folder: Path, pkcs11: Path | None = None) -> Keyring:
    """The keys in use of ``folder``; a rotation by another process is noticed at the next call.

    ``pkcs11``: the description of a hardware key store. Raises KeyFileError if the folder cannot be read; a key that
    cannot be used is noticed when it is asked for.
    """
    marks = tuple(map(_mark, (folder / CURRENT_FILE, folder / HISTORY_FILE, *([pkcs11] if pkcs11 else []))))
    return _opened(folder, pkcs11, marks)


@lru_cache(maxsize=8)
def _opened(folder: Path, pkcs11: Path | None, marks: tuple[Mark, ...]) -> Keyring:  # noqa: ARG001  marks: freshness
    return Keyring(folder, current_generation(folder), published(read_facts(folder)), pkcs11)


def _missing(name: str) -> list[x509.Certificate]:
    raise KeyFileError(f"密钥目录中没有 {name}，请从备份恢复。")


def _mark(file: Path) -> Mark:
    try:
        found = file.stat()
    except FileNotFoundError:
        return None
    return found.st_mtime_ns, found.st_ino, found.st_size


def published_keys(folder: Path) -> tuple[PublishedKey, ...]:
    """Every key ever in use here, and the roots of an outside time-stamping authority; public material only.

    Whoever verifies off line needs those roots, too. KeyFileError if the history cannot be read.
    """
    outside = read_certificates(folder / STAMP_ROOTS_FILE)
    told = [certificate_fact("stamp", "published", root, root.not_valid_before_utc) for root in outside]
    return published([*told, *(read_facts(folder) or first_facts(folder))])


def first_facts(folder: Path) -> list[KeyFact]:
    """What a folder of the first form would have written down when it was made."""
    facts = []
    roots = read_certificates(folder / ROOT_FILE)
    facts += [certificate_fact("root", "published", root, root.not_valid_before_utc) for root in roots]
    if (folder / SIGNER_FILE).exists():
        signer = load_pkcs12(folder / SIGNER_FILE, folder / PASSPHRASE_FILE).certificate
        facts.append(certificate_fact("document", "published", signer, signer.not_valid_before_utc))
        seal = load_seal_file(folder / SEAL_FILE).private.public_key()
        facts.append(seal_fact("published", seal, signer.not_valid_before_utc))
    return facts


def current_trust(folder: Path) -> Trust:
    """What a report's signature is held against: roots not given up, the lists at hand, who may stamp, every key."""
    roots = root_certificates(folder)
    stamp_roots = [root for place in authority_folders(folder) for root in read_certificates(place / ROOT_FILE)]
    stamp_roots += read_certificates(folder / STAMP_ROOTS_FILE)
    held, stamping = (tuple(one.public_bytes(Encoding.DER) for one in ones) for ones in (roots, stamp_roots))
    return Trust(held, known_crls(folder), stamping).knowing(published_keys(folder))


def load_signer(folder: Path) -> ReportSigner:
    """The signer in use; read once in a process. Raises SigningUnavailableError."""
    return open_keyring(folder).signer


def load_seal_key(folder: Path) -> SealKey:
    """The key of the QR codes in use. Raises SigningUnavailableError."""
    return open_keyring(folder).seal_key


def load_seal_public_keys(folder: Path) -> dict[bytes, ec.EllipticCurvePublicKey]:
    """Every published key of QR codes by key id, as open_seal takes them; needs no secret once there is a history."""
    keys: dict[bytes, ec.EllipticCurvePublicKey] = {}
    for key in published_keys(folder):
        public = load_der_public_key(key.material) if key.purpose == "seal" else None
        if isinstance(public, ec.EllipticCurvePublicKey):
            keys[key_id_of(public)] = public
    return keys


def load_demo_trust(folder: Path) -> Trust:
    """What a report signed with the keys of ``folder`` is held against. KeyFileError if there are no keys."""
    trust = current_trust(folder)
    if not trust.roots:
        raise KeyFileError(f"密钥目录中没有受信任的根证书 {ROOT_FILE}。请检查路径和权限。")
    return trust
