"""Home, guide and policies: every number and sentence comes from the packs."""

import re
from datetime import date
from importlib.util import find_spec
from pathlib import Path

import pytest
from django.test import Client, override_settings
from django.utils.html import escape

from xinzheng.apps.reports.packs import current_policy
from xinzheng.web.public.policy_words import policies_served

pytestmark = pytest.mark.django_db


def text_of(client: Client, page: str) -> str:
    response = client.get(page)
    assert response.status_code == 200
    return response.content.decode()


@pytest.mark.parametrize("policy_id", ["suzhou-2024", "huzhou-2023"])
def test_home_shows_the_domains_and_the_record_word_of_the_policy_asked_for(client: Client, policy_id: str) -> None:
    policy, page = current_policy(policy_id), text_of(client, f"/?policy={policy_id}")
    assert f"代替{len(policy.domains)}个领域" in page
    assert policy.document in page
    assert f"的{policy.record_word}，" in page
    for domain in policy.domains:
        assert f"</span>{domain.name}</li>" in page


def test_home_has_applying_as_its_one_main_act_and_verifying_as_the_second(client: Client) -> None:
    page = text_of(client, "/")
    assert page.count("btn-big") == 1
    assert '<a class="btn btn-big" href="/apply">' in page
    assert '<form class="inline-form" method="post" action="/verify">' in page


def test_home_and_guide_offer_the_policies_somebody_runs_cities_before_the_nation(client: Client) -> None:
    served = [policy.id for policy in policies_served()]
    assert served[:2] == ["suzhou-2024", "huzhou-2023"]
    guide = text_of(client, "/guide/subject")
    assert all(current_policy(policy_id).document in guide for policy_id in served)


def test_a_policy_past_its_last_day_is_no_longer_offered(client: Client, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("django.utils.timezone.localdate", lambda: date(2031, 1, 1))
    assert "suzhou-2024" not in {policy.id for policy in policies_served()}
    assert "不在施行期" in text_of(client, "/policies")


def test_home_shows_no_invented_figures(client: Client) -> None:
    assert "办理情况" not in text_of(client, "/")


def test_every_policy_is_listed_with_its_state(client: Client) -> None:
    page = text_of(client, "/policies")
    for policy_id in ("suzhou-2024", "huzhou-2023", "national-2025"):
        assert current_policy(policy_id).document in page
    assert "施行中" in page


@pytest.mark.parametrize("policy_id", ["suzhou-2024", "huzhou-2023", "national-2025"])
def test_a_policys_page_gives_every_clause_with_its_source_and_whether_it_is_the_text_or_our_reading(
    client: Client, policy_id: str
) -> None:
    policy, page = current_policy(policy_id), text_of(client, f"/policies/{policy_id}")
    for clause in policy.clauses:
        assert f'id="clause-{clause.id}"' in page
        assert escape(clause.reason) in page
        assert escape(clause.citation.quote) in page
        assert clause.citation.source in page
    assert "政策原文" in page
    assert "系统理解" in page
    assert policy.sha256 in page


def test_the_page_of_huzhou_says_that_the_text_claims_more_domains_than_it_names(client: Client) -> None:
    policy = current_policy("huzhou-2023")
    assert f"文件写{policy.claimed_domains}个，列明{len(policy.domains)}个" in text_of(client, "/policies/huzhou-2023")


def test_an_unknown_policy_is_not_found(client: Client) -> None:
    assert client.get("/policies/atlantis-1").status_code == 404


def test_the_guide_tells_each_audience_what_to_do(client: Client) -> None:
    page = text_of(client, "/guide")
    for anchor in ("subject", "receiver", "unit", "office", "objection", "suggestion", "accessibility"):
        assert f'id="{anchor}"' in page


SAYS_A_DECREE = re.compile(
    r"\d+个领域|近\d+年|\d+个工作日|违法(?:违规)?记录|苏府规字|湖信用办|发改财金|无违法|守法|合规"
)


def test_no_template_and_no_view_repeats_what_only_a_pack_may_say() -> None:
    folder = Path(str(find_spec("xinzheng.web").origin)).parent  # type: ignore[union-attr]
    files = [path for ending in ("*.html", "*.py", "*.js") for path in folder.rglob(ending)]
    found = {str(path): SAYS_A_DECREE.findall(path.read_text("utf-8")) for path in files}
    assert len(files) > 50
    assert {path: words for path, words in found.items() if words} == {}


def test_the_address_printed_on_a_report_leads_to_the_page_where_its_number_is_typed(client: Client) -> None:
    response = client.get("/v")
    assert response.status_code == 302
    assert response["Location"] == "/verify"


def test_the_guide_tells_of_showing_a_code_in_the_decrees_words_and_says_where_a_decree_is_silent(
    client: Client,
) -> None:
    page = client.get("/guide/subject").content.decode()
    show = page.split('id="show">')[1].split("<h3 class")[0]
    assert "即以企业亮码、要求提交证明的单位扫码查看专用信用报告的方式，代替企业无违法证明" in show
    assert "苏府规字〔2024〕1号，二、实施目标" in show
    assert "湖信用办〔2023〕7号</a>没有写亮码" in show
    mandate = page.split('id="mandate">')[1].split("<h3 class")[0]
    assert "确认以前，经办人什么也办不了" in mandate
    assert 'href="#show"' in page


@override_settings(XINZHENG_SHARE_MAX_DAYS=7, XINZHENG_VIEW_MINUTES=20)
def test_the_guide_says_the_limits_as_the_operator_set_them(client: Client) -> None:
    page = client.get("/guide/subject").content.decode()
    assert "最长7天" in page
    assert "可以看20分钟" in page
