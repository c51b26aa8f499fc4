"""The same company before, during and after redress: what decisions, reports and verification say, by city and date.

One ordinary penalty of a tax office, decided on 2025-06-10. Columns are a city's policy asked on a day, before or after
2026-04-01, when the rules of repair changed. The ledger is the real one at its latest position; ``as_of`` is told.
Suzhou's policy is asked under the demonstration's extension to 2027-12-31.
"""

import json
import uuid
from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import date, datetime, time, timedelta

import pytest
from django.conf import LazySettings
from django.db import transaction

from tests import told_time
from tests.module_database import module_database
from tests.small_city import BY, SmallCity, build_small_city, uscc
from xinzheng.apps.accounts.actions import NewAccount, open_account
from xinzheng.apps.accounts.models import Account, Role
from xinzheng.apps.audit.queries import head_position
from xinzheng.apps.ledger.corrections import current_row
from xinzheng.apps.ledger.models import RecordHead
from xinzheng.apps.redress.handling import Doing, take_step
from xinzheng.apps.redress.lodging import NewObjection, lodge
from xinzheng.apps.redress.models import Correction
from xinzheng.apps.redress.queries import objection_view
from xinzheng.apps.redress.repair_queries import guided_record
from xinzheng.apps.redress.sweeps import deliver_awaited
from xinzheng.apps.redress.upholding import Upholding, uphold
from xinzheng.apps.registry.queries import unit_by_uscc
from xinzheng.apps.reports.cases import Question, answer_question
from xinzheng.apps.reports.completing import complete_report
from xinzheng.apps.reports.issuing import Order, ensure_keys
from xinzheng.apps.reports.models import Report, StatusEvent
from xinzheng.apps.reports.numbering import expected_number
from xinzheng.apps.reports.packs import current_calendar, current_policy, current_setting
from xinzheng.apps.reports.preparing import Draft, prepare_report, rehearse_report
from xinzheng.apps.reports.replaying import replay_report
from xinzheng.apps.reports.reviewing import review_reports
from xinzheng.apps.reports.verification import verify_code
from xinzheng.core.decision import CHINA, Decision, Request
from xinzheng.core.lifecycle import typed_code
from xinzheng.core.objections import Act, Ground
from xinzheng.core.repair import PublicationState

db = module_database
BEFORE, AFTER = date(2026, 3, 20), date(2026, 5, 20)
DECIDED, NUMBER, DOMAIN, REPAIR = date(2025, 6, 10), "税罚〔2025〕1号", "taxation", "credit_repair"
DAY = timedelta(days=1)
What = Correction.What
PLACES = {"suzhou-2024": "91320500", "huzhou-2023": "91330500", "national-2025": "91320500"}


@dataclass(frozen=True)
class Place:
    """A city under its policy: its company, and who acts for it, for the office and for the tax office."""

    city: SmallCity
    code: str
    firm: int
    agent: Account
    office: Account
    chief: Account

    @property
    def policy_id(self) -> str:
        return self.city.policy_id


