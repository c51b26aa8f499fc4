"""The rules for penalties that frictionless has no words for, as a check of its own kind; in the way of its manual."""

import re
from collections.abc import Iterator
from datetime import date
from typing import Any

from frictionless import Check, errors

from xinzheng.adapters.tabular.codes import known_divisions
from xinzheng.adapters.tabular.formats import PENALTY_WORDS, SUBJECT_CLASSES
from xinzheng.core.identifiers import check_uscc

_CODES = ("CF_XDR_SHXYM", "CF_CFJGDM", "CF_SJLYDM")
_DAYS = ("CF_JDRQ", "CF_YXQ", "CF_GSJZQ")
_ERROR_CELLS = frozenset({"#N/A", "#REF!", "#VALUE!", "#DIV/0!", "#NAME?", "#NULL!", "#NUM!", "#SPILL!", "#CALC!"})
_FINE = re.compile(r"罚款(?:人民币)?(\d+(?:\.\d+)?)元")
_NOT_PENALISED = re.compile(r"不予(?:行政)?处罚|违法事实不能成立")
_BREAK = re.compile(r"[;；,，、|\s]+")


class PenaltyRules(Check):
    """What is wrong with a row, one error for each."""

    type = "penalty-rules"
    Errors = [errors.RowConstraintError]

    def validate_row(self, row: Any) -> Iterator[Any]:
        """Each rule in turn."""
        for note in _wrong(row):
            yield errors.RowConstraintError.from_row(row, note=note)


def _wrong(row: Any) -> Iterator[str]:
    for code in _CODES:
        if row[code]:
            found = check_uscc(row[code], known_divisions())
            for issue in (*found.errors, *found.warnings):
                yield f"{code}: {issue.message}"
    for name, value in row.items():
        if isinstance(value, str) and value in _ERROR_CELLS:
            yield f"{name}: {value}"
    for name in _DAYS:
        if row[name] and row[name] < date(1978, 1, 1):
            yield f"{name}: before 1978"
    kind = SUBJECT_CLASSES.get(row["CF_XDR_LB"] or "")
    prefix = (row["CF_XDR_SHXYM"] or "")[:2]
    if (kind == "individual_business") != (prefix == "92"):
        yield "kind against code"
    yield from _wrong_penalty(row)


def _wrong_penalty(row: Any) -> Iterator[str]:
    category, content, fine = row["CF_CFLB"] or "", row["CF_NR"] or "", row["CF_NR_FK"]
    if any(word not in PENALTY_WORDS and not word.startswith("其他") for word in _BREAK.split(category) if word):
        yield "kind of penalty"
    if ("罚款" in category and fine is None) or ("没收" in category and row["CF_NR_WFFF"] is None):
        yield "amount missing"
    stated = _FINE.search(content)
    if stated and fine is not None and abs(float(stated[1]) - float(fine) * 10_000) > 0.011:
        yield "fine against content"
    if _NOT_PENALISED.search(category) or _NOT_PENALISED.search(content):
        yield "not a penalty"
