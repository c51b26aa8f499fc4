"""What revocation and time stamps do to the facts; a fact that was not examined is None."""

from collections.abc import Callable
from datetime import UTC, datetime, timedelta

import pytest
from asn1crypto import cms
from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.asymmetric.utils import decode_dss_signature, encode_dss_signature

from tests.hostile_pdfs import document
from tests.mutations import P256_ORDER, rewritten
from tests.small_pki import SmallPki, revoked, rsa_key
from xinzheng.adapters.signing import PdfFacts, Trust, check_pdf, stamp_imprint

AT = datetime(2026, 11, 21, 7, 8, 2, tzinfo=UTC)
DAY = timedelta(days=1)
PAGE = document(
    [
        b"<</Type/Catalog/Pages 2 0 R>>",
        b"<</Type/Pages/Kids[3 0 R]/Count 1>>",
        b"<</Type/Page/Parent 2 0 R/MediaBox[0 0 9 9]/Resources<<>>>>",
    ]
)


@pytest.fixture(scope="module")
def pki() -> SmallPki:
    return SmallPki(AT)


def three(facts: PdfFacts) -> tuple[bool | None, bool | None, bool | None]:
    return facts.intact, facts.signature_valid, facts.signer_trusted


def said(facts: PdfFacts) -> str:
    return "".join(facts.reasons)


def test_a_stamped_report_with_its_list_is_b_lt_and_needs_nothing_from_outside(pki: SmallPki) -> None:
    stamped = pki.stamped(pki.signed(PAGE, AT, pki.crl()), AT + timedelta(seconds=2))
    facts = check_pdf(stamped, pki.trust())
    assert three(facts) == (True, True, True)
    assert facts.reasons == ()
    assert (facts.level, facts.stamped_at) == ("B-LT", AT + timedelta(seconds=2))
    assert facts.revoked_at is None


def test_the_level_says_what_the_file_itself_holds(pki: SmallPki) -> None:
    bare, listed = pki.signed(PAGE, AT), pki.signed(PAGE, AT, pki.crl())
    found = [check_pdf(file, pki.trust(pki.crl())) for file in (bare, listed, pki.stamped(bare, AT))]
    assert [facts.level for facts in found] == ["B-B", "B-B", "B-T"]
    assert [facts.stamped_at for facts in found] == [None, None, AT]
    assert all(three(facts) == (True, True, True) for facts in found)


def test_without_a_list_of_the_time_revocation_was_not_examined(pki: SmallPki) -> None:
    bare = pki.signed(PAGE, AT)
    for trust in (pki.trust(), pki.trust(pki.crl(at=AT - 30 * DAY)), pki.trust(SmallPki(AT).crl()), pki.trust(b"no")):
        facts = check_pdf(bare, trust)
        assert three(facts) == (True, True, None)
        assert "未核对签名证书是否被吊销" in said(facts)


def test_a_later_list_speaks_of_an_earlier_signature(pki: SmallPki) -> None:
    assert three(check_pdf(pki.signed(PAGE, AT), pki.trust(pki.crl(at=AT + 900 * DAY)))) == (True, True, True)


@pytest.mark.parametrize("is_stamped", [True, False])
def test_a_signature_after_the_revocation_is_not_trusted(pki: SmallPki, is_stamped: bool) -> None:
    signed = pki.signed(PAGE, AT, pki.crl())
    late = pki.crl(revoked(pki.signer, AT - DAY), at=AT + DAY)
    facts = check_pdf(pki.stamped(signed, AT) if is_stamped else signed, pki.trust(late))
    assert three(facts) == (True, True, False)
    assert facts.revoked_at == AT - DAY
    assert "在签名之前已被吊销" in said(facts)


def test_a_stamp_keeps_a_signature_whose_certificate_was_revoked_later(pki: SmallPki) -> None:
    signed = pki.signed(PAGE, AT, pki.crl())
    trust = pki.trust(pki.crl(revoked(pki.signer, AT + DAY), at=AT + 2 * DAY))
    stamped = check_pdf(pki.stamped(signed, AT + timedelta(seconds=1)), trust)
    assert (three(stamped), stamped.revoked_at, stamped.reasons) == ((True, True, True), AT + DAY, ())
    unstamped = check_pdf(signed, trust)
    assert (three(unstamped), unstamped.revoked_at) == ((True, True, False), AT + DAY)
    assert "没有时间戳" in said(unstamped)


def test_a_stamp_put_in_after_the_revocation_does_not_help(pki: SmallPki) -> None:
    stamped = pki.stamped(pki.signed(PAGE, AT, pki.crl()), AT + 2 * DAY)
    facts = check_pdf(stamped, pki.trust(pki.crl(revoked(pki.signer, AT + DAY), at=AT + 3 * DAY)))
    assert three(facts) == (True, True, False)


