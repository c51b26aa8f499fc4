"""Signatures (签名): the report's PAdES signature, the QR code's COSE seal, their keys, and checking both."""

from xinzheng.adapters.signing.check import PdfFacts, Trust, check_pdf
from xinzheng.adapters.signing.errors import KeyFileError, SigningUnavailableError, StampUnavailableError
from xinzheng.adapters.signing.form import FormError, signed_digest
from xinzheng.adapters.signing.keyring import Keyring, PublishedKey, open_keyring, published_keys
from xinzheng.adapters.signing.keys import (
    ensure_demo_keys,
    load_demo_trust,
    load_pkcs12,
    load_seal_key,
    load_seal_public_keys,
    load_signer,
    load_trust,
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
from xinzheng.adapters.signing.stamping import Stamper, stamp_imprint, stamper_of, with_token

__all__ = [
    "Evidence",
    "FormError",
    "KeyFileError",
    "Keyring",
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
    "ensure_demo_keys",
    "key_id_of",
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
    "seal_payload",
    "sign_pdf",
    "signed_digest",
    "stamp_imprint",
    "stamper_of",
    "with_token",
]
