"""Objections walked at random by everybody, right and wrong, over holidays: against a model that knows only a table."""

import hashlib
from collections.abc import Callable
from datetime import date, timedelta
from typing import ClassVar

import pytest
from django.conf import LazySettings
from django.db import transaction
from hypothesis import HealthCheck, Phase, settings
from hypothesis import strategies as st
from hypothesis.stateful import (
    RuleBasedStateMachine,
    initialize,
    invariant,
    precondition,
    rule,
    run_state_machine_as_test,
)

from tests import told_time
from tests.module_database import module_database
from tests.redress_city import DOMAIN, RedressCity, a_file, build_redress_city, lodge_one
from xinzheng.apps.audit.models import AuditEvent
from xinzheng.apps.codes.models import Notice
from xinzheng.apps.ledger.corrections import current_row
from xinzheng.apps.ledger.models import RecordDispute, RecordVersion
from xinzheng.apps.redress.evidence_models import Evidence
from xinzheng.apps.redress.evidence_opening import open_evidence
from xinzheng.apps.redress.handling import Doing, take_step
from xinzheng.apps.redress.models import Correction, ObjectionHead, Step
from xinzheng.apps.redress.queries import objection_view
from xinzheng.apps.redress.sweeps import deliver_awaited, escalate, lapse, watch_corrections
from xinzheng.apps.redress.upholding import Upholding, uphold
from xinzheng.core.errors import XinzhengError
from xinzheng.core.objections import Act, Ground

db = module_database

# Who may do what from where, and where it leads: written down once more, by hand, from the decrees' plain words.
TABLE = {
    ("intake", "accept"): ("office", "with-unit"),
    ("intake", "decline"): ("office", "declined"),
    ("intake", "ask"): ("office", "more-asked"),
    ("intake", "withdraw"): ("agent", "withdrawn"),
    ("more-asked", "supply"): ("agent", "intake"),
    ("more-asked", "withdraw"): ("agent", "withdrawn"),
    ("with-unit", "hand-over"): ("unit", "with-unit"),
    ("with-unit", "return"): ("unit", "intake"),
    ("with-unit", "dismiss"): ("unit", "dismissed"),
    ("with-unit", "uphold"): ("unit", "corrected"),
    ("with-unit", "promise"): ("unit", "awaited"),
    ("with-unit", "withdraw"): ("agent", "withdrawn"),
    ("declined", "appeal"): ("agent", "appealed"),
    ("dismissed", "appeal"): ("agent", "appealed"),
    ("appealed", "remand"): ("office", "with-unit"),
    ("appealed", "confirm"): ("office", "confirmed"),
    ("appealed", "withdraw"): ("agent", "withdrawn"),
}
STILL_OPEN = {"intake", "more-asked", "with-unit", "awaited", "appealed"}
CALLERS = ("agent", "other_agent", "office", "officer", "chief", "other_chief", "stranger")
BY_HAND = tuple(act for act in Act if act not in (Act.LODGE, Act.LAPSE, Act.DELIVER))
# The State Council's days of 2026: 春节, 清明, 劳动节, 端午, 中秋, 国庆 off; the weekend days worked for them.
OFF = {
    *(date(2026, 2, day) for day in range(15, 24)),
    *(date(2026, 4, day) for day in range(4, 7)),
    *(date(2026, 5, day) for day in range(1, 6)),
    *(date(2026, 6, day) for day in range(19, 22)),
    *(date(2026, 9, day) for day in range(25, 28)),
    *(date(2026, 10, day) for day in range(1, 8)),
}
WORKED = {date(2026, 2, 14), date(2026, 2, 28), date(2026, 5, 9), date(2026, 9, 20), date(2026, 10, 10)}
STARTS = (
    date(2026, 2, 9),
    date(2026, 2, 13),
    date(2026, 4, 2),
    date(2026, 4, 29),
    date(2026, 9, 18),
    date(2026, 9, 28),
)
# Nobody has announced 2027; what is not known is another test's.
LAST_DAY = date(2026, 12, 10)
INTAKE, WHOLE, SUPPLY, APPEAL_WITHIN, REVIEW = 3, 10, 5, 10, 10


def is_worked(day: date) -> bool:
    return day in WORKED or (day.weekday() < 5 and day not in OFF)