@dataclass(frozen=True)
class Asked:
    """A column of the table: a place asked on a day; the penalty stands in its ledger."""

    place: Place
    day: date
    record: int

    def decision(self, day: date | None = None) -> Decision:
        """What is decided as of noon of a day, by default the column's."""
        return answer_question(self.question(day or self.day)).decision

    def question(self, day: date) -> Question:
        at = datetime.combine(day, time(12), CHINA)
        policy = current_policy(self.place.policy_id)
        return Question(policy, current_calendar(), self.place.firm, Request(), at, head_position())

    def says(self, day: date | None = None) -> str:
        """What the decision says of taxation and of the penalty, and how many repairs it lists."""
        found = self.decision(day)
        domain = next(one for one in found.domains if one.code == DOMAIN)
        findings = [one for one in found.findings if one.record.id == str(self.record)]
        effects = [" ".join((str(one.effect), *one.marks)) for one in findings]
        repairs = next((len(section.records) for section in found.other if section.code == REPAIR), None)
        listed = "" if not repairs else f", repairs {repairs}"
        return f"{domain.result}: {''.join(effects) or 'nothing'}{listed}"

    def report(self) -> Report:
        """A report as of the column's day, numbered, set, signed and stored by the real steps."""
        ensure_keys()
        order = Order(self.place.policy_id, self.place.firm, Request(), BY, uuid.uuid4())
        question = self.question(self.day)
        setting = current_setting(self.place.policy_id)
        draft = Draft(question.policy, setting, question, answer_question(question), question.policy.purposes[0].name)
        with expected_number(question.policy.number_prefix, self.day) as number:
            prepared = prepare_report(draft, order, rehearse_report(draft, number))
        return complete_report(prepared.report, BY, prepared.pdf)

    def penalty(self, number: str = NUMBER, **columns: str) -> dict[str, str]:
        more = {"处罚决定日期": DECIDED.isoformat(), "行政相对人名称": "示例精密制造有限公司", **columns}
        return self.place.city.penalty(self.place.code, number, **more)

    def repair(self, on: date) -> None:
        """The repair arrives: in Suzhou a record of the credit office, elsewhere with the penalty itself."""
        if self.place.policy_id != "suzhou-2024":
            self.place.city.submit([self.penalty(修复日期=on.isoformat())], DOMAIN)
            return
        row = {"主体名称": "示例精密制造有限公司", "统一社会信用代码": self.place.code, "原处罚决定书文号": NUMBER}
        organ = {"原处罚机关": "市税务局", "原处罚机关统一社会信用代码": self.place.city.unit(DOMAIN)}
        self.place.city.submit_kind([row | organ | {"修复日期": on.isoformat()}], REPAIR, REPAIR)

    def objection(self, ground: Ground) -> str:
        """An objection to the penalty, taken in and with the tax office."""
        new = NewObjection(self.place.firm, self.place.policy_id, ground, self.record, words="请核对")
        number = lodge(new, account=self.place.agent, key=uuid.uuid4()).number
        take_step(Doing(number, 1, Act.ACCEPT), account=self.place.office)
        return number

    def upheld(self, number: str, what: What, **values: str) -> None:
        """The tax office upholds it with the row as it should be, or takes the record out."""
        row = {**current_row(self.record).values, **values} if values else None
        seen = objection_view(number, self.day).seq
        uphold(Upholding(number, seen, what, "经核对，异议成立", row), account=self.place.chief)


def build_place(policy_id: str, folder: object) -> Place:
    city = build_small_city(folder, policy_id, units_per_domain=1)  # type: ignore[arg-type]
    city.declare_everything()
    serial = list(PLACES).index(policy_id) + 1
    code = uscc(serial, PLACES[policy_id])
    firm = city.firm(code, "示例精密制造有限公司")
    unit = unit_by_uscc(city.unit(DOMAIN))
    assert unit is not None
    accounts = [
        open_account(new, by=BY)
        for new in (
            NewAccount(f"agent-{policy_id}", "经办人", Role.SUBJECT_AGENT, subject_id=firm),
            NewAccount(f"office-{policy_id}", "信用办", Role.OFFICE_OPERATOR),
            NewAccount(f"chief-{policy_id}", "责任人", Role.RESPONSIBLE_OFFICER, unit_id=unit.id),
        )
    ]
    return Place(city, code, firm, *accounts)


@pytest.fixture(scope="module")
def places(db: None, tmp_path_factory: pytest.TempPathFactory) -> dict[str, Place]:
    return {policy_id: build_place(policy_id, tmp_path_factory.mktemp(policy_id)) for policy_id in PLACES}


@pytest.fixture
def asked(request: pytest.FixtureRequest, places: dict[str, Place], settings: LazySettings) -> Iterator[Asked]:
    """The column that the test names, with the penalty in the ledger; what the test does is undone."""
    policy_id, day = request.param
    settings.XINZHENG_CLOCK = "tests.told_time.now"
    told_time.tell(day)
    with transaction.atomic():
        column = Asked(places[policy_id], day, 0)
        column.place.city.submit([column.penalty()], DOMAIN)
        yield replace(column, record=RecordHead.objects.get(subject_id=column.place.firm).record_id)
        transaction.set_rollback(True)
    told_time.forget()


COLUMNS = {
    "Suzhou before": ("suzhou-2024", BEFORE),
    "Suzhou after": ("suzhou-2024", AFTER),
    "Huzhou before": ("huzhou-2023", BEFORE),
    "Huzhou after": ("huzhou-2023", AFTER),
    "national before": ("national-2025", BEFORE),
    "national after": ("national-2025", AFTER),
}


