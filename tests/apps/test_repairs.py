"""Repair: guidance on what a subject is shown, the data handed over, what is said of it, and its sweeps."""

import io
import json
import zipfile
from collections.abc import Iterator
from datetime import date, timedelta

import pytest
from django.db import transaction

from tests import told_time
from tests.module_database import module_database
from tests.redress_city import DOCUMENT, DOMAIN, FIRM, NAME, RedressCity, build_redress_city, small_pdf
from tests.small_city import today
from xinzheng.apps.audit.models import AuditEvent
from xinzheng.apps.codes.models import Notice
from xinzheng.apps.redress.evidence import read_file
from xinzheng.apps.redress.models import RepairCase, RepairLink
from xinzheng.apps.redress.repair_handover import handover_file
from xinzheng.apps.redress.repair_queries import guided_record, guided_records
from xinzheng.apps.redress.repair_sweeps import link_found, tell_ended
from xinzheng.apps.redress.repairs import add_evidence, case_view, prepare, say
from xinzheng.core.errors import XinzhengError
from xinzheng.core.repair import PublicationState, months_after

db = module_database
DAY = timedelta(days=1)


@pytest.fixture(scope="module")
def built(db: None, tmp_path_factory: pytest.TempPathFactory) -> RedressCity:
    return build_redress_city(tmp_path_factory.mktemp("city"))


@pytest.fixture
def city(built: RedressCity, settings: object) -> Iterator[RedressCity]:
    """The city as it was built; what a test does is undone."""
    settings.XINZHENG_CLOCK = "tests.told_time.now"  # type: ignore[attr-defined]
    with transaction.atomic():
        yield built
        transaction.set_rollback(True)
    told_time.forget()


def add(city: RedressCity, number: str, decided: date, **columns: str) -> int:
    """One more penalty of the firm; its record. By default of a class that is certain."""
    row = {"处罚类别": "没收违法所得", "处罚内容": "没收违法所得1万元", "没收违法所得、没收非法财物的金额(万元)": "1"}
    (found,) = city.add(city.penalty(number, **({"处罚决定日期": decided.isoformat()} | row | columns)))
    return found


def deliver_repair(city: RedressCity, number: str, on: date, **columns: str) -> None:
    row = {"主体名称": NAME, "统一社会信用代码": FIRM, "原处罚决定书文号": number, "原处罚机关": "市税务局"}
    source = {"原处罚机关统一社会信用代码": city.city.unit(DOMAIN), "修复日期": on.isoformat()}
    assert city.city.submit_kind([row | source | columns], "credit_repair", "credit_repair").rejected == 0


def code(refused: pytest.ExceptionInfo[XinzhengError]) -> str:
    return refused.value.code


def test_everything_the_subject_is_shown_has_its_guidance_and_what_each_policy_makes_of_it(city: RedressCity) -> None:
    minor = add(city, "苏水罚〔2026〕2号", today() - 30 * DAY, 处罚类别="警告", 处罚内容="警告", 程序="简易程序")
    found = {one.id: one for one in guided_records(city.firm, today()).records}
    assert set(found) == {city.record, minor}
    assert [c.repair_class.id for c in found[city.record].guidance.candidates] == ["serious", "general"]
    assert found[minor].guidance.publication.state is PublicationState.NOT_PUBLISHED
    now, then = found[city.record].treatments[0].effect_word, found[city.record].treatments[0].after
    assert (now, then) == ("计入", "单独列示")
    # Whether it counts is another matter than whether it is published.
    assert found[minor].treatments[0].effect_word == "没有计入"


def test_sealed_and_foreign_records_are_not_there(city: RedressCity) -> None:
    sealed = add(city, "苏水罚〔2026〕3号", today() - 30 * DAY, 依法封存="是")
    for record, subject in ((sealed, city.firm), (city.record, city.other_firm), (10**9, city.firm)):
        with pytest.raises(XinzhengError) as refused:
            guided_record(subject, record, today())
        assert code(refused) == "record-not-shown"
        assert str(record) not in refused.value.message


@pytest.mark.parametrize(("days_after", "is_open"), [(0, False), (1, True)])
def test_a_repair_is_prepared_from_the_day_after_the_shortest_period_on(
    city: RedressCity, days_after: int, is_open: bool
) -> None:
    decided = months_after(today(), -3)
    record = add(city, "苏水罚〔2026〕4号", decided)
    told_time.tell(months_after(decided, 3) + days_after * DAY)
    if is_open:
        assert prepare(record, account=city.accounts["agent"]).rules == "ndrc-36-2025"
        return
    with pytest.raises(XinzhengError) as refused:
        prepare(record, account=city.accounts["agent"])
    assert code(refused) == "repair-not-yet"
    assert not RepairCase.objects.exists()


def test_who_may_not_object_for_the_subject_prepares_nothing(city: RedressCity) -> None:
    for name, said in (("other_agent", "record-not-shown"), ("office", "not-permitted"), ("chief", "not-permitted")):
        with pytest.raises(XinzhengError) as refused:
            prepare(city.record, account=city.accounts[name])
        assert code(refused) == said


def test_what_is_repaired_or_taken_back_is_not_repaired_again(city: RedressCity) -> None:
    old = today() - 200 * DAY
    repaired, gone = add(city, "苏水罚〔2026〕5号", old), add(city, "苏水罚〔2026〕6号", old)
    deliver_repair(city, "苏水罚〔2026〕5号", today())
    city.city.submit(
        [
            city.penalty(
                "苏水罚〔2026〕6号", 处罚决定日期=old.isoformat(), 处罚状态="撤销", 状态日期=today().isoformat()
            )
        ],
        DOMAIN,
    )
    for record, said in ((repaired, "repaired-already"), (gone, "repair-not-applicable")):
        with pytest.raises(XinzhengError) as refused:
            prepare(record, account=city.accounts["agent"])
        assert code(refused) == said


