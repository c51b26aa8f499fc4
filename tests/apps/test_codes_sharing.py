"""Sharing a report: terms, codes that renew themselves, one answer for whatever is wrong, taking back at once."""

import threading
import uuid
from collections.abc import Callable
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import psycopg
import pytest
from django.db import DatabaseError, connection, connections, transaction
from django.utils import timezone

from tests.small_city import SmallCity, build_small_city, uscc
from xinzheng.apps.accounts.actions import NewAccount, open_account
from xinzheng.apps.accounts.models import Account, Role
from xinzheng.apps.audit.models import AuditEvent
from xinzheng.apps.codes.forgetting import forget_shown_codes, forget_view_details
from xinzheng.apps.codes.looking import Ticket, Visitor, find, is_open, open_view
from xinzheng.apps.codes.models import Receiver, ShareCode, ShownCode, Subscription, View, ViewDetail
from xinzheng.apps.codes.receivers import Decision, Registration, State, decide, register
from xinzheng.apps.codes.sharing import GRACE, Terms, share, show, take_back
from xinzheng.apps.codes.subscribing import subscribe
from xinzheng.apps.codes.view_queries import FORGOTTEN, share_row, shares_of, views_of
from xinzheng.apps.reports.issuing import Order, issue_report
from xinzheng.apps.reports.models import Report
from xinzheng.apps.reports.status import Why, change_status, revoke_report
from xinzheng.core.decision import Request
from xinzheng.core.errors import XinzhengError
from xinzheng.core.lifecycle import ReportStatus, RevocationReason

pytestmark = pytest.mark.django_db

BANK = "示例银行苏州分行"
SCREEN, PAPER = ShownCode.Form.SCREEN, ShownCode.Form.PAPER


@pytest.fixture
def city(db: None, tmp_path: Path) -> SmallCity:
    small = build_small_city(tmp_path, units_per_domain=1)
    small.declare_everything()
    return small


@pytest.fixture
def agent(city: SmallCity) -> Account:
    subject = city.firm(uscc(1))
    return open_account(NewAccount("agent", "示例甲", Role.SUBJECT_AGENT, subject_id=subject), by="test")


@pytest.fixture
def report(agent: Account) -> Report:
    assert agent.subject_id is not None
    return issue_report(Order("suzhou-2024", agent.subject_id, Request(), "test"))


def terms(**changes: Any) -> Terms:
    """Financing, one hour, three looks."""
    return Terms(**{"purpose": "financing", "expires_at": in_(hours=1), "views": 3} | changes)


def in_(**of: float) -> datetime:
    return timezone.now() + timedelta(**of)


def shared(agent: Account, report: Report, **changes: Any) -> ShareCode:
    return share(agent, report.number, terms(**changes), by=agent.actor)


def ticket(code: str) -> Ticket:
    offer = find(code)
    assert offer is not None
    return Ticket(offer.share_id, offer.way, uuid.uuid4())


def look(code: str, **changes: Any) -> View:
    visitor = {"body_name": BANK, "purpose": "financing", "place": "网络 8.8.4.*", "device": "手机"} | changes
    return open_view(ticket(code), Visitor(**visitor))


def refusal(deed: Callable[[], object]) -> str:
    with pytest.raises(XinzhengError) as refused:
        deed()
    return refused.value.code


def let_run_out(share_id: uuid.UUID) -> None:
    """As if the codes of a share had been shown long ago."""
    ShownCode.objects.filter(share_id=share_id).update(good_until=in_(seconds=-1))


def test_a_code_leads_to_the_offer_and_the_offer_to_the_content_and_the_subject_sees_who_looked(
    agent: Account, report: Report
) -> None:
    made = shared(agent, report, receiver_name=BANK)
    shown = show(made.pk, SCREEN, by=agent.actor)
    offer = find(shown.secret)
    assert offer is not None
    assert (offer.number, offer.purpose_name, offer.receiver_name) == (report.number, "融资", BANK)
    assert "精密" not in offer.masked_name
    view = look(shown.secret)
    assert is_open(view.pk)
    (row,) = views_of(number=report.number)
    assert (row.who, row.known_by, row.purpose) == (BANK, "自己填写，没有核实", "融资")
    assert (row.place, row.device, row.way) == ("网络 8.8.4.*", "手机", "扫码")
    event = AuditEvent.objects.get(action="report-shown")
    assert (event.who, event.subject_id, event.place) == ("public", agent.subject_id, "网络 8.8.4.*")
    assert BANK not in str(event.details)


