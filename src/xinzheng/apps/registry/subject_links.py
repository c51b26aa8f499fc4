"""Check what a subject file says about other codes: former codes are nobody else's."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Self

from xinzheng.apps.registry.models import SubjectCode
from xinzheng.apps.registry.subject_file import COLUMNS
from xinzheng.apps.registry.subject_rows import RowDefect, SubjectRow

USCC = SubjectCode.Scheme.USCC.value


@dataclass(frozen=True)
class CodeOwners:
    """The registered subject and scheme of each code that a file names."""

    registered: Mapping[str, tuple[int, str]]

    @classmethod
    def read(cls, rows: Iterable[SubjectRow]) -> Self:
        """Look all codes of the rows up at once."""
        codes: set[str] = set()
        for row in rows:
            codes |= {code for code, _ in row.former_codes} | {relation.code for relation in row.relations}
            if not row.is_person:
                codes.add(row.code)
        found = SubjectCode.objects.filter(code__in=codes).values_list("code", "subject_id", "scheme")
        return cls({code: (subject_id, scheme) for code, subject_id, scheme in found})

    def subject_of(self, code: str) -> int | None:
        """The subject that the code is registered for."""
        owner = self.registered.get(code)
        return None if owner is None else owner[0]

    def is_former(self, code: str) -> bool:
        """Whether the code is registered, but not as a subject's present one."""
        owner = self.registered.get(code)
        return owner is not None and owner[1] != USCC


def check_codes(
    rows: Sequence[SubjectRow], owners: CodeOwners, headings: Mapping[str, str]
) -> tuple[list[SubjectRow], list[RowDefect]]:
    """The rows whose codes are their subjects' own, and why the others are not."""
    kept: list[SubjectRow] = []
    defects: list[RowDefect] = []
    claimed = {row.code: row.line for row in rows if not row.is_person}
    for row in rows:
        found = _code_defect(row, owners, claimed, headings)
        if found is None:
            claimed.update((code, row.line) for code, _ in row.former_codes)
            kept.append(row)
        else:
            defects.append(found)
    return kept, defects


def _code_defect(
    row: SubjectRow, owners: CodeOwners, claimed: Mapping[str, int], headings: Mapping[str, str]
) -> RowDefect | None:
    own = None if row.is_person else owners.subject_of(row.code)
    if not row.is_person and owners.is_former(row.code):
        message = "该代码已登记为某一主体的曾用代码，请改用其现用的统一社会信用代码。"
        return defect_of(row, "code", "code-is-former", message, headings)
    for code, _ in row.former_codes:
        owner = owners.subject_of(code)
        if (owner is not None and owner != own) or claimed.get(code, row.line) != row.line or code == row.code:
            message = f"曾用代码{code}已属于另一主体或者就是现用代码；两个主体之间的关系请用“承继关系”列填写。"
            return defect_of(row, "former_codes", "former-code-taken", message, headings)
    return None


def defect_of(row: SubjectRow, field: str, code: str, message: str, headings: Mapping[str, str]) -> RowDefect:
    """A defect of a row, at the column as the file calls it."""
    return RowDefect(row.line, headings.get(field, COLUMNS[field][0]), code, message)
