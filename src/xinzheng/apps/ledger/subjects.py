"""Whose rows these are: identifiers become the registry's surrogate keys before anything is staged."""

import polars as pl

from xinzheng.apps.audit.models import Entry
from xinzheng.apps.registry.actions import Sighting, register_unknown_subjects
from xinzheng.apps.registry.registering import subjects_of_codes
from xinzheng.core.subjects import SubjectKind


def with_subject_ids(frame: pl.DataFrame, entry: Entry) -> pl.DataFrame:
    """The frame with ``subject_id``; null where the identifier could not be read.

    A valid identifier that the register does not have is registered and queued for review.
    """
    met = frame.filter(pl.col("subject_code").is_not_null()).unique("subject_code", keep="any")
    codes = met.filter(~pl.col("is_person")).get_column("subject_code")
    known = subjects_of_codes(codes)
    unknown = met.filter(pl.col("is_person") | ~pl.col("subject_code").is_in(list(known)))
    known |= register_unknown_subjects(_sightings(unknown), entry=entry)
    ids = pl.DataFrame(
        {"subject_code": list(known), "subject_id": list(known.values())},
        schema={"subject_code": pl.String, "subject_id": pl.Int64},
    )
    return frame.join(ids, on="subject_code", how="left", maintain_order="left")


def _sightings(frame: pl.DataFrame) -> list[Sighting]:
    rows = frame.select("subject_code", "subject_name", "subject_kind", "is_person").iter_rows()
    return [
        Sighting(code, name or "", SubjectKind(kind) if kind else None, bool(is_person))
        for code, name, kind, is_person in rows
    ]
