"""Two officers decide at once over two connections: one wins, the other is told, and nothing of his is left behind."""

import threading
import uuid
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import date
from pathlib import Path

import pytest
from django.conf import LazySettings
from django.db import connection

from tests import told_time
from tests.redress_city import POLICY, RedressCity, a_file, build_redress_city, do, lodge_one
from xinzheng.apps.audit.models import AuditEvent
from xinzheng.apps.codes.models import Notice
from xinzheng.apps.ledger.corrections import current_row
from xinzheng.apps.ledger.models import Batch, RecordDispute, RecordVersion, RecordWithdrawal
from xinzheng.apps.redress.evidence_models import Evidence, StepWords
from xinzheng.apps.redress.handling import Doing, take_step
from xinzheng.apps.redress.lodging import NewObjection, lodge
from xinzheng.apps.redress.models import Correction, Objection, Step
from xinzheng.apps.redress.sweeps import deliver_awaited, lapse
from xinzheng.apps.redress.upholding import Upholding, uphold
from xinzheng.core.errors import XinzhengError
from xinzheng.core.objections import Act, Ground

pytestmark = pytest.mark.django_db(transaction=True)
MONDAY, LATER = date(2026, 6, 1), date(2026, 6, 20)


@pytest.fixture
def city(transactional_db: None, tmp_path: Path, settings: LazySettings) -> Iterator[RedressCity]:
    settings.XINZHENG_CLOCK = "tests.told_time.now"
    told_time.tell(MONDAY)
    yield build_redress_city(tmp_path)
    told_time.forget()


def at_once(*calls: Callable[[], object]) -> list[object]:
    """What each call gives, or the error it raises; each over a connection of its own, all at the same moment."""
    start = threading.Barrier(len(calls))

    def one(call: Callable[[], object]) -> object:
        try:
            start.wait()
            return call()
        except XinzhengError as error:
            return error
        finally:
            connection.close()

    with ThreadPoolExecutor(len(calls)) as hands:
        return list(hands.map(one, calls))


def written(number: str) -> list[int]:
    """How much there is of everything a step leaves behind."""
    counted = [AuditEvent.objects.filter(object_id=number), Notice.objects.filter(body__objection=number)]
    counted += [
        table.objects.all()
        for table in (Step, Evidence, StepWords, Correction, Batch, RecordVersion, RecordWithdrawal, RecordDispute)
    ]
    return [rows.count() for rows in counted]


def test_of_two_who_act_at_once_one_wins_and_the_other_is_told(city: RedressCity) -> None:
    accounts = city.accounts
    same, record = uuid.uuid4(), city.record
    new = NewObjection(city.firm, POLICY, Ground.WRONG, record, words="金额不对")
    made = at_once(*[lambda: lodge(new, account=accounts["agent"], key=same)] * 2)
    assert made[0] == made[1] == Objection.objects.get()
    number = Objection.objects.get().number
    second = at_once(*[lambda: lodge(new, account=accounts["agent"], key=uuid.uuid4())] * 2)
    assert [getattr(error, "code", None) for error in second] == ["objection-open-already"] * 2

    taken = at_once(
        lambda: take_step(Doing(number, 1, Act.ACCEPT), account=accounts["office"]),
        lambda: take_step(Doing(number, 1, Act.DECLINE, "不属于受理范围"), account=accounts["second_office"]),
    )
    (lost,) = [one for one in taken if isinstance(one, XinzhengError)]
    assert lost.code == "objection-moved-on"
    assert "信用办工作人员已于" in lost.message
    if Step.objects.get(seq=2).act == "decline":
        do(city, number, Act.APPEAL, "agent")
        do(city, number, Act.REMAND, "office")
    assert Step.objects.count() in (2, 4)
    decide_at_once(city, number)


def decide_at_once(city: RedressCity, number: str) -> None:
    """The chief dismisses while his colleague upholds by a corrected row: the ledger shows the winner's word alone."""
    seen = Step.objects.count()
    values = {**current_row(city.record).values, "fine": "2"}
    upholding = Upholding(number, seen, Correction.What.CHANGED, "金额录入有误", values, files=[a_file("corrected")])
    dismissing = Doing(number, seen, Act.DISMISS, "记录与决定书一致", files=[a_file("dismissed")])
    before = written(number)
    taken = at_once(
        lambda: uphold(upholding, account=city.accounts["chief"]),
        lambda: take_step(dismissing, account=city.accounts["second_chief"]),
    )
    (lost,) = [one for one in taken if isinstance(one, XinzhengError)]
    assert (lost.code, lost.context["role"]) == ("objection-moved-on", "数源单位责任人")
    won = Step.objects.get(seq=seen + 1)
    is_upheld = won.act == Act.UPHOLD
    assert current_row(city.record).values["fine"] == ("2" if is_upheld else "1")
    events, notices, *others = [now - was for now, was in zip(written(number), before, strict=True)]
    assert (events, notices > 0) == (1, True)
    assert others == [1, 1, 0, *([1, 1, 1] if is_upheld else [0, 0, 0]), 0, 1]
    assert not RecordDispute.objects.latest("id").is_open


def test_sweeps_beside_each_other_and_beside_an_act_do_a_thing_once(city: RedressCity) -> None:
    numbers = [lodge_one(city, Ground.MISSING, document_number=f"苏水罚〔2026〕{n}号").number for n in (7, 8)]
    do(city, numbers[0], Act.ASK, "office")
    do(city, numbers[1], Act.ACCEPT, "office", unit_id=city.unit)
    do(city, numbers[1], Act.PROMISE, "chief")
    city.add(city.penalty("苏水罚〔2026〕8号"))
    done = at_once(*[lambda: lapse(LATER), deliver_awaited] * 2)
    assert sorted(map(str, done)) == ["0", "0", "1", "1"]
    assert sorted(Step.objects.filter(actor="system").values_list("act", flat=True)) == ["deliver", "lapse"]
