"""The subject's objections: the guided form, the list, where one stands, what can be done, the files."""

import re
import uuid
from datetime import date

import pytest
from django.conf import LazySettings
from django.core.files.uploadedfile import SimpleUploadedFile
from django.http import HttpResponse
from django.test import Client
from django.test.client import BOUNDARY, MULTIPART_CONTENT, encode_multipart

from tests import told_time
from tests.module_database import module_database
from tests.redress_city import DOCUMENT, DOMAIN, KIND, POLICY, RedressCity, do, lodge_one, small_pdf
from tests.redress_monday import browser, built_city, monday_city
from xinzheng.apps.accounts.actions import NewAccount, open_account
from xinzheng.apps.accounts.models import Role
from xinzheng.apps.audit.models import AuditEvent
from xinzheng.apps.redress.models import Correction, Evidence, Objection, StepWords
from xinzheng.apps.redress.queries import objection_view
from xinzheng.apps.redress.upholding import Upholding, uphold
from xinzheng.apps.redress.words import words_of
from xinzheng.apps.registry.persons import register_person
from xinzheng.apps.reports.reviewing import review_reports
from xinzheng.core.objections import Act, State

db, built, city = module_database, built_city, monday_city
MONDAY = date(2026, 11, 23)
WORDS = "这份处罚决定已经撤销。\n见附件。"


def pdf(name: str = "撤销决定.pdf", content: bytes | None = None) -> SimpleUploadedFile:
    return SimpleUploadedFile(name, small_pdf() if content is None else content, "application/octet-stream")


def filled(city: RedressCity, **changes: object) -> dict[str, object]:
    """The form to the firm's penalty as a browser sends it."""
    asked: dict[str, object] = {
        "key": str(uuid.uuid4()), "policy": POLICY, "record": str(city.record), "ground": "wrong", "words": WORDS,
        "report": "", "scope": "", "document_number": "",
    }  # fmt: skip
    return {name: value for name, value in {**asked, **changes}.items() if value is not None}


def page(response: HttpResponse) -> str:
    """What stands in the page, its white space made one."""
    return " ".join(response.content.decode().split("<main")[1].split("</main>")[0].split())


def lodged(client: Client, form: dict[str, object]) -> str:
    """The number of the objection the form made."""
    response = client.post("/objections/new", form)
    assert response.status_code == 302, re.findall(r"error-text.*?</span></span>", page(response))
    return str(response.headers["Location"].rsplit("/", 1)[1])


def test_from_a_finding_the_record_is_preset_and_one_form_makes_one_objection(city: RedressCity) -> None:
    client, report = browser(city), city.report()
    link = f"/objections/new?report={report}&amp;record={city.record}"
    assert link in page(client.get(f"/reports/{report}"))
    form = page(client.get(link.replace("&amp;", "&")))
    assert DOCUMENT in form
    assert 'type="radio" name="record"' not in form
    sent = filled(city, report=report)
    number = lodged(client, {**sent, "evidence": [pdf(), pdf("缴款.pdf")]})
    assert lodged(client, {**sent, "evidence": [pdf()]}) == number
    made = Objection.objects.get()
    assert (made.number, made.report_number, made.record_id, made.ground) == (number, report, city.record, "wrong")
    assert Evidence.objects.count() == 2
    assert words_of(StepWords.objects.values_list("pk", flat=True)) == {StepWords.objects.get().pk: WORDS}
    assert f"正在办理异议{number}" in page(client.get(f"/reports/{report}"))
    assert f'href="/objections/{number}"' in page(client.get(link.replace("&amp;", "&")))


def test_without_a_finding_the_form_lists_what_a_report_would_print(city: RedressCity) -> None:
    client = browser(city)
    form = page(client.get("/objections/new"))
    assert f'name="record" value="{city.record}"' in form
    assert 'value="missing"' in form
    assert "3个工作日内决定是否受理" in form
    number = lodged(client, filled(city, ground="not-mine"))
    assert f'name="record" value="{city.record}"' not in page(client.get("/objections/new"))
    assert Objection.objects.get(number=number).ground == "not-mine"


