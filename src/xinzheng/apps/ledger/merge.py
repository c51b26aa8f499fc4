"""The merge: what becomes of each row of a stretch, decided against the heads there are and written by COPY.

Only the heads a stretch meets are fetched: of a new file, none. Everything is decided row by row in memory; the
database sees finished versions, heads and lines.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import polars as pl
from django.db import OperationalError, connection, transaction
from psycopg import errors, sql

from xinzheng.apps.ledger.errors import IntakeError
from xinzheng.apps.ledger.heads import HEAD, change_heads, find_heads, write_new_heads
from xinzheng.apps.ledger.held_lines import HELD, as_held, leave_overtaken
from xinzheng.apps.ledger.identical_lines import write_identical_lines
from xinzheng.apps.ledger.models import MERGING
from xinzheng.apps.ledger.ranks import ranked
from xinzheng.apps.ledger.register_words import line_defects
from xinzheng.apps.ledger.staging import DEFECT_COLUMNS, copy_frame, execute, rows_of, widen_pipe
from xinzheng.apps.ledger.versions import write_versions

# Only one merge at a time: two would not see each other's heads. Readers and reports never ask for it.
INTAKE_LOCK = 0x696E74616B65
# How long somebody who sits at a form waits for a merge; a large one takes a minute.
PATIENCE = "15s"

FATES = ("new", "changed", "identical", "rejected", "duplicate")
ACCEPTED = ("new", "changed", "identical")
LINE_COLUMNS = (
    "entry_id", "line", "status", "subject_id", "unit_id", "domain", "kind", "document_key", "version_id",
    "is_sealed",
)  # fmt: skip
FATE_COLUMNS = ("line", "kind", "subject_id", "record_key", "match_key", "fate", "record_id", "unit_id")


@dataclass(frozen=True)
class Merging:
    """What one merge works on: its entry and unit; ``keeps_fates`` asks for a table of what became of every line.

    ``has_heads``: whether the ledger held any record before, which a line could be the same as. ``holds``: nothing is
    booked, lines that would make a version are kept as held. ``confirms`` is the held batch whose file is booked now.
    ``is_ranked``: rows may meet records that came another way, by return or from the unit itself. ``brings_for`` are
    the units whose records the delivering unit may bring.
    """

    entry_id: int
    unit_id: int
    keeps_fates: bool
    has_heads: bool
    holds: bool = False
    confirms: int | None = None
    is_ranked: bool = False
    brings_for: tuple[int, ...] = ()

    def names(self) -> Mapping[str, sql.Identifier]:
        """The tables' names for composing statements."""
        return {"fates": sql.Identifier(self.fates)}

    @property
    def fates(self) -> str:
        """The name of the table of fates."""
        return f"ledger_fates_{self.entry_id}"

    def values(self) -> dict[str, Any]:
        """The values every statement takes."""
        return {"entry": self.entry_id, "unit": self.unit_id, "units": [self.unit_id, *self.brings_for]}


def begin_merging() -> None:
    """Wait for our turn, and prepare the transaction for large sets. Both end with the transaction."""
    with connection.cursor() as cursor:
        cursor.execute("SET LOCAL client_connection_check_interval = '2s'")
        cursor.execute("SELECT pg_advisory_xact_lock(%s)", [INTAKE_LOCK])
        cursor.execute("SELECT set_config(%s, 'on', true)", [MERGING])
        cursor.execute("SET LOCAL work_mem = '256MB'")
        cursor.execute("SET LOCAL jit = off")
    widen_pipe()


def begin_merging_soon() -> None:
    """As ``begin_merging``, but not for longer than somebody at a form waits.

    Raises:
        IntakeError: ``ledger-busy``; the transaction can go on.
    """
    with connection.cursor() as cursor:
        try:
            with transaction.atomic():
                cursor.execute(
                    "SELECT current_setting('lock_timeout'), set_config('lock_timeout', %s, true)", [PATIENCE]
                )
                (before, _) = cursor.fetchone()
                cursor.execute("SELECT pg_advisory_xact_lock(%s)", [INTAKE_LOCK])
                cursor.execute("SELECT set_config('lock_timeout', %s, true)", [before])
        except OperationalError as error:
            if not isinstance(error.__cause__, errors.LockNotAvailable):
                raise
            message = "正在接收一批大文件，账本暂时不能写入。填写的内容还在，请过一两分钟再提交。"
            raise IntakeError(message, code="ledger-busy") from error
    begin_merging()


# Unlogged, and made in the delivery's own transaction: whatever ends that, kill -9 included, takes the table with it.
CREATE_FATES = sql.SQL("""
    CREATE UNLOGGED TABLE {fates} (
        line bigint, kind text, subject_id bigint, record_key text, match_key text, fate text, record_id bigint,
        unit_id bigint
    ) WITH (autovacuum_enabled = off)
""")

# Nobody else draws from these sequences while we hold the lock: keys are line numbers from here on, with gaps.
RESERVE_KEYS = sql.SQL("""
    SELECT setval('ledger_recordhead_record_id_seq', r.next + span.last - span.first) - span.last,
           setval('ledger_recordversion_id_seq', v.next + span.last - span.first) - span.last
    FROM (SELECT %(first)s::bigint AS first, %(last)s::bigint AS last) span,
         (SELECT nextval('ledger_recordhead_record_id_seq') AS next) r,
         (SELECT nextval('ledger_recordversion_id_seq') AS next) v
""")


