"""Sign a report's PDF (签发): PAdES B-B with pyHanko in one incremental update, the key parsed once."""

from datetime import datetime
from io import BytesIO

from asn1crypto import algos  # type: ignore[import-untyped]
from asn1crypto import x509 as asn1_x509
from asn1crypto.cms import ContentInfo  # type: ignore[import-untyped]
from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from cryptography.hazmat.primitives.asymmetric.padding import PKCS1v15
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.serialization import Encoding
from pyhanko.pdf_utils.incremental_writer import IncrementalPdfFileWriter
from pyhanko.sign.fields import SigFieldSpec, SigSeedSubFilter
from pyhanko.sign.signers.cms_embedder import PdfCMSEmbedder, SigIOSetup, SigObjSetup
from pyhanko.sign.signers.constants import ESIC_EXTENSION_1
from pyhanko.sign.signers.pdf_byterange import SignatureObject
from pyhanko.sign.signers.pdf_cms import Signer
from pyhanko_certvalidator.registry import SimpleCertificateStore

from xinzheng.adapters.signing.ecdsa_form import lowered
from xinzheng.adapters.signing.finishing import finish

PrivateKey = ec.EllipticCurvePrivateKey | rsa.RSAPrivateKey
DIGEST = "sha256"
FIELD = "ReportSignature"
REASON = "签发专用信用报告"
CMS_OVERHEAD = 1400  # attributes, names and structure around certificates and signature, with room to spare


class ReportSigner:
    """Who signs reports (签发者): certificate, its intermediates, and the private key, kept parsed."""

    def __init__(
        self, key: PrivateKey, certificate: x509.Certificate, others: tuple[x509.Certificate, ...] = ()
    ) -> None:
        self.certificate = certificate
        ders = [one.public_bytes(Encoding.DER) for one in (certificate, *others)]
        signature_size = (key.key_size + 7) // 8 * (1 if isinstance(key, rsa.RSAPrivateKey) else 2)
        self.hex_digits_reserved = 2 * (CMS_OVERHEAD + sum(map(len, ders)) + signature_size)
        parsed = [asn1_x509.Certificate.load(der) for der in ders]
        self.cms = _CachedKeySigner(key, parsed[0], parsed[1:])

    @property
    def name(self) -> str:
        """The certificate's common name, as a reader sees it."""
        return str(self.cms.subject_name)

    def __repr__(self) -> str:
        return f"ReportSigner({self.name!r})"


class _CachedKeySigner(Signer):
    """pyHanko's own SimpleSigner parses the private key again for each signature."""

    def __init__(
        self, key: PrivateKey, certificate: asn1_x509.Certificate, others: list[asn1_x509.Certificate]
    ) -> None:
        store = SimpleCertificateStore()  # type: ignore[no-untyped-call]
        store.register_multiple(others)
        is_rsa = isinstance(key, rsa.RSAPrivateKey)
        mechanism = algos.SignedDigestAlgorithm({"algorithm": f"{DIGEST}_{'rsa' if is_rsa else 'ecdsa'}"})
        super().__init__(
            signing_cert=certificate, cert_registry=store, signature_mechanism=mechanism, embed_roots=False
        )
        self._key = key

    async def async_sign_raw(self, data: bytes, digest_algorithm: str, dry_run: bool = False) -> bytes:  # noqa: ARG002
        if isinstance(self._key, rsa.RSAPrivateKey):
            return self._key.sign(data, PKCS1v15(), SHA256())
        return lowered(self._key.sign(data, ec.ECDSA(SHA256())), self._key.curve.name)


def sign_pdf(pdf: bytes, signer: ReportSigner, signed_at: datetime) -> bytes:
    """``pdf`` with one invisible signature over the whole file; ``signed_at`` is aware and stands in the signature.

    The seal on the page is the visible sign; an invisible field changes no page. Time is the signer's own word:
    a time-stamping authority is not asked.
    """
    writer = IncrementalPdfFileWriter(BytesIO(pdf))
    writer.register_extension(ESIC_EXTENSION_1)
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
    cms: ContentInfo = finish(signer.cms.async_sign(prepared.document_digest, DIGEST, use_pades=True))
    steps.send(cms)
    signed: bytes = output.getvalue()
    return signed