def test_the_day_the_key_became_invalid_counts_if_it_is_before_the_day_of_revocation(pki: SmallPki) -> None:
    entry = revoked(pki.signer, AT + 5 * DAY, invalid_from=AT - DAY)
    facts = check_pdf(pki.stamped(pki.signed(PAGE, AT), AT), pki.trust(pki.crl(entry, at=AT + 6 * DAY)))
    assert (facts.signer_trusted, facts.revoked_at) == (False, AT - DAY)


def test_a_list_in_the_file_cannot_hide_a_revocation_the_verifier_knows_of(pki: SmallPki) -> None:
    signed = pki.signed(PAGE, AT, pki.crl(at=AT))
    assert check_pdf(signed, pki.trust(pki.crl(revoked(pki.signer, AT - DAY)))).signer_trusted is False


def test_a_list_of_a_namesake_or_of_somebody_who_may_not_make_lists_does_not_count(pki: SmallPki) -> None:
    namesake = SmallPki(AT)
    for crl in (namesake.crl(revoked(pki.signer, AT - DAY)), pki.crl(revoked(pki.signer, AT), issuer=pki.signer)):
        assert check_pdf(pki.signed(PAGE, AT), pki.trust(crl)).signer_trusted is None


def scope(**given: object) -> x509.IssuingDistributionPoint:
    nothing = {"full_name": None, "relative_name": None, "only_some_reasons": None}
    parts = ("only_contains_user_certs", "only_contains_ca_certs", "indirect_crl", "only_contains_attribute_certs")
    return x509.IssuingDistributionPoint(**{**nothing, **dict.fromkeys(parts, False), **given})


def test_a_list_for_others_does_not_count_and_one_for_this_place_does(pki: SmallPki) -> None:
    here = [x509.UniformResourceIdentifier("http://127.0.0.1:8765/pki/root.crl")]
    elsewhere = [x509.UniformResourceIdentifier("http://127.0.0.1:8765/pki/other.crl")]
    answers = {
        True: [scope(full_name=here), scope(only_contains_user_certs=True)],
        None: [
            scope(full_name=elsewhere),
            scope(only_contains_ca_certs=True),
            scope(indirect_crl=True),
            scope(only_some_reasons=frozenset([x509.ReasonFlags.key_compromise])),
            x509.DeltaCRLIndicator(1),
        ],
    }
    signed = pki.signed(PAGE, AT)
    for trusted, extensions in answers.items():
        for extension in extensions:
            assert check_pdf(signed, pki.trust(pki.crl(extension=extension))).signer_trusted is trusted


def test_stamps_of_an_authority_whose_key_was_stolen_count_as_none(pki: SmallPki) -> None:
    stamped = pki.stamped(pki.signed(PAGE, AT, pki.crl()), AT)
    stolen = revoked(pki.stamper, AT + 9 * DAY)
    facts = check_pdf(stamped, pki.trust(pki.crl(stolen, at=AT + 10 * DAY)))
    assert (three(facts), facts.stamped_at, facts.level) == ((True, True, True), None, "B-B")
    assert "时间戳不作数" in said(facts)
    both = pki.crl(stolen, revoked(pki.signer, AT + DAY), at=AT + 10 * DAY)
    assert check_pdf(stamped, pki.trust(both)).signer_trusted is False


def test_stamps_of_an_authority_that_stopped_later_still_count(pki: SmallPki) -> None:
    stamped = pki.stamped(pki.signed(PAGE, AT, pki.crl()), AT)
    for at, stamped_at in ((AT + DAY, AT), (AT - DAY, None)):
        ended = pki.crl(revoked(pki.stamper, at, x509.ReasonFlags.cessation_of_operation), at=AT + 9 * DAY)
        assert check_pdf(stamped, pki.trust(ended)).stamped_at == stamped_at


def test_a_stamp_of_an_unknown_authority_is_not_ours_and_without_its_root_not_examined(pki: SmallPki) -> None:
    other = SmallPki(AT)
    stamped = pki.stamped(pki.signed(PAGE, AT, pki.crl()), AT, other.stamper)
    assert three(check_pdf(stamped, pki.trust())) == (True, False, True)
    assert three(check_pdf(stamped, Trust((pki.root.der,)))) == (True, None, True)
    assert three(check_pdf(stamped, Trust((pki.root.der,), (), (other.root.der,)))) == (True, True, True)


def test_a_certificate_that_may_not_stamp_times_stamps_none(pki: SmallPki) -> None:
    no_stamper = pki.certified("TEST OTHER", rsa_key(1), pki.root)
    stamped = pki.stamped(pki.signed(PAGE, AT, pki.crl()), AT, no_stamper)
    assert three(check_pdf(stamped, pki.trust())) == (True, False, True)


def with_attribute(change: Callable[[cms.SignerInfo], None]) -> Callable[[cms.ContentInfo], None]:
    return lambda content: change(content["content"]["signer_infos"][0])


