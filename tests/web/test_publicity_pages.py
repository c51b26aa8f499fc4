"""Guides, texts of decrees, rulings beneath clauses, suggestions and the office's registers, as people meet them."""

import re
import uuid
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager
from pathlib import Path

import pytest
from django.core.cache import caches
from django.db import transaction
from django.test import Client, override_settings

from tests.module_database import module_database
from tests.web.test_frame import INLINE
from xinzheng.adapters.policy_files import decree_text, list_policies, pack_bytes
from xinzheng.apps.accounts.actions import NewAccount, open_account
from xinzheng.apps.accounts.models import Account, Role
from xinzheng.apps.oversight import rulings
from xinzheng.apps.oversight.models import MajorProblem, Training
from xinzheng.apps.oversight.rulings import Draft, NewDoubt
from xinzheng.apps.oversight.suggestions import NewSuggestion
from xinzheng.apps.oversight.suggestions import lodge as suggest
from xinzheng.apps.reports.packs import current_policy
from xinzheng.web.publicity.decree import marked_in_text
from xinzheng.web.publicity.guides import GUIDES

DECREES = Path(__file__).parents[1] / "data" / "decrees"
POLICY, CLAUSE = "suzhou-2024", "repaired"
ROLES = {
    "office": Role.OFFICE_OPERATOR,
    "justice": Role.JUSTICE_LEAD,
    "agent": Role.SUBJECT_AGENT,
    "auditor": Role.AUDITOR,
}
db = module_database


@pytest.fixture(autouse=True)
def undone(db: None) -> Iterator[None]:
    caches["local"].clear()
    with transaction.atomic():
        yield
        transaction.set_rollback(True)


@pytest.fixture
def accounts() -> dict[str, Account]:
    officer = NewAccount("officer", "工作人员", Role.DEPARTMENT_OFFICER, unit_id=1)
    made = {name: open_account(NewAccount(name, name, role), by="test") for name, role in ROLES.items()}
    return made | {"officer": open_account(officer, by="test")}


def of(account: Account) -> Client:
    client = Client()
    client.force_login(account)
    return client


def text_of(client: Client, address: str) -> str:
    response = client.get(address)
    assert response.status_code == 200, address
    page = response.content.decode()
    assert INLINE.search(page) is None, address
    assert page.count("<h1") == 1, address
    return page


def published(accounts: dict[str, Account], text: str = "自修复之日起另行列示。") -> int:
    doubt = rulings.ask(NewDoubt(POLICY, CLAUSE, "修复当日怎样算？"), account=accounts["officer"])
    made = rulings.draft(Draft(doubt, text, "三、适用范围", needs_pack=True), account=accounts["office"])
    for name in ("office", "justice"):
        rulings.sign(made, account=accounts[name])
    return made


# --- guides ----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("role", [guide.role for guide in GUIDES])
def test_each_role_has_its_guide_with_affairs_steps_and_questions(client: Client, role: str) -> None:
    page = text_of(client, f"/guide/{role}")
    for anchor, words in (("affairs", "办事指南"), ("steps", "操作流程"), ("questions", "常见问题")):
        assert f'<h2 id="{anchor}">{words}</h2>' in page
        assert f'href="#{anchor}"' in page
    assert page.count("<summary>") >= 4
    assert f'href="/guide/{role}"' in text_of(client, "/guide")


def test_no_guide_leads_nowhere(client: Client) -> None:
    pages = {f"/guide/{guide.role}": text_of(client, f"/guide/{guide.role}") for guide in GUIDES}
    pages["/guide"] = text_of(client, "/guide")
    wrong = []
    for address, page in pages.items():
        for link in set(re.findall(r'href="(/[^"]*|#[^"]*)"', page.split("<main")[1].split("</main>")[0])):
            path, _, anchor = link.partition("#")
            target = pages.get(path or address)
            if target is None and Client().get(path).status_code not in (200, 302):
                wrong.append(f"{address}: {link}")
            if anchor and target is not None and f'id="{anchor}"' not in target:
                wrong.append(f"{address}: {link}")
    assert wrong == []
    assert client.get("/guide/nobody").status_code == 404


# --- the text of a decree --------------------------------------------------------------------------------------------


@pytest.mark.parametrize("policy_id", ["suzhou-2024", "huzhou-2023"])
def test_a_decrees_text_is_word_for_word_what_was_published_and_no_part_of_the_digest(policy_id: str) -> None:
    published_words = (DECREES / f"{policy_id}.txt").read_text(encoding="utf-8")
    assert "".join(decree_text(policy_id).split()) == "".join(published_words.split())
    assert "decree.txt" not in pack_bytes(policy_id)


