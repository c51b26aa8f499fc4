"""The policy workshop's pages: read, upload, compare, simulate, sign; growth step by step; few queries each."""

import re
from collections.abc import Iterator
from datetime import date

import pytest
from django.conf import LazySettings
from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import Client
from pytest_django import DjangoAssertNumQueries

from tests import told_time
from tests.apps.test_proposals import (
    DOMAIN,
    POLICY,
    draft,
    reworded,
    signed,
    tomorrow,
    with_domain,
    written,
)
from tests.module_database import module_database, undone_after
from tests.small_city import SmallCity, build_small_city, uscc
from tests.web.conftest import client_of
from xinzheng.apps.accounts.actions import NewAccount, open_account
from xinzheng.apps.accounts.models import Account, Role
from xinzheng.apps.oversight.models import Proposal, Simulation
from xinzheng.apps.oversight.proposal_views import ProposalView
from xinzheng.apps.oversight.proposals import put_forward
from xinzheng.apps.oversight.simulating import run_simulation
from xinzheng.apps.reports.packs import current_policy
from xinzheng.web.workshop.simulations import latest_simulation

db, undone = module_database, undone_after
pytestmark = pytest.mark.usefixtures("undone", "told")
SUMMARY = "它是依据简易程序作出的行政处罚"
ONE_CASE = {"few.yaml": "- {name: 什么都没有, as_of: 2025-06-01, expect: {outcome: clear}}\n".encode()}


@pytest.fixture
def told(settings: LazySettings) -> Iterator[None]:
    settings.XINZHENG_CLOCK = "tests.told_time.now"
    told_time.tell(date(2025, 11, 20))
    yield
    told_time.forget()


@pytest.fixture(scope="module")
def city(db: None, tmp_path_factory: pytest.TempPathFactory) -> SmallCity:
    small = build_small_city(tmp_path_factory.mktemp("city"), units_per_domain=1)
    small.declare_everything(without=[("taxation", small.unit("taxation"))])
    return small


@pytest.fixture
def office(city: SmallCity) -> Account:
    return open_account(NewAccount("office", "信用办甲", Role.OFFICE_OPERATOR), by="test")


@pytest.fixture
def justice(city: SmallCity) -> Account:
    return open_account(NewAccount("justice", "司法局乙", Role.JUSTICE_LEAD), by="test")


def page(client: Client, address: str) -> str:
    response = client.get(address)
    assert response.status_code == 200, address
    return plain(response.content.decode())


def plain(text: str) -> str:
    """Words without tags, runs of spaces as one."""
    return re.sub(r"\s+", " ", re.sub(r"<[^>]*>", " ", text))


def upload(client: Client, content: bytes, **said: str) -> tuple[int, str, str]:
    """Status, where to go on, and the page's words."""
    told = {"act": "draft", "policy": POLICY, "from_date": tomorrow().isoformat(), "reason": "增加气象领域"} | said
    file = SimpleUploadedFile("我的政策.yaml", content)
    response = client.post("/office/policies", told | {"policy_file": file})
    return response.status_code, response.headers.get("Location", ""), plain(response.content.decode())


def looser() -> bytes:
    """The pack that leaves out what was decided after a hearing, instead of what was decided summarily."""
    found = written().decode().replace("{field: procedure, equals: summary}", "{field: procedure, equals: hearing}")
    assert found.encode() != written()
    return found.encode()


def address_of(view: ProposalView) -> str:
    return f"/office/policies/drafts/{view.id}"


def test_packs_are_read_with_what_they_rest_on_and_downloaded_to_begin_a_draft(office: Account) -> None:
    client = client_of(office)
    desk = page(client, "/office/policies")
    assert "没有等待会签的事项" in desk
    assert "随程序发布" in desk
    read = page(client, f"/office/policies?policy={POLICY}")
    assert "适用于：" in read
    assert SUMMARY in read
    assert "系统理解" in read
    assert "政策原文" in read
    file = client.get(f"/office/policies?policy={POLICY}&file=policy.yaml")
    assert file.content == written()
    assert file.headers["Content-Disposition"] == f'attachment; filename="{POLICY}-policy.yaml"'
    assert client.get(f"/office/policies?policy={POLICY}&file=../secret").status_code == 404
    assert client.get(f"/office/policies?policy={POLICY}&pack={'0' * 64}").status_code == 404
    assert client.get("/office/policies?policy=nowhere").status_code == 404


