"""Check one small signed file of our own making: the libraries build their tables before strangers come."""

from datetime import UTC, datetime, timedelta
from io import BytesIO
from typing import Any

from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.serialization import Encoding
from pyhanko.pdf_utils.generic import StreamObject
from pyhanko.pdf_utils.writer import PageObject, PdfFileWriter

from xinzheng.adapters.signing.check import check_pdf
from xinzheng.adapters.signing.raw_keys import SoftwareKey
from xinzheng.adapters.signing.signer import ReportSigner, sign_pdf
from xinzheng.adapters.signing.trust import Trust


def warm_up() -> None:
    """Sign an empty page with a key that is thrown away, and check it."""
    now = datetime.now(UTC)
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, "nobody")])
    builder = x509.CertificateBuilder(name, name, key.public_key(), 1, now, now + timedelta(hours=1))
    certificate = builder.sign(key, SHA256())
    signed = sign_pdf(_empty_page(), ReportSigner(SoftwareKey(key), certificate), now)
    facts = check_pdf(signed, Trust((certificate.public_bytes(Encoding.DER),)))
    if not (facts.intact and facts.signature_valid and facts.signer_trusted):
        raise RuntimeError("a file of our own making is not found in order")


def _empty_page() -> bytes:
    writer: Any = PdfFileWriter()  # type: ignore[no-untyped-call]
    nothing = writer.add_object(StreamObject(stream_data=b""))
    page: Any = PageObject
    writer.insert_page(page(contents=nothing, media_box=(0, 0, 100, 100)))
    out = BytesIO()
    writer.write(out)
    return out.getvalue()
