"""Issuing when things go wrong: crowds, a full disk, a key store or a time-stamping authority that is gone."""

import hashlib
import threading
import uuid
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
from django.db import connection, connections

from tests.adapters.test_pdf_rare import BEYOND, own_face
from tests.adapters.test_signing_pkcs11 import MakeStore, put_in_use, store
from tests.small_city import SmallCity, build_small_city, uscc
from tests.stamp_server import stamping
from xinzheng.adapters.signing import SigningUnavailableError, check_pdf, load_demo_trust, open_keyring, signed_digest
from xinzheng.adapters.signing.generations import STAMP_ROOTS_FILE
from xinzheng.adapters.signing.raw_keys import SoftwareKey
from xinzheng.adapters.signing.stampers import _remote
from xinzheng.apps.accounts.actions import NewAccount, open_account
from xinzheng.apps.accounts.models import Role
from xinzheng.apps.audit.models import AuditEvent, LogLeaf
from xinzheng.apps.reports.applications import Applying, follow_reports, fulfil_application, submit_application
from xinzheng.apps.reports.issuing import Order, ensure_keys, issue_report, resume_prepared
from xinzheng.apps.reports.models import Application, DayCounter, DocumentStamp, Report, ReportDocument, StatusEvent
from xinzheng.apps.reports.queries import current_status, report_pdf
from xinzheng.apps.reports.stamping import stamp_waiting, waiting_for_stamp
from xinzheng.core.decision import Request
from xinzheng.core.errors import XinzhengError
from xinzheng.core.leaves import issued_leaf

pytestmark = pytest.mark.django_db(transaction=True)
__all__ = ["store"]
CROWD = 50
FULL = """
    CREATE FUNCTION full_disk() RETURNS trigger LANGUAGE plpgsql AS
    $$ BEGIN RAISE EXCEPTION 'could not extend file: No space left on device' USING ERRCODE = 'disk_full'; END $$;
    CREATE TRIGGER full_disk BEFORE INSERT ON {table} FOR EACH ROW EXECUTE FUNCTION full_disk()
"""


@pytest.fixture
def city(transactional_db: None, tmp_path: Path) -> SmallCity:
    small = build_small_city(tmp_path, units_per_domain=1)
    small.declare_everything()
    ensure_keys()
    return small


def order(subject_id: int, key: uuid.UUID | None = None) -> Order:
    return Order("suzhou-2024", subject_id, Request(), "test", key or uuid.uuid4())


def at_once(orders: list[Order]) -> list[str]:
    """The numbers of what many threads issue from the same moment on."""
    start = threading.Barrier(len(orders))

    def issue(one: Order) -> str:
        try:
            start.wait()
            return issue_report(one).number
        finally:
            connections.close_all()

    with ThreadPoolExecutor(len(orders)) as crowd:
        return list(crowd.map(issue, orders))


def serials() -> list[int]:
    return sorted(int(number[10:17]) for number in Report.objects.values_list("number", flat=True))


@contextmanager
def full_disk(table: str) -> Iterator[None]:
    """The server says what it says when it cannot write: a table takes no row."""
    with connection.cursor() as cursor:
        cursor.execute(FULL.format(table=table))
    try:
        yield
    finally:
        with connection.cursor() as cursor:
            cursor.execute(f"DROP TRIGGER full_disk ON {table}; DROP FUNCTION full_disk()")


def test_fifty_requests_for_one_subject_with_one_key_at_once_make_one_report(city: SmallCity) -> None:
    one = order(city.firm(uscc(1)))
    numbers = at_once([one] * CROWD)
    assert len(numbers) == CROWD
    assert set(numbers) == {Report.objects.get().number}
    assert ReportDocument.objects.count() == 1
    assert LogLeaf.objects.filter(kind="issued").count() == 1
    assert DayCounter.objects.get().last == 1


def test_fifty_requests_for_one_subject_with_their_own_keys_make_fifty_reports_without_a_gap(city: SmallCity) -> None:
    subject_id = city.firm(uscc(1))
    numbers = at_once([order(subject_id) for _ in range(CROWD)])
    assert len(set(numbers)) == CROWD
    assert serials() == list(range(1, CROWD + 1))
    assert StatusEvent.objects.filter(status="in_force").count() == CROWD
    assert LogLeaf.objects.filter(kind="issued").count() == CROWD


def test_a_double_click_makes_one_application_and_one_report(city: SmallCity) -> None:
    subject_id, key = city.firm(uscc(1)), uuid.uuid4()
    account = open_account(NewAccount("agent", "示例甲", Role.SUBJECT_AGENT, subject_id=subject_id), by="test")
    start = threading.Barrier(2)

    def click(_: int) -> uuid.UUID:
        try:
            start.wait()
            application = submit_application(Applying(account, subject_id, "suzhou-2024", Request()), key)
            start.wait()
            fulfil_application(application.pk)
            return application.pk
        finally:
            connections.close_all()

    with ThreadPoolExecutor(2) as clicks:
        assert set(clicks.map(click, range(2))) == {key}
    assert Application.objects.get().number == Report.objects.get().number


