"""Packs in force: what is published for a day beats what is shipped, from that day on, for whoever asks; for ever."""

from collections.abc import Callable, Iterator
from datetime import UTC, date, datetime, time, timedelta
from types import SimpleNamespace
from typing import Any

import pytest
from django.core.signals import request_finished, request_started

from tests import told_time
from tests.draft_packs import LENIENTLY, POLICY, files, publish, tomorrow
from tests.module_database import module_database, refusal_code, undone_after
from tests.small_city import BY, SmallCity, build_small_city, today, uscc
from xinzheng.adapters.policy_files import list_policies, pack_digest
from xinzheng.apps.audit.actions import open_entry
from xinzheng.apps.registry.queries import find_subject
from xinzheng.apps.reports import packs, preparing
from xinzheng.apps.reports.issuing import Order, issue_report
from xinzheng.apps.reports.models import PackPublication, Report, StoredInput
from xinzheng.apps.reports.pack_queries import begin_page, forget_page, recorded
from xinzheng.apps.reports.publishing import record_extension
from xinzheng.apps.reports.queries import current_status, report_view
from xinzheng.apps.reports.replaying import replay_report
from xinzheng.apps.reports.reviewing import review_reports
from xinzheng.core.decision import CHINA, Request
from xinzheng.core.policy import Extension
from xinzheng.web.codes.terms_form import purposes_of
from xinzheng.web.publicity.decree import marked_in_text

db, undone = module_database, undone_after
pytestmark = pytest.mark.usefixtures("undone")

FIRM = uscc(1)


@pytest.fixture(scope="module")
def city(module_database: None, tmp_path_factory: pytest.TempPathFactory) -> SmallCity:
    """A firm with a tax penalty, and every unit's statement."""
    small = build_small_city(tmp_path_factory.mktemp("city"), units_per_domain=1)
    small.declare_everything()
    small.firm(FIRM)
    small.submit([small.penalty(FIRM)])
    return small


@pytest.fixture(autouse=True)
def no_page() -> Iterator[None]:
    """What a page knew ends with the test."""
    yield
    forget_page()


@pytest.fixture
def it_is(monkeypatch: pytest.MonkeyPatch, settings: Any) -> Callable[[datetime | date], None]:
    """Tells what packs and reports go by what time it is; a day is ten in the morning in China. Signing is real."""

    def tell(at: datetime | date) -> None:
        moment = at if isinstance(at, datetime) else datetime.combine(at, time(10), CHINA)
        monkeypatch.setattr(preparing, "timezone", SimpleNamespace(now=lambda: moment.astimezone(UTC)))
        monkeypatch.setattr(told_time, "_told", [moment.astimezone(UTC)])
        settings.XINZHENG_CLOCK = "tests.told_time.now"

    return tell


def issue(subject: str = FIRM) -> Report:
    return issue_report(Order(POLICY, key_of(subject), Request(), BY))


def key_of(code: str) -> int:
    found = find_subject(code)
    assert found is not None
    return found


# --- from which day on ----------------------------------------------------------------------------------------------


def test_a_published_pack_beats_the_shipped_one_from_its_day_on(city: SmallCity) -> None:
    shipped = packs.in_force(POLICY)
    assert (shipped.entry, shipped.sha256) == (None, packs.shipped_digest(POLICY))
    assert shipped.from_date == shipped.policy.in_effect.from_date
    digest = publish(from_date=today() + timedelta(days=3))
    for days, expected in ((0, shipped.sha256), (2, shipped.sha256), (3, digest), (400, digest)):
        assert packs.current_policy(POLICY, today() + timedelta(days=days)).sha256 == expected
    held = packs.in_force(POLICY, today() + timedelta(days=3))
    publication = PackPublication.objects.get()
    assert (held.sha256, held.entry, held.document) == (digest, publication.pk, "演示发布〔2026〕1号")
    assert held.from_date == publication.from_date
    assert packs.current_policy("huzhou-2023", today() + timedelta(days=400)).id == "huzhou-2023"


def test_the_day_switches_at_midnight_in_china_without_a_restart(
    city: SmallCity, it_is: Callable[[datetime], None]
) -> None:
    day, shipped = tomorrow(), packs.shipped_digest(POLICY)
    digest = publish()
    midnight = datetime.combine(day, time(), CHINA)
    for moment, expected in ((midnight - timedelta(seconds=1), shipped), (midnight, digest)):
        it_is(moment)
        assert packs.today() == moment.date()
        assert packs.current_policy(POLICY).sha256 == expected
        assert preparing.draft_report(Order(POLICY, key_of(FIRM), Request(), BY)).policy.sha256 == expected


