"""``xinzheng receivers``: what the office does on its page, on the command line."""

import json
from typing import Any

import pytest

from tests.small_city import uscc
from xinzheng.apps.accounts.actions import NewAccount, open_account
from xinzheng.apps.accounts.models import Account, Role
from xinzheng.apps.audit.models import AuditEvent
from xinzheng.apps.codes.receivers import Registration, register
from xinzheng.cli import main

pytestmark = pytest.mark.django_db
CODE = uscc(70)


def clerk(username: str) -> Account:
    account = open_account(NewAccount(username, "柜员", Role.RECEIVER), by="test")
    register(account, Registration(CODE, "示例银行苏州分行", "bank"))
    return account


def told(capsys: pytest.CaptureFixture[str], *words: str) -> dict[str, Any]:
    assert main(["receivers", *words, "--json"]) == 0
    answer: dict[str, Any] = json.loads(capsys.readouterr().out)
    return answer


def test_a_receiver_is_listed_verified_suspended_and_verified_again(capsys: pytest.CaptureFixture[str]) -> None:
    clerk("one")
    (waiting,) = told(capsys, "list")["receivers"]
    assert (waiting["state"], waiting["claims"], waiting["accounts"]) == ("pending", ["one"], [])
    verified = told(capsys, "verify", CODE.lower(), "--account", "one")
    assert (verified["state"], verified["claims"], verified["accounts"]) == ("verified", [], ["one"])
    assert told(capsys, "suspend", CODE, "--reason", "账户出借")["reason"] == "账户出借"
    assert told(capsys, "verify", CODE)["state"] == "verified"
    assert main(["receivers", "list"]) == 0
    assert "已核实  示例银行苏州分行  账户：one" in capsys.readouterr().out
    assert set(AuditEvent.objects.filter(action="receiver-decided").values_list("who", flat=True)) == {"command-line"}


def test_a_receiver_is_renamed(capsys: pytest.CaptureFixture[str]) -> None:
    clerk("one")
    assert told(capsys, "rename", CODE, "示例银行股份有限公司苏州分行")["name"] == "示例银行股份有限公司苏州分行"
    assert main(["receivers", "rename", CODE, "示例银行苏州分行"]) == 0
    assert capsys.readouterr().out == "“示例银行苏州分行”现在是“待核实”。\n"


def test_a_later_account_is_confirmed_by_verifying_with_it(capsys: pytest.CaptureFixture[str]) -> None:
    clerk("one")
    told(capsys, "verify", CODE, "--account", "one")
    clerk("two")
    assert told(capsys, "verify", CODE, "--account", "two")["accounts"] == ["one", "two"]


@pytest.mark.parametrize(
    ("words", "code"),
    [
        (["suspend", CODE, "--reason", "理由"], "receiver-refused"),
        (["refuse", CODE], "receiver-refused"),
        (["verify", CODE, "--account", "nobody"], "unknown-account"),
        (["verify", uscc(71)], "unknown-receiver"),
        (["rename", uscc(71), "示例银行"], "unknown-receiver"),
        (["rename", CODE, " "], "receiver-refused"),
    ],
)
def test_what_does_not_fit_is_refused(words: list[str], code: str, capsys: pytest.CaptureFixture[str]) -> None:
    clerk("one")
    assert main(["receivers", *words, "--json"]) == 1
    assert json.loads(capsys.readouterr().out)["error"]["code"] == code
