"""A double click is two requests at once over two connections to two processes: one application, one report."""

import threading
from concurrent.futures import ThreadPoolExecutor
from http.cookies import SimpleCookie
from pathlib import Path
from typing import Any

import pytest
from procrastinate.contrib.django.models import ProcrastinateJob

from tests.running_site import Visitor, filled, running_site, wait_until
from tests.small_city import SmallCity, build_small_city, uscc
from tests.soundness import assert_sound
from xinzheng.apps.accounts.actions import NewAccount, open_account
from xinzheng.apps.accounts.models import Role
from xinzheng.apps.audit.models import AuditEvent, LogLeaf
from xinzheng.apps.reports.issuing import ensure_keys
from xinzheng.apps.reports.models import Application, DayCounter, Report, ReportDocument
from xinzheng.apps.reports.queries import current_status, report_pdf

pytestmark = [pytest.mark.slow, pytest.mark.django_db(transaction=True)]
PASSWORD = "only-for-this-test-1"  # the tests' own
APPLICANTS = 3


@pytest.fixture
def city(transactional_db: None, tmp_path: Path) -> SmallCity:
    small = build_small_city(tmp_path, units_per_domain=1)
    small.declare_everything()
    ensure_keys()
    for number in range(1, APPLICANTS + 1):
        of = {"subject_id": small.firm(uscc(number)), "password": PASSWORD}
        open_account(NewAccount(f"agent-{number}", "示例甲", Role.SUBJECT_AGENT, **of), by="test")  # type: ignore[arg-type]
    return small


def clicked(visitor: Visitor, path: str, form: list[tuple[str, str]], times: int) -> list[tuple[int, str, str]]:
    """The answers to as many requests at once, each over a connection of its own."""
    start = threading.Barrier(times)

    def click(_: int) -> tuple[int, str, str]:
        start.wait()
        return Visitor(visitor.port, SimpleCookie(visitor.cookies)).post(path, form)

    with ThreadPoolExecutor(times) as fingers:
        return list(fingers.map(click, range(times)))


def key_of(form: list[tuple[str, str]]) -> str:
    return dict(form)["key"]


def issued() -> int:
    return ReportDocument.objects.count()


def assert_gap_free(reports: int) -> None:
    numbers = sorted(Report.objects.values_list("number", flat=True))
    assert [int(number[10:17]) for number in numbers] == list(range(1, reports + 1))
    assert DayCounter.objects.get().last == reports
    assert sorted(LogLeaf.objects.filter(kind="issued").values_list("object_id", flat=True)) == numbers
    assert AuditEvent.objects.filter(action="report-issued").count() == reports
    for number in numbers:
        assert current_status(number) == "in_force"
        assert_sound(report_pdf(number))


def test_two_clicks_at_once_lead_to_one_application_and_one_report(city: SmallCity, tmp_path: Path) -> None:
    with running_site(tmp_path) as site:
        for number in range(1, APPLICANTS + 1):
            visitor = Visitor(site.port)
            visitor.sign_in(f"agent-{number}", PASSWORD)
            form = filled(visitor.get("/apply"), "/apply")
            answers = clicked(visitor, "/apply", form, times=2)
            places = {place for _, place, _ in answers}
            assert [status for status, _, _ in answers] == [302, 302], answers
            assert places == {f"/applications/{key_of(form)}"}
        wait_until(lambda: issued() == APPLICANTS)
        (place,) = places
        assert visitor.ask("GET", place)[:2] == (302, f"/reports/{Report.objects.latest('created_at').number}")
    assert Application.objects.filter(state="done").count() == Application.objects.count() == APPLICANTS
    assert_gap_free(APPLICANTS)


def test_a_finger_that_does_not_stop_gets_one_report_and_two_forms_get_two(city: SmallCity, tmp_path: Path) -> None:
    with running_site(tmp_path) as site:
        visitor = Visitor(site.port)
        visitor.sign_in("agent-1", PASSWORD)
        forms = [filled(visitor.get("/apply"), "/apply") for _ in range(2)]
        for form in forms:
            answers = clicked(visitor, "/apply", form, times=12)
            assert {place for _, place, _ in answers} == {f"/applications/{key_of(form)}"}
        wait_until(lambda: issued() == 2)
    assert_gap_free(2)


def test_the_form_of_one_applicant_in_the_hands_of_another_is_answered_in_words(
    city: SmallCity, tmp_path: Path
) -> None:
    with running_site(tmp_path) as site:
        mine, theirs = Visitor(site.port), Visitor(site.port)
        mine.sign_in("agent-1", PASSWORD)
        theirs.sign_in("agent-2", PASSWORD)
        form, other = (filled(who.get("/apply"), "/apply") for who in (mine, theirs))
        other = [(name, key_of(form) if name == "key" else value) for name, value in other]
        with ThreadPoolExecutor(2) as fingers:
            answers = [fingers.submit(who.post, "/apply", what) for who, what in ((mine, form), (theirs, other))]
            found = sorted((answer.result() for answer in answers), key=lambda answer: answer[0])
        assert [status for status, _, _ in found] == [302, 422]
        assert "同一申请号已经用于另一份申请，请回到申请页重新提交。" in found[1][2]
        wait_until(lambda: issued() == 1)
    assert_gap_free(1)


def test_what_failed_is_tried_again_once_however_often_the_button_is_pressed(
    city: SmallCity, tmp_path: Path, settings: Any
) -> None:
    settings.XINZHENG_KEYS = tmp_path / "keys"
    ensure_keys()
    signer = tmp_path / "keys/signing/generations/1/signer.p12"
    signer.rename(tmp_path / "away")
    with running_site(tmp_path, XINZHENG_KEYS=str(tmp_path / "keys")) as site:
        visitor = Visitor(site.port)
        visitor.sign_in("agent-1", PASSWORD)
        form = filled(visitor.get("/apply"), "/apply")
        _, place, _ = visitor.post("/apply", form)
        wait_until(lambda: Application.objects.filter(state="failed").exists())
        retry = filled(visitor.get(place), f"{place}/retry")
        (tmp_path / "away").rename(signer)
        answers = clicked(visitor, f"{place}/retry", retry, times=4)
        assert [(status, where) for status, where, _ in answers] == [(302, place)] * 4
        wait_until(lambda: Application.objects.filter(state="done").exists())
    queued = ProcrastinateJob.objects.filter(args__application_id=key_of(form))
    assert queued.count() == 2  # the first attempt, and one more
    assert_gap_free(1)