def test_of_one_day_the_later_publication_holds_and_an_earlier_pack_may_be_published_again(city: SmallCity) -> None:
    first = publish()
    second = publish(LENIENTLY, ("taxation-apart", "taxation-left-out"))
    assert packs.current_policy(POLICY, tomorrow()).sha256 == second
    publish()
    assert packs.current_policy(POLICY, tomorrow()).sha256 == first
    later = publish(LENIENTLY, ("测试用", "测试用二"), from_date=today() + timedelta(days=9))
    assert packs.current_policy(POLICY, today() + timedelta(days=8)).sha256 == first
    assert packs.current_policy(POLICY, today() + timedelta(days=9)).sha256 == later


def test_what_another_process_publishes_is_known_at_once(city: SmallCity) -> None:
    """Nothing of this process hears of the row: it only stands in the database."""
    digest = packs.keep_pack(POLICY, files(POLICY, LENIENTLY))
    assert packs.current_policy(POLICY, tomorrow()).sha256 != digest.hex()
    written_by_another(digest)
    assert packs.current_policy(POLICY, tomorrow()).sha256 == digest.hex()


def written_by_another(digest: bytes) -> None:
    entry = open_entry(kind="pack-published", by=BY)
    PackPublication.objects.create(entry=entry, policy_id=POLICY, pack_id=digest, from_date=tomorrow(), reason="别处")


def test_a_page_asks_once_and_the_next_page_asks_again(city: SmallCity, django_assert_num_queries: Any) -> None:
    digest = packs.keep_pack(POLICY, files(POLICY, LENIENTLY))
    shipped = packs.current_policy(POLICY).sha256
    begin_page()
    with django_assert_num_queries(1):
        for policy_id in (POLICY, "huzhou-2023", POLICY):
            packs.current_policy(policy_id, tomorrow())
        packs.current_setting(POLICY)
        assert packs.policy_ids() == list_policies()
    written_by_another(digest)
    assert packs.current_policy(POLICY, tomorrow()).sha256 == shipped
    begin_page()
    assert packs.current_policy(POLICY, tomorrow()).sha256 == digest.hex()
    assert {begin_page, forget_page} <= {receiver() for _, receiver, *_ in receivers()}


def receivers() -> list[Any]:
    return [*request_started.receivers, *request_finished.receivers]


def test_a_page_that_publishes_shows_what_it_published(city: SmallCity) -> None:
    begin_page()
    before = packs.current_policy(POLICY, tomorrow()).sha256
    digest = publish()
    assert before != packs.current_policy(POLICY, tomorrow()).sha256 == digest


# --- kept and replayed ----------------------------------------------------------------------------------------------


def test_what_was_decided_by_is_kept_under_its_own_digest(city: SmallCity, it_is: Callable[[date], None]) -> None:
    before = issue()
    digest = publish()
    it_is(tomorrow())
    after = issue()
    assert [bytes(one.pack_id).hex() for one in (before, after)] == [packs.shipped_digest(POLICY), digest]
    for report in (before, after):
        body = StoredInput.objects.get(pk=report.pack_id).body
        assert pack_digest({name: text.encode() for name, text in body.items()}) == bytes(report.pack_id).hex()
    assert [before.outcome, after.outcome] == ["not_clear", "clear"]


def test_other_bytes_are_never_kept_under_a_digest(city: SmallCity, monkeypatch: pytest.MonkeyPatch) -> None:
    """The files on the disk are others by now, and what was decided by was never stored."""
    policy = packs.current_policy("huzhou-2023")
    with monkeypatch.context() as patch:
        patch.setattr(packs, "_pack", lambda _: files(POLICY))
        assert refusal_code(packs.keep_inputs, policy, packs.current_calendar()) == "pack-bytes-unknown"
    assert not StoredInput.objects.filter(name="huzhou-2023").exists()
    wrong, body = bytes(32), {name: data.decode() for name, data in files().items()}
    StoredInput.objects.create(sha256=wrong, kind="policy", name=POLICY, body=body)
    assert refusal_code(packs.stored_policy, wrong) == "pack-bytes-unknown"


