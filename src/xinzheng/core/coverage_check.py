"""Checking coverage (归集覆盖核对): which responsible units' data does not reach as far as an answer needs."""

from collections.abc import Iterable, Sequence
from dataclasses import replace
from datetime import date

from xinzheng.core.coverage import (
    Coverage,
    Gap,
    GapReason,
    PendingLines,
    Responsibility,
    Statement,
    covered_through,
    unit_gap,
)
from xinzheng.core.policy import OtherSection, PolicyDomain, SectionCoverage
from xinzheng.core.records import RecordKind
from xinzheng.core.weighing import Period


def _line_gaps(responsibility: Responsibility, pending: Iterable[PendingLines]) -> list[Gap]:
    """One gap for lines that name the subject, one for lines that may concern anybody."""
    lines = list(pending)
    counts = {
        GapReason.LINE_PENDING: sum(p.count for p in lines if p.names_subject),
        GapReason.LINE_UNREADABLE: sum(p.count for p in lines if not p.names_subject),
    }
    who = responsibility
    return [Gap(who.unit, who.unit_name, who.kind, reason, lines=n) for reason, n in counts.items() if n]


def _gaps(
    responsibilities: Sequence[Responsibility], coverage: Coverage, needed: Period, match_domain: bool
) -> tuple[tuple[Gap, ...], date | None]:
    """Gaps of the responsible units, and the earliest of their last unbroken days (None if one has none)."""
    gaps: list[Gap] = []
    reached: list[date | None] = []
    for who in responsibilities:
        domain = who.domain if match_domain else None
        statements = coverage.statements_of(who.unit, who.kind, domain)
        missing = unit_gap(who, statements, needed.from_date, needed.to_date)
        if missing and not statements and coverage.has_spoken(who.unit, who.kind, domain):
            missing = replace(missing, reason=GapReason.STATEMENT_LAPSED)
        gaps += [missing] if missing else []
        gaps += _line_gaps(who, coverage.pending_of(who.unit, who.kind, domain))
        reached.append(covered_through(statements, needed.from_date) or (missing.through if missing else None))
    known = [day for day in reached if day is not None]
    return tuple(gaps), min(known) if known and len(known) == len(reached) else None


def _nobody(name: str, kind: RecordKind) -> Gap:
    return Gap("", name, kind, GapReason.NOBODY_RESPONSIBLE)


def domain_gaps(domain: PolicyDomain, coverage: Coverage, needed: Period) -> tuple[tuple[Gap, ...], date | None]:
    """What the units that answer for a domain lack of the period needed, and the domain's data-as-of day.

    A record kind of the domain for which nobody answers is a gap of its own.
    """
    who = [r for r in coverage.responsibilities if r.domain == domain.code and r.kind in domain.kinds]
    gaps, reached = _gaps(who, coverage, needed, match_domain=True)
    orphaned = tuple(_nobody(domain.name, k) for k in domain.kinds if k not in {r.kind for r in who})
    return gaps + orphaned, None if orphaned else reached


def section_gaps(section: OtherSection, coverage: Coverage, needed: Period) -> tuple[tuple[Gap, ...], date | None]:
    """The same for a section of other information; units are matched by record kind alone.

    A section of latest states needs statements that reach the last day needed, whatever their beginning.
    """
    who = [r for r in coverage.responsibilities if r.kind == section.kind]
    if section.coverage is SectionCoverage.LATEST:
        needed = Period(needed.to_date, needed.to_date)
        coverage = replace(coverage, statements=_stretched(coverage.statements, needed.to_date))
    gaps, reached = _gaps(who, coverage, needed, match_domain=False)
    return (gaps, reached) if who else ((_nobody(section.name, section.kind),), None)


def _stretched(statements: Iterable[Statement], day: date) -> tuple[Statement, ...]:
    """The statements that begin by the day: for a latest state only the end of a statement matters."""
    return tuple(s for s in statements if s.from_date <= day)
