"""What a platform's claims say of a person: nothing but what it says it verified, and vouches for."""

from dataclasses import replace

import pytest

from xinzheng.core.identity_platforms import ClaimNames, IdentityPlatform, VerifiedPerson, verified_person

NAMES = ClaimNames(
    number="no", phone="tel", organisation="uscc", representative="boss", verified="ok", verified_is=(True, "L3")
)
PLATFORM = IdentityPlatform("p", "平台", "https://p.example", "c", "s", vouches_for_identity=True, claims=NAMES)
SAID = {"no": " 1 ", "name": "李", "tel": "2", "uscc": "9", "boss": True, "ok": True}


def test_a_verified_person_is_taken_with_everything_the_platform_is_asked_for() -> None:
    assert verified_person(PLATFORM, SAID) == VerifiedPerson("1", "李", "2", "9", is_representative=True)


@pytest.mark.parametrize("stated", [None, False, 0, 1, "true", "True", "l3", ["L3"], {}, ""])
def test_anything_but_the_stated_yes_is_a_no(stated: object) -> None:
    assert verified_person(PLATFORM, SAID | {"ok": stated}) is None


@pytest.mark.parametrize("missing", ["no", "name", "ok"])
def test_without_number_name_or_the_word_of_having_verified_there_is_nobody(missing: str) -> None:
    assert verified_person(PLATFORM, {key: value for key, value in SAID.items() if key != missing}) is None
    assert verified_person(PLATFORM, SAID | {missing: 7 if missing != "ok" else 1}) is None


def test_a_platform_that_does_not_vouch_or_has_no_claim_for_it_says_nothing() -> None:
    assert verified_person(replace(PLATFORM, vouches_for_identity=False), SAID) is None
    assert verified_person(replace(PLATFORM, claims=replace(NAMES, verified="")), SAID) is None
    assert verified_person(replace(PLATFORM, claims=replace(NAMES, number="")), SAID) is None


@pytest.mark.parametrize("boss", [None, "true", 1, "yes", False])
def test_only_a_true_makes_a_representative_and_only_of_an_organisation(boss: object) -> None:
    found = verified_person(PLATFORM, SAID | {"boss": boss})
    assert found is not None
    assert not found.is_representative
    without = verified_person(PLATFORM, SAID | {"uscc": ""})
    assert without is not None
    assert not without.is_representative