def test_reports_of_before_and_after_are_replayed_for_ever_and_none_is_superseded(
    city: SmallCity, it_is: Callable[[date], None], monkeypatch: pytest.MonkeyPatch
) -> None:
    before = issue()
    publish(from_date=tomorrow())
    assert review_reports()["superseded"] == 0
    it_is(tomorrow())
    after = issue()
    publish(LENIENTLY, ("record_word: ", "record_word: 另一"), from_date=tomorrow() + timedelta(days=1))
    it_is(tomorrow() + timedelta(days=9))
    last = issue()
    assert review_reports()["superseded"] == 0
    assert [current_status(report.number) for report in (before, after, last)] == ["in_force"] * 3

    def gone(*_: object) -> None:
        raise FileNotFoundError

    for cached in (packs.stored_policy, packs._shipped, packs._shipped_ids, packs._pack):
        cached.cache_clear()
    for name in ("list_policies", "pack_bytes"):
        monkeypatch.setattr(packs.ports.policy_files(), name, gone)
    assert all(replay_report(report.number).is_same for report in (before, after, last))
    assert len({bytes(report.digest) for report in (before, after, last)}) == 3


def test_a_code_shown_for_a_report_keeps_the_uses_of_its_own_pack(
    city: SmallCity, it_is: Callable[[date], None]
) -> None:
    report = issue()
    purposes = purposes_of(report_view(report.number).pack)
    first = packs.current_policy(POLICY).purposes[0]
    publish((f"code: {first.code}", "code: renamed"))
    it_is(tomorrow())
    assert first.code not in {purpose.code for purpose in packs.current_policy(POLICY).purposes}
    assert purposes_of(report_view(report.number).pack) == purposes
    assert (first.code, first.name) in purposes


def test_the_decree_is_marked_by_the_pack_in_force(city: SmallCity, it_is: Callable[[date], None]) -> None:
    assert "clause-summary-procedure" in marked_in_text(POLICY)
    publish(("id: summary-procedure", "id: simple-procedure"))
    assert "clause-simple-procedure" not in marked_in_text(POLICY)
    it_is(tomorrow())
    assert "clause-simple-procedure" in marked_in_text(POLICY)
    assert "clause-summary-procedure" not in marked_in_text(POLICY)


# --- extensions -----------------------------------------------------------------------------------------------------


EXTENSION = Extension("演示延期〔2027〕2号", date(2029, 6, 30), "演示")


def test_an_extension_prolongs_the_policy_and_stands_in_what_a_report_keeps(city: SmallCity) -> None:
    before, shipped = issue(), packs.current_policy(POLICY).extensions
    assert shipped
    record_extension(POLICY, EXTENSION, by=BY)
    assert packs.current_policy(POLICY).extensions == (*shipped, EXTENSION)
    assert packs.current_policy(POLICY).last_date == EXTENSION.until_date
    assert packs.current_setting(POLICY).extensions == (*shipped, EXTENSION)
    after = issue()
    kept = [packs.setting_from_mapping(report.setting).extensions for report in (before, after)]
    assert kept == [shipped, (*shipped, EXTENSION)]
    assert all(replay_report(report.number).is_same for report in (before, after))
    publish()
    assert EXTENSION in packs.current_policy(POLICY, tomorrow()).extensions
    assert packs.current_policy("huzhou-2023").extensions == ()


def test_an_extension_recorded_while_a_report_is_decided_is_no_part_of_it(
    city: SmallCity, monkeypatch: pytest.MonkeyPatch
) -> None:
    deciding = preparing.answer_question

    def meanwhile(question: Any) -> Any:
        answer = deciding(question)
        record_extension(POLICY, EXTENSION, by="somebody else")
        return answer

    monkeypatch.setattr(preparing, "answer_question", meanwhile)
    report = issue()
    assert EXTENSION not in packs.setting_from_mapping(report.setting).extensions
    assert EXTENSION in packs.current_setting(POLICY).extensions
    assert replay_report(report.number).is_same


@pytest.mark.parametrize(
    ("extension", "code"),
    [
        (Extension("新文", date(2026, 12, 31)), "extension-shorter"),
        (Extension("演示延期〔2026〕1号", date(2029, 1, 1)), "extension-recorded-already"),
        (Extension(" ", date(2029, 1, 1)), "document-missing"),
    ],
)
def test_what_does_not_prolong_is_refused(city: SmallCity, extension: Extension, code: str) -> None:
    assert refusal_code(record_extension, POLICY, extension, by=BY) == code
    assert refusal_code(record_extension, "huzhou-2023", EXTENSION, by=BY) == "extension-shorter"
    assert refusal_code(record_extension, "nowhere-2026", EXTENSION, by=BY) == "unknown-policy"
    assert recorded().extensions == {}
