"""The answers to a list (名单核查结果): a row for each line in the policy's words, and the reasons of what is found."""

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime
from typing import Any, NamedTuple

from xinzheng.apps.oversight.screening import STATED
from xinzheng.apps.oversight.screening_files import ListedLine, fault_of
from xinzheng.apps.registry.listed_queries import KnownSubject
from xinzheng.apps.reports.set_wise import RecordFacts
from xinzheng.core.coverage import Gap
from xinzheng.core.decision import CHINA, ReportOutcome
from xinzheng.core.policy import Policy
from xinzheng.core.sentences import gap_clauses, spoken_date

CLEAR, FOUND, UNVERIFIED = (
    str(o) for o in (ReportOutcome.CLEAR, ReportOutcome.NOT_CLEAR, ReportOutcome.NOT_VERIFIABLE)
)
# Why a line has no answer, and what its reader can do.
SKIPPED: Mapping[str, str] = {
    "unfit": "没有核查：代码有误",
    "unknown": "没有核查：主体名录中没有这个代码，请核对",
    "repeated": "没有核查：重复",
    "person": "没有核查：自然人不在名单核查的范围",
    "mistyped": "没有核查：这个代码已认定为误录，请改用正确的代码",
    "kind-unknown": "没有核查：主体类型尚未登记，请先在主体名录中补充",
    "not-served": "没有核查：政策不适用于这一类主体",
    "deregistered": "没有核查：主体已经注销",
}
REFUSED: Mapping[str, str] = {
    "subject-kind-unknown": "kind-unknown",
    "subject-kind-not-served": "not-served",
    "subject-deregistered": "deregistered",
}
SHOWN_AT_MOST = 50
OPEN_TO_ALL = "对全部主体未能核查："
EFFECT_WORDS = {"counted": "计入", "marked": "计入，并注明", "unresolved": "待核实"}


class AnswerLine(NamedTuple):
    """One line's answer: ``mark`` is an outcome or a key of SKIPPED; the rest are the cells of the table."""

    mark: str
    line: int
    code: str
    name: str
    words: str
    counted: int
    found: str
    open: str
    said: str


class ReasonLine(NamedTuple):
    """Why a record counts, or is unresolved: the cells of the table of reasons."""

    line: int
    code: str
    name: str
    domain: str
    document_number: str
    day: str
    organ: str
    effect: str
    reason: str
    source: str


@dataclass
class Answers:
    """What was found about a list on a day (核查所得): by code who it is, by subject what the engine says."""

    policy: Policy
    known: Mapping[str, KnownSubject]
    rows: Mapping[int, Any]
    domains: Mapping[int, Sequence[Any]]
    day: date
    counts: "Counter[str]" = field(default_factory=Counter)
    first: dict[int, ListedLine] = field(default_factory=dict)
    some: dict[str, list[AnswerLine]] = field(default_factory=dict)

    def lines(self, lines: Iterable[ListedLine]) -> Iterator[AnswerLine]:
        """A row for each line, in order; they are counted on the way."""
        for line in lines:
            answer = self._line(line)
            self.counts[answer.mark] += 1
            some = self.some.setdefault(answer.mark, [])
            if answer.mark != CLEAR and len(some) < SHOWN_AT_MOST:
                some.append(answer)
            yield answer

    def shown(self) -> list[AnswerLine]:
        """The first lines that somebody has to look at: those with records, then those that could not be verified."""
        order = (FOUND, UNVERIFIED, *SKIPPED)
        return [line for mark in order for line in self.some.get(mark, ())][:SHOWN_AT_MOST]

    def reason(self, finding: Any, facts: RecordFacts | None) -> ReasonLine:
        """The row of a record that counts or is unresolved; the subject's line must have been answered before."""
        line, known = self.first[finding.subject], self.known[self.first[finding.subject].code]
        clause = next(c for c in self.policy.clauses_on(self.day) if c.id == finding.clause)
        marks = f"（{'、'.join(finding.marks)}）" if finding.marks else ""
        source = "，".join(part for part in (clause.citation.source, clause.citation.section) if part)
        return ReasonLine(
            line.line,
            line.code,
            known.name,
            self._domain_names([finding.domain]),
            facts.document_number if facts else "",
            facts.day.isoformat() if facts and facts.day else "",
            facts.organ_name if facts else "",
            EFFECT_WORDS[finding.effect] + marks,
            clause.reason,
            source,
        )

    def _line(self, line: ListedLine) -> AnswerLine:
        known = self.known.get(line.code) if line.code else None
        why, said = self._why_not(line, known)
        if why:
            name = known.name if known is not None and why != "person" else ""
            return AnswerLine(why, line.line, line.code, name, SKIPPED[why], 0, "", "", said)
        assert known is not None
        self.first[known.id] = line
        return self._answered(line, known)

    def _why_not(self, line: ListedLine, known: KnownSubject | None) -> tuple[str, str]:
        """Why there is no answer, and what else is to be said; an empty text where there is one."""
        if known is None:
            fault = fault_of(line)
            return ("unfit", fault) if fault else ("unknown", "")
        if known.is_person or known.is_mistyped:
            return ("person" if known.is_person else "mistyped"), ""
        if known.id in self.first:
            return "repeated", f"与第{self.first[known.id].line}行是同一主体，结果见该行。"
        refusal = self.rows[known.id].refusal
        return (REFUSED[refusal], "") if refusal else ("", "")

    def _answered(self, line: ListedLine, known: KnownSubject) -> AnswerLine:
        row = self.rows[known.id]
        mine = self.domains.get(known.id, ())
        found = [one.domain for one in mine if one.counted]
        unresolved = [one.domain for one in mine if one.unresolved]
        unverified = [c for c in dict.fromkeys((*row.gaps, *unresolved)) if c not in found]
        said = f"有{row.unresolved}条记录的处理结果待核实。" if row.unresolved else ""
        words = outcome_words(self.policy, row.outcome, row.counted)
        if row.outcome == FOUND and unverified:
            words += f"；另有{len(unverified)}个领域未能核查"
        return AnswerLine(
            row.outcome, line.line, line.code, known.name, words, row.counted,
            self._domain_names(found), self._domain_names(unverified), said,
        )  # fmt: skip

    def _domain_names(self, codes: Iterable[str]) -> str:
        wanted = set(codes)
        return "、".join(domain.name for domain in self.policy.domains if domain.code in wanted)


