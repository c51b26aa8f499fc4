"""``xinzheng keys``: make, list and revoke the keys of units' systems."""

import json
from pathlib import Path

import pytest

from tests.small_city import SmallCity, build_small_city, today
from xinzheng.apps.accounts.key_actions import recognise_key
from xinzheng.apps.audit.models import AuditEvent
from xinzheng.cli import main


@pytest.fixture
def city(db: None, tmp_path: Path) -> SmallCity:
    return build_small_city(tmp_path, units_per_domain=1)


def test_a_key_is_made_shown_once_listed_and_revoked(city: SmallCity, capsys: pytest.CaptureFixture[str]) -> None:
    unit = city.unit("taxation")
    assert main(["keys", "create", "--unit", unit, "--name", "征管系统", "--json"]) == 0
    made = json.loads(capsys.readouterr().out)
    assert recognise_key(made["key"], today=today()) is not None

    assert main(["keys", "list", "--unit", unit, "--json"]) == 0
    told = capsys.readouterr().out
    (listed,) = json.loads(told)["keys"]
    assert made["key"] not in told
    assert listed == {
        "id": made["id"],
        "unit": unit,
        "name": "征管系统",
        "created_by": "command-line",
        "created_at": made["created_at"],
        "last_used_date": today().isoformat(),
        "revoked_at": None,
        "is_responsible": False,
    }

    assert main(["keys", "revoke", str(made["id"]), "--json"]) == 0
    assert json.loads(capsys.readouterr().out)["revoked_at"] is not None
    assert recognise_key(made["key"], today=today()) is None
    done = AuditEvent.objects.filter(object_kind="api-key").order_by("id").values_list("who", "action")
    assert list(done) == [("command-line", "api-key-created"), ("command-line", "api-key-revoked")]


def test_without_json_stdout_is_the_key_alone_so_that_it_can_be_piped(
    city: SmallCity, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["keys", "create", "--unit", city.unit("taxation"), "--name", "征管系统"]) == 0
    out, err = capsys.readouterr()
    key = recognise_key(out.strip(), today=today())
    assert key is not None
    assert "只显示这一次" in err

    assert main(["keys", "list"]) == 0
    assert "有效" in capsys.readouterr().out
    assert main(["keys", "revoke", str(key.pk)]) == 0
    assert "已吊销" in capsys.readouterr().out
    assert main(["keys", "list"]) == 0
    assert "已吊销" in capsys.readouterr().out


@pytest.mark.parametrize(
    ("arguments", "code"),
    [
        (["create", "--unit", "nobody", "--name", "甲"], "unknown-unit"),
        (["list", "--unit", "nobody"], "unknown-unit"),
        (["revoke", "123456"], "unknown-key"),
    ],
)
def test_a_unit_or_key_that_is_not_there_is_refused(
    city: SmallCity, arguments: list[str], code: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["keys", *arguments, "--json"]) == 1
    assert json.loads(capsys.readouterr().out)["error"]["code"] == code


def test_a_key_number_that_is_none_is_wrong_use(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as ended:
        main(["keys", "revoke", "first"])
    assert ended.value.code == 2
    assert "first" in capsys.readouterr().err
