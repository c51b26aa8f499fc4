"""A list is told what each of its subjects would be told alone, as of any position of the ledger."""

from collections import defaultdict
from collections.abc import Collection, Mapping
from dataclasses import dataclass, replace
from datetime import datetime

import pytest
from django.utils import timezone

from tests.module_database import module_database
from tests.returning import FINANCE, PLATFORM, SOURCE
from tests.screened_world import _wanted as wanted
from tests.small_city import BY, PENALTY, SmallCity, build_small_city, today, uscc
from xinzheng.apps.audit.queries import head_position
from xinzheng.apps.ledger.actions import Scope, submit_batch, withdraw_batch
from xinzheng.apps.ledger.models import RecordHead
from xinzheng.apps.ledger.record_withdrawal import mark_disputed
from xinzheng.apps.registry.actions import withdraw_succession
from xinzheng.apps.registry.queries import UnknownSubjectError, find_subject
from xinzheng.apps.registry.review_actions import link_subject
from xinzheng.apps.reports import ports
from xinzheng.apps.reports.cases import Question, answer_question
from xinzheng.apps.reports.packs import current_calendar, current_policy
from xinzheng.apps.reports.set_wise import EVERYBODY, one_moment, opened_engine, transfer, weighing_of
from xinzheng.core.decision import CHINA, Request
from xinzheng.core.errors import RefusedError

FIRM, RENAMED, ABSORBED, BRANCH, SPLIT, BEFORE, WRONG, GONE, OTHER = (uscc(n) for n in range(1, 10))
TYPED, TRADER = uscc(20), uscc(30, "92320500")
ELSEWHERE = uscc(40, "11330500")
CODES = (FIRM, RENAMED, ABSORBED, BRANCH, SPLIT, BEFORE, WRONG, GONE, OTHER, TYPED, TRADER)


@dataclass(frozen=True)
class World:
    """A city whose subjects are tied in every way, and positions of its ledger on the way to now."""

    city: SmallCity
    positions: tuple[int, ...]
    as_of: datetime


db = module_database


@pytest.fixture(scope="module")
def world(db: None, tmp_path_factory: pytest.TempPathFactory) -> World:
    city = build_small_city(tmp_path_factory.mktemp("set-wise"), units_per_domain=1)
    for domain in ("taxation", FINANCE):
        city.declare(city.unit(domain), domain)
    _tied(city)
    positions = [head_position()]
    batch = _delivered(city)
    positions.append(head_position())
    _changed(city, batch)
    positions.append(head_position())
    return World(city, tuple(positions), timezone.now().astimezone(CHINA).replace(microsecond=0))


def _tied(city: SmallCity) -> None:
    """The firm was another before, absorbed one that was renamed, came out of one, has a branch; one tie is wrong."""
    city.firm(FIRM)
    for code, kind, to in (
        (RENAMED, "更名", FIRM), (ABSORBED, "吸收合并", FIRM), (BRANCH, "分支机构", FIRM), (SPLIT, "分立", FIRM),
        (BEFORE, "更名", ABSORBED), (WRONG, "更名", OTHER),
    ):  # fmt: skip
        if to == OTHER:
            city.firm(OTHER)
        city.firm(code, 承继关系=kind, 关联主体代码=to)
    city.firm(GONE, 登记状态="注销")
    city.firm(TRADER)


def _delivered(city: SmallCity) -> int:
    """Penalties of all kinds; lines that wait under their unit, and under who brought one for another."""
    row = city.penalty
    rows = [row(code, f"示税罚〔2026〕{n}号") for n, code in enumerate(CODES, 1)]
    rows += [
        row(FIRM, "示税罚〔2026〕21号", 程序="简易程序"),
        row(FIRM, "示税罚〔2026〕22号", 程序="", 处理结果=""),
        row(OTHER, "示税罚〔2026〕23号", 处罚机关="示例市某局", 处罚机关统一社会信用代码=ELSEWHERE),
        row(OTHER, "示税罚〔2026〕24号", 处罚机关="无从查考的机关", 处罚机关统一社会信用代码=""),
        row(RENAMED, "示税罚〔2026〕25号", 处罚状态="撤销", 状态日期=today().isoformat()),
        row(SPLIT, "示税罚〔2026〕26号", 处罚决定日期="2019-01-01"),
        row(GONE, "示税罚〔2026〕27号", 处罚决定日期="去年"),
        row(BRANCH, "示税罚〔2026〕28号", 处罚决定日期="去年"),
    ]
    batch = city.submit(rows).batch
    source = {SOURCE: city.unit(FINANCE)}
    brought = [
        row(TRADER, "示金罚〔2026〕1号", 处罚决定日期="去年", **source),
        row(FIRM, "示金罚〔2026〕2号", **source),
    ]
    delivery = city.delivery(brought, FINANCE)
    submit_batch(replace(delivery, scope=Scope(PLATFORM, FINANCE, PENALTY)), by=BY)
    return batch


