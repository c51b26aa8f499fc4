"""The demonstration city is made from seed and day alone, and everything in it is recognisably invented."""

import os
import re
import subprocess
import sys
from datetime import date, timedelta
from hashlib import sha256
from pathlib import Path

import pytest

from xinzheng.cli.demo_city.city import City, CityPlan, make_city
from xinzheng.cli.demo_city.codes import PERSONS_DIVISION, invented_identity_number, invented_uscc
from xinzheng.cli.demo_city.coverage import LATE_DAYS, NEVER
from xinzheng.cli.demo_city.deliveries import PENALTY
from xinzheng.cli.demo_city.files import FileForm, write_sheet
from xinzheng.cli.demo_city.organs import deployments
from xinzheng.cli.demo_city.returning import DOMAIN, LEFT_TO_IT, PLATFORM, STATED_ITSELF, returned_days
from xinzheng.core.identifiers import check_identity_number, check_uscc

TODAY = date(2026, 11, 21)
DIGEST = """
import sys
from tests.cli.test_demo_generation import digest, plan
print(digest(plan(int(sys.argv[1]))))
"""


def plan(seed: int, *, today: date = TODAY, late: frozenset[str] = frozenset()) -> CityPlan:
    return CityPlan(deployments(), 400, seed, today, late)


def written(city: City, folder: Path) -> dict[str, bytes]:
    """Every file of a city, by name."""
    folder.mkdir(exist_ok=True)
    write_sheet(city.register, folder / "register.csv", FileForm.CSV_WITH_BOM)
    for planned in city.files:
        write_sheet(planned.sheet, folder / planned.file_name, planned.form)
    return {path.name: path.read_bytes() for path in sorted(folder.iterdir())}


def digest(made: CityPlan) -> str:
    """One digest over all of a city's files and statements."""
    import tempfile

    city = make_city(made)
    with tempfile.TemporaryDirectory() as folder:
        parts = [name.encode() + content for name, content in written(city, Path(folder)).items()]
    return sha256(b"".join(parts) + repr(city.statements).encode()).hexdigest()


@pytest.fixture(scope="module")
def city() -> City:
    return make_city(plan(7))


def test_the_same_seed_and_day_make_the_same_files_byte_for_byte(city: City, tmp_path: Path) -> None:
    first, second = written(city, tmp_path / "one"), written(make_city(plan(7)), tmp_path / "two")
    assert first == second
    assert {Path(name).suffix for name in first} == {".csv", ".xlsx"}


def test_another_process_with_other_hashing_makes_the_same_city() -> None:
    found = {
        subprocess.run(
            [sys.executable, "-c", DIGEST, "7"],
            env=os.environ | {"PYTHONHASHSEED": seed, "PYTHONPATH": "src:."},
            capture_output=True,
            text=True,
            check=True,
        ).stdout.strip()
        for seed in ("1", "2")
    }
    assert found == {digest(plan(7))}


def test_another_seed_makes_other_files() -> None:
    assert digest(plan(7)) != digest(plan(8))


def test_the_known_characters_are_the_same_under_every_seed_and_on_every_day(city: City) -> None:
    other = make_city(plan(8, today=TODAY + timedelta(days=30)))
    codes = {role: party.code for role, party in city.characters.items()}
    assert codes == {role: party.code for role, party in other.characters.items()}


def test_every_name_says_that_it_is_invented(city: City) -> None:
    assert all("示例" in row[0] for row in city.register.rows)
    assert all("示例" in row[3] for row in city.register.rows if row[3])


def test_every_code_is_valid_and_bears_the_mark_of_invented_ones(city: City) -> None:
    for name, code, kind, *_ in city.register.rows:
        if kind == "自然人":
            assert check_identity_number(code).ok, name
            assert code.startswith(PERSONS_DIVISION)
        else:
            assert check_uscc(code).ok, name
            assert code[8:11] == "DEM"


def test_codes_and_names_of_organisations_are_never_given_twice(city: City) -> None:
    organisations = [row for row in city.register.rows if row[2] != "自然人"]
    assert len({row[1] for row in city.register.rows}) == len(city.register.rows)
    assert len({row[0] for row in organisations}) == len(organisations)


def test_invented_codes_pass_the_checks_for_every_serial_and_prefix() -> None:
    for serial in (0, 1, 30, 31, 31**5 - 1):
        for prefix in ("11", "91", "92", "93"):
            assert check_uscc(invented_uscc(prefix, "320594", serial)).ok
    assert check_identity_number(invented_identity_number(date(2000, 2, 29), 999)).ok


def test_renamed_branches_absorbed_and_deregistered_firms_are_in_the_register() -> None:
    rows = make_city(CityPlan(deployments(), 3000, 7, TODAY)).register.rows
    assert {row[9] for row in rows} == {"", "分支机构", "吸收合并"}
    assert any(row[7] for row in rows)
    assert "注销" in {row[4] for row in rows}


def test_no_decision_is_newer_than_the_unit_says_its_data_reaches(city: City) -> None:
    compared = 0
    for planned in city.files:
        if planned.covers and "处罚决定日期" in planned.sheet.header:
            place = planned.sheet.header.index("处罚决定日期")
            plain = [row[place] for row in planned.sheet.rows if re.fullmatch(r"\d{4}-\d\d-\d\d", row[place])]
            assert all(day <= planned.covers[1].isoformat() for day in plain), planned.file_name
            compared += len(plain)
    assert compared > 50


def test_every_responsible_unit_but_the_silent_one_speaks_for_all_it_answers_for(city: City) -> None:
    spoken = {(f.scope.uscc, f.scope.domain, f.scope.kind) for f in city.files if f.covers}
    assert not spoken & {(s.uscc, s.domain, s.kind) for s in city.statements}
    spoken |= {(s.uscc, s.domain, s.kind) for s in city.statements}
    for deployment in deployments().values():
        silent = {unit.uscc for unit in deployment.units if unit.short_name in NEVER}
        asked = {(r.uscc, r.domain, r.kind) for r in deployment.responsibilities if r.uscc not in silent}
        assert asked <= spoken
        assert not {uscc for uscc, _, _ in spoken} & silent


def test_two_months_of_one_unit_are_spoken_for_by_the_platform_only(city: City) -> None:
    names = {unit.short_name: unit.uscc for unit in deployments()["suzhou"].units}
    (returned,) = (f for f in city.files if f.scope.uscc == names[PLATFORM])
    assert returned.covers == (date(2026, 7, 1), date(2026, 8, 31))
    before, after = (s for s in city.statements if (s.uscc, s.domain, s.kind) == (names[LEFT_TO_IT], DOMAIN, PENALTY))
    assert (before.through_date, after.from_date) == (date(2026, 6, 30), date(2026, 9, 1))
    named = {row[returned.sheet.header.index("数据来源单位统一社会信用代码")] for row in returned.sheet.rows}
    assert named == {names[LEFT_TO_IT], names[STATED_ITSELF]}


def test_a_return_ends_before_the_data_of_a_late_unit_on_any_day() -> None:
    days = (TODAY + timedelta(days=n) for n in range(400))
    assert all(returned_days(day)[1] < day - timedelta(days=LATE_DAYS) for day in days)


def test_a_unit_told_to_be_late_states_less_and_delivers_less() -> None:
    uscc = next(u.uscc for u in deployments()["suzhou"].units if u.short_name == "市水务局")
    late = make_city(plan(7, late=frozenset({"市水务局"})))
    (file,) = (f for f in late.files if f.scope.uscc == uscc and f.covers)
    assert file.covers is not None
    assert file.covers[1] == TODAY - timedelta(days=LATE_DAYS)
