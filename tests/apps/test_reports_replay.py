"""Replay: whatever moves on afterwards, a report follows from the ledger as it stood when it was issued."""

from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.small_city import BY, LONG_AGO, PENALTY, SmallCity, build_small_city, today, uscc
from xinzheng.adapters.deployment_files import deployment_of_policy
from xinzheng.apps.audit.models import Position
from xinzheng.apps.ledger.actions import Scope, withdraw_batch, withdraw_coverage
from xinzheng.apps.registry.actions import apply_deployment, erase_person, import_subjects, rotate_key
from xinzheng.apps.registry.channel_actions import end_channel, name_channel
from xinzheng.apps.registry.models import Succession
from xinzheng.apps.registry.queries import Channel, find_subject
from xinzheng.apps.registry.successions import withdraw_succession
from xinzheng.apps.reports import packs
from xinzheng.apps.reports.issuing import Order, issue_report
from xinzheng.apps.reports.models import Report
from xinzheng.apps.reports.packs import current_policy
from xinzheng.apps.reports.replaying import replay_report
from xinzheng.apps.reports.reviewing import review_reports
from xinzheng.core.decision import Request
from xinzheng.core.identifiers import identity_check_character
from xinzheng.core.policy import Policy

pytestmark = pytest.mark.django_db(transaction=True)
CODE, OTHER = uscc(1), uscc(2)


@pytest.fixture
def city(transactional_db: None, tmp_path: Path) -> SmallCity:
    small = build_small_city(tmp_path, units_per_domain=1)
    small.declare_everything()
    return small


@pytest.fixture
def issued(city: SmallCity) -> Report:
    subject_id = city.firm(CODE)
    city.submit([city.penalty(CODE, "一号"), city.penalty(CODE, "二号", 程序="简易程序")])
    return issue_report(Order("suzhou-2024", subject_id, Request(), BY))


def more_records(city: SmallCity) -> None:
    city.submit([city.penalty(CODE, "三号")])


def record_corrected(city: SmallCity) -> None:
    city.submit([city.penalty(CODE, "一号", 处罚状态="撤销", 状态日期=today().isoformat())])


def subject_renamed(city: SmallCity) -> None:
    city.firm(CODE, name="苏州更名以后有限公司", 法定代表人="示例丙")


def unit_renamed(city: SmallCity) -> None:
    deployment = deployment_of_policy(current_policy("suzhou-2024"))
    units = tuple(replace(u, name=u.name + "（新）", short_name=u.short_name + "新") for u in deployment.units)
    apply_deployment(replace(deployment, units=units, responsibilities=city.responsibilities), by=BY)


def responsibilities_ended(city: SmallCity) -> None:
    deployment = deployment_of_policy(current_policy("suzhou-2024"))
    apply_deployment(replace(deployment, responsibilities=city.responsibilities[:1]), by=BY)


def batch_taken_back(city: SmallCity) -> None:
    batch = Position.objects.filter(entry__kind="batch").latest("position").entry_id
    withdraw_batch(batch_id=batch, reason="报错了", by=BY)


def coverage_taken_back(city: SmallCity) -> None:
    scope = Scope(city.unit("taxation"), "taxation", PENALTY)
    withdraw_coverage(scope, from_date=LONG_AGO, through_date=today(), by=BY)


def absorbed_another(city: SmallCity) -> None:
    city.submit([city.penalty(OTHER, "别人的一号")])
    city.firm(OTHER, name="苏州从前有限公司", 承继关系="更名", 关联主体代码=CODE)


def succession_withdrawn_again(city: SmallCity) -> None:
    absorbed_another(city)
    found = Succession.objects.get()
    withdraw_succession((found.subject_id, found.successor_id, found.kind), reason="登记有误", by=BY)


def deregistered(city: SmallCity) -> None:
    city.firm(CODE, 登记状态="注销")


def key_encryption_key_rotated(city: SmallCity) -> None:
    rotate_key(by=BY)


def return_channel_named_and_ended(city: SmallCity) -> None:
    channel = Channel(city.policy_id, "taxation", PENALTY, city.unit("water_affairs"), city.unit("taxation"))
    name_channel(channel, by=BY)
    end_channel(channel, by=BY)


def superseded(city: SmallCity) -> None:
    more_records(city)
    assert review_reports()["superseded"] == 1


