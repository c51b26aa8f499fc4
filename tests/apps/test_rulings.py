"""Rulings on doubtful readings: asked for, drafted, signed by two offices, published, replaced; decisions stay."""

import hashlib
import re
from dataclasses import replace
from functools import partial
from pathlib import Path

import pytest

from tests.module_database import module_database, refusal_code, undone_after
from xinzheng.apps.accounts.actions import NewAccount, open_account
from xinzheng.apps.accounts.models import Account, Role
from xinzheng.apps.audit.models import AuditEvent
from xinzheng.apps.codes.inbox import notices_for
from xinzheng.apps.oversight import rulings
from xinzheng.apps.oversight.rulings import Draft, NewDoubt
from xinzheng.apps.reports.packs import current_policy

POLICY, CLAUSE = "suzhou-2024", "repaired"
NEW = NewDoubt(POLICY, CLAUSE, "修复决定在出具当日作出的，是否另行列示？")


db, undone = module_database, undone_after
pytestmark = pytest.mark.usefixtures("undone")


@pytest.fixture
def office() -> Account:
    return open_account(NewAccount("office", "信用办", Role.OFFICE_OPERATOR), by="test")


@pytest.fixture
def justice() -> Account:
    return open_account(NewAccount("justice", "司法局", Role.JUSTICE_LEAD), by="test")


def drafted(account: Account, text: str = "自修复之日起另行列示。", doubt: int | None = None) -> int:
    asked = rulings.ask(NEW, account=account) if doubt is None else doubt
    return rulings.draft(Draft(asked, text, "苏府规字〔2024〕1号三、适用范围"), account=account)


def test_a_ruling_is_published_by_the_second_of_two_signatures(office: Account, justice: Account) -> None:
    made = drafted(office)
    assert refusal_code(lambda: rulings.published_ruling(made)) == "ruling-not-published"
    assert rulings.sign(made, account=office).lacks == ["司法局"]
    assert rulings.rulings_in_force(POLICY) == {}
    signed = rulings.sign(made, account=justice)
    assert signed.published_at == signed.signatures[1].at
    assert [one.office for one in signed.signatures] == ["信用办", "司法局"]
    assert rulings.rulings_in_force(POLICY) == {CLAUSE: [signed]}
    assert rulings.rulings_in_force("huzhou-2023") == {}
    assert (signed.pack_sha256, signed.is_of_earlier_pack) == (current_policy(POLICY).sha256, False)
    acts = (
        AuditEvent.objects.filter(object_kind__in=("doubt", "ruling")).order_by("id").values_list("action", flat=True)
    )
    assert list(acts) == ["doubt-asked", "ruling-drafted", "ruling-signed", "ruling-signed"]


def test_nobody_signs_twice_and_no_office_signs_twice(office: Account, justice: Account) -> None:
    made = drafted(office)
    rulings.sign(made, account=office)
    colleague = open_account(NewAccount("office-2", "信用办", Role.OFFICE_OPERATOR), by="test")
    for account in (office, colleague):
        assert refusal_code(partial(rulings.sign, made, account=account)) == "ruling-signed-already"
    assert refusal_code(lambda: rulings.sign(made + 1, account=justice)) == "unknown-ruling"


def test_a_replaced_draft_is_signed_no_more(office: Account, justice: Account) -> None:
    first = drafted(office)
    rulings.sign(first, account=office)
    doubt = rulings.doubts()[0].id
    second = drafted(justice, "自修复之日起另行列示，并注明日期。", doubt)
    assert refusal_code(lambda: rulings.sign(first, account=justice)) == "ruling-replaced"
    rulings.sign(second, account=justice)
    published = rulings.sign(second, account=office)
    assert published.replaces is None, "what was never published is not named"
    assert [view.id for view in rulings.rulings_in_force(POLICY)[CLAUSE]] == [second]


def test_a_published_ruling_holds_until_another_is_published(office: Account, justice: Account) -> None:
    first = drafted(office)
    for account in (office, justice):
        rulings.sign(first, account=account)
    second = drafted(office, "不另行列示。", rulings.doubts()[0].id)
    assert [view.id for view in rulings.rulings_in_force(POLICY)[CLAUSE]] == [first]
    found = rulings.doubts()[0]
    assert found.in_force is not None
    assert found.draft is not None
    assert (found.in_force.id, found.draft.id) == (first, second)
    for account in (justice, office):
        rulings.sign(second, account=account)
    assert [view.id for view in rulings.rulings_in_force(POLICY)[CLAUSE]] == [second]
    assert rulings.published_ruling(first).replaced_by == second
    assert rulings.published_ruling(second).replaces == first


def test_a_ruling_on_an_earlier_pack_says_so(
    office: Account, justice: Account, monkeypatch: pytest.MonkeyPatch
) -> None:
    made = drafted(office)
    for account in (office, justice):
        rulings.sign(made, account=account)
    newer = replace(current_policy(POLICY), sha256=hashlib.sha256(b"a newer pack").hexdigest())
    monkeypatch.setattr(rulings, "current_policy", lambda policy_id: newer)
    assert rulings.published_ruling(made).is_of_earlier_pack


@pytest.mark.parametrize(
    ("changes", "code"),
    [
        ({"policy_id": "atlantis"}, "unknown-policy"),
        ({"clause_id": "no-such"}, "unknown-clause"),
        ({"question": " "}, "question-missing"),
        ({"question": "示" * 501}, "text-not-kept"),
        ({"question": "张某330502199001010014"}, "text-not-kept"),
    ],
)
def test_a_doubt_that_cannot_be_kept_is_refused(office: Account, changes: dict[str, str], code: str) -> None:
    assert refusal_code(lambda: rulings.ask(replace(NEW, **changes), account=office)) == code


def test_a_draft_says_how_to_read_and_on_what_it_rests(office: Account) -> None:
    doubt = rulings.ask(NEW, account=office)
    for put, code in (
        (Draft(doubt, " ", "依据"), "ruling-text-missing"),
        (Draft(doubt, "另行列示", ""), "ruling-basis-missing"),
        (Draft(doubt + 1, "另行列示", "依据"), "unknown-doubt"),
    ):
        assert refusal_code(partial(rulings.draft, put, account=office)) == code


def test_the_packs_know_nothing_of_rulings() -> None:
    """No rule, no decision reads what was ruled: only the rooms above say it beside the clause."""
    root = Path(rulings.__file__).parents[2]
    readers = {
        path.relative_to(root).parts[0] + "/" + path.relative_to(root).parts[1]
        for path in root.rglob("*.py")
        if re.search(
            r"oversight\.rulings|oversight import .*rulings|oversight_ruling|\bRuling\b", path.read_text("utf-8")
        )
    }
    assert {one for one in readers if one.startswith(("core/", "adapters/"))} == set()
    assert {one for one in readers if one.startswith("apps/")} == {"apps/oversight"}


def test_what_waits_is_told_to_the_other_office_and_leads_there(office: Account, justice: Account) -> None:
    drafted(office)
    assert [(row.words, row.url) for row in notices_for(justice)] == [
        ("有一份裁定的稿子等待会签。", "/office/rulings"),
        ("有一条规则的适用疑问提请裁定，请研究、起草。", "/office/rulings"),
    ]
    assert notices_for(office) == []