def test_a_disk_that_is_full_before_the_number_leaves_nothing_and_says_so(city: SmallCity) -> None:
    one = order(city.firm(uscc(1)))
    with full_disk("reports_report"), pytest.raises(XinzhengError, match="没有占用报告编号") as caught:
        issue_report(one)
    assert caught.value.code == "storage-full"
    assert not DayCounter.objects.exists()
    assert int(issue_report(one).number[10:17]) == 1


@pytest.mark.parametrize("table", ["reports_reportdocument", "audit_logleaf", "audit_auditevent"])
def test_a_disk_that_is_full_after_the_number_keeps_the_number_and_goes_on_when_there_is_room(
    city: SmallCity, table: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    one = order(city.firm(uscc(1)))
    with monkeypatch.context() as stopped:
        stopped.setattr("xinzheng.apps.reports.issuing.complete_report", lambda report, *_, **__: report)
        report = issue_report(one)
    with full_disk(table):
        with pytest.raises(XinzhengError, match=f"编号{report.number}已经保留") as caught:
            issue_report(one)
        assert caught.value.code == "storage-full"
        with pytest.raises(Exception, match="No space left"):
            resume_prepared()
    assert current_status(report.number) == "prepared"
    assert not ReportDocument.objects.exists()
    assert resume_prepared() == [report.number]
    assert serials() == [1]


def gone(*_: object) -> bytes:
    raise SigningUnavailableError("签名设备没有应答。")


def test_a_key_that_is_gone_before_the_number_takes_none(city: SmallCity, monkeypatch: pytest.MonkeyPatch) -> None:
    one = order(city.firm(uscc(1)))
    with monkeypatch.context() as pulled:
        pulled.setattr(SoftwareKey, "sign", gone)
        with pytest.raises(XinzhengError) as caught:
            issue_report(one)
    assert caught.value.code == "signing-unavailable"
    assert not DayCounter.objects.exists()
    assert int(issue_report(one).number[10:17]) == 1


def test_a_key_that_goes_between_number_and_signature_voids_nothing_and_the_page_follows_its_return(
    city: SmallCity, monkeypatch: pytest.MonkeyPatch
) -> None:
    subject_id = city.firm(uscc(1))
    account = open_account(NewAccount("agent", "示例甲", Role.SUBJECT_AGENT, subject_id=subject_id), by="test")
    application = submit_application(Applying(account, subject_id, "suzhou-2024", Request()), uuid.uuid4())
    with monkeypatch.context() as pulled:
        pulled.setattr("xinzheng.adapters.signing.sign_pdf", gone)
        assert fulfil_application(application.pk).message == "签名设备没有应答。"
        with pytest.raises(XinzhengError):
            resume_prepared()
        assert follow_reports() == 0
    number = Report.objects.get().number
    assert current_status(number) == "prepared"
    assert resume_prepared() == [number]
    assert follow_reports() == 1
    done = Application.objects.get()
    assert (done.state, done.number, done.message) == ("done", number, "")


def test_a_hardware_store_that_is_pulled_out_stops_issuing_and_loses_nothing(
    city: SmallCity, store: MakeStore, settings: Any, tmp_path: Path
) -> None:
    subject_id, description = city.firm(uscc(1)), store("ecdsa")
    settings.XINZHENG_KEYS, settings.XINZHENG_PKCS11 = tmp_path, str(description)
    put_in_use(tmp_path / "signing", description)
    first = issue_report(order(subject_id))
    (tmp_path / "tokens").rename(tmp_path / "pulled-out")
    for _ in range(2):
        with pytest.raises(XinzhengError, match="硬件密钥库"):
            issue_report(order(subject_id))
    (tmp_path / "pulled-out").rename(tmp_path / "tokens")
    issue_report(order(subject_id))
    assert serials() == [1, 2]
    facts = check_pdf(report_pdf(first.number), load_demo_trust(tmp_path / "signing"))
    assert (facts.intact, facts.signature_valid, facts.signer_trusted) == (True, True, True)


@pytest.fixture
def own_stamper(city: SmallCity, settings: Any) -> Iterator[Callable[[str], Any]]:
    """The demonstration's authority as if it were another's, at an address: how it behaves is for the test to say."""
    keys = settings.XINZHENG_KEYS / "signing"
    (keys / STAMP_ROOTS_FILE).write_bytes((keys / "generations/1/root.pem").read_bytes())

    @contextmanager
    def behaving(manner: str) -> Iterator[Any]:
        key = open_keyring(keys).stamper_key
        assert key is not None
        _remote.cache_clear()  # an authority not known from before
        with stamping(key, manner) as server:
            settings.XINZHENG_TSA = server.address
            yield server

    yield behaving
    (keys / STAMP_ROOTS_FILE).unlink()


def test_a_report_is_stamped_at_once_and_its_file_is_served_with_the_stamp(
    city: SmallCity, own_stamper: Callable[[str], Any], settings: Any
) -> None:
    with own_stamper("answers"):
        report = issue_report(order(city.firm(uscc(1))))
    stamp = DocumentStamp.objects.get()
    served, stored = report_pdf(report.number), bytes(ReportDocument.objects.get().pdf)
    assert served != stored
    assert len(served) == len(stored)
    assert hashlib.sha256(served).digest() == bytes(stamp.sha256)
    assert stamp.authority == "127.0.0.1"
    facts = check_pdf(served, load_demo_trust(settings.XINZHENG_KEYS / "signing"))
    assert (facts.intact, facts.signature_valid, facts.signer_trusted) == (True, True, True)
    assert (facts.level, facts.stamped_at) == ("B-LT", stamp.stamped_at)
    signed_at = facts.signed_at
    assert signed_at is not None
    leaf = issued_leaf(bytes(report.digest), signed_digest(served), signed_at)
    assert bytes(LogLeaf.objects.get(kind="issued").data) == leaf
    assert not AuditEvent.objects.filter(action="report-unstamped").exists()


@pytest.mark.parametrize("manner", ["hangs", "garbage", "refuses", "yesterday", "other"])
def test_an_authority_that_does_not_stamp_holds_no_report_up_and_stamps_later(
    city: SmallCity, own_stamper: Callable[[str], Any], manner: str, settings: Any
) -> None:
    subject_id = city.firm(uscc(1))
    with own_stamper(manner) as server:
        numbers = [issue_report(order(subject_id)).number for _ in range(2)]
        assert server.asked == 1  # left alone after its failure: the second report does not wait for it
        assert stamp_waiting() == 0
    assert [current_status(number) for number in numbers] == ["in_force", "in_force"]
    assert not DocumentStamp.objects.exists()
    assert list(waiting_for_stamp().values_list("object_id", flat=True)) == numbers
    trust = load_demo_trust(settings.XINZHENG_KEYS / "signing")
    before = check_pdf(report_pdf(numbers[0]), trust)
    assert (before.intact, before.signature_valid, before.stamped_at) == (True, True, None)
    with own_stamper("answers"):
        assert stamp_waiting() == 2
        assert stamp_waiting() == 0
    after = check_pdf(report_pdf(numbers[0]), trust)
    assert (after.intact, after.signature_valid, after.level) == (True, True, "B-LT")
    assert AuditEvent.objects.filter(action="report-stamped").count() == 2


def test_an_authority_that_is_not_there_at_all_holds_no_report_up(
    city: SmallCity, own_stamper: Callable[[str], Any]
) -> None:
    with own_stamper("answers"):
        pass  # its address stays in the settings, and nobody listens there any more
    report = issue_report(order(city.firm(uscc(1))))
    assert current_status(report.number) == "in_force"
    assert waiting_for_stamp().count() == 1


def test_where_nobody_stamps_nothing_waits_for_a_stamp(city: SmallCity, settings: Any) -> None:
    settings.XINZHENG_TSA = ""
    issue_report(order(city.firm(uscc(1))))
    assert not DocumentStamp.objects.exists()
    assert not waiting_for_stamp().exists()


def test_an_authority_without_roots_to_judge_it_by_stamps_nothing_until_they_are_there(
    city: SmallCity, settings: Any
) -> None:
    settings.XINZHENG_TSA = "https://tsa.example/"
    issue_report(order(city.firm(uscc(1))))
    assert waiting_for_stamp().count() == 1


def test_a_face_that_is_gone_when_a_report_is_to_be_completed_voids_nothing(
    city: SmallCity, settings: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    settings.XINZHENG_FONTS = str(own_face(tmp_path / "fonts"))
    rare, plain = order(city.firm(uscc(1), name=f"苏州{BEYOND[0]}记有限公司")), order(city.firm(uscc(2)))
    with monkeypatch.context() as stopped:
        stopped.setattr("xinzheng.apps.reports.issuing.complete_report", lambda report, *_, **__: report)
        numbers = [issue_report(one).number for one in (rare, plain)]
    settings.XINZHENG_FONTS = ""
    with pytest.raises(XinzhengError, match=numbers[0]) as caught:
        resume_prepared()
    assert caught.value.code == "faces-changed"
    assert [current_status(number) for number in numbers] == ["prepared", "in_force"]
    settings.XINZHENG_FONTS = str(tmp_path / "fonts")
    assert resume_prepared() == numbers[:1]