def test_a_mistake_is_shown_with_file_line_and_what_stands_there(office: Account) -> None:
    text = written().decode().replace("effect: excluded", "effect: exclude", 1)
    number, line = next((n, one) for n, one in enumerate(text.splitlines(), 1) if one.endswith("effect: exclude"))
    status, _, said = upload(client_of(office), text.encode(), reason="改一处")
    assert status == 422
    assert f"policy.yaml 第{number}行" in said
    assert line.strip() in said
    assert "政策包有1处错误，没有保存" in said
    assert "改一处" in said, "what was filled in is still there"
    assert Proposal.objects.count() == 0


def test_a_case_that_comes_out_otherwise_is_shown_with_its_line(office: Account) -> None:
    status, _, said = upload(client_of(office), looser())
    assert status == 422
    assert re.search(r"\.yaml 第\d+行", said)
    assert "不符合预期" in said
    assert client_of(office).post("/office/policies", {"act": "nothing"}).status_code == 422
    huge = upload(client_of(office), b"#" * (512 * 1024 + 1))
    assert (huge[0], "超过512 KiB" in huge[2]) == (422, True)


def test_of_two_case_files_with_one_name_none_is_lost(office: Account) -> None:
    twice = [SimpleUploadedFile("a.yaml", b"[]"), SimpleUploadedFile("a.yaml", b"[]")]
    said = {
        "act": "draft",
        "policy": POLICY,
        "policy_file": SimpleUploadedFile("policy.yaml", b"x"),
        "case_files": twice,
    }
    response = client_of(office).post("/office/policies", said)
    assert response.status_code == 422
    assert "同名" in response.content.decode()


def test_a_draft_is_uploaded_compared_signed_by_two_and_in_force_tomorrow(office: Account, justice: Account) -> None:
    status, address, _ = upload(client_of(office), with_domain()["policy.yaml"], document="苏信用〔2025〕9号")
    assert status == 302
    said = page(client_of(justice), address)
    assert "等待信用办、司法局会签" in said
    assert "84个，全部符合预期" in said
    assert "气象" in said
    assert "还没有在账本上模拟过" in said
    made = Proposal.objects.get()
    told = {"act": "sign", "sha256": bytes(made.facts_sha256).hex()}
    assert client_of(office).post(address, told | {"sha256": "0" * 64}).status_code == 422
    assert client_of(office).post(address, told).status_code == 302
    half = page(client_of(office), address)
    assert "本单位已经会签，等待司法局" in half
    assert client_of(office).post(address, told).status_code == 422
    assert client_of(justice).post(address, told).status_code == 302
    done = page(client_of(justice), address)
    assert "已会签并发布，自2025年11月21日起施行" in done
    assert "信用办甲" in done
    assert "司法局乙" in done
    assert "2025年11月21日起" in page(client_of(office), "/office/policies")
    told_time.tell(tomorrow())
    assert DOMAIN in {domain.code for domain in current_policy(POLICY).domains}
    assert "自2025年11月21日起的一版，施行中" in page(client_of(office), f"/office/policies?policy={POLICY}")


def test_a_proposal_is_withdrawn_with_a_reason(office: Account, justice: Account) -> None:
    made = put_forward(draft(), account=office)
    client = client_of(justice)
    assert client.post(address_of(made), {"act": "withdraw", "reason": ""}).status_code == 422
    assert client.post(address_of(made), {"act": "withdraw", "reason": "另行研究"}).status_code == 302
    assert "撤回理由：另行研究" in page(client, address_of(made))
    assert client.post(address_of(made), {"act": "sign", "sha256": made.facts_sha256}).status_code == 422
    assert client.post(address_of(made), {"act": "shred"}).status_code == 422


def test_an_extension_is_put_forward_and_a_wrong_one_told_at_its_form(office: Account, justice: Account) -> None:
    client = client_of(office)
    told = {
        "act": "extend",
        "policy": POLICY,
        "document": "苏府办〔2027〕3号",
        "until_date": "2025-12-31",
        "reason": "延期",
    }
    refused = client.post("/office/policies", told)
    assert refused.status_code == 422
    assert "延期的截止日期应更晚" in refused.content.decode()
    assert 'value="苏府办〔2027〕3号"' in refused.content.decode()
    made = client.post("/office/policies", told | {"until_date": "2029-12-31"})
    assert made.status_code == 302
    assert "延期至 2029年12月31日" in page(client_of(justice), made.headers["Location"])


