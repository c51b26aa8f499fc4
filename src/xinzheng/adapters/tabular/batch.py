"""What goes in and what comes out of reading a file."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date
from types import MappingProxyType

import polars as pl

DOMAIN_WORDS: Mapping[str, str] = MappingProxyType({})
NO_TRANSLATIONS: Mapping[str, Mapping[str, str]] = MappingProxyType({})


@dataclass(frozen=True)
class BatchDefaults:
    """What holds for rows that do not say otherwise.

    ``today`` bounds dates that cannot lie in the future. ``domain_names`` maps names of domains (领域) to their
    codes, for files with a column 领域; empty: only codes are accepted there.

    For sources with columns of their own (see :mod:`~xinzheng.adapters.tabular.column_maps`): ``columns`` maps
    headings of the source to field ids, after the known headings; several for one text field are joined by ``;``.
    ``words``: by field id, what the source writes to what the format says. ``constants``: by field id, what holds
    where the cell is empty. ``waived``: required fields that the source never had.
    """

    kind: str
    domain: str
    today: date
    file_name: str
    domain_names: Mapping[str, str] = field(default_factory=lambda: DOMAIN_WORDS)
    columns: Mapping[str, str] = field(default_factory=lambda: DOMAIN_WORDS)
    words: Mapping[str, Mapping[str, str]] = field(default_factory=lambda: NO_TRANSLATIONS)
    constants: Mapping[str, str] = field(default_factory=lambda: DOMAIN_WORDS)
    waived: frozenset[str] = frozenset()


@dataclass(frozen=True)
class Limits:
    """Bounds beyond which a file is refused; sizes in bytes.

    ``chunk_rows`` and ``chunk_bytes`` refuse nothing: they bound the rows, and the text in their cells, of a stretch
    handed over, whatever the format; a stretch of usual records reaches the rows first. ``row_bytes``: the text of a
    row, which cannot be cut. ``lines``: blank ones counted as well.

    A workbook is read in slices: ``xlsx_slice_cells`` bounds a slice's full rectangle, each cell taking a reader some
    70 bytes, and ``xlsx_slice_bytes`` its XML with the text its cells refer to; ``xlsx_sheet_bytes`` bounds all sheets
    unpacked, ``xlsx_unpacked_bytes`` all else. The text of all cells may be as much as ``xlsx_text_bytes``, or
    ``xlsx_repeats`` times the sheet and the shared strings unpacked, and never more than a text file (``file_bytes``).
    A workbook that cannot be cut is read whole: then ``xlsx_unpacked_bytes``, ``xlsx_cells`` and ``xlsx_text_bytes``
    bound everything.
    """

    file_bytes: int = 2 * 1024**3
    xls_bytes: int = 200 * 1024**2
    xlsx_bytes: int = 512 * 1024**2
    xlsx_unpacked_bytes: int = 512 * 1024**2
    xlsx_sheet_bytes: int = 4 * 1024**3
    xlsx_cells: int = 10_000_000
    xlsx_text_bytes: int = 256 * 1024**2
    xlsx_slice_cells: int = 1_000_000
    xlsx_slice_bytes: int = 16 * 1024**2
    xlsx_repeats: int = 32
    xlsx_members: int = 2_000
    cell_bytes: int = 1024**2
    row_bytes: int = 8 * 1024**2
    columns: int = 200
    lines: int = 10_000_000
    chunk_rows: int = 100_000
    chunk_bytes: int = 32 * 1024**2


@dataclass(frozen=True)
class ParsedBatch:
    """A file, or a stretch of it, read and checked.

    ``frame``: one row per data line (see :data:`FRAME_SCHEMA`). ``defects``: what is wrong, by line (see
    :data:`DEFECT_SCHEMA`). ``raw``: the original columns as text, same row order as ``frame``. ``sha256`` is of
    the whole file; ``encoding`` is utf-8, utf-8-sig, gb18030, xlsx or xls;
    ``format`` is csv, tsv, xlsx, xls or jsonl. ``near``: per row a digest of subject, day, amount and organ of a
    penalty (null: nothing to compare), equal where two may be one decision told under two numbers; may be empty.
    """

    frame: pl.DataFrame
    defects: pl.DataFrame
    raw: pl.DataFrame
    sha256: str
    encoding: str
    format: str
    near: pl.Series = field(default_factory=lambda: pl.Series("near", [], dtype=pl.UInt64()))


FRAME_SCHEMA: Mapping[str, pl.DataType] = MappingProxyType(
    {
        "line": pl.Int64(),
        "status": pl.String(),
        "kind": pl.String(),
        "domain": pl.String(),
        "subject_kind": pl.String(),
        "subject_code": pl.String(),
        "subject_name": pl.String(),
        "is_person": pl.Boolean(),
        "organ_name": pl.String(),
        "organ_code": pl.String(),
        "source_name": pl.String(),
        "source_code": pl.String(),
        "document_number": pl.String(),
        "record_key": pl.String(),
        "decision_date": pl.Date(),
        "served_date": pl.Date(),
        "standing_date": pl.Date(),
        "repaired_date": pl.Date(),
        "listed_from": pl.Date(),
        "listed_through": pl.Date(),
        "procedure": pl.String(),
        "outcome": pl.String(),
        "standing": pl.String(),
        "sealed": pl.Boolean(),
        "repaired_document_key": pl.String(),
        "owing": pl.String(),
        "due": pl.String(),
        "paid": pl.String(),
        "payload": pl.String(),
    }
)

DEFECT_SCHEMA: Mapping[str, pl.DataType] = MappingProxyType(
    {
        "line": pl.Int64(),
        "field": pl.String(),
        "code": pl.String(),
        "severity": pl.String(),
        "message": pl.String(),
        "value": pl.String(),
    }
)
