"""Repairs walked at random, by right and wrong people, over days: against a model that knows only a table."""

import hashlib
import io
import zipfile
from datetime import date, timedelta
from typing import ClassVar

import pytest
from django.conf import LazySettings
from django.db import transaction
from hypothesis import HealthCheck, Phase, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, rule, run_state_machine_as_test

from tests import told_time
from tests.module_database import module_database
from tests.redress_city import DOMAIN, FIRM, NAME, RedressCity, a_file, build_redress_city
from xinzheng.apps.audit.models import AuditEvent
from xinzheng.apps.redress.models import Evidence, RepairCase, RepairStep
from xinzheng.apps.redress.repair_handover import handover_file
from xinzheng.apps.redress.repair_queries import guided_record
from xinzheng.apps.redress.repairs import add_evidence, case_view, prepare, say
from xinzheng.core.errors import XinzhengError
from xinzheng.core.repair import PublicationState

db = module_database
# What may be said after what, written down once more by hand.
TABLE = {
    "": {"handed-over", "given-up"},
    "handed-over": {"accepted", "refused", "given-up"},
    "accepted": {"refused", "given-up"},
    "refused": {"handed-over", "given-up"},
    "given-up": set[str](),
}
# Decided on 31 August: three months end with November, twelve with August.
DECIDED, FIRST, LAST = date(2025, 8, 31), date(2025, 12, 1), date(2026, 8, 31)
NUMBER = "苏水罚〔2025〕8号"


