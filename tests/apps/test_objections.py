"""Objections one by one: what may be lodged, who may do what."""

import uuid
from dataclasses import replace
from datetime import date, timedelta

import pytest
from django.db import transaction
from pytest_django import DjangoAssertNumQueries

from tests import told_time
from tests.module_database import module_database
from tests.redress_city import (
    OTHER_FIRM,
    POLICY,
    RedressCity,
    do,
    lodge_one,
)
from tests.redress_monday import MONDAY, built_city, code_of, monday_city, with_unit
from tests.small_city import BY
from xinzheng.apps.redress.handling import Doing, take_step
from xinzheng.apps.redress.lodging import A_DAY_AT_MOST, OPEN_AT_MOST, NewObjection, lodge
from xinzheng.apps.redress.models import Objection, Step
from xinzheng.apps.redress.queries import Listed, objection_view, open_on, rows_of
from xinzheng.apps.reports.issuing import Order, issue_report
from xinzheng.core.decision import Request
from xinzheng.core.errors import XinzhengError
from xinzheng.core.objections import Act, Ground, State

db, built, city = module_database, built_city, monday_city


# Lodging


def test_a_form_sent_twice_makes_one_objection_and_numbers_count_the_day(city: RedressCity) -> None:
    new = NewObjection(city.firm, POLICY, Ground.WRONG, city.record, words="金额不对")
    key = uuid.uuid4()
    made = [lodge(new, account=city.accounts["agent"], key=key) for _ in range(2)]
    assert made[0] == made[1]
    assert made[0].number == "Y20260601-0001"
    assert Step.objects.filter(objection=made[0]).count() == 1
    assert open_on(city.firm) == {city.record: made[0].number}
    assert lodge_one(city, Ground.MISSING).number == "Y20260601-0002"
    assert code_of(lodge, replace(new, ground=Ground.NOT_MINE), account=city.accounts["agent"], key=key) == (
        "objection-refused"
    )


def test_what_is_not_shown_does_not_exist_whoever_it_belongs_to(city: RedressCity) -> None:
    (sealed,) = city.add(city.penalty("苏水罚〔2026〕3号", 依法封存="是"))
    (others,) = city.add(city.penalty("苏水罚〔2026〕4号", code=OTHER_FIRM))
    words = set()
    for record in (None, 0, 10**12, sealed, others):
        with pytest.raises(XinzhengError) as refused:
            lodge_one(city, record_id=record)
        assert refused.value.code == "record-not-shown"
        words.add(refused.value.message)
    assert len(words) == 1


def test_only_the_subjects_own_agent_lodges_and_says_what_is_wrong(city: RedressCity) -> None:
    for who in ("other_agent", "office", "chief"):
        assert code_of(lodge_one, city, who=who) == "not-permitted"
    assert code_of(lodge_one, city, words=" \n ") == "reason-missing"
    assert code_of(lodge_one, city, report_number="SZ2026010100000015") == "record-not-shown"


def test_one_objection_is_open_on_a_record_and_the_other_is_named(city: RedressCity) -> None:
    first = lodge_one(city)
    with pytest.raises(XinzhengError) as refused:
        lodge_one(city, Ground.NOT_MINE)
    assert (refused.value.code, first.number in refused.value.message) == ("objection-open-already", True)
    lodge_one(city, Ground.MISSING)
    assert code_of(lodge_one, city, Ground.MISSING, document_number="苏水罚(2026)9号") == "objection-open-already"
    do(city, first.number, Act.WITHDRAW, "agent")
    lodge_one(city)


def test_a_closed_one_is_not_appealed_while_another_is_open_on_the_record(city: RedressCity) -> None:
    first = with_unit(city)
    do(city, first, Act.DISMISS, "chief")
    second = lodge_one(city).number
    assert code_of(do, city, first, Act.APPEAL, "agent") == "objection-open-already"
    do(city, second, Act.WITHDRAW, "agent")
    do(city, first, Act.APPEAL, "agent")
    assert code_of(lodge_one, city) == "objection-open-already"


def test_a_subject_lodges_so_many_a_day_and_has_so_many_open(city: RedressCity) -> None:
    def missing(serial: int) -> Objection:
        return lodge_one(city, Ground.MISSING, document_number=f"苏水罚〔2025〕{serial}号")

    day = MONDAY
    for serial in range(OPEN_AT_MOST):
        if serial and serial % A_DAY_AT_MOST == 0:
            assert code_of(missing, 1000) == "too-many-objections"
            day += timedelta(days=1)
            told_time.tell(day)
        missing(serial)
    assert code_of(missing, 1000) == "too-many-objections"
    assert Objection.objects.filter(subject_id=city.firm).count() == OPEN_AT_MOST


def test_a_missing_record_names_domain_kind_and_number(city: RedressCity) -> None:
    for wrong in ({"domain": "nowhere"}, {"kind": "nothing"}, {"document_number": " "}, {"record_id": city.record}):
        assert code_of(lodge_one, city, Ground.MISSING, **wrong) == "objection-refused"


def test_what_is_named_as_a_report_is_one_of_the_subjects_own_whatever_is_missing(city: RedressCity) -> None:
    others = issue_report(Order(POLICY, city.other_firm, Request(), BY)).number
    for words in ("张三 320501199001011234", others, "\0", "SZ1" * 5000):
        assert code_of(lodge_one, city, Ground.MISSING, report_number=words) == "record-not-shown"
    own = city.report()
    assert lodge_one(city, Ground.MISSING, report_number=own).report_number == own


# Handling


