"""The credit office's desk of objections and a unit's inbox: what they list, what can be done, what a refusal says."""

import re
from collections.abc import Iterator
from datetime import date
from io import BytesIO
from typing import Any

import psycopg
import pytest
from django.conf import LazySettings
from django.core.cache import caches
from django.core.files.uploadedfile import SimpleUploadedFile
from django.db import connection, transaction
from python_calamine import CalamineWorkbook

from tests import told_time
from tests.desk_pages import CHECK, DO, MONDAY, browser, hidden, page, state_of, typed, with_unit
from tests.module_database import module_database
from tests.redress_city import DOCUMENT, NAME, RedressCity, build_redress_city, do, lodge_one, small_pdf
from xinzheng.apps.audit.models import AuditEvent
from xinzheng.apps.ledger import merge
from xinzheng.apps.ledger.corrections import current_row
from xinzheng.apps.redress.models import Correction
from xinzheng.apps.redress.queries import objection_view
from xinzheng.core.objections import Act, Ground, State

db = module_database
FRIDAY, MUCH_LATER = date(2026, 12, 4), date(2026, 12, 10)


@pytest.fixture(scope="module")
def built(module_database: None, tmp_path_factory: pytest.TempPathFactory) -> RedressCity:
    return build_redress_city(tmp_path_factory.mktemp("desks"))


@pytest.fixture
def city(db: None, built: RedressCity, settings: LazySettings) -> Iterator[RedressCity]:
    """The city on a Monday; what a test does is undone."""
    settings.XINZHENG_CLOCK = "tests.told_time.now"
    told_time.tell(MONDAY)
    caches["local"].clear()
    with transaction.atomic():
        yield built
        transaction.set_rollback(True)
    told_time.forget()


def test_the_desk_lists_late_first_then_due_soon_and_narrows_by_unit_and_state(city: RedressCity) -> None:
    late = with_unit(city)
    told_time.tell(FRIDAY)
    fresh = lodge_one(city, Ground.MISSING)
    told_time.tell(MUCH_LATER)
    client = browser(city, "office")
    found = page(client.get("/office/objections"))
    assert found.index(late.number) < found.index(fresh.number)
    assert "在办异议2件，1件待信用办办理，2件超期" in found
    assert "clock-over" in found
    assert f"内容有误：水务，行政处罚，{DOCUMENT}" in found
    assert fresh.number not in page(client.get("/office/objections?show=&unit=" + str(city.unit)))
    assert late.number not in page(client.get("/office/objections?show=office"))
    assert "没有符合条件的异议" in page(client.get("/office/objections?show=closed"))
    assert client.get(f"/office/objections?number={late.number.lower()}").headers["Location"].endswith(late.number)
    assert late.number in page(client.get("/office/coverage"))


def test_the_list_can_be_taken_away_as_a_workbook(city: RedressCity) -> None:
    made = with_unit(city)
    response = browser(city, "office").get("/office/objections.xlsx?show=")
    rows = CalamineWorkbook.from_filelike(BytesIO(response.content)).get_sheet_by_index(0).to_python()
    assert rows[-1][:4] == [made.number, NAME, "91320500MA0000015D", "内容有误"]
    assert rows[-1][5] == "数源单位核实"
    assert "还剩10个工作日" in rows[-1][8]
    exported = AuditEvent.objects.get(action="objections-exported")
    assert (exported.who, exported.details["rows"]) == (city.accounts["office"].actor, 1)


def test_the_list_asks_the_database_as_often_for_one_as_for_many_of_a_subject(
    city: RedressCity, django_assert_max_num_queries: Any
) -> None:
    for serial in range(4):
        lodge_one(city, Ground.MISSING, document_number=f"苏水罚〔2026〕{70 + serial}号")
    client = browser(city, "office")
    with django_assert_max_num_queries(16):
        assert "在办异议4件" in page(client.get("/office/objections"))


def test_a_page_asks_the_database_a_bounded_number_of_times(
    city: RedressCity, django_assert_max_num_queries: Any
) -> None:
    made = with_unit(city)
    do(city, made.number, Act.DISMISS, "chief")
    do(city, made.number, Act.APPEAL, "agent")
    do(city, made.number, Act.REMAND, "office")
    for who, address in (("office", "/office/objections"), ("chief", "/department/objections")):
        client = browser(city, who)
        with django_assert_max_num_queries(26):
            client.get(f"{address}/{made.number}")


