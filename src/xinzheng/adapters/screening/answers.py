"""Answers set-wise (批量核查结论): what ``decide`` would say of every subject of a list, as a few steps of SQL."""

from dataclasses import dataclass, field

import ibis
from ibis.expr.types import Table

from xinzheng.adapters.screening.linking import hidden_with_penalty, linked
from xinzheng.adapters.screening.lists import facts, given, refusal, waiting
from xinzheng.adapters.screening.weighing import COUNTING, Verdicts, weighed
from xinzheng.core.decision import ReportOutcome, Result, check_in_force
from xinzheng.core.policy import Effect, Policy
from xinzheng.core.records import RecordKind
from xinzheng.core.weighing import Weighing

FINDINGS = {"asker": "int64", "id": "int64", "domain": "string", "verdict": "int16", "marks": "string"}
# What a repair and the penalty it names are told by, where the law hides the penalty.
HIDDEN_BY = ("kind", "document_key", "organ_key", "window_date")
DOMAINS = {"asker": "int64", "domain": "string", "counted": "int64", "unresolved": "int64", "waiting": "boolean"}


@dataclass(frozen=True, slots=True)
class AnswerRow:
    """The answer about one subject (核查结论): its outcome, or the code of the refusal where nothing is decided.

    ``gaps`` are the domains, in the policy's order, whose data does not reach far enough, for everybody or for lines
    that wait and name the subject; ``counted`` and ``unresolved`` are records of the domains chosen.
    """

    subject: int
    outcome: str | None
    refusal: str | None
    counted: int
    unresolved: int
    gaps: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class DomainRow:
    """The result of one domain for one subject that has something of its own there; elsewhere the gaps tell."""

    subject: int
    domain: str
    result: str
    counted: int
    unresolved: int


@dataclass(frozen=True, slots=True)
class FindingRow:
    """What was found about one record of a subject; ``hides``: nobody may be told that it exists."""

    subject: int
    record: int
    domain: str
    effect: str
    clause: str
    marks: tuple[str, ...]
    hides: bool


@dataclass(frozen=True)
class Plan:
    """How a policy's answers are computed: steps to be kept as tables, then what is read of them.

    ``statements`` are expressions by the names of the tables they fill, in order, the last three to be read from
    (``findings``, ``domains``, ``answer``), those before only steps on the way; ``chosen`` the domains answered for,
    ``gaps`` those of them that are open for everybody.
    """

    name: str
    policy: Policy
    verdicts: Verdicts
    chosen: tuple[str, ...]
    gaps: tuple[str, ...]
    statements: tuple[tuple[str, Table], ...]
    _compiled: dict[str, tuple[tuple[str, str], ...]] = field(default_factory=dict, compare=False, repr=False)

    def sql(self, dialect: str) -> tuple[tuple[str, str], ...]:
        """The statements in the SQL of ``duckdb`` or ``pyspark``, by the names of the tables they fill."""
        if dialect not in self._compiled:
            compiled = ((name, str(ibis.to_sql(table, dialect=dialect))) for name, table in self.statements)
            self._compiled[dialect] = tuple(compiled)
        return self._compiled[dialect]

    @property
    def steps(self) -> tuple[str, ...]:
        """The tables that nobody reads once the others are filled."""
        return tuple(name for name, _ in self.statements[:-3])

    @property
    def findings(self) -> str:
        """The table with a row for each record weighed."""
        return self.statements[-3][0]

    @property
    def domains(self) -> str:
        """The table with a row for each subject and domain that has something of its own."""
        return self.statements[-2][0]

    @property
    def answer(self) -> str:
        """The table with a row for each subject."""
        return self.statements[-1][0]


def plan(weighing: Weighing, policy: Policy, gaps: frozenset[str], *, name: str = "plan") -> Plan:
    """The plan for the widest answers of a policy to everybody on the lists.

    ``weighing``: as ``prepare_weighing`` gives it for any kind of subject, each subject is weighed by its own;
    ``gaps``: the codes of the domains that are open for everybody (``domain_gaps`` of the common coverage). Two plans
    with different names can be worked out over the same lists.

    Raises:
        RefusedError: as ``check_in_force`` of the day weighed on.
    """
    check_in_force(policy, weighing.references["as_of"])
    verdicts = Verdicts(weighing.clauses)
    chosen = tuple(d.code for d in policy.domains if d.code in weighing.domains)
    open_for_all = tuple(code for code in chosen if code in gaps)
    found = ibis.table(FINDINGS, name=f"{name}_findings")
    by_domain = ibis.table(DOMAINS, name=f"{name}_domains")
    statements = (
        *_weighed(weighing, verdicts, name),
        (f"{name}_domains", _domains(found, weighing, verdicts)),
        (f"{name}_answers", _answers(by_domain, weighing, is_open=bool(open_for_all))),
    )
    return Plan(name, policy, verdicts, chosen, open_for_all, statements)


