"""``xinzheng coverage``: declare, zero return, withdraw."""

import json
from datetime import date, timedelta
from pathlib import Path

import pytest

from tests.small_city import PENALTY, SmallCity, build_small_city, today
from xinzheng.apps.audit.queries import head_position
from xinzheng.apps.ledger.queries import coverage_at
from xinzheng.cli import main


@pytest.fixture
def city(db: None, tmp_path: Path) -> SmallCity:
    return build_small_city(tmp_path, units_per_domain=1)


def options(city: SmallCity, first: str, last: str) -> list[str]:
    unit = city.unit("taxation")
    return ["--unit", unit, "--domain", "taxation", "--kind", PENALTY, "--from", first, "--through", last]


def stated(city: SmallCity) -> list[tuple[date, date]]:
    coverage = coverage_at("suzhou-2024", head_position())
    found = coverage.statements_of(city.unit("taxation"), PENALTY, "taxation")
    return [(s.from_date, s.through_date) for s in found]


def test_a_zero_return_is_declared_and_partly_withdrawn(city: SmallCity, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["coverage", "declare", *options(city, "2026-01-01", "2026-03-31"), "--json"]) == 0
    assert json.loads(capsys.readouterr().out)["is_zero"] is True
    assert main(["coverage", "withdraw", *options(city, "2026-02-01", "2026-02-28")]) == 0
    assert "未能核查" in capsys.readouterr().out
    assert stated(city) == [(date(2026, 1, 1), date(2026, 1, 31)), (date(2026, 3, 1), date(2026, 3, 31))]


def test_the_future_cannot_be_declared(city: SmallCity, capsys: pytest.CaptureFixture[str]) -> None:
    tomorrow = (today() + timedelta(days=1)).isoformat()
    assert main(["coverage", "declare", *options(city, "2026-01-01", tomorrow), "--json"]) == 1
    out, err = capsys.readouterr()
    assert json.loads(out)["error"]["code"] == "coverage-in-future"
    assert "晚于今天" in err
    assert stated(city) == []


def test_nothing_to_withdraw_is_told(city: SmallCity, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["coverage", "withdraw", *options(city, "2026-01-01", "2026-01-02")]) == 1
    assert "没有生效的覆盖声明" in capsys.readouterr().err


def test_a_day_that_does_not_exist_is_wrong_use(city: SmallCity, capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as ended:
        main(["coverage", "declare", *options(city, "2026-02-30", "2026-03-01")])
    assert ended.value.code == 2
    assert "2026-02-30" in capsys.readouterr().err
