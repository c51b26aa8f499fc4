"""``xinzheng intake`` and ``coverage`` for a platform that brings many units' data: the same commands, its own code."""

import json
from pathlib import Path

import pytest

from tests.returning import FINANCE, PLATFORM, Return
from tests.small_city import PENALTY, build_small_city, uscc
from xinzheng.cli import main

pytestmark = pytest.mark.django_db

SCOPE = ("--unit", PLATFORM, "--domain", FINANCE, "--kind", PENALTY)


@pytest.fixture
def brought(db: None, tmp_path: Path) -> Return:
    return Return(build_small_city(tmp_path))


def told(capsys: pytest.CaptureFixture[str], *command: str) -> dict[str, object]:
    capsys.readouterr()
    assert main([*command, "--json"]) == 0
    found = json.loads(capsys.readouterr().out)
    assert isinstance(found, dict)
    return found


def test_a_returned_file_is_taken_in_and_its_doubtful_row_told(
    brought: Return, capsys: pytest.CaptureFixture[str]
) -> None:
    file = str(brought.city.delivery([brought.row(uscc(1)), brought.row(uscc(2), None)], FINANCE).file)
    result = told(capsys, "intake", file, *SCOPE, "--covers", "2026-01-01", "2026-10-31")
    assert (result["new"], result["rejected"]) == (1, 1)
    assert isinstance(result["defects"], list)
    assert "return-unit-unknown" in [defect["code"] for defect in result["defects"]]


def test_one_command_declares_for_all_units_and_the_responsible_units_stay_who_they_were(
    brought: Return, capsys: pytest.CaptureFixture[str]
) -> None:
    declared = told(capsys, "coverage", "declare", *SCOPE, "--from", "2026-01-01", "--through", "2026-10-31")
    assert (declared["statements"], declared["is_zero"]) == (2, True)
    units = told(capsys, "units", "--policy", "suzhou-2024")["units"]
    assert isinstance(units, list)
    assert PLATFORM not in [unit["uscc"] for unit in units]
