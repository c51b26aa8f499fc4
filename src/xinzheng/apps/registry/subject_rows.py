"""Check the lines of a subject file one by one: what is good becomes a row, what is not is told by line and field."""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from enum import StrEnum
from types import MappingProxyType
from typing import TypeVar

from xinzheng.apps.audit.privacy import IDENTITY_NUMBER
from xinzheng.apps.registry.subject_file import FileLine, SubjectTable
from xinzheng.core.identifiers import check_identity_number, check_uscc, normalise_identifier, subject_kind_of
from xinzheng.core.subjects import SubjectKind, Tie

T = TypeVar("T")

KIND_WORDS: Mapping[str, SubjectKind] = MappingProxyType(
    {
        "企业法人": SubjectKind.ENTERPRISE_LEGAL_PERSON,
        "公司": SubjectKind.ENTERPRISE_LEGAL_PERSON,
        "有限责任公司": SubjectKind.ENTERPRISE_LEGAL_PERSON,
        "股份有限公司": SubjectKind.ENTERPRISE_LEGAL_PERSON,
        "非法人企业": SubjectKind.UNINCORPORATED_ENTERPRISE,
        "合伙企业": SubjectKind.UNINCORPORATED_ENTERPRISE,
        "个人独资企业": SubjectKind.UNINCORPORATED_ENTERPRISE,
        "分支机构": SubjectKind.UNINCORPORATED_ENTERPRISE,
        "分公司": SubjectKind.UNINCORPORATED_ENTERPRISE,
        "个体工商户": SubjectKind.INDIVIDUAL_BUSINESS,
        "个体户": SubjectKind.INDIVIDUAL_BUSINESS,
        "农民专业合作社": SubjectKind.COOPERATIVE,
        "合作社": SubjectKind.COOPERATIVE,
        "社会组织": SubjectKind.SOCIAL_ORGANISATION,
        "社会团体": SubjectKind.SOCIAL_ORGANISATION,
        "事业单位": SubjectKind.PUBLIC_INSTITUTION,
        "自然人": SubjectKind.NATURAL_PERSON,
        "个人": SubjectKind.NATURAL_PERSON,
        **{kind.value: kind for kind in SubjectKind},
    }
)
RELATION_WORDS: Mapping[str, Tie] = MappingProxyType(
    {
        "更名": Tie.RENAMED,
        "名称变更": Tie.RENAMED,
        "转制": Tie.RENAMED,
        "改制": Tie.RENAMED,
        "转换类型": Tie.RENAMED,
        "吸收合并": Tie.MERGED,
        "新设合并": Tie.MERGED,
        "合并": Tie.MERGED,
        "分立": Tie.SPLIT,
        "派生分立": Tie.SPLIT,
        "解散分立": Tie.SPLIT,
        "分支机构": Tie.BRANCH,
        **{tie.value: tie for tie in Tie if tie is not Tie.SELF},
    }
)
KINDS_TOLD = "企业法人、非法人企业、个体工商户、农民专业合作社、社会组织、事业单位、自然人"
DEREGISTERED = frozenset({"注销", "已注销", "注销登记"})
WHOLE_LINE = "整行"
EMPTY = frozenset({"", "无", "/", "\\", "-", "--", "—", "——", "— —", "null", "NULL", "None"})
SEPARATORS = re.compile(r"[;；、\n]")
DAY = re.compile(r"(\d{4})[-/.年]?(\d{1,2})[-/.月]?(\d{1,2})日?(?: 0?0:00(?::00)?)?")
# Codes are read separately from names: a slash or comma is never part of one.
CODE_SEPARATORS = re.compile(r"[;；、,，/\s]")


@dataclass(frozen=True, slots=True)
class RowDefect:
    """Why a line was rejected (问题): line, column as the file calls it, kebab-case code, what to do in Chinese.

    ``field`` is 整行 where the line's cells do not match the header.
    """

    line: int
    field: str
    code: str
    message: str


class Stand(StrEnum):
    """What a line says of a relation (关系状态): it holds, was wrong from the start, or holds after all."""

    HOLDS = ""
    WITHDRAWN = "撤销"
    RESTORED = "恢复"


@dataclass(frozen=True, slots=True)
class Relation:
    """This row's subject became part of, or is a branch of, the subject with this code (承继关系)."""

    kind: Tie
    code: str
    date: date | None
    stand: Stand = Stand.HOLDS
    reason: str = ""


