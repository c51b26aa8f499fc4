"""Whose rows a delivery brings (数据回流): in a returned file each row names the unit that answers for it.

A row whose unit cannot be told is booked for nobody: it waits under the unit that delivered it, and coverage treats it
as concerning everybody whose data come that way.
"""

import polars as pl

from xinzheng.apps.ledger.delivery import Answering
from xinzheng.apps.ledger.register_words import row_defects, words_of

UNKNOWN = "return-unit-unknown"
NAMED = ("domain", "kind", "source_code")


def answered_for(frame: pl.DataFrame, who: Answering) -> tuple[pl.DataFrame, pl.DataFrame]:
    """The rows with ``unit_id``, who answers for each, and the defects of those whose unit cannot be told."""
    if not who.served:
        return frame.with_columns(unit_id=pl.lit(who.unit.id, pl.Int64)), _defects(frame.clear())
    frame = frame.join(_admitted(who), on=list(NAMED), how="left", maintain_order="left")
    frame = frame.join(_returned(who), on=["domain", "kind"], how="left", maintain_order="left")
    is_unknown = pl.col("is_returned").is_not_null() & pl.col("unit_id").is_null()
    defects = _defects(frame.filter(is_unknown))
    frame = frame.with_columns(
        status=pl.when(is_unknown & (pl.col("status") == "ok")).then(pl.lit("rejected")).otherwise("status"),
        unit_id=pl.col("unit_id").fill_null(who.unit.id),
    )
    return frame.drop("is_returned"), defects


def _admitted(who: Answering) -> pl.DataFrame:
    """The units that rows may name, the deliverer among them where it answers itself."""
    own = [(domain, kind, who.unit.uscc, who.unit.id) for domain, kind in who.own]
    served = [(unit.domain, unit.kind, unit.uscc, unit.unit_id) for unit in who.served]
    schema = dict.fromkeys(NAMED, pl.String) | {"unit_id": pl.Int64}
    return pl.DataFrame(sorted({*own, *served}), schema=schema, orient="row")


def _returned(who: Answering) -> pl.DataFrame:
    scopes = pl.DataFrame(sorted(who.returned), schema=["domain", "kind"], orient="row")
    return scopes.with_columns(is_returned=pl.lit(value=True))


def _defects(rows: pl.DataFrame) -> pl.DataFrame:
    """The field is called after the record kind's own format."""
    words = words_of(UNKNOWN)
    kinds = rows.get_column("kind").unique().to_list()
    said = [(kind, *words.defect(kind, None)) for kind in kinds]
    return row_defects(rows.select("line", "kind"), ["kind"], said)
