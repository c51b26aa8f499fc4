"""Versions: the rows whose fate is a version go straight into the history, once, with the keys of the merge."""

import polars as pl

from xinzheng.apps.ledger.staging import copy_frame

# What of a row a version is made of; the rest of a version's columns come from the merge.
CONTENT = (
    "line", "subject_id", "kind", "domain", "organ_code", "organ_name", "document_key", "decision_date", "served_date",
    "procedure", "outcome", "standing", "standing_date", "repaired_date", "sealed", "listed_from", "listed_through",
    "owing", "payload", "digest",
)  # fmt: skip
COLUMNS = (
    "id", "record_id", "entry_id", "batch_id", "unit_id", "is_present", *CONTENT[:-1], "payload_sha256",
)  # fmt: skip


def write_versions(rows: pl.DataFrame) -> None:
    """COPY a version for every row; ``version_id`` is its key."""
    versions = rows.with_columns(
        id="version_id", batch_id="entry_id", is_present=pl.lit(value=True), payload_sha256="digest"
    )
    copy_frame("ledger_recordversion", versions, COLUMNS)