def test_the_same_open_case_is_given_again_and_each_step_is_told_once(city: RedressCity) -> None:
    agent = city.accounts["agent"]
    case = prepare(city.record, account=agent)
    assert case.number.startswith(f"X{today():%Y%m%d}-")
    assert prepare(city.record, account=agent).pk == case.pk
    say(case.number, "handed-over", "", 0, account=agent)
    for said, reason, seen, refused_as in (
        ("accepted", "", 0, "repair-moved-on"),
        ("handed-over", "", 1, "repair-step-illegal"),
        ("nonsense", "", 1, "repair-step-illegal"),
        ("refused", " ", 1, "reason-missing"),
    ):
        with pytest.raises(XinzhengError) as refused:
            say(case.number, said, reason, seen, account=agent)
        assert code(refused) == refused_as
    say(case.number, "refused", "材料不全", 1, account=agent)
    assert prepare(city.record, account=agent).pk != case.pk
    events = AuditEvent.objects.filter(object_kind="repair", object_id=case.number).order_by("id")
    assert [event.action for event in events] == ["repair-prepared", "repair-said", "repair-said"]
    assert {event.subject_id for event in events} == {city.firm}


def test_others_read_and_say_nothing(city: RedressCity) -> None:
    case = prepare(city.record, account=city.accounts["agent"])
    for name in ("other_agent", "office", "chief"):
        account = city.accounts[name]
        for act in (
            lambda account=account: say(case.number, "handed-over", "", 0, account=account),
            lambda account=account: handover_file(case.number, account=account),
            lambda account=account: add_evidence(case.number, [], account=account),
        ):
            with pytest.raises(XinzhengError) as refused:
                act()
            assert code(refused) == "not-permitted"


def test_the_hand_over_holds_data_sheet_and_evidence_and_repairs_nothing(city: RedressCity) -> None:
    agent = city.accounts["agent"]
    case = prepare(city.record, account=agent)
    assert add_evidence(case.number, [read_file(small_pdf("paid"), "缴款<凭证>.pdf")], account=agent) == 1
    packed = zipfile.ZipFile(io.BytesIO(handover_file(case.number, account=agent)))
    names = packed.namelist()
    assert names == [
        f"{case.number}/{name}" for name in ("修复申请数据.json", "修复申请材料.html", "凭证/01-缴款<凭证>.pdf")
    ]
    data = json.loads(packed.read(names[0]))
    assert data["subject"] == {"name": NAME, "identifier": FIRM}
    assert data["record"]["document_number"] == DOCUMENT
    assert data["rules"]["sha256"] == bytes(case.rules_sha256).hex()
    assert data["guidance"]["rule"]["second_hand"] is True
    sheet = packed.read(names[1]).decode()
    assert "转述，未核对原文" in sheet
    assert "本材料不是修复决定" in sheet
    assert "缴款&lt;凭证&gt;.pdf" in sheet
    assert "<script" not in sheet
    assert packed.read(names[2]) == small_pdf("paid")
    assert case_view(case.number, today()).repaired_date is None
    assert AuditEvent.objects.filter(action="repair-fetched", subject_id=city.firm).count() == 1


def test_only_an_arriving_repair_record_repairs_and_ends_the_case(city: RedressCity) -> None:
    agent = city.accounts["agent"]
    case = prepare(city.record, account=agent)
    say(case.number, "handed-over", "", 0, account=agent)
    say(case.number, "accepted", "", 1, account=agent)
    assert guided_record(city.firm, city.record, today()).guidance.is_open
    deliver_repair(city, DOCUMENT, today())
    view = case_view(case.number, today())
    assert (view.repaired_date, view.possible) == (today(), ())
    with pytest.raises(XinzhengError) as refused:
        say(case.number, "refused", "材料不全", 2, account=agent)
    assert code(refused) == "repaired-already"
    (repair,) = guided_record(city.firm, city.record, today()).repairs
    assert repair.repaired_date == today()


def test_links_are_found_once_also_when_the_penalty_comes_after(city: RedressCity) -> None:
    assert link_found(today()) == 0
    deliver_repair(city, "苏水罚〔2026〕7号", today() - DAY)
    assert link_found(today()) == 0
    late = add(city, "苏水罚〔2026〕7号", today() - 200 * DAY)
    assert link_found(today()) == 1
    assert link_found(today()) == 0
    link = RepairLink.objects.get()
    assert (link.penalty_record_id, link.repaired_date) == (late, today() - DAY)


def test_the_end_of_publication_is_told_once_and_only_where_it_is_sure(city: RedressCity) -> None:
    decided = months_after(today() - 80 * DAY, -12)
    ended = add(city, "苏水罚〔2025〕1号", decided)
    add(city, "苏水罚〔2025〕2号", decided, 处罚类别="罚款", 处罚内容="罚款1万元")  # serious perhaps: it may go on
    add(city, "苏水罚〔2025〕3号", decided - 70 * DAY)  # ended so long ago that it is no news
    last = months_after(decided, 12)
    assert tell_ended(last) == 0
    assert tell_ended(last + 40 * DAY) == 1
    assert tell_ended(last + 41 * DAY) == 0
    notice = Notice.objects.get(event="publication-ended")
    assert (notice.subject_id, notice.body) == (city.firm, {"record": ended, "until": last.isoformat()})
