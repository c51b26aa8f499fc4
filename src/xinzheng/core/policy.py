"""Policy (政策): a decree as data, dated and cited; see docs/policy-format.md."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date
from enum import StrEnum

from xinzheng.core.conditions import Condition
from xinzheng.core.errors import RefusedError
from xinzheng.core.records import RecordKind
from xinzheng.core.subjects import SubjectKind


class Effect(StrEnum):
    """What a clause does with a record (认定): 计入, 不计入, 另行列示, 注明, 待核实."""

    COUNTED = "counted"
    EXCLUDED = "excluded"
    LISTED_APART = "listed_apart"
    MARKED = "marked"
    UNRESOLVED = "unresolved"


class Basis(StrEnum):
    """Whether the source says so (政策原文) or we infer it where it is silent (系统理解)."""

    STATUTE = "statute"
    JUDGEMENT = "judgement"


@dataclass(frozen=True, slots=True)
class Citation:
    """Where a rule stands (依据): the source, its section, its own words; ``note`` gives the reason of a judgement.

    ``second_hand`` marks a source that was not seen itself.
    """

    source: str
    section: str = ""
    quote: str = ""
    note: str = ""
    second_hand: bool = False


@dataclass(frozen=True, slots=True)
class DateSpan:
    """Days from … until …, both included; None is open."""

    from_date: date | None = None
    until_date: date | None = None

    def includes(self, day: date) -> bool:
        """Whether the day lies in the span."""
        return (self.from_date is None or self.from_date <= day) and (self.until_date is None or day <= self.until_date)


@dataclass(frozen=True, slots=True)
class Clause:
    """One rule (条款) of a policy: an effect, the condition under which it applies, and its citation.

    ``condition`` None applies to every record. ``reason`` is the sentence for people: 这条记录没有计入，因为{reason}.
    ``mark`` is a word printed beside a counted record. ``in_effect`` is compared with as_of.
    """

    id: str
    effect: Effect
    condition: Condition | None
    reason: str
    citation: Citation
    basis: Basis
    in_effect: DateSpan = DateSpan()
    mark: str | None = None
    hides: bool = False


@dataclass(frozen=True, slots=True)
class Window:
    """How far a policy looks back (查询期): ``years`` before as_of, or everything ``since`` a day."""

    citation: Citation
    basis: Basis
    years: int | None = None
    since: date | None = None


@dataclass(frozen=True, slots=True)
class Choice:
    """Whether the subject may choose something (可选范围), and where that stands."""

    is_offered: bool
    citation: Citation
    basis: Basis


@dataclass(frozen=True, slots=True)
class PolicyDomain:
    """A domain (领域) of a policy; ``units_text`` are the decree's words for who answers, where it names them."""

    code: str
    name: str
    kinds: tuple[RecordKind, ...]
    units_text: str = ""


class SectionCoverage(StrEnum):
    """What a section's units must have stated: the latest state (``latest``), or the whole period (``period``)."""

    LATEST = "latest"
    PERIOD = "period"


@dataclass(frozen=True, slots=True)
class OtherSection:
    """A section of other information (其他核查信息): always shown, never changing the outcome."""

    code: str
    name: str
    kind: RecordKind
    coverage: SectionCoverage
    units_text: str
    citation: Citation
    basis: Basis


@dataclass(frozen=True, slots=True)
class Purpose:
    """A use (用途) the policy names, in its group where it has groups."""

    code: str
    name: str
    group: str = ""


@dataclass(frozen=True, slots=True)
class Extension:
    """A document (延期文件) that prolongs a policy, recorded by a deployment; printed on the report."""

    document: str
    until_date: date
    note: str = ""


@dataclass(frozen=True, slots=True)
class ServedKind:
    """A kind of subject the policy serves (适用主体)."""

    kind: SubjectKind
    citation: Citation
    basis: Basis
    as_kind: str = ""


@dataclass(frozen=True, slots=True)
class Validity:
    """How long a report may be used (报告有效期): so many days after its own day, that day not counted."""

    days: int
    citation: Citation
    basis: Basis = Basis.STATUTE


@dataclass(frozen=True, slots=True)
class Policy:
    """A policy pack (政策包), loaded and checked.

    ``record_word`` is the decree's word for a record, ``units_word`` its word for who answers; ``wording`` maps a
    sentence's key to a template with Chinese placeholders such as {记录}; ``freshness_days`` are the working days a
    unit may lag; ``validity`` is None where a report does not expire. ``sha256`` is the digest of the pack's bytes.
    """

    id: str
    title: str
    report_title: tuple[str, ...]
    number_prefix: str
    record_word: str
    units_word: str
    document: str
    issuer: str
    jurisdiction: str
    jurisdiction_name: str
    in_effect: DateSpan
    in_effect_citation: Citation
    subject_kinds: tuple[ServedKind, ...]
    purposes: tuple[Purpose, ...]
    exceptions: tuple[Citation, ...]
    window: Window
    choose_domains: Choice
    choose_period: Choice
    domains: tuple[PolicyDomain, ...]
    domains_citation: Citation
    clauses: tuple[Clause, ...]
    other: tuple[OtherSection, ...]
    freshness_days: int
    freshness_citation: Citation
    wording: Mapping[str, str]
    notes: tuple[str, ...]
    scope_text: str
    claimed_domains: int | None = None
    annex_note: str = ""
    extensions: tuple[Extension, ...] = ()
    in_effect_basis: Basis = Basis.STATUTE
    domains_basis: Basis = Basis.STATUTE
    freshness_basis: Basis = Basis.JUDGEMENT
    validity: Validity | None = None
    sha256: str = ""
    warnings: tuple[str, ...] = field(default=(), compare=False)

    @property
    def last_date(self) -> date | None:
        """The last day in force, extensions included; None is open."""
        until = self.in_effect.until_date
        return until if until is None else max([until, *(e.until_date for e in self.extensions)])

    def is_in_force_on(self, day: date) -> bool:
        """Whether reports can be issued on the day, extensions included."""
        first, last = self.in_effect.from_date, self.last_date
        return (first is None or first <= day) and (last is None or day <= last)

    def extension_on(self, day: date) -> Extension | None:
        """The extension that keeps the policy in force on the day, if it needs one."""
        until = self.in_effect.until_date
        if until is None or day <= until:
            return None
        fitting = [e for e in self.extensions if day <= e.until_date]
        return min(fitting, key=lambda e: e.until_date) if fitting else None

    def domain(self, code: str) -> PolicyDomain:
        """The domain with this code. Raises RefusedError ``unknown-domain``."""
        for domain in self.domains:
            if domain.code == code:
                return domain
        raise RefusedError(f"政策“{self.title}”没有代码为“{code}”的领域。", code="unknown-domain", domain=code)

    def clauses_on(self, day: date) -> tuple[Clause, ...]:
        """The clauses in effect on the day, in order."""
        return tuple(clause for clause in self.clauses if clause.in_effect.includes(day))
