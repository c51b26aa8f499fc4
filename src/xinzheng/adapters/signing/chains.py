"""Chains of certificates (证书链) as pyHanko found them, for comparing with what a signature brought along."""

from collections.abc import Sequence

from asn1crypto import cms  # type: ignore[import-untyped]
from asn1crypto import x509 as asn1_x509
from cryptography import x509
from pyhanko.sign.validation.status import SignatureStatus

Chain = Sequence[asn1_x509.Certificate]


def path_of(status: SignatureStatus) -> Chain | None:
    """From a trusted root down to the signer, or None. pyHanko's own ``trusted`` also asks whether the document is
    intact, which is another fact."""
    if status.trust_problem_indic is not None or status.validation_path is None:
        return None
    certificates = status.validation_path.iter_certs(include_root=True)
    return list({one.dump(): one for one in certificates}.values())


def embedded(path: Chain) -> Chain:
    """Those of a path that go into a signature: the signer's own and whatever is not a root."""
    return [one for one in path if one is path[-1] or not one.self_issued]


def bag_of(given: cms.SignedData) -> list[bytes]:
    """Everything that came along with a signature as certificate, as it was encoded."""
    bag = given["certificates"]
    return [one.chosen.dump() for one in bag] if len(bag) else []


def as_cryptography(path: Chain) -> list[x509.Certificate]:
    """The same certificates, parsed by the other library."""
    return [x509.load_der_x509_certificate(one.dump()) for one in path]
