"""What a register's feed tells over the years: successions of all kinds, corrections, contradictions, rings."""

from collections.abc import Callable
from datetime import date
from pathlib import Path

import pytest
from django.db import ProgrammingError, transaction
from hypothesis import given
from hypothesis import strategies as st

from tests.small_city import uscc
from xinzheng.apps.audit.queries import head_position
from xinzheng.apps.registry.actions import ImportResult, import_subjects, withdraw_succession
from xinzheng.apps.registry.models import ReviewDecision, ReviewItem, Subject, Succession, SuccessionRevision
from xinzheng.apps.registry.queries import find_subject, subject_at, ties_at
from xinzheng.apps.registry.succession_rings import rings
from xinzheng.apps.registry.successions import SuccessionError
from xinzheng.core.subjects import Tie

pytestmark = pytest.mark.django_db

A, B, C, D, E = (uscc(number) for number in range(1, 6))
HEADER = "名称,统一社会信用代码,登记状态,承继关系,关联主体代码,关联日期,关系状态,关系说明"
Feed = Callable[..., ImportResult]


@pytest.fixture
def feed(tmp_path: Path) -> Feed:
    def run(*lines: str) -> ImportResult:
        path = tmp_path / "名录.csv"
        path.write_text("\n".join([HEADER, *(line + "," * (7 - line.count(",")) for line in lines), ""]), "utf-8")
        result = import_subjects(path, by="command-line")
        assert result.new + result.changed + result.identical + result.rejected == result.lines
        return result

    return run


def key(code: str) -> int:
    found = find_subject(code)
    assert found is not None
    return found


def ties(code: str, position: int | None = None) -> dict[int, Tie]:
    found = ties_at(key(code), head_position() if position is None else position)
    del found[key(code)]
    return found


def reasons(result: ImportResult) -> list[tuple[int, str]]:
    return [(defect.line, defect.code) for defect in result.defects]


def test_a_firm_that_is_split_into_two_is_tied_to_both(feed: Feed) -> None:
    assert feed(f"甲,{A}", f"乙,{B}", f"丙,{C},存续,分立,{A}；{B},2024-01-02").rejected == 0
    assert ties(A) == ties(B) == {key(C): Tie.SPLIT}
    assert set(Succession.objects.values_list("date", flat=True)) == {date(2024, 1, 2)}


def test_one_line_can_tell_several_relations_in_the_order_of_the_codes(feed: Feed) -> None:
    feed(f"甲,{A}", f"乙,{B}", f"丙,{C},,分支机构；更名,{A}；{B},2020-01-01；2024-01-01")
    assert ties(A) == {key(C): Tie.BRANCH}
    assert ties(B) == {key(C): Tie.RENAMED}


def test_uneven_lists_are_rejected(feed: Feed) -> None:
    result = feed(f"甲,{A}", f"丙,{C},,分支机构；更名；分立,{A}；{B}", f"丁,{D},,更名,{A},2020-01-01；2020-01-02")
    assert reasons(result) == [(3, "relations-uneven"), (4, "relations-uneven")]


def test_a_cancelled_firm_that_is_registered_again_gets_reports_again(feed: Feed) -> None:
    first = feed(f"甲,{A},存续").position
    cancelled = feed(f"甲,{A},注销").position
    again = feed(f"甲,{A},存续").position
    assert None not in (first, cancelled, again)
    assert [subject_at(key(A), p or 0).is_deregistered for p in (first, cancelled, again)] == [False, True, False]


def test_a_succession_whose_other_side_is_not_registered_is_kept_and_queued(feed: Feed) -> None:
    result = feed(f"甲,{A},,更名,{B},2024-01-01")
    assert (result.new, result.rejected) == (1, 0)
    assert ties(B) == {key(A): Tie.RENAMED}
    assert list(ReviewItem.objects.values_list("pk", flat=True)) == [key(B)]
    assert feed(f"甲,{A},,更名,{B},2024-01-01").identical == 1
    later = feed(f"乙,{B}")
    assert (later.changed, later.rejected) == (1, 0)
    assert subject_at(key(B), head_position()).name == "乙"
    assert ReviewDecision.objects.get().outcome == "imported"
    assert ties(B) == {key(A): Tie.RENAMED}
    assert feed(f"乙,{B}").identical == 1


