"""Reviewing (复核): flagged reports are decided again as of their own moment; what contradicts them supersedes them.

Where an upheld objection touched their records, what they print of records is compared as well (ADR 0025).

Pack, calendar, setting, request, moment, the subject and who answers are the report's own; records, coverage and
successions are what the ledger knows today. What happened after the report's moment carries a later date and weighs
nothing. See :mod:`xinzheng.core.superseding` for what is waited for.
"""

import json
from collections import Counter
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from functools import lru_cache, partial

from django.db import transaction
from django.db.models import Q
from django.db.models.functions import Now

from xinzheng.apps.audit.actions import record_event
from xinzheng.apps.audit.models import Position
from xinzheng.apps.audit.queries import head_position
from xinzheng.apps.ledger import queries as ledger
from xinzheng.apps.ledger.states import State, registry_state
from xinzheng.apps.registry import queries as registry
from xinzheng.apps.reports.cases import Question
from xinzheng.apps.reports.flagging import flag_reports, flag_slice
from xinzheng.apps.reports.models import Report, ReviewFlag, StatusEvent
from xinzheng.apps.reports.printed import last_of_act
from xinzheng.apps.reports.replaying import decision_of, question_of
from xinzheng.apps.reports.scopes import OBJECTION
from xinzheng.apps.reports.status import Why, change_status, lock_report
from xinzheng.core.coverage import Coverage, Responsibility
from xinzheng.core.decision import Case, ReportOutcome, Result, china_date, decide
from xinzheng.core.lifecycle import REASON_WORDS, ReportStatus, SupersedingReason
from xinzheng.core.records import Standing
from xinzheng.core.report import record_cards
from xinzheng.core.superseding import DomainStand, Judgement, Stand, judge, reason_of, stand_of

UNDER_WAY = "under-way"
CLOSED = "closed"
# The report no longer follows from the ledger as it stood: nothing about it may be concluded; somebody has to look.
NOT_DERIVABLE = "not-derivable"
FAILED = "failed"
ALL = 2**31


def review_reports(by: str = "system", at_most: int = ALL) -> Counter[str]:
    """Flag what new entries touch, and decide flagged reports again; how many ended how.

    ``at_most`` so many are decided; ``left`` is 1 in the answer where more wait then. Safe to run at any time and by
    several at once. One report that cannot be decided keeps no other waiting; what it raised is raised at the end.
    """
    run = _Run(by, at_most)
    run.answers["flagged"] += flag_reports()
    while run.review_flags():
        flagged, was_there = flag_slice()
        run.answers["flagged"] += flagged
        if not was_there:
            break
    if run.broken:
        raise run.broken[0]
    return run.answers


@dataclass
class _Run:
    """One run of the review: who does it, how many reports more it may decide, what came of those it did."""

    by: str
    left: int
    answers: Counter[str] = field(default_factory=Counter)
    broken: list[Exception] = field(default_factory=list)

    def review_flags(self) -> bool:
        """Decide what is flagged, what waits last; false when there was more than this run may do."""
        touched = ledger.last_touch(head_position()).position
        return all(self._review_all(due) for due in (Q(waits_since=None), Q(waits_since__lt=touched)))

    def _review_all(self, due: Q) -> bool:
        last = 0
        while (flag := ReviewFlag.objects.filter(due, decided_at=None, pk__gt=last).order_by("pk").first()) is not None:
            if self.left == 0:
                self.answers["left"] = 1
                return False
            last, self.left = flag.pk, self.left - 1
            self._review(flag)
        return True

    def _review(self, flag: ReviewFlag) -> None:
        head = head_position()
        try:
            self.answers[_review(flag.pk, self.by)] += 1
        except Exception as error:
            # Kept open until the ledger goes on, so that a fault of ours loses nothing.
            ReviewFlag.objects.filter(pk=flag.pk).update(waits_since=head, answer=FAILED)
            self.answers[FAILED] += 1
            self.broken.append(error)


@transaction.atomic
def _review(flag_id: int, by: str) -> str:
    """Decide one flagged report again and write down what comes of it, all in one transaction."""
    # Whoever touches the flag meanwhile waits for us and then sets a new one.
    flag = ReviewFlag.objects.select_for_update(skip_locked=True).filter(pk=flag_id, decided_at=None).first()
    if flag is None:
        return "taken"
    report = Report.objects.get(pk=flag.report_id)
    lock_report(report.number)
    status = StatusEvent.objects.filter(report=report).latest("id").status
    if status == ReportStatus.PREPARED:
        return UNDER_WAY
    head = head_position()
    answer = _answer(report, flag, head, by) if status == ReportStatus.IN_FORCE else CLOSED
    if answer in (Judgement.WAITS, NOT_DERIVABLE):
        flag.waits_since = head
    else:
        flag.decided_at = Now()
    flag.answer = answer
    flag.save()
    return str(answer)


def _answer(report: Report, flag: ReviewFlag, head: int, by: str) -> str:
    look, judgement = Lookback(report, question_of(report)), Judgement.STANDS
    if not look.stand_at(head).is_same(issued := issued_stand(report)):
        # Only now, for it is rare: the ledger has to be what differs, not the program.
        then = stand_of(decision_of(report)[1])
        if not then.is_same(issued):
            if flag.answer != NOT_DERIVABLE:
                record_event(who=by, action="report-not-derivable", object_kind="report", object_id=report.number)
            return NOT_DERIVABLE
        judgement = look.judgement(then, head)
        if judgement is Judgement.SUPERSEDED:
            _supersede_contradicted(look, then, (_before(flag, report), head), by)
    if judgement is not Judgement.SUPERSEDED and flag.why == OBJECTION:
        # What waits may keep the result open; what an objection corrected will not be as it was again.
        return _answer_printed(look, (_before(flag, report), head), by) or judgement
    return judgement


