"""Staging: the rows of one delivery on their way into the merge.

An unlogged table, made in the delivery's own transaction: whatever ends the transaction, kill -9 included, takes the
table with it.
"""

from collections.abc import Mapping, Sequence
from types import MappingProxyType
from typing import Any, LiteralString

import polars as pl
from django.db import connection
from psycopg import sql

from xinzheng.apps.ledger.reading import ahead

STAGED: Mapping[str, LiteralString] = MappingProxyType(
    {
        "line": "bigint",
        "status": "text",
        "kind": "text",
        "domain": "text",
        "subject_id": "bigint",
        "record_key": "text",
        "document_key": "text",
        "organ_code": "text",
        "organ_name": "text",
        "decision_date": "date",
        "served_date": "date",
        "procedure": "text",
        "outcome": "text",
        "standing": "text",
        "standing_date": "date",
        "repaired_date": "date",
        "sealed": "boolean",
        "listed_from": "date",
        "listed_through": "date",
        "owing": "numeric",
        "digest": "bytea",
        "payload": "text",
    }
)
DEFECT_COLUMNS = ("entry_id", "line", "field", "code", "severity", "message", "value")
# What is encoded at once; a larger piece is no faster and only takes memory.
ROWS_AT_ONCE = 10_000


def create_staging(name: str) -> None:
    """Make the delivery's staging table."""
    columns = sql.SQL(", ").join(
        sql.SQL("{} {}").format(sql.Identifier(column), sql.SQL(kind)) for column, kind in STAGED.items()
    )
    execute(
        sql.SQL("CREATE UNLOGGED TABLE {} ({}) WITH (autovacuum_enabled = off)").format(sql.Identifier(name), columns)
    )


def copy_frame(table: str, frame: pl.DataFrame, columns: Sequence[str]) -> None:
    """COPY these columns of a frame into a table. Empty text and null stay apart."""
    statement = sql.SQL("COPY {} ({}) FROM STDIN (FORMAT CSV)").format(
        sql.Identifier(table), sql.SQL(", ").join(map(sql.Identifier, columns))
    )
    wanted = frame.select(columns)
    with connection.cursor() as cursor, cursor.copy(statement.as_string(None)) as copy:
        for text in ahead(piece.write_csv(include_header=False) for piece in wanted.iter_slices(ROWS_AT_ONCE)):
            copy.write(text)


def execute(statement: sql.Composable, parameters: Mapping[str, Any] | None = None) -> int:
    """Run one composed statement on Django's connection; the number of rows it touched."""
    with connection.cursor() as cursor:
        cursor.execute(statement.as_string(None), parameters)
        return int(cursor.rowcount)
