"""Simulating drafts: what would change is counted as two decisions of everybody would say, and nothing is changed."""

from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, replace

import pytest
from django.db import connection, transaction
from django.test import override_settings

from tests.all_tables import changed, digests
from tests.module_database import module_database, refusal_code
from tests.small_city import BY, SmallCity, build_small_city, uscc
from xinzheng.apps.accounts.actions import NewAccount, open_account
from xinzheng.apps.accounts.models import Account, Role
from xinzheng.apps.audit.models import AuditEvent
from xinzheng.apps.oversight.models import Simulation
from xinzheng.apps.oversight.simulating import STALE, ask_simulation, end_left_behind, run_simulation
from xinzheng.apps.registry.queries import find_subject
from xinzheng.apps.reports import packs, ports
from xinzheng.apps.reports.cases import answer_question
from xinzheng.apps.reports.preparing import question_now
from xinzheng.core.decision import Request

CLEAN, SUMMARY, PENALISED, GONE = (uscc(n) for n in (1, 2, 3, 4))


@dataclass(frozen=True)
class World:
    """A city with three firms and one deregistered; the office; a draft that counts summary penalties, too."""

    city: SmallCity
    office: Account
    agent: Account
    draft: str


db = module_database


@pytest.fixture(scope="module")
def made(db: None, tmp_path_factory: pytest.TempPathFactory) -> World:
    city = build_small_city(tmp_path_factory.mktemp("simulating"), units_per_domain=1)
    city.declare_everything()
    firms = {CLEAN: "示例清白有限公司", SUMMARY: "示例简易有限公司", PENALISED: "示例处罚有限公司"}
    for code, name in firms.items():
        city.firm(code, name)
    city.firm(GONE, "示例注销有限公司", 登记状态="注销")
    city.submit([
        city.penalty(PENALISED, "示税罚〔2026〕1号", 行政相对人名称=firms[PENALISED]),
        city.penalty(SUMMARY, "示税罚〔2026〕2号", 行政相对人名称=firms[SUMMARY], 程序="简易程序"),
    ])  # fmt: skip
    office = open_account(NewAccount("office", "信用办", Role.OFFICE_OPERATOR), by=BY)
    agent = open_account(NewAccount("agent", "经办人", Role.SUBJECT_AGENT), by=BY)
    return World(city, office, agent, draft_of(city.policy_id))


def draft_of(policy_id: str) -> str:
    """The shipped pack, but that a penalty by summary procedure counts; the digest under which it is stored."""
    files = dict(ports.policy_files().pack_bytes(policy_id))
    old, new = (f"id: summary-procedure\n    effect: {effect}".encode() for effect in ("excluded", "counted"))
    assert old in files["policy.yaml"]
    files["policy.yaml"] = files["policy.yaml"].replace(old, new)
    return packs.keep_pack(policy_id, files).hex()


@pytest.fixture
def world(made: World) -> Iterator[World]:
    """As made; what a test does is undone."""
    with transaction.atomic():
        yield made
        transaction.set_rollback(True)


def test_figures_are_those_of_deciding_everybody_twice(world: World) -> None:
    made = ask_simulation(world.draft, world.city.policy_id, account=world.office)
    run_simulation(made.pk)
    made.refresh_from_db()
    assert (made.state, made.message) == ("done", "")
    figures = made.figures
    old = packs.current_policy(world.city.policy_id)
    new = replace(packs.stored_policy(bytes.fromhex(world.draft)), extensions=old.extensions)
    expected: Counter[tuple[str, str]] = Counter()
    for code in (CLEAN, SUMMARY, PENALISED):
        subject = find_subject(code)
        assert subject is not None
        outcomes = [str(answer_question(question_now(p, subject, Request())).decision.outcome) for p in (old, new)]
        expected[outcomes[0], outcomes[1]] += 1
    expected["subject-deregistered", "subject-deregistered"] += 1
    assert {(one["from"], one["to"]): one["count"] for one in figures["from_to"]} == expected
    assert (figures["subjects"], figures["changed"]) == (4, 1)
    (domain,) = figures["by_domain"]
    assert (domain["domain"], domain["changed"]) == ("taxation", 1)
    assert domain["from_to"] == [{"from": "none_found", "to": "records_found", "count": 1}]


def test_the_sample_tells_the_clause_before_and_after_and_no_name(world: World) -> None:
    made = ask_simulation(world.draft, world.city.policy_id, account=world.office)
    run_simulation(made.pk)
    made.refresh_from_db()
    (one,) = made.figures["sample"]
    assert (one["subject"], one["from"], one["to"]) == (find_subject(SUMMARY), "clear", "not_clear")
    (record,) = one["records"]
    assert (record["before"]["clause"], record["before"]["effect"]) == ("summary-procedure", "excluded")
    assert (record["after"]["clause"], record["after"]["effect"]) == ("summary-procedure", "counted")
    assert record["before"]["reason"] == "它是依据简易程序作出的行政处罚"
    assert "示例" not in str(made.figures)