def _weighed(weighing: Weighing, verdicts: Verdicts, name: str) -> tuple[tuple[str, Table], ...]:
    """The steps to a finding for each record: its facts, perhaps what the law hides, the findings."""
    found = facts(weighing)
    as_of, kept = weighing.references["as_of"], ibis.table(found.schema(), name=f"{name}_facts")
    sections = [str(section.kind) for section in weighing.policy.other]
    records = linked(kept, as_of)
    weighed_records = weighed(records.filter(records.kind.notin(sections)) if sections else records, weighing)
    hiding = verdicts.numbers(lambda verdict: verdict.hides)
    first = (f"{name}_facts", found)
    if not hiding or str(RecordKind.CREDIT_REPAIR) in sections:
        return first, (f"{name}_findings", weighed_records.select(*FINDINGS))
    weighed_records = weighed_records.select(*FINDINGS, *HIDDEN_BY)
    again = ibis.table(weighed_records.schema(), name=f"{name}_weighed")
    hidden = hidden_with_penalty(again, hiding).select(*FINDINGS)
    return first, (f"{name}_weighed", weighed_records), (f"{name}_findings", hidden)


def _domains(found: Table, weighing: Weighing, verdicts: Verdicts) -> Table:
    """Per asker and domain: how many records count, how many are unresolved, whether a line waits."""
    counting = verdicts.numbers(lambda verdict: verdict.effect in COUNTING)
    unresolved = verdicts.numbers(lambda verdict: verdict.effect is Effect.UNRESOLVED)
    telling = found.filter(found.verdict.isin([*counting, *unresolved]), found.domain.isin(sorted(weighing.domains)))
    is_counted = telling.verdict.isin(counting)
    of_records = telling.select(
        "asker",
        "domain",
        counted=ibis.ifelse(is_counted, 1, 0).cast("int64"),
        unresolved=ibis.ifelse(is_counted, 0, 1).cast("int64"),
        waiting=ibis.literal(0, "int64"),
    )
    nothing = {"counted": ibis.literal(0, "int64"), "unresolved": ibis.literal(0, "int64")}
    of_lines = waiting(weighing).mutate(**nothing, waiting=ibis.literal(1, "int64"))
    both = of_records.union(of_lines.select(*of_records.columns))
    return both.group_by("asker", "domain").agg(
        counted=both.counted.sum(), unresolved=both.unresolved.sum(), waiting=both.waiting.max() > 0
    )


def _answers(by_domain: Table, weighing: Weighing, *, is_open: bool) -> Table:
    """Per subject: outcome or refusal, the counts, and the domains where a line waits (joined by a space)."""
    mine = by_domain.group_by("asker").agg(
        counted=by_domain.counted.sum(),
        unresolved=by_domain.unresolved.sum(),
        waiting=by_domain.waiting.ifelse(1, 0).sum(),
        waiting_domains=by_domain.domain.group_concat(" ", where=by_domain.waiting),
    )
    subjects = given("subjects")
    joined = subjects.left_join(mine, subjects.subject == mine.asker)
    counted, unresolved = joined.counted.fill_null(0), joined.unresolved.fill_null(0)
    is_unverifiable = (unresolved > 0) | (joined.waiting.fill_null(0) > 0) | ibis.literal(is_open)
    refused = refusal(joined, weighing)
    outcome = ibis.cases(
        (refused.notnull(), ibis.null("string")),
        (counted > 0, str(ReportOutcome.NOT_CLEAR)),
        (is_unverifiable, str(ReportOutcome.NOT_VERIFIABLE)),
        else_=str(ReportOutcome.CLEAR),
    )
    waiting_domains = joined.waiting_domains.fill_null("")
    return joined.select(
        "subject", outcome=outcome, refusal=refused, counted=counted, unresolved=unresolved, gaps=waiting_domains
    )


def domain_result(counted: int) -> str:
    """The result of a domain that has something of its own."""
    return str(Result.RECORDS_FOUND if counted else Result.NOT_VERIFIABLE)
