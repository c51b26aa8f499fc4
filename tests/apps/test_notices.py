"""Notices to subjects, units and roles: who is told of what, once each, in which words; who may read it, and when."""

import uuid
from collections.abc import Iterator
from datetime import timedelta

import pytest
from django.db import connection, transaction
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from tests.module_database import module_database
from tests.redress_city import RedressCity, build_redress_city
from tests.web.conftest import client_of
from xinzheng.apps.accounts.actions import NewAccount, close_account, open_account
from xinzheng.apps.accounts.mandates import revoke
from xinzheng.apps.accounts.models import Account, Mandate, Role
from xinzheng.apps.accounts.platforms import NewPlatform, register_platform
from xinzheng.apps.codes.ended_notices import tell_of_ended_reports
from xinzheng.apps.codes.inbox import InboxRow, notices_for, read, read_all, unread
from xinzheng.apps.codes.models import Delivery, Notice
from xinzheng.apps.codes.notice_events import OBJECTION_OVERDUE, OF_ACTS, PUBLICATION_ENDED, REPORT_ENDED
from xinzheng.apps.codes.notice_words import TO_DESKS, TO_SUBJECT, Reader, Told, sentence_of
from xinzheng.apps.codes.notices import Addressee, tell
from xinzheng.apps.codes.webhooks import Owner, register_webhook
from xinzheng.apps.redress.models import Objection, Step
from xinzheng.apps.redress.tidings import TIDINGS, To, tell_of
from xinzheng.apps.reports.models import Application, Report
from xinzheng.apps.reports.status import Why, change_status
from xinzheng.core.errors import XinzhengError
from xinzheng.core.lifecycle import ReportStatus, RevocationReason, SupersedingReason
from xinzheng.core.objections import Act, Party, State

db = module_database
NUMBER = "Y20261122-0001"


@pytest.fixture(scope="module")
def redress(db: None, tmp_path_factory: pytest.TempPathFactory) -> RedressCity:
    return build_redress_city(tmp_path_factory.mktemp("city"))


@pytest.fixture(scope="module")
def report(redress: RedressCity) -> Report:
    return Report.objects.get(pk=redress.report())


@pytest.fixture(autouse=True)
def undone(redress: RedressCity, report: Report) -> Iterator[None]:
    with transaction.atomic():
        yield
        transaction.set_rollback(True)


def superseded(report: Report) -> None:
    change_status(report, ReportStatus.SUPERSEDED, "test", Why("理由", SupersedingReason.RECORDS_CORRECTED.value))


def words(account: Account) -> list[str]:
    return [row.words for row in notices_for(account)]


def told_of(redress: RedressCity, name: str) -> InboxRow:
    (row,) = notices_for(redress.accounts[name])
    return row


def test_the_subject_is_told_once_of_each_report_that_holds_no_more_and_led_to_a_fresh_one(
    redress: RedressCity, report: Report
) -> None:
    assert tell_of_ended_reports() == 0
    superseded(report)
    assert [tell_of_ended_reports(), tell_of_ended_reports()] == [1, 0]
    row = told_of(redress, "agent")
    assert row.words == f"报告{report.number}的状态变为“已更正，请以新报告为准”：出具后，数源单位更正了出具前的记录。"
    assert (row.url, row.label) == (f"/reports/{report.number}/again", "按同样的范围再次出具")
    change_status(report, ReportStatus.REVOKED, "test", Why("理由", RevocationReason.ISSUED_IN_ERROR.value))
    assert tell_of_ended_reports() == 1
    assert len(words(redress.accounts["agent"])) == 2
    assert [words(redress.accounts[name]) for name in ("other_agent", "officer", "office")] == [[], [], []]