@pytest.mark.parametrize("policy_id", ["suzhou-2024", "huzhou-2023"])
def test_every_quotation_of_the_decree_is_marked_and_linked_both_ways(client: Client, policy_id: str) -> None:
    policy = current_policy(policy_id)
    page, rules = text_of(client, f"/policies/{policy_id}/text"), text_of(client, f"/policies/{policy_id}")
    quoting = [c for c in policy.clauses if c.citation.source == policy.document and c.citation.quote]
    assert len(quoting) > 2
    for clause in quoting:
        assert f'id="q-clause-{clause.id}"' in page
        assert f'href="/policies/{policy_id}#clause-{clause.id}"' in page
        assert f'href="/policies/{policy_id}/text#q-clause-{clause.id}"' in rules
        assert f'id="clause-{clause.id}"' in rules
    assert {"window", "domains", "in-effect", "kinds"} <= marked_in_text(policy_id)
    for anchor in set(re.findall(rf'href="/policies/{policy_id}#([^"]+)"', page)):
        assert f'id="{anchor}"' in rules, anchor


def test_a_policy_whose_text_was_not_seen_has_none_and_no_link_to_it(client: Client) -> None:
    without = [policy_id for policy_id in list_policies() if not decree_text(policy_id)]
    assert without == ["national-2025"]
    assert client.get("/policies/national-2025/text").status_code == 404
    assert client.get("/policies/atlantis/text").status_code == 404
    assert "/text" not in text_of(client, "/policies/national-2025")


# --- rulings ---------------------------------------------------------------------------------------------------------


def test_a_ruling_goes_from_the_clause_to_the_office_and_back_beneath_the_clause(
    client: Client, accounts: dict[str, Account]
) -> None:
    officer, office, justice = (of(accounts[name]) for name in ("officer", "office", "justice"))
    assert "/office/rulings?" not in text_of(client, f"/policies/{POLICY}")
    asking = f"/office/rulings?policy={POLICY}&amp;clause={CLAUSE}"
    assert asking in text_of(officer, f"/policies/{POLICY}")
    assert current_policy(POLICY).document in text_of(officer, asking.replace("&amp;", "&"))
    asked = {"act": "ask", "policy": POLICY, "clause": CLAUSE, "question": "修复当日怎样算？"}
    assert officer.post("/office/rulings", asked).status_code == 302
    doubt = rulings.doubts()[0].id
    drafted = {"act": "draft", "doubt": doubt, "text": "自修复之日起另行列示。", "basis": "三、适用范围"}
    assert officer.post("/office/rulings", drafted).status_code == 403
    assert office.post("/office/rulings", drafted).status_code == 302
    draft = rulings.doubts()[0].draft
    assert draft is not None
    signing = {"act": "sign", "ruling": draft.id}
    assert officer.post("/office/rulings", signing).status_code == 403
    assert "自修复之日起另行列示" not in text_of(officer, "/office/rulings"), "a draft is the two offices' own"
    assert 'value="sign"' in text_of(justice, "/office/rulings")
    for one in (office, justice):
        assert client.get(f"/rulings/{draft.id}").status_code == 404
        assert one.post("/office/rulings", signing).status_code == 302
        assert 'value="sign"' not in text_of(one, "/office/rulings")
    again = justice.post("/office/rulings", signing)
    assert again.status_code == 422
    assert "已经会签过" in again.content.decode()
    page = text_of(client, f"/policies/{POLICY}")
    clause = page.split(f'id="clause-{CLAUSE}"')[1].split("</article>")[0]
    for words in ("自修复之日起另行列示。", f"/rulings/{draft.id}", "信用办", "司法局", draft.pack_sha256[:12]):
        assert words in clause, words
    assert "按此前版本" not in clause
    own = text_of(client, f"/rulings/{draft.id}")
    assert draft.pack_sha256 in own
    assert f"/policies/{POLICY}#clause-{CLAUSE}" in own


def test_where_the_pack_moved_on_the_ruling_says_so_and_a_replaced_one_leads_to_the_new(
    client: Client, accounts: dict[str, Account], monkeypatch: pytest.MonkeyPatch
) -> None:
    first = published(accounts)
    monkeypatch.setattr(rulings, "_pack_now", lambda policy_id: "0" * 64)
    assert "按此前版本" in text_of(client, f"/policies/{POLICY}")
    assert "按此前版本" in text_of(client, f"/rulings/{first}")
    doubt = rulings.doubts()[0].id
    second = rulings.draft(Draft(doubt, "另一种理解。", "三、适用范围"), account=accounts["office"])
    for name in ("office", "justice"):
        rulings.sign(second, account=accounts[name])
    assert f'<a href="/rulings/{second}">' in text_of(client, f"/rulings/{first}")
    assert f"/rulings/{first}" not in text_of(client, f"/policies/{POLICY}")
    assert f'<a href="/rulings/{first}">' in text_of(client, f"/rulings/{second}")