@dataclass(frozen=True, slots=True)
class SubjectRow:
    """One good line (名录行); ``kind_is_told`` is false where the kind was only derived from the code."""

    line: int
    code: str
    kind: SubjectKind
    kind_is_told: bool
    name: str
    representative: str | None = None
    status: str | None = None
    established_date: date | None = None
    address: str | None = None
    former_names: tuple[str, ...] = ()
    former_codes: tuple[tuple[str, str], ...] = ()
    relations: tuple[Relation, ...] = ()

    @property
    def is_person(self) -> bool:
        """Whether the subject is a natural person (自然人)."""
        return self.kind is SubjectKind.NATURAL_PERSON

    @property
    def is_deregistered(self) -> bool:
        """Whether the status says that the subject no longer exists (注销)."""
        return self.status in DEREGISTERED


def check_lines(table: SubjectTable) -> tuple[list[SubjectRow], list[RowDefect]]:
    """The good rows, and why the other lines were rejected. The second line of a code is rejected."""
    rows: list[SubjectRow] = []
    defects: list[RowDefect] = []
    first: dict[str, int] = {}
    for line in table.lines:
        reader = _LineReader(line, table.headings)
        row = reader.read()
        if row is not None and row.code in first:
            reader.reject("code", "subject-repeated", f"与第{first[row.code]}行是同一主体，请合并为一行。")
            row = None
        if row is not None:
            first[row.code] = row.line
            rows.append(row)
        defects += reader.defects
    return rows, defects


