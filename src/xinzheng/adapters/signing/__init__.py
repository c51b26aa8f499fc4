"""Signatures (签名): the report's PAdES signature, the QR code's COSE seal, their keys, and checking both."""

from xinzheng.adapters.signing.check import PdfFacts, check_pdf
from xinzheng.adapters.signing.errors import KeyFileError, SigningUnavailableError, StampUnavailableError
from xinzheng.adapters.signing.form import FormError, signed_digest
from xinzheng.adapters.signing.key_history import PublishedKey
from xinzheng.adapters.signing.keyring import (
    Keyring,
    current_trust,
    load_demo_trust,
    load_seal_key,
    load_seal_public_keys,
    load_signer,
    open_keyring,
    published_keys,
)
from xinzheng.adapters.signing.keys import load_pkcs12, load_trust
from xinzheng.adapters.signing.list_fetching import fetch_lists
from xinzheng.adapters.signing.lists import current_crl, known_crls, renew_due_lists, root_certificate
from xinzheng.adapters.signing.rotation import (
    OwnCertificate,
    ensure_demo_keys,
    has_own_certificate,
    install_certificate,
    install_hardware,
    report_compromised,
    rotate_demo_keys,
)
from xinzheng.adapters.signing.seals import (
    ReportSeal,
    SealError,
    SealKey,
    key_id_of,
    open_seal,
    parse_qr_text,
    qr_text,
    seal_payload,
)
from xinzheng.adapters.signing.signer import Evidence, ReportSigner, sign_pdf
from xinzheng.adapters.signing.stampers import Stamper, stamper_of
from xinzheng.adapters.signing.stamping import stamp_imprint, stamp_time, with_token
from xinzheng.adapters.signing.trust import Trust

__all__ = [
    "Evidence",
    "FormError",
    "KeyFileError",
    "Keyring",
    "OwnCertificate",
    "PdfFacts",
    "PublishedKey",
    "ReportSeal",
    "ReportSigner",
    "SealError",
    "SealKey",
    "SigningUnavailableError",
    "StampUnavailableError",
    "Stamper",
    "Trust",
    "check_pdf",
    "current_crl",
    "current_trust",
    "ensure_demo_keys",
    "fetch_lists",
    "has_own_certificate",
    "install_certificate",
    "install_hardware",
    "key_id_of",
    "known_crls",
    "load_demo_trust",
    "load_pkcs12",
    "load_seal_key",
    "load_seal_public_keys",
    "load_signer",
    "load_trust",
    "open_keyring",
    "open_seal",
    "parse_qr_text",
    "published_keys",
    "qr_text",
    "renew_due_lists",
    "report_compromised",
    "root_certificate",
    "rotate_demo_keys",
    "seal_payload",
    "sign_pdf",
    "signed_digest",
    "stamp_imprint",
    "stamp_time",
    "stamper_of",
    "with_token",
]
