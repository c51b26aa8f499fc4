"""A file read and checked, at once or stretch by stretch; of lines of the same record the last wins."""

import tempfile
from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from datetime import date
from functools import lru_cache
from pathlib import Path

import polars as pl

from xinzheng.adapters.tabular.assembly import assemble
from xinzheng.adapters.tabular.batch import BatchDefaults, Limits, ParsedBatch
from xinzheng.adapters.tabular.cells import read_field
from xinzheng.adapters.tabular.check_definitions import Check
from xinzheng.adapters.tabular.checks import checks_of
from xinzheng.adapters.tabular.defects import misalignment_defects, run_checks, unknown_column_defects
from xinzheng.adapters.tabular.errors import TabularError
from xinzheng.adapters.tabular.formats import FORMATS
from xinzheng.adapters.tabular.headers import headings_of, resolve
from xinzheng.adapters.tabular.near_duplicates import (
    alike_lines,
    beaten_defects,
    near_keys,
    with_alike,
)
from xinzheng.adapters.tabular.opening import open_table
from xinzheng.adapters.tabular.rows import OVERFLOW_COLUMN, OpenTable, RawRows, ahead
from xinzheng.adapters.tabular.work import lay_out

DEFAULT_LIMITS = Limits()


def read_batch(path: Path, defaults: BatchDefaults, limits: Limits = DEFAULT_LIMITS) -> ParsedBatch:
    """Read and check a whole file into memory; of a large file prefer :func:`read_batches`.

    Raises TabularError when the file as a whole cannot be read; what is wrong with single rows is in ``defects``.
    """
    table = _open(path, defaults, limits)
    parts = [_parse(rows, table, defaults, first=i == 0) for i, rows in enumerate(table.rows)]
    if not parts:
        raise _no_rows(defaults.file_name)
    whole = ParsedBatch(
        pl.concat([part.frame for part in parts]),
        pl.concat([part.defects for part in parts]),
        pl.concat([part.raw for part in parts], how="diagonal"),
        table.sha256,
        table.encoding,
        table.format,
    )
    keys = [_keys(replace(whole, near=pl.concat([part.near for part in parts])))]
    duplicates = _duplicates(keys)
    return _marked(whole, duplicates, alike_lines(keys, duplicates))


def read_batches(
    path: Path,
    defaults: BatchDefaults,
    chunk_rows: int = 100_000,
    limits: Limits = DEFAULT_LIMITS,
    *,
    keep_raw: bool = False,
) -> Iterator[ParsedBatch]:
    """Read and check a file stretch by stretch, in line order; duplicates are found across the whole file.

    Each row is parsed once and parked in a private temporary folder until the last line is known. Nothing is
    yielded before the whole file has been read, so a TabularError never comes after a part was handed over.
    ``raw`` is without columns unless ``keep_raw``: parking it costs more than anything else that is parked.
    """
    with tempfile.TemporaryDirectory(prefix="xinzheng-intake-") as folder:
        parked = _Parked(Path(folder))
        keys = []
        for part in stream_batches(path, defaults, chunk_rows, limits):
            keys.append(parked.add(part if keep_raw else replace(part, raw=pl.DataFrame())))
        duplicates = _duplicates(keys)
        near = alike_lines(keys, duplicates)
        for part in parked.parts():
            yield _marked(part, duplicates, near)


def stream_batches(
    path: Path, defaults: BatchDefaults, chunk_rows: int = 100_000, limits: Limits = DEFAULT_LIMITS
) -> Iterator[ParsedBatch]:
    """Read and check a file stretch by stretch, in line order, each handed over as soon as it is read.

    Lines of the same record are not told apart: no status is duplicate, and lines alike are for the caller to find
    (``ParsedBatch.near``, :func:`~xinzheng.adapters.tabular.near_duplicates.alike_lines`). A TabularError may come
    after parts were handed over; whoever asks must be able to undo what was done with them. The next rows are read on
    another core while those before are checked.
    """
    table = _open(path, defaults, replace(limits, chunk_rows=chunk_rows))
    number = 0
    for number, rows in enumerate(ahead(table.rows), 1):
        yield _parse(rows, table, defaults, first=number == 1)
    if not number:
        raise _no_rows(defaults.file_name)


def _open(path: Path, defaults: BatchDefaults, limits: Limits) -> OpenTable:
    if defaults.kind not in FORMATS:
        names = "、".join(FORMATS)
        raise TabularError(f"没有记录类型{defaults.kind}，可用的有：{names}。", code="kind-unknown")
    return open_table(path, headings_of(defaults), defaults.file_name, limits)


def _no_rows(file_name: str) -> TabularError:
    return TabularError(f"{file_name}只有表头，没有数据行。没有数据的，请作零报告。", code="no-rows")