def test_the_reason_is_that_of_the_clause_that_holds_on_the_day(world: World) -> None:
    files = dict(packs.stored_files(bytes.fromhex(world.draft)))
    name, begins = b"  - id: summary-procedure\n", b"    effective: {from: 2025-01-01}\n"
    earlier = (
        name
        + """    effect: excluded
    effective: {until: 2024-12-31}
    when: {field: procedure, equals: summary}
    reason: 原来的理由
    basis: judgement
    citation: {source: 演示文件, note: 测试用}
""".encode()
    )
    assert name in files["policy.yaml"]
    files["policy.yaml"] = files["policy.yaml"].replace(name, earlier + name + begins)
    digest = packs.keep_pack(world.city.policy_id, files).hex()
    made = ask_simulation(digest, world.city.policy_id, account=world.office)
    run_simulation(made.pk)
    made.refresh_from_db()
    (record,) = made.figures["sample"][0]["records"]
    assert record["after"]["reason"] == "它是依据简易程序作出的行政处罚"


def test_a_domain_more_leaves_everybody_unverified_there(world: World) -> None:
    files = dict(ports.policy_files().pack_bytes(world.city.policy_id))
    last = "\n    - {code: justice,"
    more = "\n    - {code: moon_affairs, name: 月球事务, units: 市月球局}" + last
    files["policy.yaml"] = files["policy.yaml"].decode().replace(last, more).replace("  claimed: 20\n", "").encode()
    digest = packs.keep_pack(world.city.policy_id, files).hex()
    made = ask_simulation(digest, world.city.policy_id, account=world.office)
    run_simulation(made.pk)
    made.refresh_from_db()
    assert made.state == "done", made.message
    (domain,) = made.figures["by_domain"]
    assert (domain["name"], domain["changed"]) == ("月球事务", 3)
    assert domain["from_to"] == [{"from": "absent", "to": "not_verifiable", "count": 3}]
    assert made.figures["gaps"]["after"] == ["月球事务"]
    assert {(one["from"], one["to"]): one["count"] for one in made.figures["from_to"]} == {
        ("clear", "not_verifiable"): 2,
        ("not_clear", "not_clear"): 1,
        ("subject-deregistered", "subject-deregistered"): 1,
    }


def test_simulating_changes_nothing_but_its_own_row(world: World) -> None:
    made = ask_simulation(world.draft, world.city.policy_id, account=world.office)
    before = digests()
    run_simulation(made.pk)
    assert changed(before) == {"oversight_simulation"}


def test_what_cannot_be_worked_out_is_told_in_words(world: World) -> None:
    made = ask_simulation(world.draft, world.city.policy_id, account=world.office)
    with override_settings(XINZHENG_SCREENING="abacus"):
        run_simulation(made.pk)
    made.refresh_from_db()
    assert (made.state, made.figures) == ("failed", None)
    assert "XINZHENG_SCREENING" in made.message
    again = ask_simulation(world.draft, world.city.policy_id, account=world.office)
    assert again.pk != made.pk
    with connection.cursor() as cursor:
        cursor.execute("DELETE FROM procrastinate_events; DELETE FROM procrastinate_jobs")
    Simulation.objects.filter(pk=again.pk).update(at=made.at - STALE)
    assert end_left_behind() == 1


def test_the_same_is_not_asked_twice_and_asking_is_an_event(world: World) -> None:
    made = ask_simulation(world.draft, world.city.policy_id, account=world.office)
    assert ask_simulation(world.draft, world.city.policy_id, account=world.office).pk == made.pk
    run_simulation(made.pk)
    assert ask_simulation(world.draft, world.city.policy_id, account=world.office).pk == made.pk
    world.city.firm(uscc(9), "示例新设有限公司")
    assert ask_simulation(world.draft, world.city.policy_id, account=world.office).pk != made.pk
    event = AuditEvent.objects.filter(action="simulation-run", object_id=str(made.pk)).get()
    assert (event.who, event.details["draft"]) == (world.office.actor, world.draft)


def test_what_cannot_be_simulated_is_refused(world: World) -> None:
    policy_id = world.city.policy_id
    assert refusal_code(ask_simulation, world.draft, policy_id, account=world.agent) == "simulation-refused"
    assert refusal_code(ask_simulation, "00" * 32, policy_id, account=world.office) == "draft-unknown"
    assert refusal_code(ask_simulation, "no digest", policy_id, account=world.office) == "draft-unknown"
    elsewhere = packs.keep_pack(policy_id, dict(ports.policy_files().pack_bytes("huzhou-2023"))).hex()
    assert refusal_code(ask_simulation, elsewhere, policy_id, account=world.office) == "simulation-other-place"
    assert not Simulation.objects.exists()
