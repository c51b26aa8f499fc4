"""Figures of the desk equal a plain count, whatever the range, the zones and the days tallied so far."""

import os
import random
import time
from collections.abc import Iterator
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from zoneinfo import ZoneInfo

import psycopg
import pytest
from django.conf import settings as site
from django.db import connection, transaction
from django.utils import timezone
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.busy_days import Made, ended, in_force, looked, viewed
from tests.module_database import module_database, undone_after
from tests.small_city import today
from xinzheng.adapters.postgres_embedded import connection_info
from xinzheng.adapters.postgres_embedded.layout import SUPERUSER
from xinzheng.apps.oversight.desk_figures import MOST_BARS, Figures, Range, Step, figures, step_of
from xinzheng.apps.oversight.desk_models import DayTally, TalliedDay
from xinzheng.apps.oversight.errors import OversightError
from xinzheng.apps.oversight.health_words import State
from xinzheng.apps.oversight.health_work import tallies
from xinzheng.apps.oversight.tallies import FIGURES, ONE_DAY, midnight, recount, tallied_days, tally_days
from xinzheng.apps.oversight.tasks_desk import recount_a_day

db = module_database
undone = undone_after
FIRST, LAST = date(2025, 11, 20), date(2026, 3, 5)
DAYS = (LAST - FIRST).days
POLICIES = ("suzhou-2024", "huzhou-2023")
ZONES = ("UTC", "Asia/Shanghai", "America/Los_Angeles", "Pacific/Kiritimati", "America/Sao_Paulo")
# What the tests hold the desk to: written apart from it, over the whole tables, by the day in China.
DAY = "({}.at AT TIME ZONE 'Asia/Shanghai')::date BETWEEN %(first)s AND %(last)s"
OF_POLICY = "AND (%(policy)s::text IS NULL OR r.policy_id = %(policy)s)"
EVENTS = f"reports_statusevent e JOIN reports_report r ON r.number = e.report_id WHERE {DAY.format('e')} {OF_POLICY}"
PLAIN = {
    "issued": f"SELECT r.outcome, count(*) FROM {EVENTS} AND e.status = 'in_force' GROUP BY 1",
    "replaced": f"""SELECT '', sum(coalesce(
        (SELECT s.domain_count FROM reports_reportscope s WHERE s.report_id = r.number), 3))
        FROM {EVENTS} AND e.status = 'in_force' HAVING count(*) > 0""",
    "ended": f"SELECT e.status, count(*) FROM {EVENTS} AND e.status NOT IN ('in_force', 'prepared') GROUP BY 1",
    "lacking": f"""SELECT '', count(*) FROM {EVENTS} AND e.status = 'in_force'
        AND EXISTS (SELECT FROM reports_reportgap g WHERE g.report_id = r.number) HAVING count(*) > 0""",
    "gaps": f"""SELECT d.domain, count(*) FROM (SELECT DISTINCT report_id, domain FROM reports_reportgap) d
        JOIN (SELECT r.number FROM {EVENTS} AND e.status = 'in_force') i ON i.number = d.report_id GROUP BY 1""",
    "looks": f"""SELECT l.way, count(*) FROM reports_look l LEFT JOIN reports_report r ON r.number = l.report_number
        WHERE {DAY.format("l")} {OF_POLICY} GROUP BY 1""",
    "views": f"""SELECT v.way, count(*) FROM codes_view v JOIN codes_sharecode c ON c.id = v.share_id
        LEFT JOIN reports_report r ON r.number = c.report_number WHERE {DAY.format("v")} {OF_POLICY} GROUP BY 1""",
}


def plain_count(figure: str, asked: Range, policy_id: str | None) -> dict[str, int]:
    with connection.cursor() as cursor:
        cursor.execute(PLAIN[figure], {"first": asked.first, "last": asked.last, "policy": policy_id})
        return {key: int(count) for key, count in cursor.fetchall()}


def moments(chance: random.Random) -> Iterator[datetime]:
    """Moments of all days, many of them within a second of a midnight somewhere."""
    while True:
        day = midnight(FIRST + chance.randrange(DAYS + 1) * ONE_DAY)
        edge = timedelta(microseconds=chance.choice((-1, 0, 1))) + timedelta(hours=chance.choice((0, 0, 0, 8, 16, 24)))
        yield day + (edge if chance.random() < 0.6 else timedelta(seconds=chance.randrange(86_400)))