def table(*expected: str) -> pytest.MarkDecorator:
    """A row of the table: one expectation a column, in the order above; a single one holds for all."""
    each = expected if len(expected) > 1 else expected * len(COLUMNS)
    cells = [pytest.param(column, words, id=name) for (name, column), words in zip(COLUMNS.items(), each, strict=True)]
    return pytest.mark.parametrize(("asked", "expected"), cells, indirect=["asked"])


def status(report: Report) -> str:
    return str(StatusEvent.objects.filter(report=report).latest("id").status)


def verified(report: Report) -> list[str]:
    """What a stranger with number and code is told."""
    return verify_code(report.number, typed_code(bytes(report.secret))).reasons


def card(report: Report) -> list[tuple[str, list[str]]]:
    """What a report prints of counted records: the fine and the marks."""
    return [(one["content"], one["marks"]) for one in json.loads(bytes(report.content))["records"]]


COUNTED = "records_found: counted"


@table(COUNTED)
def test_nothing_asked_for(asked: Asked, expected: str) -> None:
    assert asked.says() == expected


@table("records_found: marked 异议处理中")
def test_objection_open(asked: Asked, expected: str) -> None:
    number = asked.objection(Ground.WRONG)
    assert asked.says() == expected
    take_step(Doing(number, 2, Act.WITHDRAW), account=asked.place.agent)
    assert asked.says() == COUNTED


@table(*["none_found: excluded"] * 2, *[COUNTED] * 4)
def test_upheld_it_was_a_summary_procedure(asked: Asked, expected: str) -> None:
    asked.upheld(asked.objection(Ground.WRONG), What.CHANGED, procedure="简易程序")
    assert asked.says() == expected


@table("none_found: nothing")
def test_upheld_not_mine(asked: Asked, expected: str) -> None:
    asked.upheld(asked.objection(Ground.NOT_MINE), What.REMOVED)
    assert asked.says() == expected


@table(COUNTED)
def test_upheld_another_amount(asked: Asked, expected: str) -> None:
    asked.upheld(asked.objection(Ground.WRONG), What.CHANGED, fine="2", content="罚款2万元")
    assert asked.says() == expected


REPAIRED = (
    "records_found: counted, repairs 1",
    "none_found: listed_apart, repairs 1",
    "none_found: excluded",
    "none_found: excluded",
    "records_found: marked 已修复",
    "records_found: marked 已修复",
)


@table(*REPAIRED)
def test_repaired_on_the_day_asked(asked: Asked, expected: str) -> None:
    asked.repair(asked.day)
    assert asked.says() == expected


@table(*REPAIRED)
def test_repaired_long_before_the_day_asked(asked: Asked, expected: str) -> None:
    """Repaired under the older rules: what counts is the day asked, not the day of the repair."""
    asked.repair(date(2026, 1, 10))
    assert asked.says() == expected


@table(COUNTED)
def test_repaired_the_day_after(asked: Asked, expected: str) -> None:
    asked.repair(asked.day + DAY)
    assert asked.says() == expected


@table(
    "records_found: excluded",  # outside the three years: the other penalty is the domain's record
    *[COUNTED] * 5,
)
def test_published_to_the_end_and_not_repaired(asked: Asked, expected: str) -> None:
    """Publication that ended is no repair. Before 2026-04-01 it lasts three years, as long as Suzhou looks back."""
    is_longest = asked.day == BEFORE
    decided = asked.day.replace(year=asked.day.year - 3) if is_longest else date(2025, 5, 19)
    columns = {"处罚决定日期": decided.isoformat(), "处罚类别": "没收违法所得", "处罚内容": "没收违法所得1万元"}
    asked.place.city.submit([asked.penalty("税罚〔2023〕2号", **columns)], DOMAIN)
    record = RecordHead.objects.filter(subject_id=asked.place.firm).latest("record_id").record_id
    other = replace(asked, record=record)
    last = asked.day if is_longest else asked.day - DAY
    assert other.says(last) == COUNTED
    assert guided_record(asked.place.firm, record, last).guidance.publication.state is PublicationState.PUBLISHED_UNTIL
    assert other.says(last + DAY) == expected
    found = guided_record(asked.place.firm, record, last + DAY).guidance.publication
    assert (found.state, found.until) == (PublicationState.ENDED_BY_PERIOD, last)