def test_the_other_side_s_own_line_may_be_rejected_without_losing_the_succession(feed: Feed) -> None:
    result = feed(f"甲,{A},,吸收合并,{B}", f",{B}")
    assert reasons(result) == [(3, "name-missing")]
    assert ties(B) == {key(A): Tie.MERGED}
    assert ReviewItem.objects.get().pk == key(B)


def test_a_relation_to_itself_or_to_no_valid_code_is_rejected(feed: Feed) -> None:
    result = feed(f"甲,{A},,更名,{A}", f"乙,{B},,更名,{C[:-1]}0")
    assert reasons(result) == [(2, "related-subject-self"), (3, "related-subject-unknown")]
    assert not Subject.objects.exists()


def test_a_wrong_succession_is_withdrawn_by_a_line_and_the_earlier_position_still_sees_it(feed: Feed) -> None:
    wrong = feed(f"甲,{A},,吸收合并,{B}", f"乙,{B}").position
    assert wrong
    gone = feed(f"甲,{A},,吸收合并,{B},,撤销,登记机关更正")
    assert (gone.changed, ties(B)) == (1, {})
    assert ties(B, wrong) == {key(A): Tie.MERGED}
    assert SuccessionRevision.objects.get().reason == "登记机关更正"
    assert feed(f"甲,{A},,吸收合并,{B},,撤销,登记机关更正").identical == 1


def test_an_old_file_does_not_bring_a_withdrawn_succession_back_but_a_restoring_line_does(feed: Feed) -> None:
    feed(f"甲,{A},,吸收合并,{B}", f"乙,{B}")
    withdraw_succession((key(A), key(B), "merged"), reason="错登", by="test")
    assert reasons(feed(f"甲,{A},,吸收合并,{B}", f"乙,{B}")) == [(2, "relation-withdrawn")]
    assert ties(B) == {}
    assert feed(f"甲,{A},,吸收合并,{B},,恢复").changed == 1
    assert ties(B) == {key(A): Tie.MERGED}
    assert feed(f"甲,{A},,吸收合并,{B}").identical == 1


def test_a_wrong_kind_is_corrected_in_one_line(feed: Feed) -> None:
    feed(f"甲,{A},,吸收合并,{B}", f"乙,{B}")
    assert feed(f"甲,{A},,吸收合并；更名,{B}；{B},,撤销；").changed == 1
    assert ties(B) == {key(A): Tie.RENAMED}


def test_a_corrected_date_is_a_revision(feed: Feed) -> None:
    feed(f"甲,{A},,更名,{B},2024-01-01", f"乙,{B}")
    assert feed(f"甲,{A},,更名,{B},2024-02-01").changed == 1
    assert feed(f"甲,{A},,更名,{B},2024-02-01").identical == 1
    assert feed(f"甲,{A},,更名,{B}").identical == 1
    assert (SuccessionRevision.objects.get().date, Succession.objects.get().date) == (
        date(2024, 2, 1),
        date(2024, 1, 1),
    )
    assert ties(B) == {key(A): Tie.RENAMED}


@pytest.mark.parametrize(
    ("line", "code"),
    [
        (f"甲,{A},,更名,{B}", "relations-contradict"),
        (f"甲,{A},,吸收合并,{C},,撤销", "relation-not-registered"),
        (f"甲,{A},,吸收合并,{C},,恢复", "relation-not-registered"),
        (f"甲,{A},,吸收合并,{C},,存疑", "relation-state-unknown"),
        (f"甲,{A},,更名,{C}；{D}", "renamed-twice"),
        (f"甲,{A},,吸收合并,{B},,撤销,与330502199001010014有关", "reason-personal"),
        (f"甲,{A},,吸收合并；吸收合并,{B}；{B},,撤销；恢复", "relation-repeated"),
    ],
)
def test_a_line_that_contradicts_the_register_or_itself_is_rejected(feed: Feed, line: str, code: str) -> None:
    feed(f"甲,{A},,吸收合并,{B}", f"乙,{B}", f"丙,{C}", f"丁,{D}")
    assert reasons(feed(line)) == [(2, code)]
    assert ties(B) == {key(A): Tie.MERGED}


