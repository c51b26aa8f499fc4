"""Sign a report's PDF (签发): PAdES with pyHanko in one incremental update, the key parsed once.

Certificates and lists of revoked certificates go into the same revision as the signature, and every container leaves
room for a time stamp (时间戳): whatever comes later changes neither the length nor one signed byte of the file.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import cached_property
from io import BytesIO

from asn1crypto import algos, crl  # type: ignore[import-untyped]
from asn1crypto import x509 as asn1_x509
from cryptography import x509
from cryptography.hazmat.primitives.serialization import Encoding
from pyhanko.pdf_utils.incremental_writer import IncrementalPdfFileWriter
from pyhanko.sign.fields import SigFieldSpec, SigSeedSubFilter
from pyhanko.sign.signers.cms_embedder import PdfCMSEmbedder, SigIOSetup, SigObjSetup
from pyhanko.sign.signers.constants import ESIC_EXTENSION_1
from pyhanko.sign.signers.pdf_byterange import SignatureObject
from pyhanko.sign.signers.pdf_cms import Signer
from pyhanko.sign.validation.dss import DocumentSecurityStore
from pyhanko_certvalidator.registry import SimpleCertificateStore

from xinzheng.adapters.signing.finishing import finish
from xinzheng.adapters.signing.form import TOKEN_ROOM
from xinzheng.adapters.signing.raw_keys import RawKey
from xinzheng.adapters.signing.template import STAND_IN, SignatureTemplate

DIGEST = "sha256"
FIELD = "ReportSignature"
REASON = "签发专用信用报告"
CMS_OVERHEAD = 1400  # attributes, names and structure around certificates and signature, with room to spare


@dataclass(frozen=True)
class Evidence:
    """What a reader needs years later to judge the signature (验证材料), DER: certificates and revocation lists."""

    certificates: tuple[bytes, ...] = ()
    crls: tuple[bytes, ...] = ()


NO_EVIDENCE = Evidence()


class ReportSigner:
    """Who signs reports (签发者): certificate, its intermediates nearest first, and the key, kept parsed."""

    def __init__(self, key: RawKey, certificate: x509.Certificate, others: Sequence[x509.Certificate] = ()) -> None:
        self.certificate = certificate
        self.others = tuple(others)
        self.key = key
        ders = [one.public_bytes(Encoding.DER) for one in (certificate, *others)]
        signature_size = (key.bits + 7) // 8 * (1 if key.kind == "rsa" else 2)
        self.hex_digits_reserved = 2 * (CMS_OVERHEAD + sum(map(len, ders)) + signature_size + TOKEN_ROOM)
        parsed = [asn1_x509.Certificate.load(der) for der in ders]
        self.cms = _RawKeySigner(key, parsed[0], parsed[1:])

    @property
    def name(self) -> str:
        """The certificate's common name, as a reader sees it."""
        return str(self.cms.subject_name)

    @cached_property
    def template(self) -> SignatureTemplate:
        """Its signatures but for the digest and the value."""
        return SignatureTemplate(finish(self.cms.async_sign(STAND_IN, DIGEST, use_pades=True)))

    def ready(self) -> None:
        """Sign something of no meaning; SigningUnavailableError if the key cannot be reached."""
        self.key.sign(b"xinzheng: is the key there?")

    def __repr__(self) -> str:
        return f"ReportSigner({self.name!r})"


class _RawKeySigner(Signer):
    """pyHanko's own SimpleSigner parses the private key again for each signature."""

    def __init__(self, key: RawKey, certificate: asn1_x509.Certificate, others: list[asn1_x509.Certificate]) -> None:
        store = SimpleCertificateStore()  # type: ignore[no-untyped-call]
        store.register_multiple(others)
        mechanism = algos.SignedDigestAlgorithm({"algorithm": f"{DIGEST}_{key.kind}"})
        super().__init__(
            signing_cert=certificate, cert_registry=store, signature_mechanism=mechanism, embed_roots=False
        )
        self._key = key

    async def async_sign_raw(self, data: bytes, digest_algorithm: str, dry_run: bool = False) -> bytes:  # noqa: ARG002
        return self._key.sign(data)


class _Revision(IncrementalPdfFileWriter):
    """A revision that leaves what the file says of itself as it is: title, author and dates are the renderer's."""

    def _update_meta(self) -> None:
        """pyHanko would name itself as the producer and write the XMP anew."""


def sign_pdf(pdf: bytes, signer: ReportSigner, signed_at: datetime, evidence: Evidence = NO_EVIDENCE) -> bytes:
    """``pdf`` with one invisible signature over the whole file; ``signed_at`` is aware and stands in the signature.

    The seal on the page is the visible sign; an invisible field changes no page. ``signed_at`` is the signer's own
    word: ``with_token`` puts a time stamp in afterwards. Raises SigningUnavailableError when the key is out of reach.
    """
    writer = _Revision(BytesIO(pdf))
    writer.register_extension(ESIC_EXTENSION_1)
    _embed(evidence, writer)
    steps = PdfCMSEmbedder(new_field_spec=SigFieldSpec(FIELD)).write_cms(FIELD, writer)
    next(steps)
    placeholder = SignatureObject(
        timestamp=signed_at,
        subfilter=SigSeedSubFilter.PADES,
        name=signer.name,
        reason=REASON,
        bytes_reserved=signer.hex_digits_reserved,
    )
    steps.send(SigObjSetup(sig_placeholder=placeholder))
    prepared, output = steps.send(SigIOSetup(md_algorithm=DIGEST, in_place=False, output=BytesIO()))
    steps.send(signer.template.filled(prepared.document_digest, signer.key.sign))
    signed: bytes = output.getvalue()
    return signed


def _embed(evidence: Evidence, writer: IncrementalPdfFileWriter) -> None:
    if evidence.certificates or evidence.crls:
        DocumentSecurityStore.supply_dss_in_writer(
            writer,
            None,
            certs=[asn1_x509.Certificate.load(der) for der in evidence.certificates],
            crls=[crl.CertificateList.load(der) for der in evidence.crls],
        )
