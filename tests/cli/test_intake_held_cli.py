"""``xinzheng intake`` of a file too unlike the usual: kept, not booked, exit 1; and how another officer lets it in."""

import json
from pathlib import Path
from typing import Any

import pytest
from django.conf import LazySettings

from tests.small_city import PENALTY, SmallCity, build_small_city, uscc
from xinzheng.apps.accounts.actions import NewAccount, open_account
from xinzheng.apps.accounts.models import Account, Role
from xinzheng.apps.ledger.models import Batch, RecordVersion
from xinzheng.apps.registry.queries import unit_by_uscc
from xinzheng.cli import main
from xinzheng.core.floors import Floors


@pytest.fixture
def city(db: None, tmp_path: Path, settings: LazySettings) -> SmallCity:
    """One line is usual."""
    settings.XINZHENG_FLOORS = Floors(least_history=2, far_times=3, far_lines=3)
    city = build_small_city(tmp_path, units_per_domain=1)
    for n in range(2):
        city.submit([city.penalty(uscc(n), f"苏税罚〔2025〕{n}号")])
    return city


@pytest.fixture
def surge(city: SmallCity) -> list[str]:
    """The command that delivers eight lines."""
    rows = [city.penalty(uscc(n), f"苏税罚〔2026〕{n}号") for n in range(8)]
    scope = ["--unit", city.unit("taxation"), "--domain", "taxation", "--kind", PENALTY]
    return ["intake", str(city.delivery(rows).file), *scope, "--covers", "2026-01-01", "2026-01-31"]


def officer(city: SmallCity, domain: str, username: str) -> Account:
    unit = unit_by_uscc(city.unit(domain))
    assert unit is not None
    new = NewAccount(username, "示例", Role.DEPARTMENT_OFFICER, unit_id=unit.id, password="only-for-this-test-1")
    return open_account(new, by="test")


def told(capsys: pytest.CaptureFixture[str]) -> Any:
    return json.loads(capsys.readouterr().out)


def test_a_held_file_is_exit_code_1_with_the_reasons_on_stderr(
    surge: list[str], capsys: pytest.CaptureFixture[str]
) -> None:
    versions = RecordVersion.objects.count()
    assert main(surge) == 1
    out, err = capsys.readouterr()
    assert "共8行" in out
    assert "已暂存，没有入账" in err
    assert "此前2批大多不超过1行" in err
    assert f"xinzheng intake --confirm {Batch.objects.latest('entry').pk} --officer" in err
    assert RecordVersion.objects.count() == versions


def test_another_officer_confirms_by_name(
    city: SmallCity, surge: list[str], capsys: pytest.CaptureFixture[str]
) -> None:
    account = officer(city, "taxation", "tax-2")
    assert main([*surge, "--json"]) == 1
    held = told(capsys)
    assert (held["held"], held["is_covered"], held["new"]) == (True, False, 8)
    assert [set(reason) for reason in held["reasons"]] == [{"code", "message"}]
    assert main(["intake", "--confirm", str(held["batch"]), "--officer", "tax-2", "--json"]) == 0
    booked = told(capsys)
    assert (booked["held"], booked["reasons"], booked["new"], booked["is_covered"]) == (False, [], 8, True)
    batch = Batch.objects.select_related("entry").get(pk=booked["batch"])
    assert (batch.confirms_id, batch.entry.actor) == (held["batch"], account.actor)
    assert main(["intake", "--confirm", str(held["batch"]), "--officer", "tax-2"]) == 1
    assert "已经确认" in capsys.readouterr().err


def test_a_strange_officer_or_none_at_all_is_refused(
    city: SmallCity, surge: list[str], capsys: pytest.CaptureFixture[str]
) -> None:
    officer(city, "transport", "stranger")
    assert main([*surge, "--json"]) == 1
    batch = str(told(capsys)["batch"])
    for username, code in (("stranger", "not-permitted"), ("nobody", "unknown-account")):
        assert main(["intake", "--confirm", batch, "--officer", username, "--json"]) == 1
        assert told(capsys)["error"]["code"] == code
    assert not Batch.objects.filter(confirms_id=int(batch)).exists()


def test_a_held_file_is_declined_by_withdrawing_it(surge: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    assert main([*surge, "--json"]) == 1
    batch = str(told(capsys)["batch"])
    assert main(["intake", "--withdraw", batch, "--reason", "重复导出", "--json"]) == 0
    assert told(capsys)["gone"] == 0


@pytest.mark.parametrize(
    "options", [["--confirm", "1"], ["x.csv", "--officer", "a"], ["--confirm", "1", "--withdraw", "1"]]
)
def test_confirming_needs_the_batch_and_the_officer_and_nothing_else(city: SmallCity, options: list[str]) -> None:
    with pytest.raises(SystemExit) as ended:
        main(["intake", *options])
    assert ended.value.code == 2