def test_the_office_takes_in_with_the_unit_it_chooses(city: RedressCity) -> None:
    made, client = lodge_one(city), browser(city, "office")
    form = page(client.get(f"/office/objections/{made.number}"))
    assert "罚款金额写错了" in form
    assert f'<option value="{city.unit}"' in form
    assert f'<option value="{city.other_unit}"' in form
    asked = {"act": "accept", "seen": "1", "unit": str(city.other_unit)}
    assert client.post(f"/office/objections/{made.number}/act", asked).status_code == 302
    view = objection_view(made.number, MONDAY)
    assert (view.state, view.unit_id) == (State.WITH_UNIT, city.other_unit)
    assert "正在核实" in page(client.get(f"/office/objections/{made.number}"))


@pytest.mark.parametrize(("act", "after"), [("decline", State.DECLINED), ("ask", State.MORE_ASKED)])
def test_what_the_office_refuses_or_asks_has_a_reason(city: RedressCity, act: str, after: State) -> None:
    made, client = lodge_one(city), browser(city, "office")
    address = f"/office/objections/{made.number}/act"
    without = client.post(address, {"act": act, "seen": "1", "reason": " "})
    assert without.status_code == 422
    assert f'id="{act}-reason-error"' in page(without)
    assert client.post(address, {"act": act, "seen": "1", "reason": "材料看不清"}).status_code == 302
    assert state_of(made.number) is after
    assert "材料看不清" in page(browser(city, "agent").get(f"/objections/{made.number}"))


def test_a_person_s_number_in_a_reason_is_told_at_its_field_and_what_was_typed_stays(city: RedressCity) -> None:
    made = lodge_one(city)
    asked = {"act": "decline", "seen": "1", "reason": "经办人110101199003070177不是授权人"}
    response = browser(city, "office").post(f"/office/objections/{made.number}/act", asked)
    assert response.status_code == 422
    assert 'id="decline-reason-error"' in page(response)
    assert asked["reason"] in page(response)
    assert state_of(made.number) is State.INTAKE


def test_an_appeal_is_confirmed_in_two_steps_or_sent_back(city: RedressCity) -> None:
    made, client = lodge_one(city), browser(city, "office")
    do(city, made.number, Act.DECLINE, "second_office")
    do(city, made.number, Act.APPEAL, "agent")
    address = f"/office/objections/{made.number}/act"
    look = client.post(address, {"act": "confirm", "seen": "3", "reason": "维持", **CHECK})
    assert look.status_code == 200
    assert "申请人不能再次申请复核" in page(look)
    assert state_of(made.number) is State.APPEALED
    back = client.post(address, hidden(look) | {"stage": "edit"})
    assert ">维持</textarea>" in page(back)
    assert client.post(address, hidden(look) | DO).status_code == 302
    assert state_of(made.number) is State.CONFIRMED


def test_the_office_sends_an_appeal_back_to_a_unit(city: RedressCity) -> None:
    made = with_unit(city)
    do(city, made.number, Act.DISMISS, "chief")
    do(city, made.number, Act.APPEAL, "agent")
    client = browser(city, "office")
    asked = {"act": "remand", "seen": "4", "reason": "证据不足，请重新核实", "unit": str(city.unit)}
    assert client.post(f"/office/objections/{made.number}/act", asked).status_code == 302
    assert state_of(made.number) is State.WITH_UNIT


def test_who_comes_too_late_is_told_who_was_faster_and_keeps_what_was_typed(city: RedressCity) -> None:
    made, client = lodge_one(city), browser(city, "second_office")
    do(city, made.number, Act.ASK, "office")
    asked = {"act": "decline", "seen": "1", "reason": "写了很久的理由"}
    response = client.post(f"/office/objections/{made.number}/act", asked)
    assert response.status_code == 409
    assert "信用办工作人员已于11月23日10:00办理“要求补充异议材料”" in page(response)
    assert "写了很久的理由" in page(response)
    assert "你填写的内容（没有保存）" in page(response)
    assert "没有办成" in page(response)
    assert "处需要改正" not in page(response)


