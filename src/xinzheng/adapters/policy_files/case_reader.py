"""Case files (政策用例): a list of cases in the format of docs/policy-format.md, read strictly."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal, InvalidOperation
from enum import StrEnum
from pathlib import Path

from xinzheng.adapters.policy_files.expectations import Expectation, read_expectation
from xinzheng.adapters.policy_files.mistakes import Mistakes
from xinzheng.adapters.policy_files.nodes import Value, read_root
from xinzheng.core.decision import Request
from xinzheng.core.errors import PolicyError
from xinzheng.core.policy import Extension
from xinzheng.core.records import (
    ARREARS_KINDS,
    OrganPlace,
    Outcome,
    Procedure,
    Record,
    RecordKind,
    Standing,
)
from xinzheng.core.subjects import Subject, SubjectKind, Tie

DATES = ("decision_date", "served_date", "standing_date", "repaired_date", "listed_from", "listed_through")
WORDS: Mapping[str, type[StrEnum]] = {
    "tie": Tie,
    "organ": OrganPlace,
    "procedure": Procedure,
    "outcome": Outcome,
    "standing": Standing,
}
FACTS = (*DATES, *WORDS, "sealed", "disputed", "owing", "document_key", "organ_key")
NO_DOMAIN_NEEDED = ARREARS_KINDS | {RecordKind.CREDIT_REPAIR}


class WholeCoverage(StrEnum):
    """Coverage in one word: everything stated, or nothing."""

    FULL = "full"
    NONE = "none"


class CalendarName(StrEnum):
    """The calendars a case may name."""

    DEFAULT = "default"


@dataclass(frozen=True, slots=True)
class CoverageException:
    """Where the statements fall short of full: nothing at all, or only from … through …; ``line`` in the file."""

    domain: str
    unit: str
    kind: str | None
    from_date: date | None
    through_date: date | None
    line: int


@dataclass(frozen=True, slots=True)
class CasePending:
    """Rejected lines that wait to be mended."""

    domain: str
    unit: str
    kind: str | None
    count: int
    names_subject: bool


@dataclass(frozen=True, slots=True)
class CaseCoverage:
    """What the units of a case have stated."""

    is_full: bool = True
    exceptions: tuple[CoverageException, ...] = ()
    pending: tuple[CasePending, ...] = ()


@dataclass(frozen=True, slots=True)
class PolicyCase:
    """One case (用例): what is given, and what the policy must decide."""

    name: str
    as_of: date | datetime
    subject: Subject
    request: Request
    units: Mapping[str, tuple[str, ...]]
    records: tuple[Record, ...]
    coverage: CaseCoverage
    extensions: tuple[Extension, ...]
    expect: Expectation
    line: int


def _subject(value: Value | None) -> Subject:
    read = value.fields((), ("kind", "deregistered")) if value else {}
    kind = read["kind"].one_of(SubjectKind) if "kind" in read else SubjectKind.ENTERPRISE_LEGAL_PERSON
    return Subject(kind, is_deregistered="deregistered" in read and read["deregistered"].flag())


def _request(value: Value | None) -> Request:
    read = value.fields((), ("domains", "from", "to", "purpose")) if value else {}
    return Request(
        domains=tuple(item.text() for item in read["domains"].items()) if "domains" in read else None,
        from_date=read["from"].day() if "from" in read else None,
        to_date=read["to"].day() if "to" in read else None,
        purpose=read["purpose"].text() if "purpose" in read else None,
    )


def _units(value: Value | None) -> dict[str, tuple[str, ...]]:
    return {
        code: tuple(unit.text() for unit in item.items()) for code, item in (value.entries() if value else {}).items()
    }


def _amount(value: Value) -> Decimal | None:
    try:
        amount = Decimal(str(value.node.value))
    except InvalidOperation:
        amount = Decimal("NaN")
    if not amount.is_finite():
        value.wrong("此处应为金额（数字）")
        return None
    return amount


def _fact(key: str, value: Value) -> object:
    if value.tag == "null":
        return None
    if key in DATES:
        return value.day()
    if key in WORDS:
        return value.one_of(WORDS[key])
    if key in ("sealed", "disputed"):
        return value.flag()
    return _amount(value) if key == "owing" else value.text()


def _record(value: Value) -> Record:
    """One record; a key that is absent is the default, a key that is null is unknown."""
    read = value.fields(("id", "kind"), (*FACTS, "domain"))
    kind = read["kind"].one_of(RecordKind) if "kind" in read else RecordKind.ADMINISTRATIVE_PENALTY
    if "domain" not in read and kind not in NO_DOMAIN_NEEDED:
        value.wrong("缺少必需的键“domain”")
    facts = {key: _fact(key, read[key]) for key in FACTS if key in read}
    return Record(
        id=read["id"].text() if "id" in read else "",
        kind=kind,
        domain=read["domain"].text() if "domain" in read else "",
        **facts,  # type: ignore[arg-type]  # every value was read by the reader of its own key
    )


def _records(value: Value | None) -> tuple[Record, ...]:
    items = value.items() if value else []
    records = tuple(_record(item) for item in items)
    for index, (item, record) in enumerate(zip(items, records, strict=True)):
        if record.id in {earlier.id for earlier in records[:index]}:
            item.wrong(f"记录“{record.id}”写了两次")
    return records


def _exception(value: Value) -> CoverageException:
    read = value.fields(("domain", "unit"), ("kind", "from", "through"))
    return CoverageException(
        read["domain"].text() if "domain" in read else "",
        read["unit"].text() if "unit" in read else "",
        str(read["kind"].one_of(RecordKind)) if "kind" in read else None,
        read["from"].day() if "from" in read else None,
        read["through"].day() if "through" in read else None,
        value.line,
    )


def _pending(value: Value) -> CasePending:
    read = value.fields(("domain", "unit"), ("kind", "count", "names_subject"))
    return CasePending(
        read["domain"].text() if "domain" in read else "",
        read["unit"].text() if "unit" in read else "",
        str(read["kind"].one_of(RecordKind)) if "kind" in read else None,
        read["count"].whole(1) if "count" in read else 1,
        read["names_subject"].flag() if "names_subject" in read else True,
    )


def _coverage(value: Value | None) -> CaseCoverage:
    if value is None:
        return CaseCoverage()
    if value.tag == "str":
        return CaseCoverage(value.one_of(WholeCoverage) is WholeCoverage.FULL)
    read = value.fields((), ("full", "except", "pending_lines"))
    return CaseCoverage(
        read["full"].flag() if "full" in read else True,
        tuple(_exception(item) for item in read["except"].items()) if "except" in read else (),
        tuple(_pending(item) for item in read["pending_lines"].items()) if "pending_lines" in read else (),
    )


def _extensions(value: Value | None) -> tuple[Extension, ...]:
    if value is None:
        return ()
    read = value.fields(("document", "until"), ("note",))
    if not {"document", "until"} <= set(read):
        return ()
    return (Extension(read["document"].text(), read["until"].day(), read["note"].text() if "note" in read else ""),)


OPTIONAL = ("subject", "request", "units", "records", "coverage", "calendar", "extension")


def _case(value: Value) -> PolicyCase:
    read = value.fields(("name", "as_of", "expect"), OPTIONAL)
    if "calendar" in read:
        read["calendar"].one_of(CalendarName)
    return PolicyCase(
        name=read["name"].text() if "name" in read else "",
        as_of=read["as_of"].moment() if "as_of" in read else date.min,
        subject=_subject(read.get("subject")),
        request=_request(read.get("request")),
        units=_units(read.get("units")),
        records=_records(read.get("records")),
        coverage=_coverage(read.get("coverage")),
        extensions=_extensions(read.get("extension")),
        expect=read_expectation(read["expect"]) if "expect" in read else Expectation(),
        line=value.line,
    )


def read_cases(content: bytes, file: str) -> list[PolicyCase]:
    """The cases of a file's bytes, in its order; mistakes name it ``file``. Raises PolicyError listing every one."""
    mistakes = Mistakes()
    root = read_root(content, file, mistakes)
    cases = [_case(item) for item in root.items()] if root else []
    mistakes.refuse()
    return cases


def load_cases(path: Path) -> list[PolicyCase]:
    """The cases of a file, in its order. Raises PolicyError listing every mistake with its line."""
    try:
        content = path.read_bytes()
    except OSError as error:
        raise PolicyError(f"无法读取用例文件 {path}，请检查路径。", code="case-file-unreadable") from error
    return read_cases(content, str(path))