def test_each_showing_is_a_fresh_code_good_for_a_minute_and_a_grace(agent: Account, report: Report) -> None:
    made = shared(agent, report)
    before = timezone.now()
    first, second = (show(made.pk, SCREEN, by=agent.actor) for _ in range(2))
    assert (first.secret, first.typed) != (second.secret, second.typed)
    assert before + timedelta(seconds=60) + GRACE <= second.good_until <= in_(seconds=61) + GRACE
    assert find(first.secret) is not None  # who has it in view may finish
    let_run_out(made.pk)
    third = show(made.pk, SCREEN, by=agent.actor)
    assert [find(code.secret) is not None for code in (first, second, third)] == [False, False, True]
    assert find(first.typed) is None


def test_a_printed_code_is_good_until_the_share_ends_and_its_printing_is_written_down(
    agent: Account, report: Report
) -> None:
    made = shared(agent, report)
    shown = show(made.pk, PAPER, by=agent.actor)
    assert shown.good_until == made.expires_at
    assert AuditEvent.objects.filter(action="share-printed", object_id=str(made.pk)).exists()


def test_nothing_kept_in_the_database_is_a_code(agent: Account, report: Report) -> None:
    made = shared(agent, report)
    shown = show(made.pk, PAPER, by=agent.actor)
    look(shown.secret)
    with connection.cursor() as cursor:
        for table in ("codes_sharecode", "codes_showncode", "codes_view", "codes_viewdetail", "audit_auditevent"):
            cursor.execute(f"SELECT coalesce(string_agg(t::text, ' '), '') FROM {table} t")
            (text,) = cursor.fetchone()
            assert shown.secret not in text
            assert shown.typed not in text


def test_whatever_is_wrong_with_a_code_nothing_is_told(agent: Account, report: Report) -> None:
    made, used, back = (shared(agent, report, views=1) for _ in range(3))
    late = show(made.pk, SCREEN, by=agent.actor)
    let_run_out(made.pk)
    used_up = show(used.pk, PAPER, by=agent.actor)
    look(used_up.secret)
    taken = show(back.pk, PAPER, by=agent.actor)
    take_back(back.pk, by=agent.actor)
    for code in (late.secret, late.typed, used_up.secret, used_up.typed, taken.secret, taken.typed):
        assert find(code) is None
    for code in ("", "A" * 22, "\0" * 22, "0" * 12, "x" * 5000, "示例" * 11, "000 000 000 000"):
        assert find(code) is None


def test_a_code_is_looked_up_in_one_statement_whatever_it_is(
    agent: Account, report: Report, django_assert_num_queries: Any
) -> None:
    code = show(shared(agent, report).pk, SCREEN, by=agent.actor)
    for tried in (code.secret, code.typed, "A" * 22, "no code", "\0"):
        with django_assert_num_queries(1):
            find(tried)


def test_looks_are_counted_and_the_last_one_is_the_last(agent: Account, report: Report) -> None:
    made = shared(agent, report, views=2)
    code = show(made.pk, PAPER, by=agent.actor).secret
    again = ticket(code)
    look(code)
    look(code)
    assert refusal(lambda: open_view(again, Visitor(BANK, "financing"))) == "code-not-good"
    row = share_row(made.pk)
    assert row is not None
    assert (row[0].state, row[0].used, row[0].left) == ("used_up", 2, 0)
    assert refusal(lambda: show(made.pk, SCREEN, by=agent.actor)) == "share-over"


def test_sending_the_form_twice_counts_once(agent: Account, report: Report) -> None:
    code = show(shared(agent, report, views=1).pk, SCREEN, by=agent.actor).secret
    held = ticket(code)
    first, second = (open_view(held, Visitor(BANK, "financing")) for _ in range(2))
    assert first.pk == second.pk
    assert View.objects.count() == 1


def test_taking_back_ends_codes_tickets_and_open_views_at_once_and_what_was_seen_stays_listed(
    agent: Account, report: Report
) -> None:
    made = shared(agent, report)
    code = show(made.pk, PAPER, by=agent.actor).secret
    view, held = look(code), ticket(code)
    take_back(made.pk, by=agent.actor)
    assert not is_open(view.pk)
    assert find(code) is None
    assert refusal(lambda: open_view(held, Visitor(BANK, "financing"))) == "code-not-good"
    assert refusal(lambda: show(made.pk, SCREEN, by=agent.actor)) == "share-over"
    assert refusal(lambda: take_back(made.pk, by=agent.actor)) == "share-over"
    assert [row.who for row in views_of(share_id=made.pk)] == [BANK]
    (row,) = shares_of(report.number)
    assert (row.state, row.words) == ("taken_back", "已收回")