def test_everybody_acts_for_his_own_party_and_what_is_missing_is_said(city: RedressCity) -> None:
    number = lodge_one(city).number
    for who in ("agent", "chief", "officer", "other_agent"):
        assert code_of(do, city, number, Act.ACCEPT, who) == "not-permitted"
    assert code_of(do, city, number, Act.DECLINE, "office", reason=" ") == "reason-missing"
    assert code_of(do, city, number, Act.DISMISS, "chief") == "not-permitted"
    assert code_of(do, city, number, Act.ACCEPT, "office", unit_id=10**9) == "unit-not-responsible"
    assert code_of(do, city, number, Act.UPHOLD, "office") == "not-permitted"
    do(city, number, Act.ACCEPT, "office")
    for who in ("officer", "other_chief", "stranger", "office"):
        assert code_of(do, city, number, Act.DISMISS, who) == "not-permitted"
    assert code_of(do, city, number, Act.DISMISS, "chief", files=()) == "evidence-missing"
    assert code_of(do, city, number, Act.DISMISS, "chief", reason="王某，320501199001010017") == "text-not-kept"
    assert code_of(do, city, number, Act.PROMISE, "chief") == "objection-step-illegal"
    assert code_of(do, city, number, Act.LAPSE, "office") == "not-permitted"
    nobody = Doing("Y20260601-9999", 1, Act.ACCEPT)
    assert code_of(take_step, nobody, account=city.accounts["office"]) == "unknown-objection"


def test_who_comes_second_is_told_who_was_first_and_when(city: RedressCity) -> None:
    number = with_unit(city)
    do(city, number, Act.HAND_OVER, "chief")
    for who in ("second_chief", "other_chief"):
        doing = Doing(number, 2, Act.RETURN, reason="不属于本单位")
        with pytest.raises(XinzhengError) as refused:
            take_step(doing, account=city.accounts[who])
        assert refused.value.code == "objection-moved-on"
        assert "数源单位责任人已于6月1日10:00办理“异议移交其他单位”" in refused.value.message
    assert code_of(take_step, doing, account=city.accounts["stranger"]) == "not-permitted"


def test_it_is_handed_over_twice_at_most_and_only_to_who_answers(city: RedressCity) -> None:
    number = with_unit(city)
    assert code_of(do, city, number, Act.HAND_OVER, "chief", unit_id=None) == "unit-missing"
    assert code_of(do, city, number, Act.HAND_OVER, "chief", unit_id=city.unit) == "unit-not-responsible"
    stranger = city.accounts["stranger"].unit_id
    assert code_of(do, city, number, Act.HAND_OVER, "chief", unit_id=stranger) == "unit-not-responsible"
    do(city, number, Act.HAND_OVER, "chief")
    do(city, number, Act.HAND_OVER, "other_chief", unit_id=city.unit)
    assert code_of(do, city, number, Act.HAND_OVER, "chief") == "handed-over-twice"
    do(city, number, Act.RETURN, "chief")
    assert objection_view(number, MONDAY).unit_id is None
    do(city, number, Act.ACCEPT, "office", unit_id=city.other_unit)
    do(city, number, Act.HAND_OVER, "other_chief", unit_id=city.unit)
    assert objection_view(number, MONDAY).units == {city.unit, city.other_unit}


def test_an_appeal_has_its_term_and_is_not_offered_after_it(city: RedressCity) -> None:
    number = with_unit(city)
    do(city, number, Act.DISMISS, "chief")
    last = date(2026, 6, 15)
    assert objection_view(number, last).appeal_until == last
    assert [move.act for move in objection_view(number, last).possible] == [Act.APPEAL]
    told_time.tell(last + timedelta(days=1))
    assert objection_view(number, last + timedelta(days=1)).possible == ()
    assert code_of(do, city, number, Act.APPEAL, "agent") == "appeal-too-late"
    told_time.tell(last, hour=23)
    do(city, number, Act.APPEAL, "agent")
    assert objection_view(number, last).clock is not None


def test_lists_show_what_is_late_first_and_a_unit_its_own(
    city: RedressCity, django_assert_max_num_queries: DjangoAssertNumQueries
) -> None:
    late = with_unit(city)
    told_time.tell(date(2026, 6, 15))
    soon = [lodge_one(city, Ground.MISSING, document_number=f"第{n}号").number for n in range(3)]
    waiting = lodge_one(city, Ground.MISSING, document_number="等待").number
    do(city, waiting, Act.ASK, "office")
    day = date(2026, 6, 16)
    with django_assert_max_num_queries(4):
        rows = rows_of(Listed(), day)
    assert [row.number for row in rows] == [late, *soon, waiting]
    assert [row.clock.is_over for row in rows if row.clock] == [True, False, False, False, False]
    assert [row.number for row in rows_of(Listed(unit_id=city.unit), day)] == [late]
    do(city, late, Act.HAND_OVER, "chief")
    assert rows_of(Listed(unit_id=city.unit), day) == []
    assert [row.number for row in rows_of(Listed(unit_id=city.unit, with_past=True), day)] == [late]
    assert len(rows_of(Listed(subject_id=city.firm, states=frozenset({State.MORE_ASKED})), day)) == 1
    assert rows_of(Listed(subject_id=city.other_firm, states=None), day) == []


def test_nobody_confirms_his_own_decision_but_may_have_a_unit_look_at_it(city: RedressCity) -> None:
    number = lodge_one(city).number
    do(city, number, Act.DECLINE, "office")
    do(city, number, Act.APPEAL, "agent")
    assert code_of(do, city, number, Act.CONFIRM, "office") == "own-decision"
    with transaction.atomic():
        assert do(city, number, Act.REMAND, "office").state == State.WITH_UNIT
        transaction.set_rollback(True)
    assert do(city, number, Act.CONFIRM, "second_office").state == State.CONFIRMED
