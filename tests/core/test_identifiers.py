"""Identifiers against the real list, python-stdnum as an independent oracle, and invariants."""

from datetime import date
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from stdnum.cn import ric, uscc

from xinzheng.core.identifiers import (
    USCC_ALPHABET,
    check_identity_number,
    check_uscc,
    document_key,
    identity_check_character,
    mask_identifier,
    mask_name,
    normalise_identifier,
    organisation_check_character,
    subject_kind_of,
    uscc_check_character,
)

DATA = Path(__file__).parents[1] / "data"
REAL = (DATA / "uscc-real.txt").read_text(encoding="ascii").split()
DIVISIONS = frozenset(
    line.split(",")[0] for line in (DATA / "division-codes-1981-2025.csv").read_text("utf-8-sig").splitlines()[1:]
)
GOOD = "91110000600037341L"


def make_uscc(prefix: str, division: str, body: str) -> str:
    first17 = prefix + division + body + organisation_check_character(body)
    return first17 + uscc_check_character(first17)


usccs = st.builds(
    make_uscc,
    st.text(USCC_ALPHABET, min_size=2, max_size=2),
    st.text("0123456789", min_size=6, max_size=6),
    st.text(USCC_ALPHABET, min_size=8, max_size=8),
)


def test_every_real_code_but_the_two_deliberately_wrong_ones_passes() -> None:
    refused = {code for code in REAL if not check_uscc(code, DIVISIONS).ok}
    assert len(REAL) == 203
    assert refused == {"91110000600037341N", "A1110000600037341L"}


def test_the_independent_library_agrees_on_every_real_code() -> None:
    assert [check_uscc(code).ok for code in REAL] == [uscc.is_valid(code) for code in REAL]


@given(usccs)
def test_a_code_built_by_the_standard_passes_and_the_oracle_agrees_where_it_knows_the_letters(code: str) -> None:
    assert check_uscc(code).ok
    if code[:2].isdigit():
        assert uscc.is_valid(code)


@given(usccs, st.integers(0, 17), st.sampled_from(USCC_ALPHABET))
def test_any_single_wrong_character_is_noticed(code: str, place: int, character: str) -> None:
    changed = code[:place] + character + code[place + 1 :]
    assert check_uscc(changed).ok == (changed == code)


@given(st.text(max_size=24))
def test_any_text_gets_an_answer_and_what_we_accept_the_oracle_accepts(raw: str) -> None:
    check = check_uscc(raw)
    assert check.raw == raw
    if check.ok and check.value[:2].isdigit():
        assert uscc.is_valid(check.value)


@pytest.mark.parametrize("prefix", ["N2", "A1", "Y1", "91", "92", "11"])
def test_letters_in_the_first_two_places_are_accepted(prefix: str) -> None:
    assert check_uscc(make_uscc(prefix, "320505", "MA1XG612")).ok


def test_full_width_and_lower_case_are_normalised_and_the_raw_value_is_kept() -> None:
    raw = " ９１110000600037341l "
    check = check_uscc(raw)
    assert (check.ok, check.value, check.raw) == (True, GOOD, raw)


@pytest.mark.parametrize(
    ("raw", "code", "part"),
    [
        ("9111000060003O341L", "uscc-character", "第14位是字母O"),
        ("9111000A600037341L", "uscc-character", "第8位是字母A"),
        ("91110000600037341", "uscc-length", "现为17位"),
        ("9111000060003？341L", "uscc-character", "第14位是“?”"),
        ("91110000600037341N", "uscc-check", "第18位"),
        ("91110000600037331L", "uscc-organisation-check", "第9至17位"),
        ("9.1152E+17", "number-rounded", "科学计数法"),
    ],
)
def test_a_message_names_what_is_wrong_and_where(raw: str, code: str, part: str) -> None:
    found = {issue.code: issue.message for issue in check_uscc(raw).errors}
    assert part in found[code]


def test_a_division_outside_the_official_list_is_only_a_warning() -> None:
    check = check_uscc("91320594MA2DEM0Q10", DIVISIONS)
    assert check.ok
    assert [issue.code for issue in check.warnings] == ["uscc-division-unknown"]
    assert not check_uscc("91320594MA2DEM0Q10").warnings


@given(st.dates(date(1900, 1, 1), date(2025, 12, 31)), st.integers(0, 999))
def test_an_identity_number_passes_with_its_check_character_only(born: date, serial: int) -> None:
    first17 = f"330502{born:%Y%m%d}{serial:03d}"
    good = first17 + identity_check_character(first17)
    assert [c for c in "0123456789X" if check_identity_number(first17 + c).ok] == [good[-1]]
    assert ric.calc_check_digit(good) == good[-1]


@pytest.mark.parametrize(
    ("raw", "code"),
    [
        ("33050219900101001", "identity-length"),
        ("3305021990O1010018", "identity-character"),
        ("330502199002300018", "identity-birth-date"),
        ("3.30502E+17", "number-rounded"),
    ],
)
def test_a_wrong_identity_number_is_explained_without_repeating_it(raw: str, code: str) -> None:
    (issue,) = check_identity_number(raw).errors
    assert issue.code == code
    assert raw not in issue.message


def test_kinds_follow_the_first_two_places() -> None:
    codes = {"92" + "0" * 16: "individual_business", "93" + "0" * 16: "cooperative", "N2" + "0" * 16: None}
    assert {code: subject_kind_of(code) for code in codes} == codes


@pytest.mark.parametrize(
    "written",
    [
        "示市监处罚〔2022〕1000号",
        "示市监处罚[2022]1000号",
        "示市监处罚【２０２２】1000号",
        "示市监处罚（2022） 1000 号",
    ],
)
def test_one_document_number_written_four_ways_has_one_key(written: str) -> None:
    assert document_key(written) == "示市监处罚〔2022〕1000号"


@given(st.text(max_size=40))
def test_normalising_twice_changes_nothing(raw: str) -> None:
    assert document_key(document_key(raw)) == document_key(raw)
    assert normalise_identifier(normalise_identifier(raw)) == normalise_identifier(raw)


@given(st.text("0123456789X", min_size=1, max_size=30))
def test_a_masked_identifier_keeps_its_length_and_hides_at_least_four_places(identifier: str) -> None:
    masked = mask_identifier(identifier)
    assert len(masked) == len(identifier)
    assert masked.count("*") >= min(len(identifier), 3)


def test_masks_read_as_on_the_report() -> None:
    assert mask_identifier("330502199001010018") == "330502********0018"
    assert mask_name("示例") == "示＊"
    assert mask_name("苏州示例精密制造有限公司", is_person=False) == "苏州＊＊＊＊＊＊有限公司"