class Walk(RuleBasedStateMachine):
    """One penalty of the firm and its repair; the model is what stands in plain attributes."""

    city: ClassVar[RedressCity]

    def __init__(self) -> None:
        super().__init__()
        self.undone = transaction.atomic()
        self.undone.__enter__()
        self.number, self.said, self.digests, self.events = "", list[str](), list[str](), list[str]()
        self.repaired: date | None = None

    def teardown(self) -> None:
        transaction.set_rollback(True)
        self.undone.__exit__(None, None, None)
        told_time.forget()

    @initialize(start=st.sampled_from([FIRST - timedelta(days=2), date(2026, 3, 30), LAST - timedelta(days=3)]))
    def begin(self, start: date) -> None:
        self.day = start
        told_time.tell(start)
        columns = {"处罚决定日期": DECIDED.isoformat(), "处罚类别": "没收违法所得", "处罚内容": "没收违法所得1万元"}
        (self.record,) = self.city.add(self.city.penalty(NUMBER, **columns))

    def refused(self, call: object, *args: object, **kwargs: object) -> str:
        """The code by which it is refused, or nothing; what is refused leaves nothing behind."""
        before = AuditEvent.objects.count()
        try:
            with transaction.atomic():
                call(*args, **kwargs)  # type: ignore[operator]
        except XinzhengError as error:
            assert AuditEvent.objects.count() == before
            return error.code
        return ""

    @property
    def is_repaired(self) -> bool:
        return self.repaired is not None and self.repaired <= self.day

    @rule(days=st.sampled_from([1, 2, 3, 40]))
    def days_pass(self, days: int) -> None:
        if self.day + timedelta(days=days) < date(2026, 11, 20):
            self.day += timedelta(days=days)
            told_time.tell(self.day)

    @rule(who=st.sampled_from(["agent", "agent", "other_agent", "chief"]))
    def ask_to_prepare(self, who: str) -> None:
        code = self.refused(prepare, self.record, account=self.city.accounts[who])
        expected = {"other_agent": "record-not-shown", "chief": "not-permitted"}.get(who)
        if expected is None:
            expected = "repaired-already" if self.is_repaired else "repair-not-yet" if self.day < FIRST else ""
        assert code == expected
        if not code and (not self.number or self.said[-1:] in (["refused"], ["given-up"])):
            self.number, self.said, self.digests = RepairCase.objects.latest("pk").number, [], []
            self.events.append("repair-prepared")

    @rule(
        who=st.sampled_from(["agent", "agent", "agent", "office"]),
        said=st.sampled_from([*TABLE, "handed-over", "accepted"]),
        seen=st.sampled_from([0, 0, 0, 1, -1]),
    )
    def write_down(self, who: str, said: str, seen: int) -> None:
        if not self.number:
            return
        reason = "材料不全" if said == "refused" else ""
        seq = len(self.said) + seen
        code = self.refused(say, self.number, said, reason, seq, account=self.city.accounts[who])
        allowed = said in TABLE[self.said[-1] if self.said else ""]
        kinds = (
            (who != "agent", "not-permitted"),
            (bool(seen), "repair-moved-on"),
            (self.is_repaired, "repaired-already"),
        )
        assert code == next((name for holds, name in kinds if holds), "" if allowed else "repair-step-illegal")
        if not code:
            self.said.append(said)
            self.events.append("repair-said")

    @rule(words=st.sampled_from(["paid", "done"]))
    def give_evidence(self, words: str) -> None:
        if not self.number:
            return
        code = self.refused(add_evidence, self.number, [a_file(words)], account=self.city.accounts["agent"])
        is_over = self.is_repaired or self.said[-1:] == ["given-up"]
        assert code == ("repair-step-illegal" if is_over else "")
        if not code:
            self.digests.append(hashlib.sha256(a_file(words).content).hexdigest())
            self.events.append("repair-evidence-added")

    @rule(after=st.sampled_from([0, 0, 2]))
    def the_repair_arrives(self, after: int) -> None:
        """Only this repairs; one that is dated later repairs from its day on."""
        if self.repaired is not None:
            return
        self.repaired = self.day + timedelta(days=after)
        row = {"主体名称": NAME, "统一社会信用代码": FIRM, "原处罚决定书文号": NUMBER, "原处罚机关": "市税务局"}
        source = {"原处罚机关统一社会信用代码": self.city.city.unit(DOMAIN), "修复日期": self.repaired.isoformat()}
        self.city.city.submit_kind([row | source], "credit_repair", "credit_repair")

    @invariant()
    def publication_is_as_a_calendar_says(self) -> None:
        found = guided_record(self.city.firm, self.record, self.day).guidance
        over = (self.day - timedelta(days=1)) >= (LAST if self.day >= date(2026, 4, 1) else date(2028, 8, 31))
        expected = PublicationState.ENDED_BY_PERIOD if over else PublicationState.PUBLISHED_UNTIL
        assert found.publication.state is (PublicationState.ENDED_BY_REPAIR if self.is_repaired else expected)
        assert (found.earliest, found.to_do[0].is_done) == (FIRST, self.day >= FIRST)

    @invariant()
    def nothing_is_lost_and_every_step_is_told(self) -> None:
        if not self.number:
            return
        steps = RepairStep.objects.filter(case__number=self.number).order_by("seq")
        assert [(step.seq, step.said) for step in steps] == list(enumerate(self.said, 1))
        files = Evidence.objects.filter(repair__number=self.number).order_by("place")
        assert [bytes(file.sha256).hex() for file in files] == self.digests
        events = AuditEvent.objects.filter(object_kind="repair", subject_id=self.city.firm).order_by("id")
        assert [event.action for event in events if event.action != "repair-fetched"] == self.events
        view = case_view(self.number, self.day)
        assert set(view.possible) == (set() if self.is_repaired else TABLE[self.said[-1] if self.said else ""])

    @rule()
    def the_file_holds_all_evidence(self) -> None:
        if self.number:
            packed = zipfile.ZipFile(io.BytesIO(handover_file(self.number, account=self.city.accounts["agent"])))
            given = [name for name in packed.namelist() if "凭证/" in name]
            assert [hashlib.sha256(packed.read(name)).hexdigest() for name in given] == self.digests


# A walk is printed whole and short enough to read: making it shorter would take minutes.
EXAMPLES = settings(
    max_examples=8,
    stateful_step_count=14,
    deadline=None,
    phases=(Phase.explicit, Phase.reuse, Phase.generate),
    suppress_health_check=list(HealthCheck),
    print_blob=True,
)


def test_no_walk_leads_astray(db: None, tmp_path_factory: pytest.TempPathFactory, settings: LazySettings) -> None:
    settings.XINZHENG_CLOCK = "tests.told_time.now"
    with transaction.atomic():
        Walk.city = build_redress_city(tmp_path_factory.mktemp("walk"))
        run_state_machine_as_test(Walk, settings=EXAMPLES)  # type: ignore[no-untyped-call]
        transaction.set_rollback(True)