def outcome_words(policy: Policy, outcome: str, counted: int = 0) -> str:
    """The outcome in the decree's words."""
    if outcome == FOUND:
        return f"有{policy.record_word}{counted}条"
    return f"未查询到{policy.record_word}" if outcome == CLEAR else "未能核查"


@dataclass(frozen=True)
class Stated:
    """What stands above a result (表头): what was asked, on what basis, as of when, and what nobody's answer covers."""

    policy: Policy
    stated: Mapping[str, str]
    as_of: datetime
    position: int
    gaps: Mapping[str, tuple[Gap, ...]]
    is_demonstration: bool

    def lines(self, summary: str) -> list[str]:
        """The lines in order; the first is the title."""
        moment = self.as_of.astimezone(CHINA)
        told = [
            "名单核查结果",
            summary,
            f"依据政策：{self.policy.title}（{self.policy.document}）。核查全部{len(self.policy.domains)}个领域和最长查询期。",
            *(f"{words}：{self.stated[name]}" for name, words in STATED.items()),
            f"数据截至{spoken_date(moment.date())}{moment:%H:%M}（北京时间），账本位置{self.position}。",
            "“未查询到”只说明已归集的数据中没有；“未能核查”不能据此判断有无记录。依法不得提供的信息不在核查范围。",
            "本结果只用于上述事由，不是信用报告；主体可以看到这次核查的提出单位、依据和时间。",
        ]
        told += self.open_domains()
        return [*told, "演示数据，无证明效力。"] if self.is_demonstration else told

    def open_domains(self) -> list[str]:
        """The domains that could be verified for nobody, each with what is missing."""
        names = {domain.code: domain.name for domain in self.policy.domains}
        return [f"{OPEN_TO_ALL}{names[code]}，{gap_clauses(self.policy, gaps)}。" for code, gaps in self.gaps.items()]


def summary_of(policy: Policy, counts: Mapping[str, int]) -> str:
    """The numbers in words: 共1,000行：…"""
    total, skipped = sum(counts.values()), sum(counts.get(mark, 0) for mark in SKIPPED)
    parts = [
        f"未查询到{policy.record_word}{counts.get(CLEAR, 0):,}个",
        f"有{policy.record_word}{counts.get(FOUND, 0):,}个",
        f"未能核查{counts.get(UNVERIFIED, 0):,}个",
    ]
    parts += [f"没有核查{skipped:,}行"] if skipped else []
    return f"共{total:,}行：{'，'.join(parts)}。"
