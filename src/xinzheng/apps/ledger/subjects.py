"""Whose rows these are: identifiers become the registry's surrogate keys before anything is judged."""

from dataclasses import dataclass, field

import polars as pl

from xinzheng.apps.audit.models import Entry
from xinzheng.apps.registry.actions import Sighting, register_unknown_subjects
from xinzheng.apps.registry.known_names import known_subjects
from xinzheng.core.subjects import SubjectKind

# What the registry is told of a subject it does not know.
SEEN = ("subject_code", "subject_name", "subject_kind", "is_person")

# Of a name only its digest is kept: a delivery may meet millions of subjects.
MET = {"subject_code": pl.String, "subject_id": pl.Int64, "registered_name": pl.UInt64}


@dataclass
class Subjects:
    """The subjects one delivery has met; the registry is asked for each identifier once.

    A valid identifier that the register does not have is registered and queued for review.
    """

    entry: Entry
    met: pl.DataFrame = field(default_factory=lambda: pl.DataFrame(schema=MET))

    def meet(self, frame: pl.DataFrame) -> pl.DataFrame:
        """The subjects that the rows name, as ``joined`` wants them; all that the database has to be asked for."""
        named = frame.select(SEEN).filter(pl.col("subject_code").is_not_null()).unique("subject_code", keep="any")
        # Those of the stretch on the right: it is the right side of a join that is made a table of, each time.
        here = self.met.join(named, on="subject_code", how="semi")
        first_met = named.join(here, on="subject_code", how="anti")
        if first_met.height:
            found = self._found(first_met)
            self.met, here = self.met.vstack(found), here.vstack(found)
        return here

    @staticmethod
    def joined(frame: pl.DataFrame, here: pl.DataFrame) -> pl.DataFrame:
        """The frame with ``subject_id``, null where the identifier could not be read, and ``registered_name``.

        ``here`` are the subjects that its rows name. The name is the digest of the latest one in the register
        (:func:`name_digest`), null of a natural person and of whom the register did not know.
        """
        # Only the codes are joined: joining the frame would gather all its columns anew.
        keys = frame.select("subject_code").join(here, on="subject_code", how="left", maintain_order="left")
        return frame.with_columns(keys.get_column("subject_id"), keys.get_column("registered_name"))

    def _found(self, frame: pl.DataFrame) -> pl.DataFrame:
        known = known_subjects(frame.filter(~pl.col("is_person")).get_column("subject_code"))
        unknown = frame.filter(pl.col("is_person")).vstack(
            frame.filter(~pl.col("is_person")).join(known, on="subject_code", how="anti")
        )
        digested = known.with_columns(registered_name=name_digest("registered_name"))
        if not unknown.height:
            return digested
        met = register_unknown_subjects(_sightings(unknown), entry=self.entry)
        new = {"subject_code": list(met), "subject_id": list(met.values()), "registered_name": [None] * len(met)}
        return digested.vstack(pl.DataFrame(new, schema=MET))


def name_digest(column: str) -> pl.Expr:
    """What names are told apart by, the same within one process; null where there is none."""
    return pl.when(pl.col(column).is_not_null()).then(pl.col(column).hash())


def _sightings(frame: pl.DataFrame) -> list[Sighting]:
    rows = frame.select(SEEN).iter_rows()
    return [
        Sighting(code, name or "", SubjectKind(kind) if kind else None, bool(is_person))
        for code, name, kind, is_person in rows
    ]
