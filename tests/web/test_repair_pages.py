"""The subject's records and their repair on its pages: list, guidance, preparing, file, evidence, what was said."""

import io
import zipfile
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager
from datetime import timedelta

import pytest
from django.core.cache import caches
from django.core.files.uploadedfile import SimpleUploadedFile
from django.db import transaction
from django.http import HttpResponse
from django.test import Client

from tests.module_database import module_database
from tests.redress_city import DOCUMENT, DOMAIN, FIRM, NAME, RedressCity, build_redress_city, small_pdf
from tests.small_city import today
from xinzheng.apps.audit.models import AuditEvent
from xinzheng.apps.redress.models import RepairCase
from xinzheng.core.repair import months_after
from xinzheng.core.sentences import spoken_date

db = module_database


@pytest.fixture(scope="module")
def built(module_database: None, tmp_path_factory: pytest.TempPathFactory) -> RedressCity:
    return build_redress_city(tmp_path_factory.mktemp("repairs"))


@pytest.fixture
def city(db: None, built: RedressCity) -> Iterator[RedressCity]:
    """The city as it was built; what a test does is undone."""
    caches["local"].clear()
    with transaction.atomic():
        yield built
        transaction.set_rollback(True)


def browser(city: RedressCity, who: str = "agent") -> Client:
    client = Client()
    client.force_login(city.accounts[who])
    return client


def page(response: HttpResponse) -> str:
    """What stands in the page, its white space made one."""
    return " ".join(response.content.decode().split("<main")[1].split("</main>")[0].split())


def prepared(client: Client, record: int) -> str:
    """The address of the repair that the button makes."""
    response = client.post(f"/records/{record}")
    assert response.status_code == 302
    return str(response.headers["Location"])


def test_each_record_is_listed_with_how_it_counts_and_how_long_it_is_published(city: RedressCity) -> None:
    (minor,) = city.add(city.penalty("苏水罚〔2026〕2号", 处罚类别="警告", 处罚内容="警告", 程序="简易程序"))
    shown = page(browser(city).get("/records"))
    assert shown.count("/records/") == 2
    decided = today() - timedelta(days=180)
    assert f"最晚公示至{spoken_date(months_after(decided, 36))}" in shown
    assert "由认定单位确定（严重失信信息、一般失信信息）" in shown
    assert f'href="/records/{minor}"' in shown
    assert "一般不公示" in shown
    assert "转述，未核对原文" in shown
    assert "公示期满不等于信用修复" in shown


def test_who_has_no_record_is_told_so_without_a_word_too_many(city: RedressCity) -> None:
    shown = page(browser(city, "other_agent").get("/records"))
    assert "没有可以列出的记录" in shown
    assert not any(word in shown for word in ("无违法", "守法", "合规"))


def test_the_guidance_gives_every_class_and_its_source_second_hand(city: RedressCity) -> None:
    shown = page(browser(city).get(f"/records/{city.record}"))
    decided = today() - timedelta(days=180)
    for months, name in ((36, "严重失信信息"), (12, "一般失信信息")):
        assert name in shown
        assert spoken_date(months_after(decided, months)) in shown
    assert "罚款是否属于“数额巨大”：标准由行业主管部门规定，没有见到，系统不推定" in shown
    assert "国家发展改革委令第36号（2025年11月20日公布，2026年4月1日施行）（转述，未核对原文）" in shown
    assert "最长公示期届满后，相关信息自动停止公示。" in shown
    for words in (
        "计入",
        "单独列示",
        "请自行确认",
        "准备修复材料",
        f"/objections/new?policy=suzhou-2024&amp;record={city.record}",
    ):
        assert words in shown


def test_before_the_shortest_period_is_over_nothing_is_offered_and_a_forged_form_is_told(
    city: RedressCity,
) -> None:
    (young,) = city.add(city.penalty("苏水罚〔2026〕3号", 处罚决定日期=(today() - timedelta(days=20)).isoformat()))
    client = browser(city)
    assert "准备修复材料" not in page(client.get(f"/records/{young}"))
    assert client.post(f"/records/{young}").headers["Location"] == f"/records/{young}"
    assert "最短公示期还没有届满" in client.get(f"/records/{young}").content.decode()
    assert not RepairCase.objects.exists()


def test_others_records_and_repairs_are_not_there(city: RedressCity) -> None:
    address = prepared(browser(city), city.record)
    stranger = browser(city, "other_agent")
    for path in (f"/records/{city.record}", address, f"{address}/file", "/repairs/X20200101-0001"):
        assert stranger.get(path).status_code == 404
    assert stranger.post(f"{address}/act", {"act": "say", "said": "handed-over", "seen": "0"}).status_code == 404
    assert stranger.post(f"/records/{city.record}").status_code == 404
    assert NAME not in stranger.get(address).content.decode()