@pytest.mark.parametrize(
    ("visitor", "code"),
    [
        (Visitor(BANK, "listing"), "purpose-differs"),
        (Visitor(BANK, ""), "purpose-differs"),
        (Visitor("另一家银行", "financing"), "receiver-differs"),
        (Visitor("", "financing"), "body-name-invalid"),
        (Visitor("…", "financing"), "body-name-invalid"),
        (Visitor("甲" * 101, "financing"), "body-name-invalid"),
        (Visitor("示例\0银行", "financing"), "body-name-invalid"),
        (Visitor("张三110101199003070011", "financing"), "body-name-invalid"),
        (Visitor("张三１３９００００１２３４", "financing"), "body-name-invalid"),
        (Visitor("张三 13900001234 2026", "financing"), "body-name-invalid"),
    ],
)
def test_a_look_has_to_fit_what_the_subject_consented_to(
    agent: Account, report: Report, visitor: Visitor, code: str
) -> None:
    made = shared(agent, report, receiver_name=BANK)
    secret = show(made.pk, SCREEN, by=agent.actor).secret
    assert refusal(lambda: open_view(ticket(secret), visitor)) == code
    assert not View.objects.exists()


def test_the_named_body_may_write_its_name_with_other_spaces_and_brackets(agent: Account, report: Report) -> None:
    made = shared(agent, report, receiver_name="示例银行（苏州）分行")
    assert look(show(made.pk, SCREEN, by=agent.actor).secret, body_name=" 示例银行 (苏州)分行 ").pk


@pytest.mark.parametrize(
    ("changes", "field"),
    [
        ({"purpose": "mischief"}, "purpose"),
        ({"views": 0}, "views"),
        ({"views": 1001}, "views"),
        ({"expires_at": in_(seconds=-1)}, "period"),
        ({"expires_at": in_(days=31)}, "period"),
    ],
)
def test_terms_out_of_bounds_are_refused(agent: Account, report: Report, changes: dict[str, Any], field: str) -> None:
    with pytest.raises(XinzhengError) as refused:
        shared(agent, report, **changes)
    assert (refused.value.code, refused.value.context["field"]) == ("share-refused", field)
    assert not ShareCode.objects.exists()


def test_nobody_shares_the_report_of_another(city: SmallCity, report: Report) -> None:
    other = city.firm(uscc(2), "苏州示例化工有限公司")
    stranger = open_account(NewAccount("other", "示例乙", Role.SUBJECT_AGENT, subject_id=other), by="test")
    office = open_account(NewAccount("office", "示例丙", Role.OFFICE_OPERATOR), by="test")
    for account in (stranger, office):
        assert refusal(lambda account=account: shared(account, report)) == "share-refused"  # type: ignore[misc]
    assert refusal(lambda: share(stranger, "SZ0000", terms(), by="test")) == "unknown-report"


def test_only_a_report_in_force_is_shown_and_what_is_open_closes_with_it(agent: Account, report: Report) -> None:
    made = shared(agent, report)
    code = show(made.pk, PAPER, by=agent.actor).secret
    view, held = look(code), ticket(code)
    change_status(report, ReportStatus.SUPERSEDED, "test", Why())
    assert not is_open(view.pk)
    assert refusal(lambda: open_view(held, Visitor(BANK, "financing"))) == "report-not-in-force"
    assert refusal(lambda: show(made.pk, SCREEN, by=agent.actor)) == "report-not-in-force"
    offer = find(code)
    assert offer is not None
    assert offer.status == "superseded"
    revoke_report(report.number, RevocationReason.ISSUED_IN_ERROR, "test")
    assert refusal(lambda: shared(agent, report)) == "report-not-in-force"


def test_a_view_ends_by_itself_and_never_after_its_share(agent: Account, report: Report, settings: Any) -> None:
    code = show(shared(agent, report, expires_at=in_(minutes=5)).pk, SCREEN, by=agent.actor).secret
    assert look(code).open_until <= in_(minutes=5)
    settings.XINZHENG_VIEW_MINUTES = 0
    assert not is_open(look(code).pk)


