"""Provincial return: many units' records in one file; each unit stays answerable, and its own word comes first."""

from dataclasses import replace
from itertools import count
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.returning import FINANCE, PLATFORM, SOURCE, Return, everything, unit_id
from tests.small_city import BY, PENALTY, build_small_city, uscc
from xinzheng.apps.audit.queries import head_position
from xinzheng.apps.ledger.actions import (
    BatchResult,
    Scope,
    confirm_batch,
    explain_line,
    submit_batch,
    withdraw_batch,
)
from xinzheng.apps.ledger.errors import IntakeError
from xinzheng.apps.ledger.models import Batch, Line, PutForward, RecordHead, RecordVersion
from xinzheng.apps.ledger.queries import batch_defects, coverage_at, records_at
from xinzheng.apps.registry.actions import end_channel, name_channel
from xinzheng.apps.registry.queries import Channel, channels_at
from xinzheng.core.coverage import GapReason
from xinzheng.core.subjects import Tie

SERIALS = count(1)


@pytest.fixture
def brought(db: None, tmp_path: Path) -> Return:
    return Return(build_small_city(tmp_path))


def contents(subject_id: int) -> list[str | None]:
    return [r.content["content"] for r in records_at({subject_id: Tie.SELF}, head_position(), "320500")]


def codes(result: BatchResult) -> list[str]:
    return [defect.code for defect in batch_defects(result.batch)]


def test_each_row_is_booked_for_the_unit_it_names_and_the_batch_for_who_brought_it(brought: Return) -> None:
    firms = [brought.city.firm(uscc(n)) for n in (1, 2)]
    result = brought.bring(brought.row(uscc(1), 0), brought.row(uscc(2), 1))
    assert (result.new, result.rejected) == (2, 0)
    assert Batch.objects.get(pk=result.batch).unit_id == unit_id(PLATFORM)
    booked = dict(RecordVersion.objects.values_list("subject_id", "unit_id"))
    assert booked == {firms[0]: unit_id(brought.units[0]), firms[1]: unit_id(brought.units[1])}
    assert dict(RecordHead.objects.values_list("subject_id", "unit_id")) == booked
    (record,) = records_at({firms[0]: Tie.SELF}, head_position(), "320500")
    assert record.domain == FINANCE
    assert codes(result) == []


def test_a_unit_without_a_channel_is_no_platform_and_a_platform_brings_only_its_domains(brought: Return) -> None:
    delivery = brought.city.delivery([brought.row(uscc(1))], FINANCE)
    with pytest.raises(IntakeError) as refused:
        submit_batch(replace(delivery, scope=Scope(brought.city.unit("transport"), FINANCE, PENALTY)), by=BY)
    assert refused.value.code == "unit-not-responsible"
    with pytest.raises(IntakeError) as refused:
        submit_batch(replace(delivery, scope=Scope(PLATFORM, "transport", PENALTY)), by=BY)
    assert refused.value.code == "unit-not-responsible"


@pytest.mark.parametrize("named", ["", "11320500DEM0100362", "91320500MAXXXXXXX0"])
def test_a_row_whose_unit_cannot_be_told_clears_nobody_it_may_concern(brought: Return, named: str) -> None:
    firm, other = brought.city.firm(uscc(1)), brought.city.firm(uscc(2))
    brought.city.declare_everything()
    assert brought.domain(firm).result == "none_found"
    result = brought.bring(brought.row(uscc(1), **{SOURCE: named}))
    assert result.rejected == 1
    assert "return-unit-unknown" in codes(result)
    assert Line.objects.get(entry_id=result.batch).unit_id == unit_id(PLATFORM)
    assert {gap.unit for gap in brought.domain(firm).gaps} == set(brought.units)
    assert brought.domain(firm).result == "not_verifiable"
    assert brought.domain(other).result == "none_found"


