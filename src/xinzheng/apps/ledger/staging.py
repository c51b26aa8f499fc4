"""Frames into tables by COPY, and statements over whole sets, on Django's connection."""

import os
import socket
from collections.abc import Iterator, Mapping, Sequence
from io import BytesIO
from typing import Any

import polars as pl
from django.db import connection
from psycopg import sql

from xinzheng.apps.ledger.reading import ahead

DEFECT_COLUMNS = ("entry_id", "line", "field", "code", "severity", "message", "value")
# What is encoded at once: few enough rows to stay in the processor's cache.
ROWS_AT_ONCE = 2_000
# As much as that takes.
SEND_BYTES = 2 * 1024**2
SEPARATOR = "\x01"
# Between texts in one text: natural keys and codes are without control characters.
BETWEEN = "\x01"
# The backslash first: the others bring one along.
ESCAPES = (("\\", r"\\"), ("\n", r"\n"), ("\r", r"\r"), (SEPARATOR, rf"\{SEPARATOR}"))


def widen_pipe() -> None:
    """Have more lie ready for the server, which else waits for us whenever another thread has the interpreter's lock.

    The system may grant less than is asked for.
    """
    with socket.socket(fileno=os.dup(connection.connection.fileno())) as pipe:
        pipe.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, SEND_BYTES)


def copy_frame(table: str, frame: pl.DataFrame, columns: Sequence[str]) -> None:
    """COPY these columns of a frame into a table. Empty text and null stay apart."""
    copy_frames(table, iter((frame,)), columns)


def copy_frames(table: str, frames: Iterator[pl.DataFrame], columns: Sequence[str]) -> None:
    """COPY these columns of several frames into a table, each next piece made on another core meanwhile."""
    statement = sql.SQL("COPY {} ({}) FROM STDIN (FORMAT TEXT, DELIMITER {})").format(
        sql.Identifier(table), sql.SQL(", ").join(map(sql.Identifier, columns)), SEPARATOR
    )
    with connection.cursor() as cursor, cursor.copy(statement.as_string(None)) as copy:
        for text in ahead(_encoded(frames, columns)):
            copy.write(text)


def _encoded(frames: Iterator[pl.DataFrame], columns: Sequence[str]) -> Iterator[memoryview]:
    for frame in frames:
        # Not all of the frame first: the server would have nothing to do meanwhile.
        for part in frame.select(columns).iter_slices(4 * ROWS_AT_ONCE):
            for piece in _escaped(part).iter_slices(ROWS_AT_ONCE):
                text = BytesIO()
                piece.write_csv(text, include_header=False, separator=SEPARATOR, quote_style="never", null_value=r"\N")
                yield text.getbuffer()


def _escaped(frame: pl.DataFrame) -> pl.DataFrame:
    """Texts and bytes as PostgreSQL's text format wants them; few texts hold anything to escape."""
    texts = [name for name, dtype in frame.schema.items() if dtype == pl.String]
    found = frame.select(pl.col(texts).str.contains(r"[\\\n\r\x01]").any()).row(0) if texts else ()
    escaped = pl.col([name for name, is_found in zip(texts, found, strict=True) if is_found])
    for special, written in ESCAPES:
        escaped = escaped.str.replace_all(special, written, literal=True)
    return frame.with_columns(escaped, pl.format(r"\\x{}", pl.col(pl.Binary).bin.encode("hex")))


def execute(statement: sql.Composable, parameters: Mapping[str, Any] | None = None) -> int:
    """Run one composed statement on Django's connection; the number of rows it touched."""
    with connection.cursor() as cursor:
        cursor.execute(statement.as_string(None), parameters)
        return int(cursor.rowcount)


def rows_of(statement: sql.Composable, parameters: Mapping[str, Any] | None = None) -> list[tuple[Any, ...]]:
    """The rows one composed query finds."""
    with connection.cursor() as cursor:
        cursor.execute(statement.as_string(None), parameters)
        return list(cursor.fetchall())


def frame_of(query: sql.Composable, schema: Mapping[str, type[pl.DataType]]) -> pl.DataFrame:
    """The rows a query finds, as a frame; its columns are those of ``schema``, bytes encoded in hexadecimal.

    They come as one text: a million rows taken one by one would cost seconds, and the interpreter's lock all the while.
    Texts must be without tabs and line ends.
    """
    columns = sql.SQL(" || chr(9) || ").join(
        sql.SQL("coalesce({}::text, '')").format(sql.Identifier("found", name)) for name in schema
    )
    ((text,),) = rows_of(sql.SQL("SELECT string_agg({}, chr(10)) FROM ({}) found").format(columns, query))
    if text is None:
        return pl.DataFrame(schema=schema)
    read = {name: pl.String() if dtype == pl.Binary else dtype for name, dtype in schema.items()}
    frame = pl.read_csv(text.encode(), has_header=False, schema=read, separator="\t", quote_char=None)
    return frame.with_columns(pl.col([n for n, dtype in schema.items() if dtype == pl.Binary]).str.decode("hex"))


def array_of(column: pl.Series) -> sql.Composable:
    """A column of numbers, or of texts without control characters, as an array in a statement."""
    if column.dtype == pl.String:
        return sql.SQL("string_to_array({}, chr(1))").format(sql.Literal(column.str.join(BETWEEN).item()))
    return sql.SQL("{}::bigint[]").format(sql.Literal("{" + column.cast(pl.String).str.join(",").item() + "}"))