def test_what_is_missing_is_named_by_kind_domain_and_number(city: RedressCity) -> None:
    client = browser(city)
    form = page(client.get("/objections/new?record=missing"))
    assert f'value="{DOMAIN}|{KIND}"' in form
    assert 'id="record-missing" checked' in form
    asked = filled(city, record="missing", ground=None, scope=f"{DOMAIN}|{KIND}", document_number="苏水信修〔2026〕3号")
    made = Objection.objects.get(number=lodged(client, asked))
    assert (made.ground, made.record_id, made.domain, made.kind) == ("missing", None, DOMAIN, KIND)
    assert "苏水信修〔2026〕3号" in page(client.get(f"/objections/{made.number}"))


@pytest.mark.parametrize(
    ("changes", "field"),
    [
        ({"record": ""}, "record"),
        ({"report": "\0张三"}, "record"),
        ({"record": "9" * 19}, "record"),
        ({"ground": ""}, "ground"),
        ({"ground": "missing"}, "ground"),
        ({"words": " \n "}, "words"),
        ({"words": "长" * 2001}, "words"),
        ({"record": "missing", "document_number": "一号"}, "scope"),
        ({"record": "missing", "document_number": "一号", "scope": "x|y"}, "scope"),
        ({"record": "missing", "scope": f"{DOMAIN}|{KIND}"}, "document_number"),
        (
            {"record": "missing", "scope": f"{DOMAIN}|{KIND}", "document_number": "330502199001010014"},
            "document_number",
        ),
    ],
)
def test_what_is_not_filled_in_is_said_at_its_field_and_the_rest_is_kept(
    city: RedressCity, changes: dict[str, object], field: str
) -> None:
    response = browser(city).post("/objections/new", filled(city, **{"words": WORDS, **changes}))
    assert response.status_code == 422
    said = page(response)
    assert f'href="#{field}"' in said
    assert f'id="{field}"' in said
    assert changes.get("words", "这份处罚决定已经撤销。").strip() in said
    assert not Objection.objects.exists()


@pytest.mark.parametrize(
    ("files", "said"),
    [
        ([pdf(content=b"")], "空文件"),
        ([pdf("a.pdf", b"<html><script>alert(1)</script>")], "不是PDF、JPG或者PNG文件"),
        ([pdf("a.pdf.exe", b"MZ")], "不是PDF、JPG或者PNG文件"),
        ([pdf(content=small_pdf()[:300])], "没有传完整"),
        ([pdf(content=small_pdf() + b"PK\x05\x06" + bytes(18))], "藏有别的文件"),
        ([pdf(content=small_pdf() + bytes(10 * 1024 * 1024))], "超过10MB"),
        ([pdf()] * 11, "最多上传10个文件，现在有11个"),
        ([pdf(), pdf("坏的.pdf", b"GIF89a")], "“坏的”不是PDF"),
    ],
)
def test_a_file_that_is_not_taken_is_named_and_nothing_is_lodged(
    city: RedressCity, files: list[SimpleUploadedFile], said: str
) -> None:
    for file in files:
        file.seek(0)
    response = browser(city).post("/objections/new", filled(city, evidence=files))
    assert response.status_code == 422
    assert said in page(response)
    assert (Objection.objects.count(), Evidence.objects.count()) == (0, 0)


def test_a_form_that_is_too_large_is_not_even_read(city: RedressCity, settings: LazySettings) -> None:
    settings.XINZHENG_EVIDENCE_TOGETHER_BYTES = 1000
    client, large = browser(city), pdf(content=bytes(100_000))
    response = client.post(f"/objections/new?record={city.record}", filled(city, evidence=large))
    assert response.headers["Location"] == f"/objections/new?record={city.record}"
    assert "没有提交" in page(client.get(response.headers["Location"]))
    crowd = [pdf(f"{n}.pdf", b"a") for n in range(101)]
    settings.XINZHENG_EVIDENCE_TOGETHER_BYTES = 40 * 1024 * 1024
    assert client.post("/objections/new", filled(city, evidence=crowd)).status_code == 302
    assert not Objection.objects.exists()


def test_a_form_that_was_cut_off_on_its_way_is_not_taken_without_its_files(city: RedressCity) -> None:
    client, around = browser(city), ("files-begin", "files-end")
    form = page(client.get("/objections/new"))
    assert form.index(around[0]) < form.index('type="file"') < form.index(around[1])
    sent = filled(city) | {around[0]: "yes", "evidence": pdf(), around[1]: "yes"}
    body = encode_multipart(BOUNDARY, sent)
    cut = client.generic("POST", "/objections/new", body[: body.index(b"%PDF") + 100], MULTIPART_CONTENT)
    assert cut.status_code == 422
    assert "没有传完整，可能是网络中断" in page(cut)
    assert not Objection.objects.exists()
    client.generic("POST", "/objections/new", body, MULTIPART_CONTENT)
    assert Evidence.objects.count() == 1


