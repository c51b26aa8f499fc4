"""Screening set-wise says of every subject exactly what ``decide`` says of it alone."""

import os
import random
import subprocess
import sys
import traceback
from collections import Counter
from collections.abc import Iterator
from dataclasses import replace
from datetime import date
from functools import cache
from pathlib import Path

import pytest

from tests.core import cases
from tests.core.cases import clause
from tests.random_clauses import some_clauses
from tests.screened_world import Asked, World, differences
from xinzheng.adapters.policy_files import load_policy
from xinzheng.adapters.screening import LISTS, Engine, EngineError, Limits, open_engine, plan
from xinzheng.core.conditions import Equals
from xinzheng.core.decision import ReportOutcome
from xinzheng.core.errors import RefusedError
from xinzheng.core.policy import Basis, Effect, ServedKind
from xinzheng.core.records import RecordKind
from xinzheng.core.subjects import SubjectKind

EVERYBODY = tuple(ServedKind(kind, cases.WHERE, Basis.STATUTE) for kind in SubjectKind)
DISPUTED = clause("disputed", Effect.MARKED, Equals("disputed", True), mark="异议处理中")
OWN = cases.policy(clauses=(DISPUTED, *cases.CLAUSES), subject_kinds=EVERYBODY)
WITHOUT_SECTIONS = cases.policy(
    clauses=(*cases.CLAUSES[:-1], DISPUTED, cases.CLAUSES[-1]), subject_kinds=EVERYBODY, other=()
)

ASKED = (
    Asked(OWN, date(2025, 6, 3)),
    Asked(WITHOUT_SECTIONS, date(2025, 6, 2), "health"),
    Asked(load_policy("suzhou-2024"), date(2025, 9, 1)),
    Asked(load_policy("suzhou-2024"), date(2024, 3, 1), "taxation"),
    Asked(load_policy("huzhou-2023"), date(2026, 1, 5)),
    Asked(load_policy("national-2025"), date(2026, 5, 6)),
)
DAY = date(2025, 6, 3)


@cache
def small_world() -> World:
    """One world for the tests that look at something else than its chance."""
    return World(ASKED[1], seed=1, subjects=150)


@pytest.fixture
def engine(tmp_path: Path) -> Iterator[Engine]:
    with open_engine("duckdb", tmp_path, Limits(memory_bytes=1 << 30)) as opened:
        yield opened
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("asked", ASKED, ids=lambda asked: f"{asked.policy.id}-{asked.as_of}")
def test_every_answer_is_the_one_of_deciding_alone(engine: Engine, asked: Asked) -> None:
    world = World(asked, seed=asked.as_of.toordinal(), subjects=300)
    world.give(engine)
    assert list(differences(world, engine)) == []


@pytest.mark.parametrize("seed", range(4))
def test_under_any_clauses_every_answer_is_the_one_of_deciding_alone(engine: Engine, seed: int) -> None:
    clauses = some_clauses(random.Random(seed), DAY)
    sections = cases.policy().other if seed % 2 else ()
    asked = Asked(cases.policy(clauses=clauses, subject_kinds=EVERYBODY, other=sections), DAY)
    world = World(asked, seed, subjects=150)
    world.give(engine)
    assert list(differences(world, engine)) == []


def test_the_invented_lists_hold_everything_a_decision_can_come_to() -> None:
    said = [one for one in small_world().decided.values() if not isinstance(one, str)]
    findings = [finding for decision in said for finding in decision.findings]
    covered = World(ASKED[0], seed=1, subjects=150).decided.values()
    assert {one.outcome for one in covered if not isinstance(one, str)} == set(ReportOutcome)
    assert {finding.effect for finding in findings} == set(Effect)
    refused = {one for one in small_world().decided.values() if isinstance(one, str)}
    assert refused == {"subject-kind-unknown", "subject-deregistered"}
    assert any(f.hides and f.record.kind is RecordKind.CREDIT_REPAIR and not f.record.sealed for f in findings)
    assert any(len(f.marks) > 1 for f in findings)


@pytest.mark.parametrize("left_out", [name for name in LISTS if name not in ("subjects", "records")])
def test_a_list_left_out_is_noticed(engine: Engine, left_out: str) -> None:
    small_world().give(engine, without=left_out)
    assert next(differences(small_world(), engine), None)


@pytest.mark.parametrize("left_out", ["sealed", "repaired", "disputed", "all"])
def test_a_clause_left_out_of_a_plan_is_noticed(engine: Engine, left_out: str) -> None:
    world = small_world()
    world.give(engine)
    kept = tuple(c for c in world.asked.weighing.clauses if c.id != left_out)
    without = plan(replace(world.asked.weighing, clauses=kept), world.asked.policy, world.gaps)
    assert next(differences(world, engine, without), None)