def create_fates(merging: Merging) -> None:
    """Make the table of fates, where it is asked for."""
    if merging.keeps_fates:
        execute(CREATE_FATES.format(**merging.names()))


def drop_fates(merging: Merging) -> None:
    """Drop it again; a failed transaction does so by itself."""
    if merging.keeps_fates:
        execute(sql.SQL("DROP TABLE {fates}").format(**merging.names()))


def look_heads_up(*, one_by_one: bool) -> None:
    """How heads are found: one by one for a stretch; reading all there are would cost more, once per stretch."""
    joins = sql.SQL("SET LOCAL enable_hashjoin = {0}; SET LOCAL enable_mergejoin = {0}")
    execute(joins.format(sql.SQL("off" if one_by_one else "on")))


def write_stretch(merging: Merging, frame: pl.DataFrame) -> dict[str, int]:
    """Decide what becomes of a stretch's rows and write all of it; how many lines met which fate.

    Rows are written in the order of the indexes: entries go in side by side, not all over them.
    """
    decided = _decided(merging, frame.sort("subject_id"))
    if merging.confirms is not None:
        decided = leave_overtaken(decided, merging.entry_id, merging.confirms)
    counts = dict.fromkeys(FATES, 0) | dict(decided.group_by("fate").len().iter_rows())
    if merging.holds:
        _write_lines(as_held(decided).sort("line"))
        return counts
    if counts["new"] or counts["changed"]:
        write_versions(decided.filter(pl.col("version_id").is_not_null()))
    if counts["new"]:
        write_new_heads(decided.filter(pl.col("fate") == "new").sort("subject_id"))
    if counts["changed"]:
        change_heads(decided.filter(pl.col("fate") == "changed"))
    if counts["identical"] or counts["rejected"] or counts["duplicate"]:
        _write_lines(decided.filter(pl.col("version_id").is_null()).sort("line"))
    if merging.keeps_fates:
        matched = decided.with_columns(match_key=pl.coalesce("document_key", "record_key"))
        copy_frame(merging.fates, matched, FATE_COLUMNS)
    return counts


def _decided(merging: Merging, frame: pl.DataFrame) -> pl.DataFrame:
    """The rows with their fates and the keys they get.

    Of the lines with one key the last wins. A withdrawn record (no digest) is brought back by whoever delivers it; a
    live one of another unit is not overwritten: the line is kept as rejected until the two have agreed.
    """
    lines = frame.get_column("line")
    ((record_offset, version_offset),) = rows_of(RESERVE_KEYS, {"first": lines.min(), "last": lines.max()})
    heads = find_heads(frame) if merging.has_heads else pl.DataFrame(schema=HEAD)
    ok, is_theirs = pl.col("status") == "ok", pl.col("head_unit") != pl.col("unit_id")
    fate = (
        pl.when(~ok).then("status")
        .when(pl.col("head_record").is_null()).then(pl.lit("new"))
        .when(pl.col("head_digest").is_null()).then(pl.lit("changed"))
        .when(pl.col("head_digest") == pl.col("digest")).then(pl.lit("identical"))
        .when(is_theirs).then(pl.lit("rejected"))
        .otherwise(pl.lit("changed"))
    )  # fmt: skip
    is_new, is_known = pl.col("fate") == "new", pl.col("fate").is_in(("changed", "identical"))
    record = pl.when(is_new).then(pl.col("line") + record_offset).when(is_known).then("head_record")
    version = pl.when(pl.col("fate").is_in(("new", "changed"))).then(pl.col("line") + version_offset)
    found = frame.join(heads, on="line", how="left", maintain_order="left").with_columns(fate=fate)
    if merging.is_ranked:
        found = ranked(found, merging.entry_id, merging.unit_id)
    return found.with_columns(record_id=record, version_id=version, entry_id=pl.lit(merging.entry_id))


def _write_lines(rows: pl.DataFrame) -> None:
    """Lines that made no version; one rejected here only now met another unit's record, or one of higher rank."""
    identical, rows = (rows.filter(is_one) for is_one in (pl.col("fate") == "identical", pl.col("fate") != "identical"))
    if identical.height:
        write_identical_lines(identical)
    if not rows.height:
        return
    is_rejected = pl.col("fate") == "rejected"
    known_by = pl.when(is_rejected).then(pl.coalesce("document_key", "record_key"))
    lines = rows.with_columns(
        status="fate",
        document_key=known_by.when(pl.col("fate") == HELD).then("record_key"),
        version_id=pl.lit(None, pl.Int64),
        is_sealed=pl.col("sealed").fill_null(value=False),
    )
    copy_frame("ledger_line", lines, LINE_COLUMNS)
    met = rows.filter(is_rejected & (pl.col("status") == "ok")).select("line", "entry_id", "head_unit", "unit_id")
    is_theirs = pl.col("head_unit") != pl.col("unit_id")
    for code, conflicts in (("conflict", met.filter(is_theirs)), ("own-record-stands", met.filter(~is_theirs))):
        if conflicts.height:
            notes = line_defects(conflicts.get_column("line"), code)
            copy_frame("ledger_defect", notes.join(conflicts, on="line"), DEFECT_COLUMNS)
