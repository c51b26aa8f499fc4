"""Replay: whatever moves on afterwards, a report follows from the ledger as it stood when it was issued."""

from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.small_city import BY, SmallCity, build_small_city, today, uscc
from xinzheng.adapters.deployment_files import deployment_of_policy
from xinzheng.apps.registry.actions import apply_deployment
from xinzheng.apps.reports import packs
from xinzheng.apps.reports.issuing import Order, issue_report
from xinzheng.apps.reports.models import Report
from xinzheng.apps.reports.packs import current_policy
from xinzheng.apps.reports.replaying import replay_report
from xinzheng.core.decision import Request
from xinzheng.core.policy import Policy

pytestmark = pytest.mark.django_db(transaction=True)
CODE = uscc(1)


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


@pytest.mark.parametrize(
    "move_on", [more_records, record_corrected, subject_renamed, unit_renamed, responsibilities_ended]
)
def test_replay_is_untouched_when_things_move_on(
    city: SmallCity, issued: Report, move_on: Callable[[SmallCity], None]
) -> None:
    move_on(city)
    assert replay_report(issued.number).is_same


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
        "修复日期": st.sampled_from(["", today().isoformat()]),
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
