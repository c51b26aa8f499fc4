"""``xinzheng city init``: the shipped cities go into the registry, once."""

import json

import pytest

from xinzheng.apps.audit.queries import head_position
from xinzheng.apps.registry.queries import responsibilities_at
from xinzheng.cli import main

pytestmark = pytest.mark.django_db


@pytest.mark.parametrize(
    ("city", "policy", "units", "responsibilities", "channels"),
    [
        ("suzhou", "suzhou-2024", 168, 172, 15),
        ("huzhou", "huzhou-2023", 53, 104, 12),
        ("national-demo", "national-2025", 13, 52, 0),
    ],
)
def test_a_city_is_registered_once(
    capsys: pytest.CaptureFixture[str], city: str, policy: str, units: int, responsibilities: int, channels: int
) -> None:
    assert main(["city", "init", city, "--json"]) == 0
    told = json.loads(capsys.readouterr().out)
    assert told == {
        "city": city, "policy": policy, "position": 1, "units": units, "responsibilities": responsibilities, "ended": 0,
        "channels": channels,
    }  # fmt: skip
    assert len(responsibilities_at(policy, head_position())) == responsibilities
    assert main(["city", "init", city]) == 0
    assert "没有变化" in capsys.readouterr().out
    assert head_position() == 1


def test_both_cities_stand_beside_each_other(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["city", "init", "suzhou"]) == 0
    assert "登记单位168个、责任172项" in capsys.readouterr().out
    assert main(["city", "init", "huzhou"]) == 0
    assert len(responsibilities_at("suzhou-2024", head_position())) == 172
    assert len(responsibilities_at("huzhou-2023", head_position())) == 104


def test_an_unknown_city_is_refused_with_the_known_ones(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["city", "init", "hangzhou"]) == 1
    told = capsys.readouterr().err
    assert "hangzhou" in told
    assert "huzhou、national-demo、suzhou" in told
    assert head_position() == 0
