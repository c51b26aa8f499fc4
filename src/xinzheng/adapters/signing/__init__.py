"""Signatures (签名): the report's PAdES signature, the QR code's COSE seal, their keys, and checking both."""

from xinzheng.adapters.signing.check import PdfFacts, Trust, check_pdf
from xinzheng.adapters.signing.keys import (
    KeyFileError,
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
from xinzheng.adapters.signing.signer import ReportSigner, sign_pdf

__all__ = [
    "KeyFileError",
    "PdfFacts",
    "ReportSeal",
    "ReportSigner",
    "SealError",
    "SealKey",
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
    "open_seal",
    "parse_qr_text",
    "qr_text",
    "seal_payload",
    "sign_pdf",
]