def test_the_inbox_lists_what_lies_with_the_unit_and_what_lay_with_it(city: RedressCity) -> None:
    made = with_unit(city)
    chief, other = browser(city, "chief"), browser(city, "other_chief")
    assert "1件待本单位答复" in page(chief.get("/department/objections"))
    assert "1件异议待答复" in page(chief.get("/department"))
    assert made.number not in page(other.get("/department/objections"))
    assert other.get(f"/department/objections/{made.number}").status_code == 404
    do(city, made.number, Act.HAND_OVER, "chief")
    assert made.number not in page(chief.get("/department/objections"))
    assert made.number in page(chief.get("/department/objections?show=past"))
    assert "怎样答复" not in page(chief.get(f"/department/objections/{made.number}"))
    assert "更正内容" in page(other.get(f"/department/objections/{made.number}"))


def test_only_the_responsible_officer_answers(city: RedressCity) -> None:
    made, officer = with_unit(city), browser(city, "officer")
    assert "由本单位责任人" in page(officer.get(f"/department/objections/{made.number}"))
    assert officer.post(f"/department/objections/{made.number}/act", {"act": "return"}).status_code == 403


def test_a_record_is_corrected_in_two_steps_that_show_what_changes(city: RedressCity) -> None:
    made, client = with_unit(city), browser(city, "chief")
    form = page(client.get(f"/department/objections/{made.number}?way=changed"))
    assert 'id="f-fine" name="f-fine" value="1"' in form
    assert "f-subject_uscc" not in form
    address = f"/department/objections/{made.number}/act"
    look = client.post(address, typed(city, made.number, "changed", fine="2", content="罚款2万元"))
    assert look.status_code == 200
    assert "更正2栏" in page(look)
    assert '<td role="cell" data-label="现在" class="value-cell">1</td>' in page(look)
    assert state_of(made.number) is State.WITH_UNIT
    assert 'value="2"' in page(client.post(address, hidden(look) | {"stage": "edit"}))
    done = client.post(address, hidden(look) | DO, follow=True)
    assert "已办结：异议成立，更正内容" in page(done)
    assert state_of(made.number) is State.CORRECTED
    assert current_row(city.record).values["fine"] == "2"
    assert current_row(city.record).values["subject_uscc"] == "91320500MA0000015D"
    # The same form once more is the same answer, not a second correction.
    assert client.post(address, hidden(look) | DO).status_code == 302
    assert Correction.objects.count() == 1


def test_nothing_changed_and_no_reason_are_told_before_the_last_look(city: RedressCity) -> None:
    made, client = with_unit(city), browser(city, "chief")
    asked = typed(city, made.number, "changed") | {"reason": ""}
    found = page(client.post(f"/department/objections/{made.number}/act", asked))
    assert "有2处需要改正" in found
    assert "还没有改动任何一栏" in found
    assert 'id="changed-reason-error"' in found


def test_what_the_checks_refuse_stands_at_its_column_and_what_was_typed_stays(city: RedressCity) -> None:
    made, client = with_unit(city), browser(city, "chief")
    asked = typed(city, made.number, "changed", decision_date="2026-02-30", content="罚款2万元") | DO
    response = client.post(f"/department/objections/{made.number}/act", asked)
    assert response.status_code == 422
    assert 'id="f-decision_date-error"' in page(response)
    assert 'value="2026-02-30"' in page(response)
    assert "罚款2万元" in page(response)
    assert state_of(made.number) is State.WITH_UNIT


def test_a_record_that_moved_on_is_told_and_what_was_typed_stays(city: RedressCity) -> None:
    made, client = with_unit(city), browser(city, "chief")
    asked = typed(city, made.number, "changed", fine="2") | DO
    city.add(city.penalty(备注="另有更新"))
    response = client.post(f"/department/objections/{made.number}/act", asked)
    assert response.status_code == 409
    assert "这条记录在你查看以后已经变动" in page(response)
    assert 'name="f-fine" value="2"' in page(response)
    again = hidden(response)
    assert again["version"] == str(current_row(city.record).version_id)


