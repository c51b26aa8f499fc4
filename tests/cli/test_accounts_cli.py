"""``xinzheng accounts``: the first accounts of an installation, and what the pages do."""

import json

import pytest
from django.contrib.auth import authenticate

from xinzheng.apps.accounts.models import Account, Role
from xinzheng.apps.audit.models import AuditEvent
from xinzheng.cli import main

pytestmark = pytest.mark.django_db


def told(capsys: pytest.CaptureFixture[str], *words: str) -> dict[str, object]:
    assert main(["accounts", *words, "--json"]) == 0
    answer: dict[str, object] = json.loads(capsys.readouterr().out)
    return answer


def test_the_first_administrator_is_opened_with_a_password_to_be_changed(capsys: pytest.CaptureFixture[str]) -> None:
    made = told(capsys, "open", "first", "--name", "系统管理员", "--role", "system_administrator")
    found = authenticate(username="first", password=made["password"])
    assert isinstance(found, Account)
    assert (found.role, found.must_change_password) == (Role.SYSTEM_ADMINISTRATOR, True)
    assert str(made["password"]) not in str(list(AuditEvent.objects.values_list("details", flat=True)))


def test_an_account_is_closed_reopened_given_a_role_and_unlocked(capsys: pytest.CaptureFixture[str]) -> None:
    told(capsys, "open", "one", "--name", "示例", "--role", "office_operator")
    assert told(capsys, "close", "one")["is_active"] is False
    assert told(capsys, "reopen", "one")["is_active"] is True
    assert told(capsys, "role", "one", "--role", "auditor")["role"] == "auditor"
    told(capsys, "unlock", "one")
    listed = json.loads(json.dumps(told(capsys, "list", "--like", "示例")["accounts"]))[0]
    assert listed["username"] == "one"
    actions = AuditEvent.objects.filter(object_kind="account").values_list("action", flat=True)
    assert {"account-closed", "account-reopened", "role-assigned", "account-unlocked"} <= set(actions)
    assert set(AuditEvent.objects.values_list("who", flat=True)) == {"command-line"}


@pytest.mark.parametrize(
    ("words", "code"),
    [
        (["open", "one", "--name", "示例", "--role", "king"], "unknown-role"),
        (["open", "one", "--name", "示例", "--role", "department_officer"], "unit-unfit"),
        (["open", "one", "--name", "示例", "--role", "department_officer", "--unit", "x"], "unknown-unit"),
        (["open", "330502199001010014", "--name", "示例", "--role", "auditor"], "user-name-unfit"),
        (["close", "nobody"], "unknown-account"),
    ],
)
def test_what_does_not_fit_is_refused(words: list[str], code: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["accounts", *words, "--json"]) == 1
    assert json.loads(capsys.readouterr().out)["error"]["code"] == code
    assert not Account.objects.exists()


def test_a_user_name_is_given_once(capsys: pytest.CaptureFixture[str]) -> None:
    words = ["accounts", "open", "one", "--name", "示例", "--role", "auditor"]
    assert main(words) == 0
    assert main(words) == 1
    assert "已有人使用" in capsys.readouterr().err


def test_the_matrix_is_printed(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["accounts", "matrix"]) == 0
    assert capsys.readouterr().out.startswith("# 权限矩阵")
