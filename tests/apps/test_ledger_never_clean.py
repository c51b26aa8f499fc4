"""Whatever is sent, held, confirmed, explained and taken back, by a unit and by return: who is named is never clean."""

from dataclasses import dataclass, field
from itertools import count
from pathlib import Path

import pytest
from django.conf import LazySettings
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from tests.returning import FINANCE, Return
from tests.small_city import BY, build_small_city, uscc
from xinzheng.apps.ledger.actions import BatchResult, confirm_batch, explain_line, withdraw_batch
from xinzheng.apps.ledger.errors import IntakeError
from xinzheng.apps.ledger.models import Batch, BatchWithdrawal, LineResolution
from xinzheng.core.decision import Result
from xinzheng.core.floors import Floors

SERIALS = count(700)
FIRST_LINE = 2
SECOND = "account:2"
EVERY_BATCH_IS_HELD = Floors(least_history=1, far_times=0, far_lines=0)

# How, the amount (which also tells the document from the next), whether the day is broken, whether it is held.
SENDING = st.tuples(st.sampled_from(["send", "bring"]), st.integers(1, 4), st.booleans(), st.booleans())
SETTLING = st.tuples(st.sampled_from(["withdraw", "confirm", "explain"]), st.integers(0, 5))


@dataclass
class Firm:
    """One firm of the city, and every batch that names it."""

    place: Return
    code: str
    batches: list[int] = field(default_factory=list)

    def act(self, step: tuple[object, ...]) -> None:
        """Send a row or settle a batch; what is refused changes nothing."""
        what, *rest = step
        if what in ("send", "bring"):
            amount, is_broken, _ = rest
            wrong = {"处罚决定日期": "2026-02-30"} if is_broken else {}
            number = {"行政处罚决定书文号": f"苏金罚〔2026〕{int(str(amount)) % 2}号"}
            row = self.place.row(self.code, amount=int(str(amount)), **number, **wrong)
            deliver = self.place.send if what == "send" else self.place.bring
            self.batches.append(deliver(row).batch)
        elif self.batches:
            self._settle(str(what), self.batches[int(str(rest[0])) % len(self.batches)])

    def _settle(self, what: str, batch: int) -> None:
        try:
            if what == "withdraw":
                withdraw_batch(batch_id=batch, reason="报错", by=BY)
            elif what == "explain":
                explain_line(batch_id=batch, line=FIRST_LINE, reason="与他人混淆", by=BY)
            else:
                booked: BatchResult = confirm_batch(batch_id=batch, by=SECOND)
                self.batches.append(booked.batch)
        except IntakeError:
            return

    def is_named(self) -> bool:
        """Whether a standing batch names it in a line that nobody explained away."""
        standing = set(self.batches) - set(BatchWithdrawal.objects.values_list("batch_id", flat=True))
        explained = LineResolution.objects.filter(how="explained", line=FIRST_LINE)
        return bool(standing - set(explained.values_list("batch_id", flat=True)))


@pytest.fixture
def place(db: None, tmp_path: Path) -> Return:
    """Everything is covered, and both ways are used before."""
    found = Return(build_small_city(tmp_path))
    found.city.declare_everything()
    found.city.firm(uscc(600))
    assert not found.send(found.row(uscc(600))).held
    assert not found.bring(found.row(uscc(600))).held
    return found


@settings(max_examples=15, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(steps=st.lists(st.one_of(SENDING, SETTLING), min_size=1, max_size=7))
@example([("send", 1, False, True), ("confirm", 0), ("withdraw", 1)])
@example([("bring", 1, False, False), ("send", 2, False, False), ("withdraw", 1), ("withdraw", 0)])
@example([("send", 1, False, False), ("bring", 2, False, False), ("withdraw", 0), ("explain", 1)])
@example([("send", 1, True, False), ("send", 1, False, True), ("withdraw", 1), ("explain", 0)])
def test_a_firm_is_clean_exactly_when_no_standing_line_names_it(
    place: Return, settings: LazySettings, steps: list[tuple[object, ...]]
) -> None:
    serial = next(SERIALS)
    firm = Firm(place, uscc(serial))
    subject = place.city.firm(firm.code)
    for step in steps:
        is_to_be_held = len(step) == 4 and step[3]
        settings.XINZHENG_FLOORS = EVERY_BATCH_IS_HELD if is_to_be_held else Floors()
        firm.act(step)
        result = place.domain(subject).result
        assert (result is Result.NONE_FOUND) == (not firm.is_named()), (step, result)


def test_the_steps_really_hold_and_confirm(place: Return, settings: LazySettings) -> None:
    settings.XINZHENG_FLOORS = EVERY_BATCH_IS_HELD
    firm = Firm(place, uscc(699))
    subject = place.city.firm(firm.code)
    firm.act(("send", 1, False, True))
    assert Batch.objects.get(pk=firm.batches[0]).held
    assert place.domain(subject).result is Result.NOT_VERIFIABLE
    firm.act(("confirm", 0))
    assert place.domain(subject).result is Result.RECORDS_FOUND
    assert (len(firm.batches), FINANCE) == (2, place.domain(subject).code)
