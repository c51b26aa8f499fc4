"""The permission matrix: what the table says is what the permission functions do, cell by cell."""

import ast
from pathlib import Path

import pytest

from tests.module_database import undone_after
from xinzheng.apps.accounts import permissions
from xinzheng.apps.accounts.actions import NewAccount, close_account, open_account
from xinzheng.apps.accounts.models import OF_A_UNIT, Account, Role
from xinzheng.apps.accounts.roles import NO, OF_NO_ROLE, OWN, YES, Deed, Place
from xinzheng.apps.oversight.roles import DEEDS, matrix_page

ROOT = Path(__file__).resolve().parents[2]
KEPT = ROOT / "docs" / "operations" / "权限矩阵.md"
UNIT, SUBJECT, RECEIVER, ELSE = 1, 11, 21, 1_000


undone = undone_after


@pytest.fixture
def account(undone: None, request: pytest.FixtureRequest) -> Account:
    """An account of the role, with a unit, a subject or a receiver of its own where the role has one."""
    return opened(request.param)


def opened(role: Role, username: str = "one") -> Account:
    return open_account(
        NewAccount(
            username,
            "示例",
            role,
            unit_id=UNIT if role in OF_A_UNIT else None,
            subject_id=SUBJECT if role == Role.SUBJECT_AGENT else None,
            receiver_id=RECEIVER if role == Role.RECEIVER else None,
        ),
        by="test",
    )


def found(deed: Deed, account: Account, other: Account) -> str:
    """The cell as the permission answers: for one's own, and for somebody else's."""
    own = not deed.asked(account, Place(UNIT, SUBJECT, RECEIVER, other))
    elsewhere = not deed.asked(account, Place(UNIT + ELSE, SUBJECT + ELSE, RECEIVER + ELSE, other))
    assert own or not elsewhere, f"{deed.words}: for others but not for one's own"
    return YES if elsewhere else OWN if own else NO


@pytest.mark.parametrize("account", list(Role), indirect=True, ids=lambda role: role.value)
def test_every_cell_of_a_role_is_what_the_permission_answers(account: Account) -> None:
    other = opened(Role.OFFICE_OPERATOR, "other")
    role = Role(account.role)
    wrong = [deed.words for deed in DEEDS if found(deed, account, other) != deed.cell(role)]
    assert wrong == []


@pytest.mark.parametrize("account", list(Role), indirect=True, ids=lambda role: role.value)
def test_a_closed_account_may_do_nothing_and_is_told_so(account: Account) -> None:
    other = opened(Role.OFFICE_OPERATOR, "other")
    close_account(account, by="test")
    for deed in DEEDS:
        refusals = deed.asked(account, Place(UNIT, SUBJECT, RECEIVER, other))
        assert refusals, deed.words
        if deed.cell(Role(account.role)) != NO:
            assert permissions.INACTIVE in refusals, deed.words


@pytest.mark.parametrize("account", list(permissions.THREE_ADMINISTRATIONS), indirect=True, ids=lambda r: r.value)
def test_nobody_administers_himself(account: Account) -> None:
    for refusals in (
        permissions.refusals_to_close_account,
        permissions.refusals_to_assign_role,
        permissions.refusals_to_unlock,
    ):
        assert refusals(account, account) != []


def test_administration_security_and_audit_are_three() -> None:
    three = permissions.THREE_ADMINISTRATIONS
    shared = [d.words for d in DEEDS if sum(d.cell(role) != NO for role in three) > 1]
    assert shared == ["查看账户"]


def test_security_and_audit_accounts_are_not_closed_by_the_system_administrator(undone: None) -> None:
    administrator, security = opened(Role.SYSTEM_ADMINISTRATOR), opened(Role.SECURITY_ADMINISTRATOR, "two")
    auditor = opened(Role.AUDITOR, "three")
    assert permissions.refusals_to_close_account(administrator, security) != []
    assert permissions.refusals_to_close_account(administrator, auditor) != []
    assert permissions.refusals_to_close_account(security, auditor) == []


def test_every_permission_of_the_tree_is_in_the_table() -> None:
    named = {deed.permission for deed in DEEDS} | set(OF_NO_ROLE)
    assert sorted(_permissions() ^ named) == []


def _permissions() -> set[str]:
    trees = [ast.parse(path.read_text(encoding="utf-8")) for path in (ROOT / "src").rglob("*.py")]
    nodes = [node for tree in trees for node in ast.walk(tree) if isinstance(node, ast.FunctionDef)]
    return {node.name for node in nodes if node.name.startswith("refusals_to_")}


def test_the_kept_table_is_the_generated_one() -> None:
    assert KEPT.read_text(encoding="utf-8") == matrix_page(), (
        "run: xinzheng accounts matrix > docs/operations/权限矩阵.md"
    )
