"""Numbers, typed codes and the states of a report."""

from datetime import date

import pytest
from hypothesis import given
from hypothesis import strategies as st
from stdnum.iso7064 import mod_37_36

from xinzheng.core.errors import XinzhengError
from xinzheng.core.lifecycle import (
    TRANSITIONS,
    TYPED_ALPHABET,
    ReportStatus,
    check_transition,
    is_report_number,
    normalise_number,
    normalise_typed_code,
    report_number,
    typed_code,
)


@given(st.integers(1, 9_999_999), st.dates(date(2024, 1, 1), date(2099, 12, 31)))
def test_every_number_carries_its_day_its_serial_and_a_valid_check_character(serial: int, day: date) -> None:
    number = report_number("SZ", day, serial)
    assert number.startswith(f"SZ{day:%Y%m%d}{serial:07d}")
    assert mod_37_36.is_valid(number)
    assert is_report_number(number)


@given(st.integers(1, 9_999_999), st.integers(0, 17), st.sampled_from("0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ"))
def test_a_number_with_one_wrong_character_is_not_a_number(serial: int, place: int, character: str) -> None:
    number = report_number("HZ", date(2026, 11, 21), serial)
    wrong = number[:place] + character + number[place + 1 :]
    assert is_report_number(wrong) == (wrong == number)


def test_a_serial_beyond_seven_digits_is_refused() -> None:
    with pytest.raises(XinzhengError, match="编号已经用完") as caught:
        report_number("SZ", date(2026, 11, 21), 10_000_000)
    assert caught.value.code == "serial-exhausted"


@given(st.binary(min_size=16, max_size=16))
def test_a_typed_code_is_twelve_unmistakable_characters_and_survives_careless_typing(secret: bytes) -> None:
    code = typed_code(secret)
    assert len(code) == 12
    assert set(code) <= set(TYPED_ALPHABET)
    careless = f" {code[:4].lower()}-{code[4:8]} {code[8:]} ".replace("0", "o").replace("1", "l")
    assert normalise_typed_code(careless) == code


@given(st.binary(min_size=16, max_size=16), st.integers(0, 59))
def test_each_of_the_first_sixty_bits_of_the_secret_changes_the_typed_code(secret: bytes, bit: int) -> None:
    flipped = (int.from_bytes(secret, "big") ^ (1 << (127 - bit))).to_bytes(16, "big")
    assert typed_code(flipped) != typed_code(secret)


def test_no_status_leads_back_into_force() -> None:
    leading_to_force = {before for before, after in TRANSITIONS.items() if ReportStatus.IN_FORCE in after}
    assert leading_to_force == {ReportStatus.PREPARED}


@pytest.mark.parametrize("before", list(ReportStatus))
@pytest.mark.parametrize("after", list(ReportStatus))
def test_a_transition_outside_the_table_is_refused(before: ReportStatus, after: ReportStatus) -> None:
    if after in TRANSITIONS[before]:
        check_transition(before, after)
        return
    with pytest.raises(XinzhengError) as caught:
        check_transition(before, after)
    assert caught.value.code == "report-transition-illegal"


def test_what_a_chinese_keyboard_types_in_full_width_is_the_same_number_and_code():
    assert normalise_number(" ｓｚ２０２６ ０１０１0000001Ｘ　") == "SZ202601010000001X"
    assert normalise_typed_code("ａｂ１２－ｃｄ３４ ef56") == "AB12CD34EF56"