def test_two_plans_are_worked_out_over_the_same_lists(engine: Engine) -> None:
    world = small_world()
    world.give(engine)
    narrow = replace(world.asked.weighing, domains=frozenset(["justice"]))
    draft = plan(narrow, world.asked.policy, world.gaps, name="draft")
    drafted = list(engine.run(draft))
    assert list(differences(world, engine)) == []
    assert list(engine.run(world.planned)) != drafted == list(engine.run(draft))
    assert {row.domain for row in engine.domains(draft)} == {"justice"}


def test_reasons_name_what_counts_or_is_unresolved_and_nothing_hidden(engine: Engine) -> None:
    planned = small_world().planned
    small_world().give(engine)
    answers = {row.subject: row for row in engine.run(planned)}
    reasons = list(engine.reasons(planned))
    assert {row.effect for row in reasons} == {"counted", "marked", "unresolved"}
    assert not any(row.hides for row in reasons)
    told = Counter(row.subject for row in reasons)
    assert told == Counter({key: found for key, row in answers.items() if (found := row.counted + row.unresolved)})
    some = sorted(told)[:3]
    assert {row.subject for row in engine.findings(planned, some)} == set(some)


def test_a_policy_that_is_not_in_force_plans_nothing() -> None:
    asked = Asked(ASKED[2].policy, date(2023, 1, 1))
    with pytest.raises(RefusedError) as refused:
        plan(asked.weighing, asked.policy, frozenset())
    assert refused.value.code == "policy-not-yet-in-force"


def test_a_row_that_cannot_be_read_ends_the_run_and_is_quoted_nowhere(engine: Engine) -> None:
    person = "".join(["320", "500", "19900101", "123X"])
    with pytest.raises(EngineError) as failed:
        engine.take("subjects", [b"1,enterprise_legal_person,f\n", f"{person},x,y\n".encode()])
    assert failed.value.code == "engine-failed"
    assert person not in "".join(traceback.format_exception(failed.value))


def test_a_list_that_breaks_off_on_the_way_leaves_no_memory_file_open(engine: Engine) -> None:
    def broken() -> Iterator[bytes]:
        yield b"1,enterprise_legal_person,f\n"
        raise ConnectionError("the database went away")

    before = len(os.listdir("/proc/self/fd"))
    with pytest.raises(ConnectionError):
        engine.take("subjects", broken())
    with pytest.raises(EngineError):
        engine.take("subjects", [b"x" * 1000 + b"\n"] * 3)
    assert len(os.listdir("/proc/self/fd")) == before


def test_the_work_folder_is_the_owners_alone_and_holds_nothing_of_the_lists(engine: Engine, tmp_path: Path) -> None:
    small_world().give(engine)
    engine.run(small_world().planned)
    (folder,) = tmp_path.iterdir()
    assert folder.stat().st_mode & 0o777 == 0o700
    assert list(folder.iterdir()) == []


def test_what_a_killed_run_left_is_deleted_by_the_next_and_a_living_one_is_not(tmp_path: Path) -> None:
    code = "import sys, os, pathlib\nfrom xinzheng.adapters.screening.work_folder import work_folder\n"
    code += "with work_folder(pathlib.Path(sys.argv[1])) as folder:\n (folder / 'x').touch(); os._exit(9)"
    source = str(Path(__file__).parents[2] / "src")
    subprocess.run([sys.executable, "-c", code, str(tmp_path)], env=os.environ | {"PYTHONPATH": source}, check=False)
    (left,) = tmp_path.iterdir()
    with open_engine("duckdb", tmp_path, Limits()), open_engine("duckdb", tmp_path, Limits()):
        assert not left.exists()
        assert len(list(tmp_path.iterdir())) == 2
    assert list(tmp_path.iterdir()) == []


def test_what_memory_does_not_hold_goes_to_the_work_folder_and_is_deleted(tmp_path: Path) -> None:
    with open_engine("duckdb", tmp_path, Limits(memory_bytes=64 << 20)) as small:
        small.execute(
            "CREATE TABLE big AS SELECT md5(range::text) || md5((range + 1)::text) AS x FROM range(1_500_000)"
        )
        (folder,) = tmp_path.iterdir()
        assert sum(path.stat().st_size for path in folder.iterdir()) > 16 << 20
    assert list(tmp_path.iterdir()) == []


def test_what_neither_memory_nor_folder_holds_is_said_in_words(tmp_path: Path) -> None:
    with open_engine("duckdb", tmp_path, Limits(memory_bytes=64 << 20)) as small:
        with pytest.raises(EngineError, match="XINZHENG_SCREENING_MEMORY_MIB") as failed:
            small.execute("CREATE TABLE big AS SELECT list(range) FROM range(30_000_000)")
        assert failed.value.code == "engine-failed"
    assert list(tmp_path.iterdir()) == []


def test_an_engine_nobody_knows_is_refused(tmp_path: Path) -> None:
    with pytest.raises(EngineError, match="duckdb 或者 spark"):
        open_engine("abacus", tmp_path, Limits())