def test_a_row_with_neither_unit_nor_subject_clears_nobody_at_all(brought: Return) -> None:
    firm = brought.city.firm(uscc(1))
    brought.city.declare_everything()
    result = brought.bring(brought.row("看不清的代码", None), covers=everything())
    gaps = brought.domain(firm).gaps
    assert {(gap.unit, gap.reason) for gap in gaps} == {(u, GapReason.LINE_UNREADABLE) for u in brought.units}
    explain_line(batch_id=result.batch, line=2, reason="与本市无关", by=BY)
    assert brought.domain(firm).result == "none_found"


def test_such_a_row_still_waits_when_the_channel_has_ended(brought: Return) -> None:
    firm = brought.city.firm(uscc(1))
    brought.city.declare_everything()
    brought.bring(brought.row(uscc(1), None))
    for channel in channels_at():
        end_channel(channel, by=BY)
    assert brought.domain(firm).result == "not_verifiable"
    with pytest.raises(IntakeError):
        brought.bring(brought.row(uscc(1)))


def test_the_platform_mends_such_a_row_by_naming_the_unit(brought: Return) -> None:
    firm = brought.city.firm(uscc(1))
    brought.city.declare_everything()
    brought.bring(brought.row(uscc(1), None))
    again = brought.bring(brought.row(uscc(1), 1))
    assert (again.new, again.mended) == (1, 1)
    assert brought.domain(firm).result == "records_found"
    assert brought.domain(firm).gaps == ()


def test_a_rejected_row_waits_at_the_unit_it_names_and_holds_back_only_its_statement(brought: Return) -> None:
    brought.city.firm(uscc(1))
    result = brought.bring(brought.row(uscc(1), 0, 处罚决定日期="2026-02-30"), covers=everything())
    assert Line.objects.get(entry_id=result.batch).unit_id == unit_id(brought.units[0])
    coverage = coverage_at("suzhou-2024", head_position())
    assert coverage.statements_of(brought.units[0], PENALTY, FINANCE) == ()
    assert len(coverage.statements_of(brought.units[1], PENALTY, FINANCE)) == 1


def test_a_return_that_differs_from_the_unit_s_own_record_waits_at_the_unit(brought: Return) -> None:
    firm = brought.city.firm(uscc(1))
    brought.city.declare_everything()
    brought.send(brought.row(uscc(1), amount=1))
    result = brought.bring(brought.row(uscc(1), amount=2))
    assert (result.rejected, codes(result)) == (1, ["own-record-stands"])
    assert contents(firm) == ["罚款1万元"]
    assert [(gap.unit, gap.reason) for gap in brought.domain(firm).gaps] == [(brought.units[0], GapReason.LINE_PENDING)]


def test_the_unit_settles_the_conflict_by_sending_its_record_again_or_by_explaining(brought: Return) -> None:
    firm = brought.city.firm(uscc(1))
    brought.city.declare_everything()
    brought.send(brought.row(uscc(1), amount=1))
    brought.bring(brought.row(uscc(1), amount=2))
    assert brought.send(brought.row(uscc(1), amount=1)).mended == 1
    assert brought.domain(firm).gaps == ()
    second = brought.bring(brought.row(uscc(1), amount=3))
    explain_line(batch_id=second.batch, line=2, reason="回流的是旧数据", by=BY)
    assert brought.domain(firm).gaps == ()
    assert contents(firm) == ["罚款1万元"]


def test_a_return_never_mends_what_the_unit_itself_sent_broken(brought: Return) -> None:
    brought.city.firm(uscc(1))
    brought.send(brought.row(uscc(1), 处罚决定日期="2026-02-30"))
    assert brought.bring(brought.row(uscc(1))).mended == 0
    assert brought.send(brought.row(uscc(1))).mended == 1


