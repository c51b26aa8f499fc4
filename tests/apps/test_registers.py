"""The registers of trainings and of major problems: kept by the office, corrected by new rows, never changed."""

from dataclasses import replace
from datetime import date
from functools import partial

import pytest

from tests.module_database import module_database, refusal_code, undone_after
from tests.small_city import today
from xinzheng.apps.oversight import registers
from xinzheng.apps.oversight.registers import Held, NewProblem, Progress

db, undone = module_database, undone_after
pytestmark = pytest.mark.usefixtures("undone")


def held() -> Held:
    return Held(today(), "报送工作流程", "各区县、市级部门联络员", 86, "市民中心")


def test_a_training_is_kept_and_put_right_by_another_row() -> None:
    first = registers.keep_training(held(), by="test")
    second = registers.keep_training(replace(held(), attended=68, replaces=first), by="test")
    assert [(row.pk, row.attended) for row in registers.trainings()] == [(second, 68)]
    for replaced in (first, second + 1):
        again = replace(held(), replaces=replaced)
        assert refusal_code(partial(registers.keep_training, again, by="test")) == "training-corrected-already"


@pytest.mark.parametrize(
    ("changes", "code"),
    [
        ({"title": ""}, "training-incomplete"),
        ({"audience": " "}, "training-incomplete"),
        ({"attended": -1}, "attended-unfit"),
        ({"attended": 10**6}, "attended-unfit"),
        ({"day": date.max}, "training-not-held-yet"),
        ({"materials": "找张某13812345678要"}, "text-not-kept"),
    ],
)
def test_a_training_that_cannot_be_kept_is_refused(changes: dict[str, object], code: str) -> None:
    assert refusal_code(lambda: registers.keep_training(replace(held(), **changes), by="test")) == code  # type: ignore[arg-type]


def test_a_problem_stays_on_the_list_until_it_is_solved_and_may_come_back() -> None:
    old = registers.raise_problem(
        NewProblem("省级数据没有回流", "消防数据自9月起中断。", "数据质量通报2026年10月"), by="test"
    )
    new = registers.raise_problem(NewProblem("示例问题", "示例情况"), by="test")
    registers.add_progress(Progress(old, 0, "已致函省厅。"), by="test")
    registers.add_progress(Progress(old, 1, "已恢复。", is_solved=True), by="test")
    assert [(row.id, row.is_solved, row.seq) for row in registers.problems()] == [(new, False, 0), (old, True, 2)]
    registers.add_progress(Progress(old, 2, "又中断。"), by="test")
    assert [row.id for row in registers.problems()] == [old, new]
    assert [step.said for step in registers.problems()[0].steps] == ["已致函省厅。", "已恢复。", "又中断。"]


def test_who_has_not_seen_the_last_step_is_told_and_nothing_is_kept() -> None:
    problem = registers.raise_problem(NewProblem("示例问题", "示例情况"), by="test")
    registers.add_progress(Progress(problem, 0, "甲"), by="test")
    for made, code in (
        (Progress(problem, 0, "乙"), "problem-moved-on"),
        (Progress(problem, 1, " "), "progress-missing"),
        (Progress(problem + 1, 0, "乙"), "unknown-problem"),
    ):
        assert refusal_code(partial(registers.add_progress, made, by="test")) == code
    assert refusal_code(lambda: registers.raise_problem(NewProblem("示例", ""), by="test")) == "problem-incomplete"