def test_what_is_not_kept_for_ever_is_deleted_and_the_look_stays(agent: Account, report: Report, settings: Any) -> None:
    made = shared(agent, report)
    look(show(made.pk, SCREEN, by=agent.actor).secret)
    assert (forget_shown_codes(), forget_view_details()) == (0, 0)
    ShownCode.objects.update(good_until=in_(days=-2))
    ViewDetail.objects.update(at=in_(days=-settings.XINZHENG_KEEP_VIEW_DAYS - 1))
    assert (forget_shown_codes(), forget_view_details()) == (1, 1)
    (row,) = views_of(share_id=made.pk)
    assert (row.who, row.place) == (FORGOTTEN, "")
    assert AuditEvent.objects.get(action="view-details-deleted").details["count"] == 1


def test_consents_and_looks_are_history(agent: Account, report: Report) -> None:
    made = shared(agent, report)
    look(show(made.pk, SCREEN, by=agent.actor).secret)
    take_back(made.pk, by=agent.actor)
    for table in ("codes_sharecode", "codes_view", "codes_shareend"):
        with pytest.raises(DatabaseError, match="Cannot"), transaction.atomic(), connection.cursor() as cursor:
            cursor.execute(f"DELETE FROM {table}")


@pytest.mark.django_db(transaction=True)
def test_of_many_who_scan_at_once_only_as_many_see_it_as_were_allowed(agent: Account, report: Report) -> None:
    made = shared(agent, report, views=3)
    code = show(made.pk, PAPER, by=agent.actor).secret
    tickets = [ticket(code) for _ in range(8)]
    told: list[str] = []

    def try_it(held: Ticket) -> None:
        try:
            told.append(str(open_view(held, Visitor(BANK, "financing")).pk))
        except XinzhengError as error:
            told.append(error.code)
        finally:
            connections.close_all()

    threads = [threading.Thread(target=try_it, args=(held,)) for held in tickets]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert told.count("code-not-good") == 5
    assert View.objects.count() == 3


@pytest.mark.django_db(transaction=True)
def test_whoever_takes_back_first_wins(
    agent: Account, report: Report, second_connection: psycopg.Connection[Any]
) -> None:
    made = shared(agent, report)
    held = ticket(show(made.pk, PAPER, by=agent.actor).secret)
    second_connection.execute("SELECT 1 FROM codes_sharecode WHERE id = %s FOR NO KEY UPDATE", [made.pk])
    second_connection.execute("INSERT INTO codes_shareend (share_id, by, at) VALUES (%s, 'test', now())", [made.pk])
    told: list[str] = []

    def try_it() -> None:
        told.append(refusal(lambda: open_view(held, Visitor(BANK, "financing"))))
        connections.close_all()

    waiting = threading.Thread(target=try_it)
    waiting.start()
    waiting.join(0.5)
    assert waiting.is_alive()  # it waits for the one who is taking back
    second_connection.commit()
    waiting.join()
    assert told == ["code-not-good"]


@pytest.mark.django_db(transaction=True)
def test_nobody_subscribes_while_the_consent_is_being_taken_back(
    agent: Account, report: Report, second_connection: psycopg.Connection[Any]
) -> None:
    clerk = open_account(NewAccount("clerk", "柜员", Role.RECEIVER), by="test")
    register(clerk, Registration(uscc(70), BANK, "bank"))
    decide(Receiver.objects.get().pk, Decision(State.VERIFIED, account_ids=(clerk.pk,)), by="test")
    clerk.refresh_from_db()
    made = shared(agent, report, may_subscribe=True)
    view = look(show(made.pk, PAPER, by=agent.actor).secret, account=clerk)
    second_connection.execute("SELECT 1 FROM codes_sharecode WHERE id = %s FOR NO KEY UPDATE", [made.pk])
    second_connection.execute("INSERT INTO codes_shareend (share_id, by, at) VALUES (%s, 'test', now())", [made.pk])
    told: list[str] = []

    def try_it() -> None:
        told.append(refusal(lambda: subscribe(clerk, view.pk)))
        connections.close_all()

    waiting = threading.Thread(target=try_it)
    waiting.start()
    waiting.join(0.5)
    assert waiting.is_alive()
    second_connection.commit()
    waiting.join()
    assert told == ["subscription-refused"]
    assert not Subscription.objects.exists()