def test_records_and_reports_of_others_are_not_there(city: RedressCity) -> None:
    other, report = browser(city, "other_agent"), city.report()
    for address in (f"record={city.record}", f"report={report}&record={city.record}", "record=999999"):
        assert other.get(f"/objections/new?{address}").status_code == 404
        sent = dict(part.split("=") for part in address.split("&"))
        refused = other.post("/objections/new", filled(city, **sent))
        assert (refused.status_code, DOCUMENT in page(refused)) == (422, False)
        assert "没有找到这条记录" in page(refused)
        assert "这份处罚决定已经撤销。" in page(refused)
    number = lodge_one(city).number
    for who in ("other_agent", "office", "chief", "stranger"):
        client = browser(city, who)
        assert client.get(f"/objections/{number}").status_code == 404
        assert client.post(f"/objections/{number}/act", {"act": "withdraw", "seen": "1"}).status_code == 404
    assert objection_view(number, MONDAY).state is State.INTAKE
    assert number not in page(other.get("/objections"))


def test_whom_no_policy_serves_is_told_so(city: RedressCity) -> None:
    person = register_person("330502199001010014", "示例甲", by="test")
    client = Client()
    client.force_login(open_account(NewAccount("somebody", "示例甲", Role.SUBJECT_AGENT, person_id=person), by="test"))
    assert "现在没有适用于这一主体的政策" in page(client.get("/objections/new"))
    assert "现在没有适用于这一主体的政策" in page(client.post("/objections/new", filled(city)))


def test_a_guessed_key_of_somebody_elses_form_tells_nothing(city: RedressCity) -> None:
    sent = filled(city)
    lodged(browser(city), sent)
    response = browser(city, "other_agent").post("/objections/new", {**sent, "record": "missing"})
    assert response.status_code == 422
    assert "Y2026" not in page(response)


def test_the_page_says_in_one_sentence_where_it_stands_at_each_step(city: RedressCity) -> None:
    client = browser(city)
    number = lodge_one(city).number

    def now() -> str:
        return page(client.get(f"/objections/{number}"))

    assert "已经提出，等信用办决定是否受理。" in now()
    assert "2026年11月26日到期" in now()
    do(city, number, Act.ASK, "office", reason="请补充撤销决定书")
    assert "信用办要求补充材料。" in now()
    assert "信用办要求：请补充撤销决定书" in now()
    assert "2026年11月30日以前补充" in now()
    do(city, number, Act.SUPPLY, "agent", words="见附件")
    assert "补充的材料已经收到" in now()
    do(city, number, Act.ACCEPT, "office")
    assert "已经受理" in now()
    assert "异议处理中" in now()
    told_time.tell(date(2026, 12, 9))
    assert "已超过办理时限" in now()


def test_supplying_is_a_form_and_sent_twice_it_is_done_once(city: RedressCity) -> None:
    client, number = browser(city), lodge_one(city).number
    do(city, number, Act.ASK, "office", reason="请补充撤销决定书")
    address = f"/objections/{number}/act"
    assert client.get(address).headers["Location"] == f"/objections/{number}"
    empty = client.post(address, {"act": "supply", "seen": "2"})
    assert empty.status_code == 422
    assert "请写明情况和理由" in page(empty)
    bad = client.post(address, {"act": "supply", "seen": "2", "words": "见附件", "evidence": pdf(content=b"a")})
    assert "不是PDF" in page(bad)
    assert "见附件</textarea>" in page(bad)
    for _ in range(2):
        sent = client.post(address, {"act": "supply", "seen": "2", "evidence": pdf()})
        assert sent.headers["Location"] == f"/objections/{number}"
    assert [step.act for step in objection_view(number, MONDAY).steps] == ["lodge", "ask", "supply"]
    assert Evidence.objects.filter(step__act="supply").count() == 1
    late = client.post(address, {"act": "supply", "seen": "1", "words": "又一次"})
    assert late.status_code == 422
    for nonsense in ({}, {"act": "accept", "seen": "3"}, {"act": "withdraw", "seen": "x"}):
        assert client.post(address, nonsense).status_code == 422


