"""Whole lists at once (批量核查): registry and ledger at one position copied into an engine, and what it is to weigh.

Nothing is written. Everything of one run is read in one transaction that sees one moment and cannot write.
"""

from collections import defaultdict
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from csv import writer
from dataclasses import dataclass
from datetime import date, datetime
from io import StringIO
from pathlib import Path
from typing import Any

from django.conf import settings
from django.db import connection, transaction

from xinzheng.apps.ledger.coverage_queries import PENDING, coverage_at
from xinzheng.apps.ledger.organs import organs_at
from xinzheng.apps.registry.queries import channels_at, responsibilities_at
from xinzheng.apps.reports import ports
from xinzheng.apps.reports.packs import current_calendar
from xinzheng.core.coverage import Gap
from xinzheng.core.coverage_check import domain_gaps
from xinzheng.core.decision import check_in_force, china_date, coverage_needed, window_of
from xinzheng.core.policy import Policy
from xinzheng.core.weighing import Weighing, prepare_weighing

# The subjects asked about by their keys in the registry; EVERYBODY: all of them.
Listed = Collection[int]
EVERYBODY: None = None
ROWS_AT_ONCE = 10_000

ASKED = "unnest(%(subjects)s::bigint[])"

SUBJECTS = """
    SELECT DISTINCT ON (v.subject_id) v.subject_id, v.kind, v.is_deregistered
    FROM registry_subjectversion v JOIN audit_position p ON p.entry_id = v.entry_id
    {among} WHERE p.position <= %(position)s ORDER BY v.subject_id, p.position DESC
"""

# As TIES of the registry, for all who ask at once; who has nobody tied to him is not in it.
TIES = """
    WITH RECURSIVE standing(subject_id, successor_id, kind) AS MATERIALIZED (
        SELECT s.subject_id, s.successor_id, s.kind
        FROM registry_succession s JOIN audit_position p ON p.entry_id = s.entry_id AND p.position <= %(position)s
        WHERE NOT coalesce((
            SELECT r.is_ended
            FROM registry_successionrevision r
            JOIN audit_position q ON q.entry_id = r.entry_id AND q.position <= %(position)s
            WHERE r.succession_id = s.id ORDER BY q.position DESC LIMIT 1
        ), false)
    ), tied(asker, subject_id, kind, path) AS (
        SELECT a.id, a.id, 'self'::text, ARRAY[a.id]
        FROM (SELECT DISTINCT successor_id AS id FROM standing) a {among}
        UNION ALL
        SELECT t.asker, s.subject_id,
               CASE WHEN t.kind IN ('self', 'renamed') AND s.kind <> 'mistyped' THEN s.kind ELSE t.kind END,
               t.path || s.subject_id
        FROM tied t JOIN standing s ON s.successor_id = t.subject_id AND s.subject_id <> ALL (t.path)
    )
    SELECT asker, subject_id, kind FROM tied WHERE subject_id <> asker
"""

RECORDS = """
    SELECT v.record_id, v.subject_id, v.unit_id, p.position, v.is_present, v.kind, v.domain, v.organ_code,
           v.organ_name, v.document_key, v.decision_date, v.served_date, v.procedure, v.outcome, v.standing,
           v.standing_date, v.repaired_date, v.sealed, v.listed_from, v.listed_through
    FROM ledger_recordversion v JOIN audit_position p ON p.entry_id = v.entry_id
    {among} WHERE p.position <= %(position)s
"""

DISPUTES = """
    SELECT d.subject_id, d.record_id FROM (
        SELECT DISTINCT ON (d.subject_id, d.record_id) d.subject_id, d.record_id, d.is_open
        FROM ledger_recorddispute d JOIN audit_position p ON p.entry_id = d.entry_id
        {among} WHERE p.position <= %(position)s ORDER BY d.subject_id, d.record_id, p.position DESC
    ) d WHERE d.is_open
"""

