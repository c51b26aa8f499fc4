"""The answers to many verifications: a row for each, and the table of them to take away."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from django.core import signing
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.utils import timezone

from xinzheng.apps.reports.verification import Verdict
from xinzheng.apps.reports.verification_table import verification_workbook
from xinzheng.web.public.verdict_words import BAD, GOOD, OPEN, Answer, Fact

XLSX = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"
SALT = "verification-table"
TAKEN_WITHIN_SECONDS = 2 * 60 * 60
STATUS = "报告状态："
DEMONSTRATION = "演示文件，数据虚构，无证明效力。"


@dataclass(frozen=True)
class Row:
    """One of the answers: what it is about, its mark and words, what else is to be known; ``facts`` apart."""

    name: str
    number: str
    subject: str
    mark: str
    words: str
    reason: str
    facts: Sequence[Fact]
    log: Fact | None

    @property
    def cells(self) -> list[str]:
        """The row of the table to take away, without its serial number."""
        facts = [fact.words.removeprefix(STATUS) for fact in self.facts]
        log = self.log.words if self.log else ""
        return [self.name, self.number, self.subject, *facts, log, self.reason]


def file_row(verdict: Verdict, answer: Answer, name: str) -> Row:
    """A file's answer: its weakest fact gives the mark and the reason."""
    wanting = next((fact for mark in (BAD, OPEN) for fact in answer.facts if fact.mark == mark), None)
    number, subject = verdict.number or "", verdict.subject_masked or ""
    said = (wanting.mark, wanting.words, wanting.reason) if wanting else (GOOD, answer.facts[-1].words, "")
    return Row(name, number, subject, *said, answer.facts, answer.log)


def answers(request: HttpRequest, rows: Sequence[Row], verdicts: Sequence[Verdict], template: str) -> HttpResponse:
    """The page with all answers, and with the table signed into it, so that nothing of it is kept here."""
    good, marks, now = sum(row.mark == GOOD for row in rows), {row.mark for row in rows}, timezone.now()
    is_demonstration = any(verdict.is_demonstration for verdict in verdicts)
    lines = [_disclaimer(verdicts), *([DEMONSTRATION] if is_demonstration else [])]
    told = {"at": now.isoformat(), "lines": lines, "rows": [row.cells for row in rows]}
    context = {
        "rows": rows,
        "good": good,
        "wanting": len(rows) - good,
        "mark": next((worst for worst in (BAD, OPEN) if worst in marks), GOOD),
        "disclaimer": lines[0],
        "checked_at": now,
        "demonstration": DEMONSTRATION if is_demonstration else "",
        "table": signing.dumps(told, salt=SALT, compress=True),
    }
    return render(request, template, context)


def answers_table(signed: str) -> HttpResponse | None:
    """The table as XLSX, from what our own page was given; None for anything else, or after two hours."""
    try:
        told = signing.loads(signed, salt=SALT, max_age=TAKEN_WITHIN_SECONDS)
    except signing.BadSignature:
        return None
    at = datetime.fromisoformat(told["at"])
    response = HttpResponse(verification_workbook(told["rows"], at, told["lines"]), content_type=XLSX)
    name = f"verification-{timezone.localtime(at):%Y%m%d-%H%M%S}.xlsx"
    response.headers["Content-Disposition"] = f'attachment; filename="{name}"'
    return response


def _disclaimer(verdicts: Sequence[Verdict]) -> str:
    """The fixed sentence in the word of the reports' decree; in the general one where there are several."""
    said = {verdict.disclaimer for verdict in verdicts if verdict.record_word}
    return said.pop() if len(said) == 1 else Verdict(None, None, None, None).disclaimer