def _answer_printed(look: "Lookback", between: tuple[int, int], by: str) -> Judgement | None:
    """Supersede a report of which an upheld objection changed what it prints, whatever its result."""
    before = look.printed_at(between[0])
    if look.printed_at(between[1]) == before:
        return None
    position = _first(lambda position: look.printed_at(position) != before, between)
    _supersede(look.report, last_of_act(position), SupersedingReason.RECORDS_CORRECTED, by)
    return Judgement.SUPERSEDED


def issued_stand(report: Report) -> Stand:
    """What the report said, as it was stored when it was issued."""
    domains = {}
    for row in json.loads(bytes(report.content))["domains"]:
        found = [(f["record"], f["effect"]) for f in report.findings if f["domain"] == row["code"]]
        counted = frozenset(key for key, effect in found if effect in ("counted", "marked"))
        unresolved = frozenset(key for key, effect in found if effect == "unresolved")
        domains[row["code"]] = DomainStand(Result(row["result"]), counted, unresolved)
    return Stand(ReportOutcome(report.outcome), domains, frozenset(f["record"] for f in report.findings))


@dataclass(frozen=True, slots=True)
class Lookback:
    """A report's question, put again to a later ledger (回看)."""

    report: Report
    question: Question

    def stand_at(self, position: int) -> Stand:
        """What the ledger at a position says of the report's moment."""
        return self._stand(position, partial(ledger.case_coverage, self.question.policy.id))

    def settled_stand_at(self, position: int) -> Stand:
        """The same with every waiting line settled and every statement that is held back heard."""
        return self._stand(position, lambda _ties, at: ledger.settled_coverage(at))

    def judgement(self, then: Stand, position: int) -> Judgement:
        """What the ledger at a position makes of what was said."""
        return judge(then, self.stand_at(position), self.settled_stand_at(position))

    def printed_at(self, position: int) -> Mapping[str, object]:
        """What the report would print of records, as far as it was so at its moment.

        What a record's standing became later is left out; so whether it was said to stand, or nothing was said.
        """
        policy, case = (
            self.question.policy,
            self._case(position, partial(ledger.case_coverage, self.question.policy.id)),
        )
        records = tuple(record.without_later_standing(case.as_of_date) for record in case.records)
        cards = record_cards(policy, decide(policy, replace(case, records=records), self.question.calendar))
        standing = {policy.wording[f"standing_{word}"] for word in (Standing.IN_FORCE, "unknown")}
        return {
            name: [
                {key: text for key, text in card.items() if key != "standing" or text not in standing} for card in found
            ]
            for name, found in cards.items()
        }

    def _stand(self, position: int, coverage_of: Callable[[tuple[int, ...], int], Coverage]) -> Stand:
        return stand_of(decide(self.question.policy, self._case(position, coverage_of), self.question.calendar))

    def _case(self, position: int, coverage_of: Callable[[tuple[int, ...], int], Coverage]) -> Case:
        asked, day = self.question, china_date(self.question.as_of)
        view = registry.Hindsight(asked.position, position, day)
        ties = registry.ties_in_hindsight(asked.subject_id, view)
        answering = _answering(asked.policy.id, registry_state(asked.position))
        return Case(
            request=asked.request,
            subject=registry.subject_at(asked.subject_id, asked.position),
            records=ledger.records_in_hindsight(ties, asked.position, position, asked.policy.jurisdiction),
            coverage=replace(coverage_of(tuple(ties), position), responsibilities=answering),
            as_of=asked.as_of,
        )


@lru_cache(maxsize=64)
def _answering(policy_id: str, state: State) -> tuple[Responsibility, ...]:
    """Who answered in a state of the registry: the same for most reports, whatever their positions."""
    return registry.responsibilities_at(policy_id, state.position)


def _before(flag: ReviewFlag, report: Report) -> int:
    """The position before the flag's first entry, or that of the report."""
    place = Position.objects.filter(entry_id=flag.entry_id).first()
    return max(report.position, place.position - 1 if place else 0)


def _first(has_changed: Callable[[int], bool], between: tuple[int, int]) -> int:
    """The position from which on something has changed; found by halving."""
    low, high = between
    while high - low > 1:
        middle = (low + high) // 2
        if has_changed(middle):
            high = middle
        else:
            low = middle
    return high


def _supersede_contradicted(look: Lookback, then: Stand, between: tuple[int, int], by: str) -> None:
    def is_contradicted(position: int) -> bool:
        return look.judgement(then, position) is Judgement.SUPERSEDED

    low, high = between
    if is_contradicted(low):
        # An objection's own entry flagged it before what had come earlier was looked at.
        low = look.report.position
    position = last_of_act(_first(is_contradicted, (low, high)))
    _supersede(look.report, position, reason_of(then, look.settled_stand_at(position)), by)


def _supersede(report: Report, position: int, reason: SupersedingReason, by: str) -> None:
    entry = Position.objects.select_related("entry").get(position=position).entry
    why = Why(REASON_WORDS[reason], reason, entry.pk, entry.recorded_at)
    change_status(report, ReportStatus.SUPERSEDED, by, why)