def test_a_ruling_on_a_rule_that_is_gone_stands_apart(
    client: Client, accounts: dict[str, Account], monkeypatch: pytest.MonkeyPatch
) -> None:
    made = published(accounts)
    views = rulings.rulings_in_force(POLICY)
    monkeypatch.setattr("xinzheng.web.public.policies.rulings_in_force", lambda policy_id: {"no-such": views[CLAUSE]})
    page = text_of(client, f"/policies/{POLICY}").split('id="gone-h"')[1]
    assert f"/rulings/{made}" in page


def test_the_pages_of_rulings_and_suggestions_ask_no_more_with_more_of_them(
    client: Client,
    accounts: dict[str, Account],
    django_assert_max_num_queries: Callable[[int], AbstractContextManager[object]],
) -> None:
    for _ in range(5):
        published(accounts)
        suggest(NewSuggestion("suggestion", "service", "字太小"), account=accounts["agent"], key=uuid.uuid4())
    office = of(accounts["office"])
    for browser, address, most in (
        (office, "/office/rulings", 10),
        (office, "/office/suggestions", 10),
        (office, "/office/register", 10),
        (client, f"/policies/{POLICY}", 4),
        (client, "/suggestions", 4),
    ):
        browser.get(address)
        with django_assert_max_num_queries(most):
            browser.get(address)


def test_what_is_wrong_with_a_draft_is_said_beside_it_and_nothing_typed_is_lost(accounts: dict[str, Account]) -> None:
    rulings.ask(NewDoubt(POLICY, CLAUSE, "修复当日怎样算？"), account=accounts["officer"])
    doubt = rulings.doubts()[0].id
    put = {"act": "draft", "doubt": doubt, "text": "联系张某13812345678", "basis": "三、适用范围"}
    refused = of(accounts["office"]).post("/office/rulings", put)
    page = refused.content.decode()
    assert refused.status_code == 422
    assert "联系张某13812345678</textarea>" in page
    assert of(accounts["office"]).post("/office/rulings", {"act": "burn"}).status_code == 422
    assert of(accounts["office"]).post("/office/rulings", {"act": "sign", "ruling": "x"}).status_code == 404


# --- suggestions -----------------------------------------------------------------------------------------------------


def lodge(client: Client, words: str = "字太小", **more: str) -> tuple[str, str]:
    fields = {"kind": "complaint", "topic": "service", "words": words} | more
    response = client.post("/suggestions", fields)
    assert response.status_code == 200
    assert "no-store" in response.headers["Cache-Control"]
    found = re.findall(r'class="code">([^<]+)<', response.content.decode())
    return found[0], found[1]


def test_anybody_suggests_and_reads_the_answer_with_number_and_code(
    client: Client, accounts: dict[str, Account]
) -> None:
    text_of(client, "/suggestions")
    number, code = lodge(client)
    office = of(accounts["office"])
    page = text_of(office, "/office/suggestions")
    assert number in page
    assert "字太小" in page
    told = {"number": number, "code": code}
    assert "还没有答复" in client.post("/suggestions/answer", told).content.decode()
    assert office.post("/office/suggestions", {"number": number, "answer": " "}).status_code == 422
    given = {"number": number, "answer": "已改大。", "question": "字太小怎么办？", "public": "yes"}
    assert office.post("/office/suggestions", given).status_code == 302
    assert office.post("/office/suggestions", given).status_code == 422
    assert "已改大。" in client.post("/suggestions/answer", told).content.decode()
    public = text_of(client, "/suggestions")
    assert "字太小怎么办？" in public
    assert number not in public.split('id="answers-h"')[0]


def test_an_unknown_number_and_a_wrong_code_get_the_same_page(client: Client) -> None:
    number, code = lodge(client)
    pages = {
        re.sub(r'value="[^"]*"', "", client.post("/suggestions/answer", told).content.decode())
        for told in (
            {"number": number, "code": "0" * 12},
            {"number": "J20200101-0009", "code": code},
            {"number": "", "code": ""},
        )
    }
    assert len(pages) == 1


def test_who_asks_too_often_from_one_address_waits(client: Client) -> None:
    for _ in range(5):
        lodge(client)
    assert client.post("/suggestions", {"words": "又"}).status_code == 429
    codes = [client.post("/suggestions/answer", {"number": "J1", "code": "x"}).status_code for _ in range(11)]
    assert codes == [422] * 10 + [429]


