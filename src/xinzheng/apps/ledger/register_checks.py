"""Checks against the register (登记库核查): names, deciding organs and sources as the registry knows them. All warn.

A stretch is reduced to its distinct values before Python looks at one: no callback ever runs inside polars, and what
a delivery has asked once it does not ask again. Natural persons are never looked at.
"""

from collections.abc import Iterator
from dataclasses import dataclass, field
from functools import cached_property

import polars as pl

from xinzheng.apps.ledger.delivery import Answering
from xinzheng.apps.ledger.known_units import KnownUnits, known_units
from xinzheng.apps.ledger.register_words import row_defects, words_of
from xinzheng.apps.ledger.subjects import name_digest
from xinzheng.apps.registry.known_names import names_ever
from xinzheng.core.identifiers import name_key
from xinzheng.core.records import OrganPlace

NAME = ("kind", "subject_id", "subject_name")
ORGAN = ("kind", "organ_code", "organ_name")
SOURCE = ("kind", "domain", "source_code", "source_name")
# Subjects whose names are kept for the stretches to come.
REMEMBERED = 200_000


@dataclass
class RegisterChecks:
    """The checks of one delivery. ``asks_source``: whether 数据来源单位 has to be a unit that answers.

    Where one unit brings the records of many (数据回流), the source names the unit that answers and is not asked.
    """

    who: Answering
    asks_source: bool = True
    names: dict[int, frozenset[str]] = field(default_factory=dict)

    @cached_property
    def units(self) -> KnownUnits:
        """The units as the delivering unit's place knows them."""
        return known_units(self.who.unit.jurisdiction)

    def defects(self, frame: pl.DataFrame) -> list[pl.DataFrame]:
        """What the register says against the rows, as defects; ``frame`` holds ``registered_name`` as well."""
        distinct = frame.select(*dict.fromkeys((*ORGAN, *SOURCE))).unique()
        found = [self._misnamed(frame), *self._organs(frame, distinct)]
        return [*found, self._sources(frame, distinct)] if self.asks_source else found

    def _misnamed(self, frame: pl.DataFrame) -> pl.DataFrame:
        """Rows with another name than the latest; those with one it had before are not told."""
        differs = ~pl.col("is_person") & (name_digest("subject_name") != pl.col("registered_name"))
        rows = frame.select("line", *NAME, "is_person", "registered_name").filter(differs)
        told = list(rows.select(NAME).unique().iter_rows())
        self._ask_names({subject for _, subject, _ in told})
        said = (
            (kind, subject, name, *words_of(code).defect(kind, name, name))
            for kind, subject, name in told
            if (code := _fault_of_name(name, self.names[subject]))
        )
        return row_defects(rows, NAME, said)

    def _ask_names(self, subjects: set[int]) -> None:
        if len(self.names) > REMEMBERED:
            self.names.clear()
        if unasked := subjects - self.names.keys():
            self.names |= {key: frozenset(map(name_key, names)) for key, names in names_ever(unasked).items()}

    def _organs(self, frame: pl.DataFrame, distinct: pl.DataFrame) -> Iterator[pl.DataFrame]:
        elsewhere, decided = words_of("organ-elsewhere"), pl.coalesce("decision_date", "listed_from")
        abolished, away = words_of("organ-abolished"), []
        for kind, code, name in distinct.select(ORGAN).unique().iter_rows():
            if self.units.organs.place(code, name) is OrganPlace.ELSEWHERE:
                away.append((kind, code, name, *elsewhere.defect(kind, code or name, name or code)))
            day = self.units.abolished_date(code, name)
            if day is not None:
                late = frame.filter(decided > day).select("line", *ORGAN)
                said = (kind, code, name, *abolished.defect(kind, code or name, name or code, day))
                yield row_defects(late, ORGAN, [said])
        if away:
            yield row_defects(frame.select("line", *ORGAN), ORGAN, away)

    def _sources(self, frame: pl.DataFrame, distinct: pl.DataFrame) -> pl.DataFrame:
        """Rows that are told already to be of nobody's business here are left alone."""
        words = words_of("source-not-answering")
        said = [
            (kind, domain, code, name, *words.defect(kind, code or name, name or code))
            for kind, domain, code, name in distinct.select(SOURCE).unique().iter_rows()
            if (code or name) and (domain, kind) in self.who.answers
            if not self.units.is_answering((domain, kind), code, name)
        ]
        return row_defects((frame if said else frame.clear()).select("line", *SOURCE), SOURCE, said)


def _fault_of_name(name: str, known: frozenset[str]) -> str | None:
    """The code of what is wrong with a name; nothing where the register knows none."""
    key = name_key(name)
    if not known or key in known:
        return None
    return "name-cut-short" if any(one.startswith(key) for one in known) else "name-against-register"