def test_two_versions_are_compared_clause_by_clause_and_on_the_same_data(
    city: SmallCity, office: Account, justice: Account
) -> None:
    code, before = uscc(1), current_policy(POLICY).sha256
    city.firm(code)
    city.submit([city.penalty(code, 程序="简易程序")])
    made = put_forward(draft(files={"policy.yaml": looser()}, cases=ONE_CASE), account=office)
    address = f"/office/policies/{POLICY}/compare?new={made.pack_sha256}"
    client = client_of(justice)
    said = page(client, address)
    assert "summary-procedure" in said
    assert "还没有模拟过" in said
    asked = client.post(f"/office/policies/{POLICY}/compare", {"act": "simulate", "new": made.pack_sha256})
    assert asked.status_code == 302
    assert "正在模拟" in page(client, asked.headers["Location"])
    run_simulation(Simulation.objects.get().pk)
    found = page(client, address_of(made))
    assert "1个主体中，1个的结论会变，0个不变" in found
    assert "不计入：它是依据简易程序作出的行政处罚" in found
    assert "请重新模拟" not in found
    signed(made, office, justice)
    told_time.tell(tomorrow())
    found = latest_simulation(POLICY, made.pack_sha256)
    assert found is not None
    assert found.is_outdated, "it was compared with what was in force then"
    assert "请重新模拟" not in page(client, f"{address}&old={before}"), "these two are still these two"
    other_way = f"/office/policies/{POLICY}/compare?old={made.pack_sha256}&new={before}"
    assert "还没有模拟过" in page(client, other_way)
    said = client.post(other_way, {"old": made.pack_sha256, "new": before})
    run_simulation(Simulation.objects.latest("at").pk)
    assert "1个主体中，1个的结论会变，0个不变" in page(client, said.headers["Location"])
    assert "请重新模拟" not in page(client, address_of(made)), "what is done is not simulated again"
    assert client.post(f"/office/policies/{POLICY}/compare", {"new": "0" * 64}).status_code == 404
    assert client.get("/office/policies/nowhere/compare").status_code == 404


def test_growth_says_what_lacks_and_puts_unit_and_duty_forward(
    city: SmallCity, office: Account, justice: Account
) -> None:
    client, new = client_of(office), uscc(7)
    said = page(client, "/office/growth")
    assert "有1项缺口" in said
    assert "税务 " in said
    assert "没有正在拓展的领域" in said
    put_forward(draft(), account=office)
    growing = page(client, f"/office/growth?policy={POLICY}")
    assert "还缺4步" in growing
    led = client.get(f"/office/growth?policy={POLICY}&domain={DOMAIN}%20administrative_penalty").content.decode()
    assert f'<option value="{DOMAIN} administrative_penalty" selected>气象：行政处罚（新领域）' in led
    assert "已提交，拟自2025年11月21日起施行，还缺信用办、司法局会签" in growing
    told = {"policy": POLICY, "uscc": new, "reason": "新增气象"}
    named = client.post("/office/growth", told | {"act": "unit", "name": "苏州示例气象局", "short_name": "示例气象局"})
    assert named.status_code == 302
    duty = told | {"act": "responsibility", "deed": "add", "domain": f"{DOMAIN} administrative_penalty"}
    refused = client.post("/office/growth", duty)
    assert refused.status_code == 422
    assert "请先登记单位" in refused.content.decode()
    assert "等待会签的单位和责任" in page(client, "/office/growth")
    assert client.get("/office/growth?policy=nowhere").status_code == 404


def test_each_page_asks_few_queries_however_many_proposals(
    office: Account, justice: Account, django_assert_max_num_queries: DjangoAssertNumQueries
) -> None:
    made = put_forward(draft(), account=office)
    signed(put_forward(draft(files=reworded()), account=office), office)
    client = client_of(office)
    for address in ("/office/policies", f"/office/policies?policy={POLICY}", address_of(made), "/office/growth"):
        client.get(address)
        with django_assert_max_num_queries(30):
            client.get(address)


def test_the_other_roles_are_not_let_in(city: SmallCity) -> None:
    data = open_account(NewAccount("data", "大数据局", Role.DATA_LEAD), by="test")
    for address in ("/office/policies", "/office/growth", f"/office/policies/{POLICY}/compare"):
        assert client_of(data).get(address).status_code == 403
        assert client_of(data).post(address, {"act": "draft"}).status_code == 403