def test_a_busy_ledger_keeps_the_last_look_to_be_tried_again(
    city: RedressCity, monkeypatch: pytest.MonkeyPatch
) -> None:
    made, client = with_unit(city), browser(city, "chief")
    address, asked = f"/department/objections/{made.number}/act", typed(city, made.number, "changed", fine="2") | DO
    monkeypatch.setattr(merge, "PATIENCE", "50ms")
    # Our own transaction holds the lock since the delivery: others are asked about another one.
    monkeypatch.setattr(merge, "INTAKE_LOCK", merge.INTAKE_LOCK + 1)
    with psycopg.connect(**{**connection.get_connection_params(), "autocommit": True}) as other:
        other.execute("SELECT pg_advisory_lock(%s)", [merge.INTAKE_LOCK])
        response = client.post(address, asked)
    assert response.status_code == 503
    assert "账本暂时不能写入" in page(response)
    assert client.post(address, hidden(response) | DO).status_code == 302
    assert state_of(made.number) is State.CORRECTED


def test_what_was_delivered_since_is_named_by_its_batch(city: RedressCity) -> None:
    made, client = with_unit(city), browser(city, "chief")
    address = f"/department/objections/{made.number}/act"
    batch = city.city.submit([city.penalty(处罚内容="罚款2万元")], "water_affairs").batch
    asked = typed(city, made.number, "changed-delivered") | {"batch": "x"}
    assert 'id="changed-delivered-batch-error"' in page(client.post(address, asked))
    wrong = client.post(address, asked | DO | {"batch": str(city.batch)})
    assert wrong.status_code == 422
    assert "没有更正这条记录" in page(wrong)
    assert client.post(address, asked | DO | {"batch": str(batch)}).status_code == 302
    assert Correction.objects.get().batch_id == batch


@pytest.mark.parametrize(
    ("way", "ground", "what"),
    [("removed", Ground.NOT_MINE, "removed"), ("taken-down", Ground.OVER_PERIOD, "taken-down")],
)
def test_a_record_is_taken_out_or_down_after_a_last_look(
    city: RedressCity, way: str, ground: Ground, what: str
) -> None:
    made, client = with_unit(city, ground), browser(city, "chief")
    address = f"/department/objections/{made.number}/act"
    look = client.post(address, typed(city, made.number, way))
    assert "办结以后不能撤回" in page(look)
    assert client.post(address, hidden(look) | DO).status_code == 302
    assert Correction.objects.get().what == what
    assert "异议成立" in page(client.get(f"/department/objections/{made.number}"))


def test_only_ways_that_fit_the_ground_are_offered(city: RedressCity) -> None:
    made, client = with_unit(city, Ground.NOT_MINE), browser(city, "chief")
    found = page(client.get(f"/department/objections/{made.number}"))
    assert "?way=removed" in found
    assert "?way=changed" not in found


def test_another_record_takes_its_place(city: RedressCity) -> None:
    made, client = with_unit(city), browser(city, "chief")
    asked = typed(city, made.number, "replaced", document_number="苏水罚〔2026〕18号") | DO
    assert client.post(f"/department/objections/{made.number}/act", asked).status_code == 302
    done = Correction.objects.get()
    assert done.what == "replaced"
    assert done.record_id is not None
    assert current_row(done.record_id).values["document_number"] == "苏水罚〔2026〕18号"


def test_dismissing_needs_a_file_and_a_reason(city: RedressCity) -> None:
    made, client = with_unit(city), browser(city, "chief")
    address = f"/department/objections/{made.number}/act"
    asked: dict[str, Any] = {"act": "dismiss", "seen": "2", "reason": "决定书核对无误"}
    without = client.post(address, asked)
    assert without.status_code == 422
    assert 'id="dismiss-evidence-error"' in page(without)
    assert "决定书核对无误" in page(without)
    broken = client.post(address, asked | {"evidence": SimpleUploadedFile("a.pdf", b"no file of that kind")})
    assert 'id="dismiss-evidence-error"' in page(broken)
    done = client.post(address, asked | {"evidence": SimpleUploadedFile("决定书.pdf", small_pdf())}, follow=True)
    assert "已答复：异议不成立" in page(done)
    link = re.search(rf"/objections/{made.number}/evidence/\d+", page(done))
    assert link is not None
    for who in ("chief", "office", "agent"):
        opened = browser(city, who).get(link[0])
        assert opened.headers["Content-Disposition"].startswith("attachment")
    assert browser(city, "stranger").get(link[0]).status_code == 404


