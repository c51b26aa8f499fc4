"""What nobody gets from redress by asking for it in another way than the pages do."""

from dataclasses import replace
from datetime import date

from django.conf import LazySettings

from tests import told_time
from tests.module_database import module_database
from tests.redress_city import DOMAIN, RedressCity, a_file, do, lodge_one
from tests.redress_monday import browser, built_city, code_of, monday_city, with_unit
from tests.small_city import BY
from xinzheng.apps.accounts.actions import NewAccount, open_account
from xinzheng.apps.accounts.mandates import revoke
from xinzheng.apps.accounts.models import Mandate, Role
from xinzheng.apps.codes.models import Notice
from xinzheng.apps.codes.notice_events import OF_ACTS
from xinzheng.apps.ledger.actions import submit_batch
from xinzheng.apps.ledger.models import RecordHead
from xinzheng.apps.redress.models import Correction
from xinzheng.apps.redress.repairs import A_DAY_AT_MOST, prepare, say
from xinzheng.apps.redress.sweeps import deliver_awaited
from xinzheng.apps.redress.upholding import Upholding, uphold
from xinzheng.core.objections import Act, Ground
from xinzheng.web.objections.export import objections_to_take
from xinzheng.web.repairs.export import repairs_to_take

db, built, city = module_database, built_city, monday_city


def test_a_record_is_replaced_only_by_one_of_the_unit_that_upholds_and_that_still_stands(city: RedressCity) -> None:
    source = city.city.unit(DOMAIN, 1)
    columns = {"处罚机关统一社会信用代码": source, "数据来源单位统一社会信用代码": source}
    delivery = city.city.delivery([city.penalty("苏水罚〔2026〕7号", **columns)], DOMAIN)
    others = submit_batch(replace(delivery, scope=replace(delivery.scope, unit_uscc=source)), by=BY).batch
    own = city.city.submit([city.penalty(), city.penalty("苏水罚〔2026〕8号")], DOMAIN).batch
    city.city.submit([city.penalty("苏水罚〔2026〕8号", 处罚内容="罚款二万元")], DOMAIN)
    number = with_unit(city)
    for batch in (others, own):
        asked = Upholding(number, 2, Correction.What.REPLACED, "换成另一条", batch_id=batch)
        assert code_of(uphold, asked, account=city.accounts["chief"]) == "batch-corrects-nothing"
    assert RecordHead.objects.get(pk=city.record).payload_sha256 is not None


def test_who_acts_for_a_firm_no_longer_takes_along_only_what_he_did_himself(city: RedressCity) -> None:
    agent = city.accounts["agent"]
    told_time.tell(date(2026, 12, 1))
    repair = prepare(city.record, account=agent).number
    successor = open_account(NewAccount("successor", "经办人", Role.SUBJECT_AGENT, subject_id=city.firm), by="test")
    say(repair, "handed-over", "接手以后提交", 0, account=successor)
    number = with_unit(city)
    do(city, number, Act.DISMISS, "chief")
    (before,), (repaired,) = objections_to_take(agent, None, 9), repairs_to_take(agent, None, 9)
    assert (before["state"], [step["act"] for step in before["steps"]]) == ("dismissed", ["lodge", "accept", "dismiss"])
    assert [step["reason"] for step in repaired["steps"]] == ["接手以后提交"]
    revoke(Mandate.objects.get(account=agent).pk, by="test")
    (after,), (repaired,) = objections_to_take(agent, None, 9), repairs_to_take(agent, None, 9)
    assert (after["state"], [step["act"] for step in after["steps"]]) == (None, ["lodge"])
    assert after["steps"][0]["words"] == before["steps"][0]["words"] != ""
    assert (repaired["steps"], repaired["files"]) == ([], [])


def test_materials_given_up_are_not_prepared_without_end(city: RedressCity) -> None:
    agent = city.accounts["agent"]
    told_time.tell(date(2026, 12, 1))
    for _ in range(A_DAY_AT_MOST):
        say(prepare(city.record, account=agent).number, "given-up", "", 0, account=agent)
    assert code_of(prepare, city.record, account=agent) == "too-many-repairs"
    told_time.tell(date(2026, 12, 2))
    prepare(city.record, account=agent)


def test_a_subject_that_gives_all_the_evidence_it_may_leaves_the_unit_its_own(
    city: RedressCity, settings: LazySettings
) -> None:
    file = a_file()
    settings.XINZHENG_EVIDENCE_TOGETHER_BYTES = len(file.content)
    number = with_unit(city, files=[file])
    do(city, number, Act.DISMISS, "chief")
    assert code_of(do, city, number, Act.APPEAL, "agent", files=[file]) == "evidence-too-large"


def test_what_was_sealed_since_is_shown_to_nobody_but_the_unit_whose_it_is(city: RedressCity) -> None:
    number = with_unit(city)
    city.city.submit([city.penalty(依法封存="是", 违法事实="封存的事实")], DOMAIN)
    do(city, number, Act.HAND_OVER, "chief")
    pages = {"office": "office", "other_chief": "department", "chief": "department"}
    shown = {who: f"/{desk}/objections/{number}" for who, desk in pages.items()}
    told = {who: "封存的事实" in browser(city, who).get(address).content.decode() for who, address in shown.items()}
    assert told == {"office": False, "other_chief": False, "chief": True}


def test_whose_record_another_unit_took_out_is_told_of_it(city: RedressCity) -> None:
    number = lodge_one(city).number
    do(city, number, Act.ACCEPT, "office", unit_id=city.other_unit)
    asked = Upholding(number, 2, Correction.What.REMOVED, "不应当有")
    uphold(asked, account=city.accounts["other_chief"])
    told = Notice.objects.filter(event=OF_ACTS[Act.UPHOLD], unit_id__isnull=False)
    assert [(notice.unit_id, notice.body["delivered"]) for notice in told] == [(city.unit, True)]


def test_what_was_promised_comes_neither_sealed_nor_in_another_domain(city: RedressCity) -> None:
    number = lodge_one(city, Ground.MISSING).number
    do(city, number, Act.ACCEPT, "office", unit_id=city.unit)
    do(city, number, Act.PROMISE, "chief")
    taxes = city.city.unit("taxation")
    columns = {"处罚机关统一社会信用代码": taxes, "数据来源单位统一社会信用代码": taxes}
    city.city.submit([city.penalty("苏水罚〔2026〕9号", **columns)], "taxation")
    city.city.submit([city.penalty("苏水罚〔2026〕9号", 依法封存="是")], DOMAIN)
    assert deliver_awaited() == 0
    city.city.submit([city.penalty("苏水罚〔2026〕9号", 依法封存="否")], DOMAIN)
    assert deliver_awaited() == 1
    assert Correction.objects.get().unit_id == city.unit