def test_a_return_mends_what_a_return_broke_of_the_same_unit(brought: Return) -> None:
    brought.city.firm(uscc(1))
    brought.bring(brought.row(uscc(1), 0, 处罚决定日期="2026-02-30"))
    other = brought.row(uscc(1), 1, 处罚机关统一社会信用代码=brought.city.unit("transport"))
    assert brought.bring(other).mended == 0
    assert brought.bring(brought.row(uscc(1), 0)).mended == 1


def test_a_return_that_says_the_same_is_identical_whoever_came_first_and_whatever_source_it_names(
    brought: Return,
) -> None:
    brought.send(brought.row(uscc(1), 数据来源单位="监管分局"))
    assert brought.bring(brought.row(uscc(1), 数据来源单位="省局")).identical == 1
    brought.bring(brought.row(uscc(2), 数据来源单位="省局"))
    assert brought.send(brought.row(uscc(2), 数据来源单位="监管分局")).identical == 1


def test_the_unit_s_own_row_replaces_a_returned_one_and_says_that_they_differed(brought: Return) -> None:
    firm = brought.city.firm(uscc(1))
    brought.bring(brought.row(uscc(1), amount=2))
    own = brought.send(brought.row(uscc(1), amount=1))
    assert (own.changed, codes(own)) == (1, ["returned-record-differed"])
    again = brought.send(brought.row(uscc(1), amount=3))
    assert (again.changed, codes(again)) == (1, [])
    assert contents(firm) == ["罚款3万元"]


def test_a_return_corrects_what_a_return_brought(brought: Return) -> None:
    firm = brought.city.firm(uscc(1))
    brought.bring(brought.row(uscc(1), amount=1))
    assert brought.bring(brought.row(uscc(1), amount=2)).changed == 1
    assert contents(firm) == ["罚款2万元"]


def test_what_the_unit_confirmed_a_return_no_longer_changes_until_the_unit_takes_that_back(brought: Return) -> None:
    firm = brought.city.firm(uscc(1))
    brought.bring(brought.row(uscc(1), amount=1))
    confirming = brought.send(brought.row(uscc(1), amount=1))
    assert confirming.identical == 1
    assert brought.bring(brought.row(uscc(1), amount=2)).rejected == 1
    withdraw_batch(batch_id=confirming.batch, reason="报错", by=BY)
    assert brought.bring(brought.row(uscc(1), amount=2)).changed == 1
    assert contents(firm) == ["罚款2万元"]


def test_a_return_does_not_bring_back_what_the_unit_took_back(brought: Return) -> None:
    firm = brought.city.firm(uscc(1))
    own = brought.send(brought.row(uscc(1)))
    withdraw_batch(batch_id=own.batch, reason="并非本单位作出", by=BY)
    result = brought.bring(brought.row(uscc(1)))
    assert (result.rejected, codes(result)) == (1, ["own-record-stands"])
    assert contents(firm) == []
    assert brought.send(brought.row(uscc(1))).mended == 1


def test_another_unit_s_record_is_a_conflict_as_ever(brought: Return) -> None:
    brought.send(brought.row(uscc(1), 0), unit=0)
    result = brought.bring(brought.row(uscc(1), 1, amount=2))
    assert (result.rejected, codes(result)) == (1, ["conflict"])


def test_a_withdrawn_return_restores_what_stood_before(brought: Return) -> None:
    firm = brought.city.firm(uscc(1))
    brought.bring(brought.row(uscc(1), amount=1))
    second = brought.bring(brought.row(uscc(1), amount=2), covers=everything())
    result = withdraw_batch(batch_id=second.batch, reason="省平台重报", by=BY)
    assert (result.restored, result.gone) == (1, 0)
    assert contents(firm) == ["罚款1万元"]
    assert RecordHead.objects.get().unit_id == unit_id(brought.units[0])
    assert coverage_at("suzhou-2024", head_position()).statements == ()