@pytest.mark.parametrize(("act", "after"), [("hand-over", State.WITH_UNIT), ("return", State.INTAKE)])
def test_what_is_not_the_unit_s_is_handed_over_or_returned(city: RedressCity, act: str, after: State) -> None:
    made, client = with_unit(city), browser(city, "chief")
    form = page(client.get(f"/department/objections/{made.number}?way={act}"))
    assert f'<option value="{city.unit}"' not in form
    asked = {"act": act, "seen": "2", "reason": "由市另一单位作出", "unit": str(city.other_unit)}
    assert client.post(f"/department/objections/{made.number}/act", asked).status_code == 302
    view = objection_view(made.number, MONDAY)
    assert (view.state, view.unit_id) == (after, city.other_unit if act == "hand-over" else None)


def test_what_is_missing_is_promised(city: RedressCity) -> None:
    made, client = with_unit(city, Ground.MISSING), browser(city, "chief")
    assert "?way=changed" not in page(client.get(f"/department/objections/{made.number}"))
    asked = {"act": "promise", "seen": "2", "reason": "漏报，本周五前补报"}
    assert client.post(f"/department/objections/{made.number}/act", asked).status_code == 302
    assert state_of(made.number) is State.AWAITED
    assert "另有1件已承诺补报" in page(client.get("/department/objections"))
    assert "1件异议待补报" in page(client.get("/department"))
    assert "去报送" in page(client.get(f"/department/objections/{made.number}"))


def test_two_chiefs_decide_and_the_second_is_told(city: RedressCity) -> None:
    made, second = with_unit(city), browser(city, "second_chief")
    asked = typed(city, made.number, "changed", fine="3") | DO
    do(city, made.number, Act.DISMISS, "chief")
    response = second.post(f"/department/objections/{made.number}/act", asked)
    assert response.status_code == 409
    assert "办理“异议不成立”" in page(response)
    lost = page(response).split("你填写的内容（没有保存）")[1]
    assert "决定书写的是两万元" in lost
    assert "<dd>3</dd>" in lost


def test_who_decides_otherwise_in_another_window_is_not_told_that_it_was_done(city: RedressCity) -> None:
    made, client = with_unit(city), browser(city, "chief")
    address = f"/department/objections/{made.number}/act"
    change, remove = typed(city, made.number, "changed", fine="3") | DO, typed(city, made.number, "removed") | DO
    assert client.post(address, remove).status_code == 302
    assert client.post(address, remove).status_code == 302
    assert client.post(address, change).status_code == 409
    assert Correction.objects.get().what == "removed"


def test_a_year_not_announced_is_amber_and_nothing_fails(city: RedressCity) -> None:
    told_time.tell(date(2026, 12, 28))
    made = lodge_one(city)
    do(city, made.number, Act.ACCEPT, "office", unit_id=city.unit)
    for who, address in (("office", "/office/objections"), ("chief", "/department/objections")):
        client = browser(city, who)
        found = page(client.get(address))
        assert "2027年工作日安排未公布" in found
        assert "clock-soon" in found
        assert client.get(f"{address}/{made.number}").status_code == 200
    assert "2027年工作日安排未公布" in page(browser(city, "chief").get("/department"))


def test_hostile_numbers_and_forms_are_refused(city: RedressCity) -> None:
    made, office, chief = with_unit(city), browser(city, "office"), browser(city, "chief")
    for client, base in ((office, "/office/objections"), (chief, "/department/objections")):
        for number in ("%00", "Y20261123-9999", "١٢", "x" * 300):
            assert client.get(f"{base}/{number}").status_code == 404
        for act in ("", "lodge", "deliver", "uphold", "x" * 500, "\0"):
            assert client.post(f"{base}/{made.number}/act", {"act": act, "seen": "9" * 30}).status_code == 422