def _parse(rows: RawRows, table: OpenTable, defaults: BatchDefaults, *, first: bool) -> ParsedBatch:
    frames, defects, near = [], [], []
    for kind, own in _by_kind(rows, table, defaults):
        header = table.header
        if kind != defaults.kind:
            header = resolve(table.header.names, kind, defaults, complete=False)
        work = lay_out(own, FORMATS[kind].waiving(defaults.waived), header, defaults)
        found = run_checks(work, _checks(kind, defaults.waived, defaults.today, work.filled))
        found = pl.concat([found, misalignment_defects(own.misaligned)])
        wrong = found.filter(pl.col("severity") == "error").get_column("line").unique()
        status = pl.when(pl.col("line").is_in(wrong.implode())).then(pl.lit("rejected")).otherwise(pl.lit("ok"))
        frames.append(assemble(work, status))
        near.append(near_keys(work))
        defects.append(found)
    if first:
        defects.append(unknown_column_defects(table.header.unknown, rows.lines))
    raw = rows.frame.select(pl.col(n) for n in rows.frame.columns if n == OVERFLOW_COLUMN or n in table.header.names)
    found = pl.concat(defects).sort("line", maintain_order=True)
    told = (table.sha256, table.encoding, table.format)
    return ParsedBatch(
        pl.concat(frames).sort("line"), found, raw, *told, near=pl.concat(near).sort("line").get_column("near")
    )


@lru_cache(maxsize=64)
def _checks(kind: str, waived: frozenset[str], today: date, filled: frozenset[str]) -> tuple[Check, ...]:
    """Hundreds of expressions, put together once for all stretches."""
    return checks_of(FORMATS[kind].waiving(waived), today, filled)


def _by_kind(rows: RawRows, table: OpenTable, defaults: BatchDefaults) -> Iterator[tuple[str, RawRows]]:
    """Rows may carry their own kind; each kind is read by its own format."""
    column = table.header.name_of("kind")
    if column is None or rows.frame.get_column(column).null_count() == rows.lines.len():
        yield defaults.kind, rows
        return
    texts = rows.frame.get_column(column).str.strip_chars()
    kinds = read_field(FORMATS[defaults.kind].field("kind"), texts).get_column("value").fill_null(defaults.kind)
    for kind in sorted(kinds.unique()):
        chosen = kinds == kind
        lines = rows.lines.filter(chosen)
        misaligned = rows.misaligned.filter(pl.col("line").is_in(lines.implode()))
        yield kind, RawRows(rows.frame.filter(chosen), lines, misaligned, rows.is_plain)


def _keys(part: ParsedBatch) -> pl.DataFrame:
    """Line and a 128-bit digest of kind, subject and natural key, for rows that can be stored; and their near key."""
    identity = pl.struct("kind", "subject_code", "record_key")
    rows = part.frame.with_columns(part.near).filter(pl.col("status") == "ok")
    return rows.select("line", "near", a=identity.hash(seed=1), b=identity.hash(seed=2))


def _duplicates(keys: list[pl.DataFrame]) -> pl.DataFrame:
    """Lines beaten by a later line of the same record, and the line that wins."""
    judged = pl.concat(keys).with_columns(winner=pl.col("line").max().over("a", "b"))
    return judged.filter(pl.col("line") != pl.col("winner")).select("line", "winner")


def _marked(part: ParsedBatch, duplicates: pl.DataFrame, near: pl.DataFrame) -> ParsedBatch:
    part = with_alike(part, near)
    own = duplicates.filter(pl.col("line").is_in(part.frame.get_column("line").implode()))
    if not own.height:
        return part
    beaten = pl.col("line").is_in(own.get_column("line").implode())
    status = pl.when(beaten).then(pl.lit("duplicate")).otherwise(pl.col("status"))
    frame = part.frame.with_columns(status=status)
    defects = pl.concat([part.defects, beaten_defects(own)]).sort("line", maintain_order=True)
    return replace(part, frame=frame, defects=defects)


@dataclass
class _Parked:
    """Parsed stretches on disk, in order."""

    folder: Path
    told: list[tuple[str, str, str]] = field(default_factory=list)

    def add(self, part: ParsedBatch) -> pl.DataFrame:
        """Write a stretch down; its keys stay in memory."""
        for name, frame in (("frame", part.frame), ("defects", part.defects), ("raw", part.raw)):
            frame.write_ipc(self.folder / f"{len(self.told)}.{name}", compression="lz4")
        self.told.append((part.sha256, part.encoding, part.format))
        return _keys(part)

    def parts(self) -> Iterator[ParsedBatch]:
        """Read the stretches back, deleting each one read."""
        for number, told in enumerate(self.told):
            frame, defects, raw = (self._taken(f"{number}.{name}") for name in ("frame", "defects", "raw"))
            yield ParsedBatch(frame, defects, raw, *told)

    def _taken(self, name: str) -> pl.DataFrame:
        file = self.folder / name
        frame = pl.read_ipc(file.read_bytes())
        file.unlink()
        return frame