def test_what_the_unit_confirmed_stays_its_own_when_the_return_is_withdrawn(brought: Return) -> None:
    brought.city.firm(uscc(1))
    first = brought.bring(brought.row(uscc(1), amount=1))
    brought.send(brought.row(uscc(1), amount=1))
    brought.bring(brought.row(uscc(1), amount=1))
    withdraw_batch(batch_id=first.batch, reason="省平台重报", by=BY)
    assert brought.bring(brought.row(uscc(1), amount=2)).rejected == 1


def test_a_unit_that_also_brings_another_s_data_names_itself_in_its_own_rows(brought: Return) -> None:
    own, other = brought.units
    name_channel(Channel("suzhou-2024", FINANCE, PENALTY, source=own, unit=other), by=BY)
    firms = [brought.city.firm(uscc(n)) for n in (1, 2, 3)]
    result = brought.send(brought.row(uscc(1), 0), brought.row(uscc(2), 1), brought.row(uscc(3), None))
    assert (result.new, result.rejected) == (2, 1)
    booked = dict(RecordVersion.objects.values_list("subject_id", "unit_id"))
    assert booked == {firms[0]: unit_id(own), firms[1]: unit_id(other)}
    assert brought.send(brought.row(uscc(1), 0, amount=2)).changed == 1
    brought.send(brought.row(uscc(2), 1, amount=1), unit=1)
    assert brought.send(brought.row(uscc(2), 1, amount=3)).rejected == 1


def test_a_returned_file_may_hold_rows_of_every_domain_the_platform_brings(brought: Return) -> None:
    tax = brought.city.penalty(uscc(1), "苏税罚〔2026〕2号", 领域="taxation")
    result = brought.bring(brought.row(uscc(1)) | {"领域": FINANCE}, tax)
    assert result.new == 2
    booked = {domain: unit for domain, unit in RecordVersion.objects.values_list("domain", "unit_id")}
    assert booked == {FINANCE: unit_id(brought.units[0]), "taxation": unit_id(brought.city.unit("taxation"))}


def test_a_held_return_waits_at_the_units_and_is_ranked_when_it_is_confirmed(brought: Return) -> None:
    firm = brought.city.firm(uscc(1))
    brought.city.declare_everything()
    many = [brought.row(uscc(n), 1, 行政处罚决定书文号=f"金罚〔2026〕{n}号") for n in range(100, 200)]
    for n in range(5):
        brought.bring(*many[n * 20 : n * 20 + 20])
    rest = [brought.row(uscc(n), 1, 行政处罚决定书文号=f"金罚〔2026〕{n}号") for n in range(200, 300)]
    held = brought.bring(brought.row(uscc(1)), *many, *rest)
    assert held.held
    assert brought.domain(firm).result == "not_verifiable"
    assert brought.send(brought.row(uscc(1), amount=2)).mended == 1
    booked = confirm_batch(batch_id=held.batch, by="another officer")
    assert (booked.new, booked.rejected) == (100, 1)
    assert contents(firm) == ["罚款2万元"]


def test_a_snapshot_by_return_puts_forward_only_what_the_return_brought(brought: Return) -> None:
    brought.send(brought.row(uscc(1)))
    brought.bring(brought.row(uscc(2), 1), brought.row(uscc(3), 1))
    result = brought.bring(brought.row(uscc(3), 1), mode="snapshot")
    assert result.put_forward == 1
    assert PutForward.objects.get().subject_id == brought.city.firm(uscc(2))


deliveries = st.lists(st.tuples(st.booleans(), st.integers(1, 3)), min_size=1, max_size=5)


@settings(max_examples=20, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(deliveries)
def test_in_whatever_order_they_come_the_unit_s_latest_word_stands(
    brought: Return, order: list[tuple[bool, int]]
) -> None:
    code = uscc(next(SERIALS) + 5000)
    firm = brought.city.firm(code)
    for is_own, amount in order:
        (brought.send if is_own else brought.bring)(brought.row(code, amount=amount))
    own = [amount for is_own, amount in order if is_own]
    expected = own[-1] if own else order[-1][1]
    assert contents(firm) == [f"罚款{expected}万元"]