class _LineReader:
    """Reads one line; collects its defects."""

    def __init__(self, line: FileLine, headings: Mapping[str, str]) -> None:
        self.number = line.number
        self.fault = line.fault
        self.cells = {field: text for field, text in line.cells.items() if text not in EMPTY}
        self.headings = headings
        self.defects: list[RowDefect] = []

    def reject(self, field: str, code: str, message: str) -> None:
        self.defects.append(RowDefect(self.number, self.headings.get(field, field), code, message))

    def read(self) -> SubjectRow | None:
        """The row, or None when the line has defects."""
        if self.fault is not None:
            # The cells may stand in each other's columns: nothing else is said of them.
            self.defects.append(RowDefect(self.number, WHOLE_LINE, *self.fault))
            return None
        if "name" not in self.cells:
            self.reject("name", "name-missing", "名称为空，请填写登记的名称。")
        relations = self._relations()
        told = self._told_kind(relations)
        code, kind = self._code_and_kind(told)
        former_codes = self._former_codes()
        established = self._day("established", self.cells.get("established"))
        if self.defects or code is None or kind is None:
            return None
        person = kind is SubjectKind.NATURAL_PERSON
        return SubjectRow(
            line=self.number,
            code=code,
            kind=kind,
            kind_is_told=told is not None,
            name=self.cells["name"],
            # A person's only facts here are name and number, which stand encrypted elsewhere.
            representative=None if person else self.cells.get("legal_representative"),
            status=self.cells.get("status"),
            established_date=None if person else established,
            address=None if person else self.cells.get("address"),
            former_names=() if person else self._several("former_names", SEPARATORS),
            former_codes=() if person else former_codes,
            relations=() if person else relations,
        )

    def _several(self, field: str, separators: re.Pattern[str]) -> tuple[str, ...]:
        parts = (part.strip() for part in separators.split(self.cells.get(field, "")))
        return tuple(dict.fromkeys(part for part in parts if part not in EMPTY))

    def _told_kind(self, relations: tuple[Relation, ...]) -> SubjectKind | None:
        word = self.cells.get("kind")
        is_branch = any(r.kind is Tie.BRANCH and r.stand is not Stand.WITHDRAWN for r in relations)
        if word is None:
            return SubjectKind.UNINCORPORATED_ENTERPRISE if is_branch else None
        kind = KIND_WORDS.get(word)
        if kind is None:
            self.reject("kind", "kind-unknown", f"不认识的类型“{word[:20]}”，请填写{KINDS_TOLD}之一。")
        elif is_branch and kind is SubjectKind.ENTERPRISE_LEGAL_PERSON:
            message = "分支机构不是企业法人：请改类型，或者改承继关系（子公司不写承继关系）。"
            self.reject("relation", "branch-is-legal-person", message)
        return kind

    def _code_and_kind(self, told: SubjectKind | None) -> tuple[str | None, SubjectKind | None]:
        text = self.cells.get("code")
        if text is None:
            self.reject("code", "code-missing", "代码为空，请填写统一社会信用代码；自然人填写公民身份号码。")
            return None, None
        organisation, person = check_uscc(text), check_identity_number(text)
        if told is None and organisation.ok and person.ok:
            message = "该代码既可能是统一社会信用代码，也可能是公民身份号码，请在“类型”列写明。"
            self.reject("code", "code-ambiguous", message)
            return None, None
        if told is SubjectKind.NATURAL_PERSON or (told is None and person.ok and not organisation.ok):
            for issue in person.errors:
                self.reject("code", issue.code, issue.message)
            return (person.value if person.ok else None), SubjectKind.NATURAL_PERSON
        for issue in organisation.errors:
            self.reject("code", issue.code, issue.message)
        return (organisation.value if organisation.ok else None), told or self._derived_kind(organisation.value)

    def _derived_kind(self, code: str) -> SubjectKind | None:
        derived = subject_kind_of(code)
        if derived is None and not self.defects:
            self.reject("kind", "kind-missing", f"代码以{code[:2]}开头，看不出主体类型，请在“类型”列写明。")
        return None if derived is None else SubjectKind(derived)

    def _former_codes(self) -> tuple[tuple[str, str], ...]:
        registration = ((c, "registration") for c in self._several("registration_number", CODE_SEPARATORS))
        former = ((c, _scheme_of(normalise_identifier(c))) for c in self._several("former_codes", CODE_SEPARATORS))
        found = {normalise_identifier(code): scheme for code, scheme in (*registration, *former)}
        for code in found:
            if not (6 <= len(code) <= 50 and code.isascii() and code.isalnum()):
                self.reject("former_codes", "former-code-invalid", "曾用代码应由6位以上的数字、字母组成，请核对。")
            elif check_identity_number(code).ok and not check_uscc(code).ok:
                self.reject("former_codes", "former-code-personal", "曾用代码不能是公民身份号码，请删去。")
        return tuple(found.items())

    def _relations(self) -> tuple[Relation, ...]:
        """One for each related code; several words, days or states stand in the order of the codes."""
        words = self._listed("relation")
        codes = [code for code in CODE_SEPARATORS.split(self.cells.get("related_code", "")) if code not in EMPTY]
        days, states = self._listed("related_date"), self._listed("relation_state")
        if not words and not codes:
            return ()
        if not words or any(word not in RELATION_WORDS for word in words):
            self.reject("relation", "relation-unknown", "承继关系应为更名、吸收合并、分立或者分支机构，请核对。")
        if not codes:
            message = "请填写关联主体（更名后、存续、新设主体或者总公司）的代码。"
            self.reject("related_code", "related-code-missing", message)
        if any(state not in set(Stand) for state in states):
            self.reject("relation_state", "relation-state-unknown", "关系状态应空着，或者填写撤销、恢复。")
        if IDENTITY_NUMBER.search(self.cells.get("relation_reason", "")):
            self.reject("relation_reason", "reason-personal", "说明会长期保存，不得写公民身份号码，请删去。")
        if any(len(told) not in (0, 1, len(codes)) for told in (words, days, states)):
            message = "一行写几个承继关系时，关系、代码、日期、状态的个数应当相同，用；隔开。"
            self.reject("relation", "relations-uneven", message)
        read = [self._day("related_date", day) for day in days]
        if self.defects:
            return ()
        several = zip(*(_spread(told, len(codes)) for told in (words, read, states)), codes, strict=True)
        reason = self.cells.get("relation_reason", "")
        found = [
            Relation(RELATION_WORDS[word], normalise_identifier(code), day, Stand(state or ""), reason)
            for word, day, state, code in several
        ]
        if len({(relation.kind, relation.code) for relation in found}) < len(found):
            self.reject("relation", "relation-repeated", "同一关联主体的同一种承继关系写了两次，请只写一次。")
        return tuple(found)

    def _listed(self, field: str) -> list[str]:
        return [part.strip() for part in SEPARATORS.split(self.cells[field])] if field in self.cells else []

    def _day(self, field: str, text: str | None) -> date | None:
        if not text:
            return None
        parts = DAY.fullmatch(text)
        try:
            if parts:
                return date(*(int(part) for part in parts.groups()))
        except ValueError:
            pass
        self.reject(field, "date-invalid", f"“{text[:20]}”不是存在的日期，请写作2024-03-01。")
        return None


def _spread(told: Sequence[T], count: int) -> list[T | None]:
    """What was told once holds for all; what was not told, for none."""
    if len(told) == count:
        return list(told)
    return [told[0] if told else None] * count


def _scheme_of(code: str) -> str:
    if len(code) == 15 and code.isdigit():
        return "registration"
    if len(code) == 9:
        return "organisation"
    return "former"
