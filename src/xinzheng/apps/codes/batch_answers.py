"""The answers to a file of reports (批量核验结果): a row for each line, kept sealed in slices, at the end one table."""

from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass, field
from datetime import datetime
from typing import NamedTuple

from xinzheng.apps.codes.batch_files import CheckLine
from xinzheng.apps.codes.batch_seals import CheckKey, framed, unframed
from xinzheng.apps.reports import ports
from xinzheng.apps.reports.verdicts import NO_DOCUMENT, Verdict, facts_in_words
from xinzheng.apps.reports.verification import STATUS_NOT_ASKED
from xinzheng.core.decision import CHINA
from xinzheng.core.lifecycle import ReportStatus, normalise_number

GOOD, WANTING, BAD, NOT_ASKED = "good", "wanting", "bad", "not-asked"
COLUMNS = (
    ("文件行号", 10),
    ("填写的编号", 24),
    ("报告编号", 24),
    ("主体（已遮盖）", 28),
    ("二维码签名", 26),
    ("报告状态", 26),
    ("签发时间", 20),
    ("透明日志", 12),
    ("说明", 70),
)
STATUS, MOMENT = "报告状态：", "%Y-%m-%d %H:%M:%S"
LOG_WORDS = {True: "已收录", None: "等待收录", False: "没有收录"}
OTHER_NUMBER = "填写的编号与二维码里的不同，请核对是哪一份"
DEMONSTRATION = "演示文件，数据虚构，无证明效力。"
SHOWN_AT_MOST = 50


class AnswerRow(NamedTuple):
    """One line's answer: ``mark`` tells good, wanting, bad or not asked; the rest are the cells of the table."""

    mark: str
    line: int
    filled: str
    number: str
    subject: str
    seal: str
    status: str
    issued: str
    log: str
    said: str


@dataclass(frozen=True, slots=True)
class Slice:
    """The answers to some lines, when they were given, and the sentences that belong to them."""

    at: datetime
    rows: Sequence[AnswerRow]
    disclaimers: Sequence[str]
    is_demonstration: bool


@dataclass(frozen=True, slots=True)
class Summary:
    """What a finished check shows (核验汇总): how many lines of each mark, the sentences, the first rows to look at.

    ``wanting`` counts the bad ones, too, which stand first among ``rows``.
    """

    good: int
    wanting: int
    not_asked: int
    lines: Sequence[str]
    rows: Sequence[AnswerRow] = field(default_factory=tuple)

    @property
    def total(self) -> int:
        """All lines."""
        return self.good + self.wanting + self.not_asked

    @property
    def is_bad(self) -> bool:
        """Whether there is a report that must not be used."""
        return any(row.mark == BAD for row in self.rows)

    @property
    def sentence(self) -> str:
        """The numbers in words."""
        parts = [f"{self.good:,}份报告状态正常", f"{self.wanting:,}份需要留意"]
        parts += [f"{self.not_asked:,}行没有核验"] if self.not_asked else []
        return f"共{self.total:,}行：{'，'.join(parts)}。"


def answer_row(line: CheckLine, verdict: Verdict | None) -> AnswerRow:
    """The answer to a line; without a verdict it was not asked."""
    filled = line.number or ("（二维码）" if line.qr else "")
    if verdict is None:
        return AnswerRow(NOT_ASKED, line.line, filled, "", "", "", "没有核验", "", "", line.fault)
    differs = bool(line.qr and line.number) and normalise_number(line.number) != verdict.number
    status, said = _status_and_rest(verdict, OTHER_NUMBER if differs else "")
    return AnswerRow(
        _mark(verdict, differs=differs),
        line.line,
        filled,
        verdict.number or "",
        verdict.subject_masked or "",
        _seal(verdict) if line.qr else "没有填二维码",
        status,
        f"{verdict.issued_at.astimezone(CHINA):{MOMENT}}" if verdict.issued_at else "",
        LOG_WORDS[verdict.log.included] if verdict.log else "",
        said,
    )


def _mark(verdict: Verdict, *, differs: bool) -> str:
    """Nothing is good but a report in force with nothing else to be said; bad is what must not be used."""
    if verdict.is_bad or verdict.status in (ReportStatus.REVOKED, ReportStatus.VOIDED):
        return BAD
    return GOOD if verdict.status == ReportStatus.IN_FORCE and not (verdict.warning or differs) else WANTING


def _seal(verdict: Verdict) -> str:
    return "，".join(facts_in_words(None, verdict.signature_valid, verdict.signer_trusted)) or "没有读出"