def attributes(*tokens: bytes, kind: str = "signature_time_stamp_token") -> cms.CMSAttributes:
    return cms.CMSAttributes(
        [cms.CMSAttribute({"type": kind, "values": [cms.ContentInfo.load(token)]}) for token in tokens]
    )


def test_a_stamp_of_another_report_or_a_second_stamp_is_reported(pki: SmallPki) -> None:
    one, other = pki.signed(PAGE, AT, pki.crl()), pki.signed(PAGE, AT + DAY, pki.crl())
    mine, theirs = (pki.token(stamp_imprint(file), AT) for file in (one, other))
    for tokens in ((theirs,), (mine, theirs), (theirs, mine), (mine, mine)):
        altered = rewritten(one, with_attribute(lambda info: info.__setitem__("unsigned_attrs", attributes(*tokens))))  # noqa: B023
        facts = check_pdf(altered, pki.trust())
        assert facts.intact is True
        assert facts.signature_valid is False


def test_a_token_with_anything_in_it_that_is_not_its_own_is_reported(pki: SmallPki) -> None:
    signed = pki.signed(PAGE, AT, pki.crl())
    token = cms.ContentInfo.load(pki.token(stamp_imprint(signed), AT))
    further = cms.CertificateChoices("certificate", cms.Certificate.load(pki.root.der))
    token["content"]["certificates"] = cms.CertificateSet([*token["content"]["certificates"], further])
    bag = token.dump()
    token = cms.ContentInfo.load(pki.token(stamp_imprint(signed), AT))
    token["content"]["signer_infos"][0]["unsigned_attrs"] = attributes(bag)
    for form in (bag, token.dump()):
        altered = rewritten(signed, with_attribute(lambda info: info.__setitem__("unsigned_attrs", attributes(form))))  # noqa: B023
        assert check_pdf(altered, pki.trust()).signature_valid is False


def test_what_is_no_token_at_all_is_reported(pki: SmallPki) -> None:
    signed = pki.signed(PAGE, AT, pki.crl())
    noise = cms.CMSAttributes([cms.CMSAttribute({"type": "signing_time", "values": [cms.Time({"utc_time": AT})]})])
    itself = attributes(cms.ContentInfo({"content_type": "data", "content": b"x"}).dump())
    for unsigned in (noise, itself):
        altered = rewritten(signed, with_attribute(lambda info: info.__setitem__("unsigned_attrs", unsigned)))  # noqa: B023
        assert three(check_pdf(altered, pki.trust())) == (True, False, True)


def test_a_stamp_from_before_or_after_the_certificate_shows(pki: SmallPki) -> None:
    signed = pki.signed(PAGE, AT, pki.crl())
    for at in (AT - 2 * DAY, AT + 4000 * DAY):
        assert check_pdf(pki.stamped(signed, at), pki.trust()).signature_valid is False  # nor was its authority's


def test_an_intermediate_authority_is_part_of_the_chain_and_its_list_is_asked_for(pki: SmallPki) -> None:
    between = pki.certified("TEST BETWEEN", ec.generate_private_key(ec.SECP256R1()), pki.root, is_authority=True)
    city = SmallPki(AT)
    city.root, city.signer = pki.root, pki.certified("TEST CITY", ec.generate_private_key(ec.SECP256R1()), between)
    of_both = (pki.crl(), pki.crl(issuer=between))
    signed = city.signed(PAGE, AT, *of_both, others=[between])
    assert three(check_pdf(signed, pki.trust())) == (True, True, True)
    assert check_pdf(city.signed(PAGE, AT, of_both[0], others=[between]), pki.trust()).signer_trusted is None
    ended = pki.crl(revoked(between, AT - DAY))
    assert check_pdf(signed, pki.trust(ended)).signer_trusted is False


def test_an_intermediate_certificate_with_another_signature_of_the_same_key_is_reported(pki: SmallPki) -> None:

    between = pki.certified("TEST BETWEEN", ec.generate_private_key(ec.SECP256R1()), pki.root, is_authority=True)
    city = SmallPki(AT)
    city.root, city.signer = pki.root, pki.certified("TEST CITY", ec.generate_private_key(ec.SECP256R1()), between)
    signed = city.signed(PAGE, AT, pki.crl(), pki.crl(issuer=between), others=[between])

    def turn(content: cms.ContentInfo) -> None:
        bag = content["content"]["certificates"]
        found = next(one for one in bag if one.chosen.dump() == between.der)
        r, s = decode_dss_signature(found.chosen["signature_value"].native)
        found.chosen["signature_value"] = encode_dss_signature(r, P256_ORDER - s)

    turned = rewritten(signed, turn)
    assert turned != signed
    assert check_pdf(turned, pki.trust()).signature_valid is False