WAITING = f"""
    SELECT DISTINCT l.subject_id, l.domain, u.uscc, l.kind, l.is_sealed
    FROM ledger_line l JOIN audit_position p ON p.entry_id = l.entry_id JOIN registry_unit u ON u.id = l.unit_id
    {{among}} WHERE l.subject_id IS NOT NULL AND {PENDING}
"""  # noqa: S608


# A record lies with the party that it names.
FACTS = """
    SELECT DISTINCT ON (v.record_id)
           v.record_id, v.payload::json ->> 'document_number', coalesce(v.decision_date, v.listed_from), v.organ_name
    FROM unnest(%(parties)s::bigint[]) party(id)
    JOIN ledger_recordversion v ON v.subject_id = party.id
    JOIN audit_position p ON p.entry_id = v.entry_id
    WHERE p.position <= %(position)s AND v.record_id = ANY(%(records)s)
    ORDER BY v.record_id, p.position DESC
"""


@dataclass(frozen=True)
class Transferred:
    """What an engine was given (已转入): how many rows of each table; by subject whose records are looked at, too."""

    rows: Mapping[str, int]
    tied: Mapping[int, Collection[int]]


@dataclass(frozen=True, slots=True)
class RecordFacts:
    """What names a record to a reader (记录要目): its document number, its day and who decided, as delivered."""

    document_number: str
    day: date | None
    organ_name: str


@dataclass(frozen=True)
class Asking:
    """What everybody on a list is asked by (核查口径): the weighing, and the gaps of all by their domain's code."""

    weighing: Weighing
    gaps: Mapping[str, tuple[Gap, ...]]


@contextmanager
def one_moment() -> Iterator[None]:
    """A transaction that sees one moment of the database and cannot write.

    Within a transaction of the caller's own that one is taken as it is: its isolation is the caller's.
    """
    if connection.in_atomic_block:
        yield
        return
    with transaction.atomic(), connection.cursor() as cursor:
        cursor.execute("SET TRANSACTION ISOLATION LEVEL REPEATABLE READ, READ ONLY")
        yield


def weighing_of(policy: Policy, as_of: datetime, position: int) -> Asking:
    """The policy's widest question on a day, and the domains that are open for everybody at a position.

    Each subject is weighed by its own kind; the weighing names one only because it has to name one.

    Raises:
        RefusedError: the policy is not in force on the day.
        CalendarError: the lag reaches into a year that was not announced.
    """
    today = china_date(as_of)
    check_in_force(policy, today)
    period = window_of(policy, today)
    codes = frozenset(domain.code for domain in policy.domains)
    weighing = prepare_weighing(policy, period, codes, policy.subject_kinds[0].kind, today)
    needed = coverage_needed(period, today, policy, current_calendar())
    coverage = coverage_at(policy.id, position)
    found = {domain.code: domain_gaps(domain, coverage, needed)[0] for domain in policy.domains}
    return Asking(weighing, {code: gaps for code, gaps in found.items() if gaps})


def transfer(engine: Any, policy: Policy, position: int, subjects: Listed | None) -> Transferred:
    """Copy what a decision on these subjects could look at, as it stood at a position, into the engine's tables.

    Args:
        engine: an engine of the screening adapter; its tables are empty.
        policy: whose place decides which units are read and which organs are here, and whose units answer.
        position: of the ledger; to be taken within :func:`one_moment` with this call.
        subjects: their keys, or EVERYBODY.
    """
    at = {"position": position, "subjects": None if subjects is None else sorted(set(subjects))}
    ties = _rows(TIES, at, "JOIN {asked} asked(id) ON asked.id = a.id")
    parties = None if subjects is None else sorted({*subjects, *(party for _, party, _ in ties)})
    whose = {"position": position, "subjects": parties}
    organs = organs_at(policy.jurisdiction, position)
    answering = responsibilities_at(policy.id, position)
    given: dict[str, Iterable[bytes]] = {
        "subjects": _copied(SUBJECTS, at, "JOIN {asked} asked(id) ON asked.id = v.subject_id"),
        "ties": _csv(ties),
        "records": _copied(RECORDS, whose, "JOIN {asked} asked(id) ON asked.id = v.subject_id"),
        "disputes": _copied(DISPUTES, whose, "JOIN {asked} asked(id) ON asked.id = d.subject_id"),
        "units": _csv((unit,) for unit in organs.unit_names),
        "pending": _csv(_spread(whose)),
        "answering": _csv((who.domain, who.kind, who.unit) for who in answering),
    }
    rows = {name: engine.take(name, pieces) for name, pieces in given.items()}
    pairs = list(engine.organ_pairs())
    places = ((code, name, organs.place(code, name), organs.key(code, name)) for code, name in pairs)
    tied: dict[int, set[int]] = defaultdict(set)
    for asker, party, _kind in ties:
        tied[asker].add(party)
    return Transferred(rows | {"organs": engine.take("organs", _csv(places))}, tied)


