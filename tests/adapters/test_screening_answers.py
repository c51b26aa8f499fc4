"""Screening set-wise says of every subject exactly what ``decide`` says of it alone."""

from collections.abc import Iterator
from datetime import date
from pathlib import Path

import pytest

from tests.core import cases
from tests.core.cases import clause
from tests.screened_world import Asked, World, differences
from xinzheng.adapters.policy_files import load_policy
from xinzheng.adapters.screening import Engine, Limits, open_engine
from xinzheng.core.conditions import Equals
from xinzheng.core.policy import Basis, Effect, ServedKind
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


@pytest.fixture
def engine(tmp_path: Path) -> Iterator[Engine]:
    with open_engine("duckdb", tmp_path, Limits(threads=2, memory_bytes=1 << 30)) as opened:
        yield opened
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("asked", ASKED, ids=lambda asked: f"{asked.policy.id}-{asked.as_of}")
def test_every_answer_is_the_one_of_deciding_alone(engine: Engine, asked: Asked) -> None:
    world = World(asked, seed=asked.as_of.toordinal(), subjects=400)
    world.give(engine)
    assert list(differences(world, engine)) == []