@pytest.mark.parametrize(
    "move_on",
    [
        more_records,
        record_corrected,
        subject_renamed,
        unit_renamed,
        responsibilities_ended,
        batch_taken_back,
        coverage_taken_back,
        absorbed_another,
        succession_withdrawn_again,
        deregistered,
        key_encryption_key_rotated,
        return_channel_named_and_ended,
        superseded,
    ],
)
def test_replay_is_untouched_when_things_move_on(
    city: SmallCity, issued: Report, move_on: Callable[[SmallCity], None]
) -> None:
    move_on(city)
    replay = replay_report(issued.number)
    assert replay.is_same
    assert not replay.is_subject_erased


def test_replay_survives_everything_at_once(city: SmallCity, issued: Report) -> None:
    later = issue_report(Order("suzhou-2024", issued.subject_id, Request(), BY))
    for move_on in (
        unit_renamed,
        record_corrected,
        succession_withdrawn_again,
        coverage_taken_back,
        batch_taken_back,
        key_encryption_key_rotated,
        responsibilities_ended,
        deregistered,
    ):
        move_on(city)
    review_reports()
    assert replay_report(issued.number).is_same
    assert replay_report(later.number).is_same


def test_replay_needs_neither_the_packs_nor_the_calendar_of_today(
    issued: Report, monkeypatch: pytest.MonkeyPatch
) -> None:
    def gone(*_: object) -> None:
        raise FileNotFoundError

    for cached in (packs.stored_policy, packs.stored_calendar, packs._shipped, packs.calendar_with):
        cached.cache_clear()
    for name in ("list_policies", "pack_bytes"):
        monkeypatch.setattr(packs.ports.policy_files(), name, gone)
    monkeypatch.setattr(packs.ports.calendars(), "default_calendar", gone)
    assert replay_report(issued.number).is_same


NUMBER = "33050219900101001" + identity_check_character("33050219900101001")


def test_a_person_who_was_erased_is_replayed_with_what_the_report_says_of_them(tmp_path: Path) -> None:
    city = build_small_city(tmp_path, "huzhou-2023", units_per_domain=1)
    city.declare_everything()
    path = tmp_path / "persons.csv"
    path.write_text(f"姓名,公民身份号码\n示甲某,{NUMBER}\n", encoding="utf-8")
    assert import_subjects(path, by=BY).rejected == 0
    subject_id = find_subject(NUMBER)
    assert subject_id is not None
    report = issue_report(Order("huzhou-2023", subject_id, Request(), BY))
    replay = replay_report(report.number)
    assert (replay.is_same, replay.is_subject_erased) == (True, False)
    erase_person(subject_id, by=BY)
    replay = replay_report(report.number)
    assert (replay.is_same, replay.is_subject_erased) == (True, True)


def test_replay_uses_the_pack_as_it_was_when_the_policy_is_edited_later(
    issued: Report, monkeypatch: pytest.MonkeyPatch
) -> None:
    packs.stored_policy.cache_clear()
    stricter = replace(current_policy("suzhou-2024"), clauses=(), record_word="别的词")

    def edited(_: str) -> Policy:
        return stricter

    monkeypatch.setattr(packs, "current_policy", edited)
    assert replay_report(issued.number).is_same


def test_replay_tells_when_a_report_does_not_follow_from_the_ledger(
    issued: Report, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("xinzheng.apps.ledger.queries.records_at", lambda *_: ())
    replay = replay_report(issued.number)
    assert not replay.is_same
    assert replay.issued_digest != replay.replayed_digest


variants = st.fixed_dictionaries(
    {
        "程序": st.sampled_from(["", "简易程序", "普通程序", "听证程序"]),
        "处理结果": st.sampled_from(["予以处罚", "不予处罚"]),
        "处罚状态": st.sampled_from(["", "有效", "复议诉讼中", "撤销"]),
        "处罚决定日期": st.integers(0, 1500).map(lambda days: (today() - timedelta(days=days)).isoformat()),
        "修复日期": st.booleans().map(lambda is_repaired: today().isoformat() if is_repaired else ""),
    }
)


@settings(max_examples=12, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(rows=st.lists(variants, max_size=5))
def test_replay_equals_issue_for_any_records(city: SmallCity, rows: list[dict[str, Any]]) -> None:
    city.firms += 1
    code = uscc(100 + city.firms)
    subject_id = city.firm(code)
    if rows:
        city.submit([city.penalty(code, f"{n}号", **row) for n, row in enumerate(rows)])
    assert replay_report(issue_report(Order("suzhou-2024", subject_id, Request(), BY)).number).is_same
