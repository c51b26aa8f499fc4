"""Linking set-wise (批量关联): repairs with the penalties they name, as ``link_repairs`` and ``decide`` do for one.

A table of records has a row for each record of each asker: ``asker``, ``id``, ``document_key``, ``organ_key`` and the
columns of FIELDS. The same record of a firm is there again for every firm it is tied to.
"""

from collections.abc import Sequence
from datetime import date

import ibis
from ibis.expr.types import BooleanValue, StringValue, Table

from xinzheng.core.records import USCC_LENGTH, RecordKind, Standing
from xinzheng.core.subjects import Tie

REPAIR = str(RecordKind.CREDIT_REPAIR)
GONE = [str(Standing.WITHDRAWN), str(Standing.VOID)]
DOCUMENT = ("asker", "party_tie", "document_key")


def linked(records: Table, as_of: date) -> Table:
    """The records, each penalty with the earliest date of a repair that names its document (``link_repairs``)."""
    party_tie = ibis.ifelse(records.tie == str(Tie.RENAMED), str(Tie.SELF), records.tie)
    told = records.mutate(party_tie=party_tie)
    repairs = _repairs(told, as_of)
    others = told.filter(told.kind != REPAIR, told.document_key.notnull())
    named = others.select(*DOCUMENT, "id", "organ_key").semi_join(repairs, DOCUMENT)
    # An organ that is not known is one more organ.
    organs = named.group_by(DOCUMENT).agg(
        organs=named.organ_key.nunique() + named.organ_key.isnull().any().ifelse(1, 0)
    )
    pairs = named.join(repairs, DOCUMENT).join(organs, DOCUMENT)
    is_same = (pairs.repair_organ == pairs.organ_key).fill_null(False)
    reaches = is_same | (may_be_one(pairs.repair_organ, pairs.organ_key) & (pairs.organs == 1))
    earliest = pairs.filter(reaches).group_by("asker", "id").agg(linked_date=pairs.repair_date.min())
    joined = records.left_join(earliest, ["asker", "id"]).drop("asker_right", "id_right")
    either = ibis.coalesce(
        ibis.least(joined.repaired_date, joined.linked_date), joined.repaired_date, joined.linked_date
    )
    repaired = ibis.ifelse(joined.kind == REPAIR, joined.repaired_date, either)
    return joined.mutate(repaired_date=repaired).drop("linked_date")


def _repairs(told: Table, as_of: date) -> Table:
    """The repairs that repair something: they name a document and a day, are not sealed and stand on ``as_of``."""
    day = ibis.literal(as_of, type="date")
    is_gone = told.standing.isin(GONE).fill_null(False) & (told.standing_date.isnull() | (told.standing_date <= day))
    standing = told.filter(
        told.kind == REPAIR,
        told.document_key.notnull(),
        told.repaired_date.notnull(),
        ~told.sealed.fill_null(False),
        ~is_gone.fill_null(False),
    )
    return standing.select(*DOCUMENT, repair_organ="organ_key", repair_date="repaired_date")


def may_be_one(one: StringValue, other: StringValue) -> BooleanValue:
    """Whether two organ keys can mean the same organ (``may_be_one_organ``): true or false, never NULL."""
    return (one.isnull() | other.isnull() | (one == other) | (_is_code(one) != _is_code(other))).fill_null(True)


def _is_code(organ_key: StringValue) -> BooleanValue:
    return (organ_key.length() == USCC_LENGTH) & ~organ_key.re_search(r"[^\x01-\x7f]")


def hidden_with_penalty(findings: Table, hiding: Sequence[int]) -> Table:
    """The findings, where a repair that names a penalty nobody may be told of has that penalty's verdict.

    ``hiding`` are the numbers of the verdicts that hide. Of several such penalties the first in the order of a
    decision speaks.
    """
    hidden = findings.filter(findings.verdict.isin(list(hiding)), findings.document_key.notnull()).select(
        "asker",
        "document_key",
        hidden_organ="organ_key",
        hidden_verdict="verdict",
        place=_place(findings),
    )
    repairs = findings.filter(findings.kind == REPAIR).select("asker", "id", "document_key", "organ_key")
    pairs = repairs.join(hidden, ["asker", "document_key"])
    may = pairs.filter(may_be_one(pairs.organ_key, pairs.hidden_organ))
    first = may.group_by("asker", "id").agg(hidden_verdict=may.hidden_verdict.argmin(may.place))
    joined = findings.left_join(first, ["asker", "id"]).drop("asker_right", "id_right")
    told = ibis.coalesce(joined.hidden_verdict, joined.verdict)
    marks = ibis.ifelse(joined.hidden_verdict.notnull(), "", joined.marks)
    return joined.mutate(verdict=told, marks=marks).drop("hidden_verdict")


def _place(findings: Table) -> StringValue:
    """The place of a finding in its decision: by domain, day and record, as text that sorts alike."""
    day = findings.window_date.fill_null(ibis.literal(date.max, type="date"))
    return findings.domain + " " + day.cast("string") + " " + findings.id.cast("string")