class Walk(RuleBasedStateMachine):
    """One objection of the firm, from its lodging on; the model is what stands in plain attributes."""

    city: ClassVar[RedressCity]

    def __init__(self) -> None:
        super().__init__()
        self.undone = transaction.atomic()
        self.undone.__enter__()
        self.serial = 0
        self.number = ""

    def teardown(self) -> None:
        if self.number:
            self.evidence_can_still_be_read()
        transaction.set_rollback(True)
        self.undone.__exit__(None, None, None)
        told_time.forget()

    @initialize(start=st.sampled_from(STARTS), ground=st.sampled_from(Ground), files=st.integers(0, 2))
    def lodge(self, start: date, ground: Ground, files: int) -> None:
        self.day, self.ground, self.state, self.unit = start, ground, "intake", "chief"
        told_time.tell(self.day)
        self.acts, self.digests = ["lodge"], list[str]()
        self.accepted = self.appealed = False
        self.used = self.used_before = self.since_state = self.since_before = self.hand_overs = 0
        self.number = lodge_one(self.city, ground, files=[self.file() for _ in range(files)]).number

    def file(self) -> object:
        self.serial += 1
        found = a_file(f"number {self.serial}")
        self.digests.append(hashlib.sha256(found.content).hexdigest())
        return found

    # What may happen

    def is_allowed(self, act: str, who: str) -> bool:
        """Whether the model knows the arrow, from here, for this ground, by this caller."""
        party, _ = TABLE.get((self.state, act), (None, ""))
        if self.ground is Ground.MISSING and act == "uphold":
            return False
        if self.ground is not Ground.MISSING and act == "promise":
            return False
        if act == "hand-over" and self.hand_overs == 2:
            return False
        if act == "appeal" and (self.appealed or self.since_before >= APPEAL_WITHIN):
            return False
        return party is not None and who == (self.unit if party == "unit" else party)

    def possible(self) -> list[tuple[str, str]]:
        return [(act.value, who) for act in BY_HAND for who in CALLERS if self.is_allowed(act.value, who)]

    @rule(data=st.data())
    @precondition(lambda self: self.possible())
    def somebody_does_what_he_may(self, data: st.DataObject) -> None:
        act, who = data.draw(st.sampled_from(self.possible()))
        self.perform(act, who)()
        self.acts.append(act)
        self.went(act)

    @rule(act=st.sampled_from(BY_HAND), who=st.sampled_from(CALLERS), stale=st.booleans())
    def somebody_tries_what_he_may_not(self, act: Act, who: str, stale: bool) -> None:
        if self.is_allowed(act.value, who) and not stale:
            return
        kept = list(self.digests)
        attempt = self.perform(act.value, who, seen=len(self.acts) - stale)
        before = self.written()
        with pytest.raises(XinzhengError), transaction.atomic():
            attempt()
        self.digests = kept
        assert self.written() == before

    def written(self) -> tuple[int, ...]:
        tables = (Step, AuditEvent, Notice, Evidence, RecordVersion, RecordDispute, Correction)
        return tuple(table.objects.count() for table in tables)  # type: ignore[attr-defined]

    def perform(self, act: str, who: str, seen: int | None = None) -> Callable[[], object]:
        # Nobody confirms his own decision; a colleague of the office does.
        who = "second_office" if (act, who) == ("confirm", "office") else who
        account, seen = self.city.accounts[who], len(self.acts) if seen is None else seen
        if act == "uphold":
            upholding = self.upholding(seen)
            return lambda: uphold(upholding, account=account)
        takes_file = act in ("dismiss", "supply", "appeal")
        unit_id = {"accept": self.city.unit, "remand": self.city.unit}.get(act)
        if act == "hand-over":
            unit_id = self.city.other_unit if self.unit == "chief" else self.city.unit
        doing = Doing(
            self.number, seen, Act(act), reason="经核对，说明如下", words="补充说明", unit_id=unit_id,
            files=[self.file()] if takes_file else [],
        )  # fmt: skip
        return lambda: take_step(doing, account=account)

    def upholding(self, seen: int) -> Upholding:
        what = {Ground.NOT_MINE: "removed", Ground.OVER_PERIOD: "taken-down"}.get(self.ground, "changed")
        self.serial += 1
        is_reworded = what == "changed"
        values = {**current_row(self.city.record).values, "facts": f"更正{self.serial}"} if is_reworded else None
        return Upholding(self.number, seen, Correction.What(what), "经核对，记录有误", values)

    def went(self, act: str) -> None:
        """What the model remembers of an act that was done."""
        _, self.state = TABLE[self.state, act]
        self.since_state = self.since_before = 0
        self.accepted = self.accepted or act == "accept"
        if act in ("accept", "remand"):
            self.unit, self.hand_overs = "chief", 0
        if act == "hand-over":
            self.unit, self.hand_overs = "other_chief" if self.unit == "chief" else "chief", self.hand_overs + 1
        if act == "appeal":
            self.appealed, self.used, self.used_before = True, 0, 0

    @rule(days=st.integers(1, 9))
    def days_pass(self, days: int) -> None:
        for _ in range(min(days, (LAST_DAY - self.day).days)):
            self.day += timedelta(days=1)
            self.used_before, self.since_before = self.used, self.since_state
            self.used += is_worked(self.day) and self.state != "more-asked"
            self.since_state += is_worked(self.day)
        told_time.tell(self.day)
        is_due = self.state == "more-asked" and self.since_before >= SUPPLY
        assert [lapse(self.day), lapse(self.day)] == [is_due, 0]
        if is_due:
            self.state, self.acts = "lapsed", [*self.acts, "lapse"]
        escalate(self.day)
        assert escalate(self.day) == 0

    @rule()
    def the_unit_delivers_what_was_missing(self) -> None:
        self.serial += 1
        row = self.city.penalty("苏水罚〔2026〕9号", 违法事实=f"补报{self.serial}")
        self.city.city.submit([row], DOMAIN)
        is_awaited = self.state == "awaited"
        assert [deliver_awaited(), deliver_awaited()] == [is_awaited, 0]
        if is_awaited:
            self.state, self.acts = "corrected", [*self.acts, "deliver"]
        watch_corrections()
        assert watch_corrections() == 0

    # What always holds

    @invariant()
    def steps_head_and_trail_say_the_same(self) -> None:
        if not self.number:
            return
        steps = list(Step.objects.filter(objection__number=self.number).order_by("seq"))
        head = ObjectionHead.objects.get(objection__number=self.number)
        assert [step.act for step in steps] == self.acts
        assert [step.seq for step in steps] == list(range(1, len(steps) + 1))
        assert (head.seq, head.state, head.unit_id) == (len(steps), self.state, steps[-1].unit_id)
        trail = AuditEvent.objects.filter(object_id=self.number, action__startswith="objection-").order_by("id")
        assert [event.action for event in trail] == [f"objection-{act}" for act in self.acts]

    @invariant()
    def no_evidence_is_lost(self) -> None:
        if self.number:
            kept = Evidence.objects.filter(step__objection__number=self.number).order_by("step", "place")
            assert [bytes(row.sha256).hex() for row in kept] == self.digests

    @invariant()
    def the_ledger_marks_what_was_taken_up_and_is_open(self) -> None:
        if not self.number:
            return
        marks = RecordDispute.objects.filter(record_id=self.city.record).order_by("id")
        is_marked = marks.last() is not None and marks.last().is_open  # type: ignore[union-attr]
        taken_up = self.accepted or "remand" in self.acts
        assert is_marked == (taken_up and self.state in STILL_OPEN and self.ground is not Ground.MISSING)

    @invariant()
    def the_clock_is_what_one_counts_on_fingers(self) -> None:
        if not self.number:
            return
        clock = objection_view(self.number, self.day).clock
        if self.state not in STILL_OPEN:
            assert clock is None
            return
        waits = self.state in ("intake", "more-asked") and not self.accepted
        limit = REVIEW if self.appealed else INTAKE if waits else WHOLE
        assert clock is not None
        assert (clock.limit, clock.used, clock.is_over) == (limit, self.used, self.used_before >= limit)
        assert clock.is_paused == (self.state == "more-asked") == (clock.due is None)
        assert clock.due is None or is_worked(clock.due)

    def evidence_can_still_be_read(self) -> None:
        for row in Evidence.objects.filter(step__objection__number=self.number):
            opened = open_evidence(row.pk, of=self.number, account=self.city.accounts["office"])
            assert hashlib.sha256(opened.content).digest() == bytes(row.sha256)


def test_no_walk_takes_an_illegal_step_loses_evidence_or_miscounts_a_day(
    db: None, tmp_path_factory: pytest.TempPathFactory, settings: LazySettings
) -> None:
    settings.XINZHENG_CLOCK = "tests.told_time.now"
    with transaction.atomic():
        Walk.city = build_redress_city(tmp_path_factory.mktemp("walk"))
        run_state_machine_as_test(Walk, settings=EXAMPLES)  # type: ignore[no-untyped-call]
        transaction.set_rollback(True)


# A walk is printed whole and short enough to read: making it shorter would take minutes.
EXAMPLES = settings(
    max_examples=12,
    stateful_step_count=15,
    deadline=None,
    phases=(Phase.explicit, Phase.reuse, Phase.generate),
    suppress_health_check=list(HealthCheck),
    print_blob=True,
)