LATER = {name: COLUMNS[name] for name in ("Suzhou before", "Suzhou after", "Huzhou after", "national after")}


def reports(*expected: str) -> pytest.MarkDecorator:
    """A row about reports: one expectation for each of four columns, or one for all."""
    each = expected if len(expected) > 1 else expected * len(LATER)
    cells = [pytest.param(column, words, id=name) for (name, column), words in zip(LATER.items(), each, strict=True)]
    return pytest.mark.parametrize(("asked", "expected"), cells, indirect=["asked"])


IN_FORCE = ["报告状态：正常"]


@reports("superseded")
def test_reports_and_verification_before_during_and_after_an_objection(asked: Asked, expected: str) -> None:
    before = asked.report()
    number = asked.objection(Ground.WRONG)
    during = asked.report()
    assert (card(before), card(during)) == ([("罚款1万元", [])], [("罚款1万元", ["异议处理中"])])
    assert review_reports()["superseded"] == 0
    told = [reason for report in (before, during) for reason in verified(report) if "状态" in reason]
    assert told == IN_FORCE * 2
    assert not any("异议" in reason for reason in verified(during))
    asked.upheld(number, What.CHANGED, fine="2", content="罚款2万元")
    assert review_reports()["superseded"] == 2
    assert (status(before), status(during)) == (expected, expected)
    assert any("已更正，请以新报告为准" in reason for reason in verified(before))
    assert verified(before) == verified(during)  # one general sentence, whatever was wrong
    after = asked.report()
    assert card(after) == [("罚款2万元", [])]
    assert (status(after), review_reports()["superseded"]) == ("in_force", 0)
    assert all(replay_report(one.number).is_same for one in (before, during, after))


@reports("superseded")
def test_a_record_that_was_never_the_companys_takes_its_reports_along(asked: Asked, expected: str) -> None:
    before = asked.report()
    asked.upheld(asked.objection(Ground.NOT_MINE), What.REMOVED)
    review_reports()
    assert status(before) == expected
    assert (asked.decision().outcome, replay_report(before.number).is_same) == ("clear", True)


@reports("in_force", "superseded", "superseded", "in_force")
def test_a_repair_of_before_arrives_after_the_report(asked: Asked, expected: str) -> None:
    before = asked.report()
    asked.repair(asked.day)
    review_reports()
    assert status(before) == expected


@pytest.mark.parametrize("asked", [COLUMNS["Suzhou after"], COLUMNS["Huzhou after"]], indirect=True)
def test_a_repair_of_a_later_day_changes_nothing_of_an_earlier_report(asked: Asked) -> None:
    before = asked.report()
    asked.repair(asked.day + DAY)
    review_reports()
    assert status(before) == "in_force"


@pytest.mark.parametrize("asked", [COLUMNS["Suzhou before"]], indirect=True)
def test_a_missing_repair_that_was_objected_to_corrects_what_the_report_lists(asked: Asked) -> None:
    """Before 2026-04-01 a repair decides nothing in Suzhou; but who rightly objected gets another report."""
    before, place = asked.report(), asked.place
    office = unit_by_uscc(place.city.unit(REPAIR))
    assert office is not None
    chief = open_account(NewAccount("repairs", "责任人", Role.RESPONSIBLE_OFFICER, unit_id=office.id), by=BY)
    words = {"domain": REPAIR, "kind": REPAIR, "document_number": NUMBER, "words": "已经修复"}
    new = NewObjection(place.firm, place.policy_id, Ground.MISSING, **words)
    number = lodge(new, account=place.agent, key=uuid.uuid4()).number
    take_step(Doing(number, 1, Act.ACCEPT, unit_id=office.id), account=place.office)
    take_step(Doing(number, 2, Act.PROMISE, "补报修复记录"), account=chief)
    asked.repair(asked.day)
    assert deliver_awaited() == 1
    review_reports()
    assert status(before) == "superseded"
    assert asked.says() == REPAIRED[0]