def test_the_form_keeps_what_was_typed_and_names_the_field(client: Client) -> None:
    fields = {"kind": "suggestion", "topic": "data", "words": "字太小", "unit": "没有的单位"}
    response = client.post("/suggestions", fields)
    page = response.content.decode()
    assert response.status_code == 422
    assert 'id="unit-error"' in page
    assert ">字太小</textarea>" in page


def test_from_a_rule_the_form_is_begun_and_who_is_signed_in_sees_his_own(accounts: dict[str, Account]) -> None:
    agent = of(accounts["agent"])
    assert f"关于{current_policy(POLICY).document}的规则" in text_of(
        agent, f"/suggestions?policy={POLICY}&clause={CLAUSE}"
    )
    number, _ = lodge(agent)
    assert number in text_of(agent, "/suggestions")
    assert number not in text_of(of(accounts["auditor"]), "/suggestions")


# --- registers -------------------------------------------------------------------------------------------------------


def test_however_many_are_lodged_the_office_comes_to_each_and_is_told_how_many(accounts: dict[str, Account]) -> None:
    made = [suggest(NewSuggestion("complaint", "other", "x"), account=None, key=uuid.uuid4()) for _ in range(51)]
    office = of(accounts["office"])
    first = office.get("/office/suggestions").content.decode()
    assert "51件没有答复" in first
    assert (made[0].number in first, made[-1].number in first) == (True, False)
    assert 'href="/office/suggestions?from=50"' in first
    second = office.get("/office/suggestions?from=50").content.decode()
    assert (made[0].number in second, made[-1].number in second) == (False, True)
    wrong = office.post("/office/suggestions?from=50", {"number": made[-1].number, "answer": "说" * 3000})
    assert (wrong.status_code, "说" * 3000 in wrong.content.decode()) == (422, True)


def test_who_comes_next_to_the_same_browser_does_not_see_what_was_suggested(accounts: dict[str, Account]) -> None:
    assert "no-store" in of(accounts["agent"]).get("/suggestions").headers["Cache-Control"]


def test_the_office_keeps_trainings_and_problems_until_they_are_solved(accounts: dict[str, Account]) -> None:
    office = of(accounts["office"])
    training = {"act": "training", "day": "2026-03-02", "title": "报送流程", "audience": "联络员", "attended": "86"}
    assert office.post("/office/register", training).status_code == 302
    row = Training.objects.get()
    assert f'value="{row.title}"' in text_of(office, f"/office/register?correct={row.pk}")
    mended = training | {"attended": "68", "replaces": str(row.pk)}
    assert office.post("/office/register", mended).status_code == 302
    assert "68人次" in text_of(office, "/office/register")
    problem = {"act": "problem", "title": "回流中断", "said": "消防数据中断。", "raised_from": "J20260302-0001"}
    assert office.post("/office/register", problem).status_code == 302
    key = str(MajorProblem.objects.get().pk)
    progress = {"act": "progress", "problem": key, "seq": "0", "said": "已致函。"}
    assert office.post("/office/register", progress).status_code == 302
    late = office.post("/office/register", progress)
    assert late.status_code == 422
    assert "刚才有人更新了进展" in late.content.decode()
    assert office.post("/office/register", progress | {"seq": "1", "solved": "yes"}).status_code == 302
    assert "没有未解决的重大问题" in text_of(office, "/office/register")


@pytest.mark.parametrize(
    "fields",
    [
        {"act": "training", "day": "昨天"},
        {"act": "training", "day": "2026-03-02", "title": "甲", "audience": "乙", "attended": "许多"},
        {"act": "problem", "title": "", "said": ""},
        {"act": "nothing"},
    ],
)
def test_what_cannot_be_registered_is_told_and_nothing_is_kept(
    accounts: dict[str, Account], fields: dict[str, str]
) -> None:
    response = of(accounts["office"]).post("/office/register", fields)
    assert response.status_code == 422
    assert 'role="alert"' in response.content.decode()
    assert not Training.objects.exists()
    assert not MajorProblem.objects.exists()


# --- the frame -------------------------------------------------------------------------------------------------------


@override_settings(XINZHENG_DEMONSTRATION=False)
def test_everybody_finds_the_channel_and_the_two_offices_their_desks(
    client: Client, accounts: dict[str, Account]
) -> None:
    assert '<a href="/suggestions">意见建议</a>' in text_of(client, "/guide")
    office = text_of(of(accounts["office"]), "/office/rulings")
    assert 'href="/office/suggestions"' in office
    justice = text_of(of(accounts["justice"]), "/office/rulings")
    assert '<a href="/office/rulings" aria-current="page">裁定</a>' in justice
    assert 'href="/office/suggestions"' not in justice