def record_facts(records: Collection[int], parties: Collection[int], position: int) -> Mapping[int, RecordFacts]:
    """What names these records of these parties to a reader, as they stood at a position."""
    values: dict[str, Any] = {"records": list(records), "parties": sorted(set(parties)), "position": position}
    with connection.cursor() as cursor:
        cursor.execute(FACTS, values)
        return {key: RecordFacts(number or "", day, organ or "") for key, number, day, organ in cursor.fetchall()}


def opened_engine() -> Any:
    """The engine that the settings name, empty; a context manager. Raises EngineError ``engine-unavailable``."""
    screening, name = ports.screening(), settings.XINZHENG_SCREENING
    folder = Path(settings.XINZHENG_SPARK_FOLDER) if name == "spark" and settings.XINZHENG_SPARK_FOLDER else None
    limits = screening.Limits(
        threads=settings.XINZHENG_SCREENING_THREADS,
        memory_bytes=settings.XINZHENG_SCREENING_MAX_BYTES,
        master=settings.XINZHENG_SPARK_MASTER,
    )
    return screening.open_engine(name, folder or settings.XINZHENG_HOME / "screening", limits)


def _spread(whose: Mapping[str, Any]) -> Iterator[tuple[Any, ...]]:
    """The waiting lines, also under each unit that one who brings records of others may have brought them for."""
    lines = _rows(WAITING, whose, "JOIN {asked} asked(id) ON asked.id = l.subject_id")
    served: dict[tuple[str, str, str], dict[str, None]] = defaultdict(dict)
    for channel in channels_at(whose["position"], with_ended=True) if lines else ():
        served[channel.domain, channel.source, channel.kind][channel.unit] = None
    for party, domain, unit, kind, sealed in lines:
        for one in dict.fromkeys((unit, *served.get((domain, unit, kind), ()))):
            yield party, domain, one, kind, sealed


def _composed(statement: str, values: Mapping[str, Any], among: str) -> str:
    is_listed = values["subjects"] is not None
    return statement.format(among=among.format(asked=ASKED) if is_listed else "")


def _rows(statement: str, values: Mapping[str, Any], among: str) -> list[tuple[Any, ...]]:
    with connection.cursor() as cursor:
        cursor.execute(_composed(statement, values, among), values)
        return list(cursor.fetchall())


def _copied(statement: str, values: Mapping[str, Any], among: str) -> Iterator[bytes]:
    """What a query finds as CSV without a header, in pieces of whole lines."""
    with connection.cursor() as cursor:
        query = f"COPY ({_composed(statement, values, among)}) TO STDOUT (FORMAT csv)"
        lines: list[bytes] = []
        with cursor.copy(query, values) as copy:
            for line in copy:
                lines.append(bytes(line))
                if len(lines) == ROWS_AT_ONCE:
                    yield b"".join(lines)
                    lines.clear()
        yield b"".join(lines)


def _csv(rows: Iterable[Sequence[Any]]) -> Iterator[bytes]:
    """Rows as CSV without a header; None and an empty text are an empty field, which is read as NULL."""
    text = StringIO()
    out = writer(text, lineterminator="\n")
    for number, row in enumerate(rows, 1):
        out.writerow(row)
        if number % ROWS_AT_ONCE == 0:
            yield text.getvalue().encode()
            text.seek(0)
            text.truncate()
    if text.tell():
        yield text.getvalue().encode()