@pytest.fixture(scope="module")
def busy(db: None) -> None:
    """Two hundred reports and what became of them, over a hundred days and two policies."""
    chance = random.Random(7)
    at = moments(chance)
    made = [
        Made(
            serial, next(at), chance.choice(POLICIES), chance.choice(("clear", "not_clear", "not_verifiable")),
            chance.choice((20, 40, 7, None)), tuple(chance.sample(("water", "tax", "labour"), chance.randrange(3))),
        )
        for serial in range(200)
    ]  # fmt: skip
    in_force(*made)
    for one in made[:60]:
        ended(one, chance.choice(("superseded", "revoked", "expired", "voided")), next(at))
    for one in chance.choices(made, k=250):
        looked(one.number, chance.choice(("code", "link", "qr", "file", "batch")), next(at))
    for one in chance.choices(made, k=80):
        viewed(one.number, chance.choice(("scan", "typed", "api")), next(at))
    looked("SZ0000", "code", midnight(FIRST))


@pytest.fixture
def zones() -> Iterator[None]:
    """The process and the session are in their own zones again afterwards."""
    yield
    os.environ.pop("TZ", None)
    time.tzset()


def within(session: str, process: str) -> None:
    with connection.cursor() as cursor:
        cursor.execute("SELECT set_config('TimeZone', %s, true)", [session])
    os.environ["TZ"] = process
    time.tzset()


days = st.integers(-3, DAYS + 3).map(lambda n: FIRST + n * ONE_DAY)