def test_from_the_notice_it_is_one_click_to_the_form_as_it_was_filled_in(redress: RedressCity, report: Report) -> None:
    superseded(report)
    tell_of_ended_reports()
    browser = client_of(redress.accounts["agent"])
    led = browser.post("/notices", {"notice": str(told_of(redress, "agent").id)}, follow=True)
    page = led.content.decode()
    assert (led.status_code, led.redirect_chain) == (200, [(f"/reports/{report.number}/again", 302)])
    assert "按同样的范围再次出具" in page
    assert f'href="/reports/{report.number}"' in page
    assert unread(redress.accounts["agent"]) == 0


def test_the_platform_that_applied_is_told_and_neither_another_nor_a_revoked_one(
    redress: RedressCity, report: Report
) -> None:
    mine, other, gone = (
        register_platform(NewPlatform(name, ["notices"]), by="test").platform for name in ("甲", "乙", "丙")
    )
    for client in (mine.pk, gone.pk):
        Application.objects.create(
            subject_id=report.subject_id, policy_id="suzhou-2024", request={}, state="done", number=report.number,
            account_id=1, client_id=client,
        )  # fmt: skip
    type(gone).objects.filter(pk=gone.pk).update(revoked_at=timezone.now())
    superseded(report)
    assert [tell_of_ended_reports(), tell_of_ended_reports()] == [2, 0]
    notice = Notice.objects.exclude(client_id="").get()
    assert (notice.client_id, notice.event, notice.body["number"]) == (mine.pk, REPORT_ENDED, report.number)
    assert "reason" not in notice.body
    assert other.pk != notice.client_id


def test_a_notice_is_for_one_unit_one_role_or_one_subject_and_told_once(redress: RedressCity) -> None:
    to = [Addressee(unit_id=redress.unit), Addressee(role=Role.OFFICE_OPERATOR), Addressee(subject_id=redress.firm)]
    facts = {"objection": NUMBER}
    assert [tell(OBJECTION_OVERDUE, "objection:1:over:1", to, facts) for _ in range(2)] == [3, 0]
    late = f"异议{NUMBER}超过了办理时限，请立即办理。"
    assert words(redress.accounts["officer"]) == words(redress.accounts["chief"]) == [late]
    assert words(redress.accounts["office"]) == words(redress.accounts["second_office"]) == [late]
    assert words(redress.accounts["agent"]) == [f"异议{NUMBER}超过了办理时限，已催办。"]
    assert words(redress.accounts["other_chief"]) == words(redress.accounts["other_agent"]) == []
    links = [told_of(redress, name).url for name in ("chief", "office", "agent")]
    assert links == [f"/department/objections/{NUMBER}", f"/office/objections/{NUMBER}", f"/objections/{NUMBER}"]


def objection(redress: RedressCity, client_id: str = "", blamed: int | None = None) -> Objection:
    return Objection.objects.create(
        number=NUMBER, ground="wrong", subject_id=redress.firm, policy_id="suzhou-2024", record_id=redress.record,
        version_id=redress.version, domain="water_affairs", kind="administrative_penalty", unit_id=redress.unit,
        blamed_unit_id=blamed or redress.unit, account_id=redress.accounts["agent"].pk, client_id=client_id,
        lodged_at=timezone.now(),
    )  # fmt: skip


def stepped(of: Objection, act: Act, state: State, by: Party, unit_id: int | None = None) -> Step:
    made = Step.objects.create(
        objection=of, seq=of.steps.count() + 1, act=act, state=state, by=by, unit_id=unit_id, reason="理由",
        actor="test", at=timezone.now(),
    )  # fmt: skip
    tell_of(made)
    return made


def addressees(step: Step) -> set[str]:
    rows = Notice.objects.filter(source=f"step:{step.pk}")
    assert {row.event for row in rows} <= {OF_ACTS[Act(step.act)]}
    names = {(row.subject_id and "subject") or (row.unit_id and f"unit:{row.unit_id}") or row.role for row in rows}
    return {str(name or "client") for name in names}