def test_a_withdrawal_names_what_follows_and_takes_the_mark_away(city: RedressCity) -> None:
    client, number = browser(city), lodge_one(city).number
    do(city, number, Act.ACCEPT, "office")
    assert "“异议处理中”的注明随即取消" in page(client.get(f"/objections/{number}"))
    client.post(f"/objections/{number}/act", {"act": "withdraw", "seen": "2"})
    view = objection_view(number, MONDAY)
    assert (view.state, view.is_disputed) == (State.WITHDRAWN, False)
    said = page(client.get(f"/objections/{number}"))
    assert "您已撤回这件异议" in said
    assert 'value="withdraw"' not in said


def test_a_dismissal_shows_reason_and_evidence_and_may_be_appealed_once(city: RedressCity) -> None:
    client, number = browser(city), lodge_one(city).number
    do(city, number, Act.ACCEPT, "office")
    do(city, number, Act.DISMISS, "chief", reason="决定书仍然有效")
    said = page(client.get(f"/objections/{number}"))
    assert "认定异议不成立" in said
    assert "理由：决定书仍然有效。" in said
    assert "2026年12月7日以前申请一次复核" in said
    appealed = client.post(f"/objections/{number}/act", {"act": "appeal", "seen": "3", "words": "已经撤销"})
    assert appealed.status_code == 302
    said = page(client.get(f"/objections/{number}"))
    assert "信用办正在复核" in said
    assert 'value="appeal"' not in said


def test_an_upheld_objection_lists_the_reports_it_superseded_with_a_fresh_one_a_click_away(city: RedressCity) -> None:
    report, client = city.report(), browser(city)
    number = lodge_one(city).number
    do(city, number, Act.ACCEPT, "office")
    uphold(Upholding(number, 2, Correction.What.REMOVED, "不是该主体的记录"), account=city.accounts["chief"])
    review_reports()
    said = page(client.get(f"/objections/{number}"))
    assert "异议成立，记录已经撤下。" in said
    assert f'href="/reports/{report}/again"' in said
    assert client.get(f"/objections/new?report={report}&record={city.record}").status_code == 404


def test_the_list_shows_state_and_clock_and_says_what_to_do_when_empty(city: RedressCity) -> None:
    client = browser(city)
    assert "还没有提出过异议" in page(client.get("/objections"))
    number = lodge_one(city).number
    said = page(client.get("/objections"))
    assert f'href="/objections/{number}"' in said
    assert "待受理" in said
    assert "还剩3个工作日，2026年11月26日到期" in said
    assert 'href="/objections" aria-current="page"' in " ".join(client.get("/objections").content.decode().split())


def test_a_file_leaves_only_as_an_attachment_for_the_parties_each_time_on_record(city: RedressCity) -> None:
    client = browser(city)
    number = lodged(client, filled(city, evidence=pdf("../证明\u202e.exe")))
    kept = Evidence.objects.get()
    address = f"/objections/{number}/evidence/{kept.pk}"
    assert address in page(client.get(f"/objections/{number}"))
    for who in ("agent", "office"):
        response = browser(city, who).get(address)
        assert (response.status_code, response.content) == (200, small_pdf())
        headers = response.headers
        assert headers["Content-Disposition"].startswith("attachment; filename*=utf-8''%E8%AF%81")
        assert headers["Content-Disposition"].endswith(".pdf")
        assert headers["Content-Security-Policy"] == "sandbox; default-src 'none'"
        assert (headers["X-Content-Type-Options"], headers["Content-Type"]) == ("nosniff", "application/pdf")
        assert "no-store" in headers["Cache-Control"]
    assert AuditEvent.objects.filter(action="evidence-opened", subject_id=city.firm).count() == 2
    for who in ("other_agent", "chief", "stranger"):
        assert browser(city, who).get(address).status_code == 404
    assert client.get(f"/objections/Y20261123-0099/evidence/{kept.pk}").status_code == 404


def test_the_pages_ask_the_database_as_often_for_many_as_for_one(city: RedressCity) -> None:
    from django.db import connection
    from django.test.utils import CaptureQueriesContext

    client, number = browser(city), lodge_one(city).number

    def queries(address: str) -> int:
        client.get(address)
        with CaptureQueriesContext(connection) as asked:
            client.get(address)
        return len(asked)

    few = queries("/objections"), queries(f"/objections/{number}")
    for record in city.add(*(city.penalty(f"苏水罚〔2026〕{n}号") for n in range(10, 15))):
        lodge_one(city, record_id=record)
    assert queries("/objections") == few[0]
    assert queries(f"/objections/{number}") == few[1]
    assert few[1] < 40