@given(ends=st.tuples(days, days), tallied=days, policy=st.sampled_from((None, *POLICIES)), zone=st.permutations(ZONES))
@settings(max_examples=50, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_every_figure_of_every_range_equals_a_plain_count(
    busy: None, zones: None, ends: tuple[date, date], tallied: date, policy: str | None, zone: list[str]
) -> None:
    asked = Range(*sorted(ends))
    with transaction.atomic(), timezone.override(ZoneInfo(zone[2])):
        within(zone[0], zone[1])
        tally_days(midnight(tallied) + timedelta(hours=1))
        found = figures(asked, policy, midnight(LAST) + timedelta(hours=12))
        for figure in FIGURES:
            assert (figure, found.by_key(figure)) == (figure, dict(sorted_most(plain_count(figure, asked, policy))))
            parts = [Range(bucket_first(found, n), found.buckets[n].last) for n in range(len(found.buckets))]
            expected = [sum(plain_count(figure, part, policy).values()) for part in parts]
            assert found.series(figure) == expected
        assert found.today == {f: plain_count(f, Range(LAST, LAST), policy) for f in FIGURES}
        transaction.set_rollback(True)


def sorted_most(counts: dict[str, int]) -> list[tuple[str, int]]:
    return sorted(counts.items(), key=lambda item: (-item[1], item[0]))


def bucket_first(found: Figures, place: int) -> date:
    return max(found.buckets[place].first, found.range.first)


def test_tallying_twice_counts_nothing_twice_and_goes_on_where_it_ended(busy: None, undone: None) -> None:
    assert tally_days(midnight(FIRST) + timedelta(days=10, hours=1)) == 10
    kept = DayTally.objects.count()
    assert tally_days(midnight(FIRST) + timedelta(days=10, hours=1)) == 0
    assert DayTally.objects.count() == kept
    assert tally_days(midnight(LAST) + timedelta(days=5, hours=1)) == DAYS + 5 - 10
    assert tallied_days() == (FIRST, LAST + 4 * ONE_DAY)
    assert TalliedDay.objects.count() == DAYS + 5  # days on which nothing was are tallied as well


@pytest.mark.parametrize(("minutes", "closed"), [(0, False), (9, False), (11, True)])
def test_a_day_is_open_until_ten_minutes_past_midnight(busy: None, undone: None, minutes: int, closed: bool) -> None:
    tally_days(midnight(LAST) + timedelta(minutes=minutes))
    assert TalliedDay.objects.filter(day=LAST - ONE_DAY).exists() is closed


def test_nothing_is_tallied_where_nothing_ever_was(db: None) -> None:
    with transaction.atomic():
        assert tally_days(midnight(date(1999, 1, 1))) == 0
        assert tallied_days() is None


def test_what_slips_in_with_an_old_moment_is_found_when_the_day_is_counted_again(busy: None, undone: None) -> None:
    day = FIRST + 20 * ONE_DAY
    tally_days(midnight(LAST) + timedelta(hours=1))
    assert [recount(FIRST + n * ONE_DAY) for n in (-1, 0, 20, 50)] == [[], [], [], []]
    before = sum(DayTally.objects.filter(day=day, figure="looks").values_list("count", flat=True))
    looked(Made(1, LONG_PAST).number, "slipped", midnight(day))
    (found,) = recount(day)
    assert (found.figure, found.key, found.tallied, found.counted) == ("looks", "slipped", 0, 1)
    asked = Range(day, day)
    assert figures(asked, None, midnight(LAST)).total("looks") == before  # and the desk does not hide it by luck
    assert recount(LAST + ONE_DAY) == []
    with pytest.raises(OversightError, match="looks") as refused:
        every_night(TalliedDay.objects.count())
    assert refused.value.code == "tally-differs"


def every_night(count: int) -> None:
    """Each night another day is counted again: within so many, all come round."""
    for night in range(count):
        recount_a_day(night * 86_400)


def test_days_that_stay_untallied_are_told(busy: None, undone: None) -> None:
    assert tallies(midnight(LAST)).state is State.OK
    tally_days(midnight(LAST) + timedelta(hours=1))
    assert tallies(midnight(LAST + ONE_DAY)).state is State.OK
    behind = tallies(midnight(LAST + 2 * ONE_DAY))
    assert (behind.state, behind.said) == (State.WARNING, "汇总至2026-03-04。")


LONG_PAST = datetime(2020, 1, 1, tzinfo=UTC)


@pytest.fixture
def other(db: None) -> Iterator[psycopg.Connection]:
    """Somebody else's session in the same database."""
    with psycopg.connect(**connection.get_connection_params()) as found:
        yield found


def test_a_day_stays_open_while_a_transaction_that_began_on_it_runs(
    busy: None, undone: None, other: psycopg.Connection
) -> None:
    tomorrow = midnight(today() + ONE_DAY) + timedelta(hours=1)
    other.execute("SELECT 1")
    tally_days(tomorrow)
    known = tallied_days()
    assert known is not None
    assert known[1] == today() - ONE_DAY
    other.rollback()
    assert tally_days(tomorrow) == 1


def test_where_transactions_of_others_cannot_be_seen_no_day_is_closed(
    busy: None, undone: None, other: psycopg.Connection
) -> None:
    info = connection_info(Path(site.XINZHENG_HOME))
    with psycopg.connect(
        host=info.host, port=info.port, user=SUPERUSER, dbname=connection.settings_dict["NAME"]
    ) as hidden:
        hidden.execute("SELECT 1")
        assert tally_days(midnight(LAST)) == 0
        hidden.rollback()
        assert tally_days(midnight(LAST)) > 0  # somebody who only is connected writes nothing


@pytest.mark.parametrize(
    ("days", "step", "bars"),
    [(1, Step.DAY, 1), (13, Step.DAY, 13), (14, Step.WEEK, 3), (85, Step.WEEK, 13), (100, Step.MONTH, 4),
     (365, Step.MONTH, 12), (400, Step.QUARTER, 5), (3650, Step.YEAR, 10)],
)  # fmt: skip
def test_a_chart_has_no_more_bars_than_can_be_read(db: None, days: int, step: Step, bars: int) -> None:
    last = date(2026, 12, 31)
    asked = Range(last - (days - 1) * ONE_DAY, last)
    assert step_of(asked) is step
    found = figures(asked, None, midnight(date(2027, 1, 2)))
    assert len(found.buckets) == bars <= MOST_BARS
    assert (found.buckets[0].first <= asked.first, found.buckets[-1].last) == (True, last)


def test_a_bar_that_the_range_or_today_cuts_says_so(db: None) -> None:
    found = figures(Range(date(2026, 1, 15), date(2026, 6, 30)), None, midnight(date(2026, 6, 30)) + ONE_DAY)
    assert [bucket.is_partial for bucket in found.buckets] == [True, False, False, False, False, False]
    found = figures(Range(date(2026, 1, 1), date(2026, 6, 30)), None, midnight(date(2026, 6, 30)))
    assert [bucket.is_partial for bucket in found.buckets] == [False] * 5 + [True]
    with pytest.raises(ValueError, match="after"):
        Range(date(2026, 1, 2), date(2026, 1, 1))


def test_the_plain_counts_are_of_all_figures() -> None:
    assert set(PLAIN) == set(FIGURES)