def test_each_step_tells_those_it_concerns_and_nobody_else(redress: RedressCity) -> None:
    one, here, there, office = objection(redress, "client-1"), redress.unit, redress.other_unit, "office_operator"
    lodged = stepped(one, Act.LODGE, State.INTAKE, Party.SUBJECT)
    asked = stepped(one, Act.ASK, State.MORE_ASKED, Party.OFFICE)
    supplied = stepped(one, Act.SUPPLY, State.INTAKE, Party.SUBJECT)
    accepted = stepped(one, Act.ACCEPT, State.WITH_UNIT, Party.OFFICE, here)
    handed = stepped(one, Act.HAND_OVER, State.WITH_UNIT, Party.UNIT, there)
    dismissed = stepped(one, Act.DISMISS, State.DISMISSED, Party.UNIT)
    appealed = stepped(one, Act.APPEAL, State.APPEALED, Party.SUBJECT)
    remanded = stepped(one, Act.REMAND, State.WITH_UNIT, Party.OFFICE, here)
    withdrawn = stepped(one, Act.WITHDRAW, State.WITHDRAWN, Party.SUBJECT)
    assert [addressees(step) for step in (lodged, asked, supplied, accepted, handed)] == [
        {office},
        {"subject", "client"},
        {office},
        {"subject", "client", f"unit:{here}"},
        {"subject", "client", f"unit:{there}"},
    ]
    assert [addressees(step) for step in (dismissed, appealed, remanded, withdrawn)] == [
        {"subject", "client"},
        {office, f"unit:{there}"},
        {"subject", "client", f"unit:{here}"},
        {f"unit:{here}"},
    ]
    assert Notice.objects.get(source=f"step:{asked.pk}", subject_id=redress.firm).body == {
        "objection": NUMBER,
        "act": "ask",
        "state": "more-asked",
    }


def test_the_platform_that_lodged_is_called_at_the_steps_it_asked_for(redress: RedressCity) -> None:
    platform = register_platform(NewPlatform("甲", ["webhooks"]), by="test").platform
    events = [OF_ACTS[Act.ACCEPT], OF_ACTS[Act.UPHOLD]]
    register_webhook(Owner(client_id=platform.pk), "https://223.5.5.5/hook", events, by="test")
    one = objection(redress, platform.pk)
    asked = stepped(one, Act.ASK, State.MORE_ASKED, Party.OFFICE)
    accepted = stepped(one, Act.ACCEPT, State.WITH_UNIT, Party.OFFICE, redress.unit)
    assert Notice.objects.filter(client_id=platform.pk).count() == 2
    assert [row.notice.source for row in Delivery.objects.all()] == [f"step:{accepted.pk}"]
    assert asked.pk != accepted.pk


def test_what_is_withdrawn_before_a_unit_had_it_is_told_to_the_office(redress: RedressCity) -> None:
    one = objection(redress)
    stepped(one, Act.LODGE, State.INTAKE, Party.SUBJECT)
    assert addressees(stepped(one, Act.WITHDRAW, State.WITHDRAWN, Party.SUBJECT)) == {"office_operator"}


def test_who_delivered_what_was_wrong_is_told_where_another_unit_answers_for_it(redress: RedressCity) -> None:
    one = objection(redress, blamed=redress.other_unit)
    stepped(one, Act.ACCEPT, State.WITH_UNIT, Party.OFFICE, redress.unit)
    upheld = stepped(one, Act.UPHOLD, State.CORRECTED, Party.UNIT, redress.unit)
    assert addressees(upheld) == {"subject", "office_operator", f"unit:{redress.other_unit}"}
    row = told_of(redress, "other_chief")
    assert row.words == f"异议{NUMBER}成立：本单位报送的记录有误，已由责任单位更正，请核对本单位的数据。"
    assert (row.url, row.label) == ("", "")


def test_every_act_tells_somebody_and_has_its_words_for_each_it_tells() -> None:
    assert set(TIDINGS) == set(Act)
    for act, tidings in TIDINGS.items():
        for tiding in tidings:
            table = TO_SUBJECT if tiding.to is To.SUBJECT else TO_DESKS
            assert tiding.to is To.CLIENT or tiding.event in table, (act, tiding.to)
    assert "{" not in sentence_of(Told(OF_ACTS[Act.ASK], {"objection": NUMBER}), Reader.SUBJECT)