def test_a_branch_that_is_said_to_be_a_legal_person_is_rejected(tmp_path: Path) -> None:
    path = tmp_path / "名录.csv"
    path.write_text(f"名称,代码,类型,承继关系,关联主体代码\n甲,{A},,,\n甲分,{B},企业法人,分支机构,{A}\n", "utf-8")
    assert reasons(import_subjects(path, by="test")) == [(3, "branch-is-legal-person")]


def test_every_line_of_a_ring_is_rejected_and_the_others_stay(feed: Feed) -> None:
    result = feed(f"甲,{A},,更名,{B}", f"乙,{B},,吸收合并,{C}", f"丙,{C},,更名,{A}", f"丁,{D},,更名,{A}")
    assert reasons(result) == [(line, "succession-ring") for line in (2, 3, 4)]
    assert ties(A) == {key(D): Tie.RENAMED}


def test_a_line_that_closes_a_ring_with_the_register_is_rejected_unless_it_opens_it_again(feed: Feed) -> None:
    feed(f"甲,{A},,更名,{B}", f"乙,{B},,更名,{C}", f"丙,{C}")
    assert reasons(feed(f"丙,{C},,吸收合并,{A}")) == [(2, "succession-ring")]
    turned = feed(f"甲,{A},,更名,{B},,撤销", f"丙,{C},,吸收合并,{A}")
    assert turned.rejected == 0
    assert ties(A) == {key(C): Tie.MERGED, key(B): Tie.MERGED}


def test_a_ring_that_was_registered_before_ends_and_its_lines_stay_identical(feed: Feed) -> None:
    first = feed(f"甲,{A},,更名,{B}", f"乙,{B}")
    back = Succession.objects.get()
    Succession.objects.create(entry=back.entry, subject=back.successor, successor=back.subject, kind="renamed")
    assert first.position
    assert ties(A) == {key(B): Tie.RENAMED}
    assert feed(f"甲,{A},,更名,{B}", f"乙,{B},,更名,{A}").identical == 2


def test_withdrawing_wants_a_reason_and_something_to_withdraw(feed: Feed) -> None:
    feed(f"甲,{A},,更名,{B}", f"乙,{B}")
    link = (key(A), key(B), "renamed")
    for wrong, reason, code in (
        (link, " ", "reason-missing"),
        (link, "与330502199001010014有关", "reason-personal"),
        ((key(B), key(A), "renamed"), "错", "succession-unknown"),
    ):
        with pytest.raises(SuccessionError) as refused:
            withdraw_succession(wrong, reason=reason, by="test")
        assert refused.value.code == code
    withdraw_succession(link, reason="错", by="test")
    with pytest.raises(SuccessionError) as refused:
        withdraw_succession(link, reason="错", by="test")
    assert refused.value.code == "succession-ended"


def test_revisions_are_history(feed: Feed) -> None:
    feed(f"甲,{A},,更名,{B}", f"乙,{B}")
    withdraw_succession((key(A), key(B), "renamed"), reason="错", by="test")
    with pytest.raises(ProgrammingError, match="Cannot update or delete"), transaction.atomic():
        SuccessionRevision.objects.update(is_ended=False)


@given(st.lists(st.tuples(st.integers(0, 6), st.integers(0, 6)).filter(lambda edge: edge[0] != edge[1]), max_size=14))
def test_two_share_a_ring_exactly_when_each_reaches_the_other(edges: list[tuple[int, int]]) -> None:
    reach = {(a, b) for a, b in edges}
    for middle in range(7):
        reach |= {(a, d) for a, b in reach for c, d in reach if b == c == middle}
    found = rings(edges)
    for a in range(7):
        for b in range(7):
            together = a in found and found[a] == found.get(b)
            assert together == ((a, b) in reach and (b, a) in reach)


def test_a_chain_as_long_as_a_file_needs_no_recursion() -> None:
    chain = [(n + 1, n) for n in range(50_000)]
    assert rings(chain) == {}
    assert len(rings([*chain, (0, 50_000)])) == 50_001