def test_a_repair_is_prepared_filled_fetched_and_followed(city: RedressCity) -> None:
    client = browser(city)
    address = prepared(client, city.record)
    assert prepared(client, city.record) == address
    assert "材料已准备好，还没有提交" in page(client.get(address))
    paid = SimpleUploadedFile("缴款凭证.pdf", small_pdf("paid"), "text/html")
    assert client.post(f"{address}/act", {"act": "add", "evidence": paid}).status_code == 302
    fetched = client.get(f"{address}/file")
    assert fetched.headers["Content-Disposition"].startswith("attachment")
    assert fetched.headers["X-Content-Type-Options"] == "nosniff"
    assert fetched.headers["Cache-Control"] == "private, no-store"
    names = zipfile.ZipFile(io.BytesIO(fetched.content)).namelist()
    assert [name.rsplit("/", 1)[1] for name in names] == ["修复申请数据.json", "修复申请材料.html", "01-缴款凭证.pdf"]
    assert client.post(f"{address}/act", {"act": "say", "said": "handed-over", "seen": "0"}).status_code == 302
    shown = page(client.get(address))
    assert "已提交，等待受理" in shown
    assert "缴款凭证.pdf" in shown
    actions = AuditEvent.objects.filter(subject_id=city.firm, action__startswith="repair-").order_by("id")
    assert [event.action for event in actions] == [
        "repair-prepared", "repair-evidence-added", "repair-fetched", "repair-said",
    ]  # fmt: skip
    assert FIRM not in str([event.details for event in actions])


@pytest.mark.parametrize(
    ("form", "words"),
    [
        ({"act": "say", "said": "accepted", "seen": "0"}, "现在不能登记这一进展"),
        ({"act": "say", "said": "handed-over", "seen": "3"}, "进展又有登记"),
        ({"act": "say", "said": "handed-over", "seen": "x"}, "请从页面上的按钮登记"),
        ({"act": "say", "said": "given-up", "seen": "0", "reason": "电话13812345678"}, "号码"),
        ({"act": "add"}, "请先选择要添加的凭证文件"),
        ({"act": "add", "evidence": b"<html>"}, "不是PDF、JPG或者PNG文件"),
        ({}, "请从页面上的按钮登记"),
    ],
)
def test_what_cannot_be_is_told_at_its_field_and_changes_nothing(
    city: RedressCity, form: dict[str, object], words: str
) -> None:
    client = browser(city)
    address = prepared(client, city.record)
    sent = {
        name: SimpleUploadedFile("a.pdf", value, "application/pdf") if isinstance(value, bytes) else value
        for name, value in form.items()
    }
    response = client.post(f"{address}/act", sent)
    assert response.status_code == 422
    assert words in page(response)
    case = RepairCase.objects.get()
    assert (case.steps.count(), case.evidence.count()) == (0, 0)


def test_a_repair_record_that_arrives_closes_the_page(city: RedressCity) -> None:
    client = browser(city)
    address = prepared(client, city.record)
    row = {"主体名称": NAME, "统一社会信用代码": FIRM, "原处罚决定书文号": DOCUMENT, "原处罚机关": "市水务局"}
    source = {"原处罚机关统一社会信用代码": city.city.unit(DOMAIN), "修复日期": today().isoformat()}
    city.city.submit_kind([row | source], "credit_repair", "credit_repair")
    assert "修复记录已经归集，这条记录已信用修复" in page(client.get(address))
    assert "登记进展" not in page(client.get(address))
    shown = page(client.get(f"/records/{city.record}"))
    assert f"自{spoken_date(today())}信用修复起停止公示" in shown
    assert "准备修复材料" not in shown
    assert f"record={city.record}&amp;ground=over-period" in shown


def test_a_policy_that_cannot_be_asked_is_named(city: RedressCity, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("xinzheng.web.repairs.records.today", lambda: today() + timedelta(days=3 * 365))
    assert "有一项政策现在不能查看记录" in page(browser(city).get("/records"))


def test_the_pages_ask_the_database_a_bounded_number_of_times(
    city: RedressCity,
    django_assert_max_num_queries: Callable[[int], AbstractContextManager[object]],
) -> None:
    client = browser(city)
    city.add(*(city.penalty(f"苏水罚〔2026〕{n}号") for n in range(10, 30)))
    client.get("/records")
    for path in ("/records", f"/records/{city.record}"):
        with django_assert_max_num_queries(40):
            assert client.get(path).status_code == 200