def _changed(city: SmallCity, batch: int) -> None:
    """A repair, a new version, an objection that is open and one that was, a tie withdrawn, a code mistyped."""
    repair = {
        "主体名称": "苏州示例精密制造有限公司", "统一社会信用代码": OTHER, "原处罚决定书文号": "示税罚〔2026〕9号",
        "原处罚机关": "市税务局", "原处罚机关统一社会信用代码": city.unit("taxation"), "修复日期": today().isoformat(),
    }  # fmt: skip
    city.submit_kind([repair], "credit_repair", "credit_repair")
    second = city.submit([city.penalty(ABSORBED, "示税罚〔2026〕3号", 程序="简易程序")])
    city.submit([city.penalty(SPLIT, "示税罚〔2026〕5号", 处理结果="不予处罚")])
    withdraw_batch(batch_id=second.batch, reason="报错了", by=BY)
    for code, closes in ((FIRM, False), (TRADER, True)):
        head = RecordHead.objects.filter(subject_id=key(code)).order_by("record_id").first()
        assert head is not None
        for is_open in (True, False) if closes else (True,):
            mark_disputed(record_id=head.pk, subject_id=key(code), reference="Y1", is_open=is_open, by=BY)
    withdraw_succession((key(WRONG), key(OTHER), "renamed"), reason="登记错误", by=BY)
    link_subject(key(TYPED), to=key(OTHER), reason="末位错录", by=BY)


def key(code: str) -> int:
    found = find_subject(code)
    assert found is not None
    return found


def alone(world: World, position: int) -> Mapping[int, object]:
    """What each subject would be told alone: as the engines' tests want it, or why it is refused."""
    policy, calendar = current_policy(world.city.policy_id), current_calendar()
    said: dict[int, object] = {}
    for code in CODES:
        question = Question(policy, calendar, key(code), Request(), world.as_of, position)
        try:
            said[key(code)] = wanted(answer_question(question).decision)
        except (RefusedError, UnknownSubjectError) as error:
            said[key(code)] = error.code
    return said


def together(world: World, position: int, subjects: Collection[int] | None) -> Mapping[int, object]:
    """What an engine says of them."""
    policy = current_policy(world.city.policy_id)
    with one_moment(), opened_engine() as engine:
        asking = weighing_of(policy, world.as_of, position)
        transfer(engine, policy, position, subjects)
        plan = ports.screening().plan(asking.weighing, policy, frozenset(asking.gaps))
        rows = list(engine.run(plan))
        findings: dict[int, dict[int, object]] = defaultdict(dict)
        for one in engine.findings(plan):
            findings[one.subject][one.record] = (one.effect, one.clause, one.marks)
        domains: dict[int, dict[str, object]] = defaultdict(dict)
        for one in engine.domains(plan):
            domains[one.subject][one.domain] = (one.result, one.counted, one.unresolved)
    return {
        row.subject: row.refusal
        or (None, row.outcome, row.counted, row.unresolved, row.gaps, findings[row.subject], domains[row.subject])
        for row in rows
    }


@pytest.mark.parametrize("moment", [0, 1, 2])
def test_a_list_is_told_what_each_is_told_alone(world: World, moment: int) -> None:
    position = world.positions[moment]
    said = {subject: what for subject, what in alone(world, position).items() if what != "subject-unknown"}
    listed = together(world, position, [key(code) for code in CODES])
    assert listed == said
    if moment == 2:
        assert together(world, position, EVERYBODY).items() >= said.items()
        outcomes = {what if isinstance(what, str) else what[1] for what in said.values()}  # type: ignore[index]
        assert outcomes >= {"not_clear", "not_verifiable", "subject-deregistered"}
        clauses = {clause for what in said.values() if not isinstance(what, str) for _, clause, _ in what[5].values()}  # type: ignore[index]
        assert clauses >= {"penalty", "summary-procedure", "other-place", "withdrawn", "under-objection"}