def _status_and_rest(verdict: Verdict, first: str) -> tuple[str, str]:
    """The status in its words, and whatever else was said, each once."""
    words = verdict.status_words
    told = {NO_DOCUMENT, *facts_in_words(None, verdict.signature_valid, verdict.signer_trusted)}
    rest = [said for said in dict.fromkeys(verdict.reasons) if said not in told]
    status = next((said for said in rest if said.startswith(words)), words)
    if verdict.status is None:
        status = "未查询" if STATUS_NOT_ASKED in rest else "未查询到"
    others = [said.rstrip("。") for said in (first, *rest) if said and said != status]
    return status.removeprefix(STATUS), "；".join(others)


def slice_of(lines: Sequence[CheckLine], verdicts: Iterator[Verdict], at: datetime) -> Slice:
    """The answers to these lines, given the verdicts on those of them that were asked, in their order."""
    found = [(line, None if line.fault else next(verdicts)) for line in lines]
    given = [verdict for _, verdict in found if verdict is not None]
    disclaimers = sorted({verdict.disclaimer for verdict in given if verdict.record_word})
    is_demonstration = any(verdict.is_demonstration for verdict in given)
    return Slice(at, [answer_row(line, verdict) for line, verdict in found], disclaimers, is_demonstration)


def summed_up(slices: Sequence[Slice]) -> Summary:
    """The whole: counts, the sentences that stand above the table, and the first rows somebody has to look at."""
    rows = [row for one in slices for row in one.rows]
    marks = [row.mark for row in rows]
    disclaimers = sorted({said for one in slices for said in one.disclaimers})
    general = Verdict(None, None, None, None).disclaimer
    first, last = (f"{one.at.astimezone(CHINA):{MOMENT}}" for one in (slices[0], slices[-1]))
    when = first if first == last else f"{first}至{last}"
    said = [
        f"{when}（北京时间）核对登记的状态；以后的变化以再次核验为准。",
        f"{NO_DOCUMENT}。{disclaimers[0] if len(disclaimers) == 1 else general}",
    ]
    said += [DEMONSTRATION] if any(one.is_demonstration for one in slices) else []
    shown = sorted((row for row in rows if row.mark != GOOD), key=lambda row: row.mark != BAD)[:SHOWN_AT_MOST]
    wanting = marks.count(WANTING) + marks.count(BAD)
    return Summary(marks.count(GOOD), wanting, marks.count(NOT_ASKED), said, shown)


def table_of(summary: Summary, slices: Sequence[Slice]) -> bytes:
    """The table to take away (XLSX); nothing in it runs as a formula."""
    workbooks = ports.workbooks()
    columns = [workbooks.Column(title, width) for title, width in COLUMNS]
    rows = [row[1:] for one in slices for row in one.rows]
    sheet = workbooks.Sheet("核验结果", ["批量核验结果", summary.sentence, *summary.lines], columns, rows)
    table: bytes = workbooks.write_workbook([sheet], slices[-1].at.astimezone(CHINA))
    return table


def sealed_slice(one: Slice, key: CheckKey, place: int) -> bytes:
    """A slice as it is kept: the answers to the lines from ``place`` on."""
    return key.seal([one.at.isoformat(), one.rows, one.disclaimers, one.is_demonstration], f"answers/{place}")


def opened_slices(kept: bytes, key: CheckKey) -> list[Slice]:
    """All slices that were kept, in their order."""
    slices, place = list[Slice](), 0
    for part in unframed(kept):
        at, rows, disclaimers, is_demonstration = key.unseal(part, f"answers/{place}")
        slices.append(
            Slice(datetime.fromisoformat(at), [AnswerRow(*cells) for cells in rows], disclaimers, is_demonstration)
        )
        place += len(rows)
    return slices


def sealed_whole(slices: Sequence[Slice], key: CheckKey) -> tuple[Summary, bytes]:
    """The summary, and what is kept of a finished check: summary and table, each sealed."""
    summary = summed_up(slices)
    kept = [key.seal(asdict(summary), "summary"), key.seal_bytes(table_of(summary, slices), "table")]
    return summary, b"".join(map(framed, kept))


def opened_summary(kept: bytes, key: CheckKey) -> Summary:
    """The summary of a finished check."""
    told = key.unseal(next(unframed(kept)), "summary")
    return Summary(**told | {"rows": [AnswerRow(*cells) for cells in told["rows"]]})


def opened_table(kept: bytes, key: CheckKey) -> bytes:
    """The table of a finished check."""
    _, table = unframed(kept)
    return key.unseal_bytes(table, "table")