def test_the_end_of_a_publication_is_told_with_its_day_and_leads_to_the_record(redress: RedressCity) -> None:
    facts = {"record": redress.record, "until": "2026-03-01"}
    tell(PUBLICATION_ENDED, "publication:1", [Addressee(subject_id=redress.firm)], facts)
    row = told_of(redress, "agent")
    assert row.words == "一条记录的最长公示期已满（至2026年3月1日）；公示期满不等于信用修复。"
    assert row.url == f"/records/{redress.record}"


def test_what_is_read_counts_no_more_for_that_account_and_stays_unread_for_the_other(redress: RedressCity) -> None:
    chief, officer = redress.accounts["chief"], redress.accounts["officer"]
    for number in range(3):
        tell(OBJECTION_OVERDUE, f"objection:{number}", [Addressee(unit_id=redress.unit)], {"objection": NUMBER})
    assert (unread(chief), unread(officer)) == (3, 3)
    first = notices_for(chief)[0]
    assert [read(first.id, chief).is_read, read(first.id, chief).is_read] == [True, True]
    assert (unread(chief), unread(officer)) == (2, 3)
    assert [row.is_read for row in notices_for(chief)].count(True) == 1
    assert [read_all(chief), read_all(chief), unread(chief)] == [2, 0, 0]


def test_pages_of_notices_follow_each_other_without_a_gap(redress: RedressCity) -> None:
    office = redress.accounts["office"]
    for number in range(5):
        tell(OBJECTION_OVERDUE, f"objection:{number}", [Addressee(role=office.role)], {"objection": str(number)})
    rows = notices_for(office)
    first = notices_for(office, at_most=2)
    assert [*first, *notices_for(office, before=first[-1].id)] == rows


def test_nobody_reads_or_marks_what_is_not_for_him(redress: RedressCity) -> None:
    tell(OBJECTION_OVERDUE, "objection:1", [Addressee(unit_id=redress.unit)], {"objection": NUMBER})
    notice = Notice.objects.get()
    for name in ("other_chief", "agent", "office"):
        with pytest.raises(XinzhengError) as refused:
            read(notice.pk, redress.accounts[name])
        assert refused.value.code == "unknown-notice"
    with pytest.raises(XinzhengError, match="没有这条通知"):
        read(uuid.uuid4(), redress.accounts["chief"])


def test_with_the_mandate_ends_what_an_agent_reads_and_the_number_in_the_head(redress: RedressCity) -> None:
    agent = open_account(NewAccount("leaver", "经办人", Role.SUBJECT_AGENT, subject_id=redress.firm), by="test")
    tell(OBJECTION_OVERDUE, "objection:1", [Addressee(subject_id=redress.firm)], {"objection": NUMBER})
    assert (unread(agent), len(words(agent))) == (1, 1)
    revoke(Mandate.objects.get(account=agent).pk, by="test")
    assert (unread(agent), words(agent)) == (0, [])


def test_the_number_in_the_head_costs_one_query_and_leaves_out_what_is_old(redress: RedressCity) -> None:
    to = [Addressee(subject_id=redress.firm), Addressee(unit_id=redress.unit)]
    tell(OBJECTION_OVERDUE, "objection:1", to, {"objection": NUMBER})
    for name in ("agent", "chief", "office"):
        account = Account.objects.get(pk=redress.accounts[name].pk)
        with CaptureQueriesContext(connection) as asked:
            assert unread(account) == (0 if name == "office" else 1)
        assert len(asked) == 1
    newcomer = NewAccount("newcomer", "责任人", Role.RESPONSIBLE_OFFICER, unit_id=redress.unit)
    account = open_account(newcomer, by="test")
    account.created_at = timezone.now() + timedelta(minutes=1)
    assert unread(account) == 0
    close_account(account, by="test")
