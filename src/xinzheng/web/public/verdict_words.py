"""A verdict in words: the four facts apart, each with its reason; the whole never better than its weakest fact."""

from collections.abc import Sequence
from dataclasses import dataclass

from xinzheng.apps.reports.verdicts import LogFact
from xinzheng.apps.reports.verification import NO_DOCUMENT, STATUS_NOT_ASKED, Verdict
from xinzheng.core.decision import china_date
from xinzheng.core.lifecycle import ReportStatus
from xinzheng.core.sentences import spoken_date

NOT_READ = "没有读出，未核对"
GOOD, BAD, OPEN, SILENT = "info", "found", "unver", "minus"


@dataclass(frozen=True)
class Fact:
    """One of the four facts: what was asked, its mark, the answer in the fixed words, why."""

    what: str
    mark: str
    words: str
    reason: str


@dataclass(frozen=True)
class Answer:
    """The answer: its mark, one sentence, what to do where something is wrong, the four facts, the log beside them."""

    mark: str
    sentence: str
    advice: str
    facts: Sequence[Fact]
    log: Fact | None


FILE_REASON = "文件读不出这一项：不是本站出具的原文件，或者已经损坏。"
STATUS_REASONS = {
    ReportStatus.IN_FORCE: "没有更正，没有作废。",
    ReportStatus.SUPERSEDED: "原来的核查结果已经不同，请向主体要新报告。",
    ReportStatus.REVOKED: "这份报告已经作废，不能再使用。",
    ReportStatus.EXPIRED: "这份报告已经超过政策规定的有效期。",
    ReportStatus.PREPARED: "这个编号的报告还没有签发完成。",
    ReportStatus.VOIDED: "这个编号没有签发出报告。",
}
STATUS_MARKS = {ReportStatus.IN_FORCE: GOOD, ReportStatus.REVOKED: BAD, ReportStatus.VOIDED: BAD}


def explain(verdict: Verdict, way: str) -> Answer:
    """The verdict in words; ``way`` tells how it was asked for: code, link, qr or file."""
    is_file = way == "file"
    document = (_intact(verdict, is_file), _signature(verdict, is_file), _signer(verdict, is_file))
    facts = (*document, _status(verdict))
    mark = next((worst for worst in (BAD, OPEN) if any(fact.mark == worst for fact in facts)), GOOD)
    return Answer(mark, _sentence(facts), _advice(verdict, way), facts, _log(verdict.log))


def _sentence(facts: Sequence[Fact]) -> str:
    *document, status = (fact.words for fact in facts)
    return f"{'，'.join(dict.fromkeys(document))}；{status}。"


def _unexamined(what: str, is_file: bool, reason: str) -> Fact:
    """A fact nobody examined. A file that was handed in is never said not to have been."""
    return Fact(what, OPEN, NOT_READ, FILE_REASON) if is_file else Fact(what, SILENT, NO_DOCUMENT, reason)


def _log(log: LogFact | None) -> Fact | None:
    """Whether the report stands in the transparency log: beside the four facts, not one of them."""
    what = "透明日志"
    if log is None:
        return None
    if log.included and log.since is not None:
        day = spoken_date(china_date(log.since))
        proof = "收录证明可以用公布的密钥另行验证。"
        return Fact(what, GOOD, "已收录", f"序号{log.index}，{day}起由签名的检查点覆盖；{proof}")
    if log.included is None:
        return Fact(what, SILENT, "等待收录", "报告刚签发，还没有到下一个检查点。")
    return Fact(
        what, OPEN, "没有收录", "日志里没有这份报告。日志启用以前签发的也是这样；启用以后签发的，请向信用办核实。"
    )


def _intact(verdict: Verdict, is_file: bool) -> Fact:
    if verdict.intact is None and is_file and verdict.reasons:
        # The file was too large, too hard to read, or others were being read: the reason is not the file's contents.
        return Fact("文件是否改动", OPEN, NOT_READ, verdict.reasons[0])
    if verdict.intact is None:
        return _unexamined("文件是否改动", is_file, "没有上传文件，没有核对文件内容。要核对的，请上传报告文件。")
    if verdict.intact:
        return Fact("文件是否改动", GOOD, "文件未改动", "签发以后没有改动过。")
    return Fact("文件是否改动", BAD, "文件已被改动", "签发以后被改动过，或者与登记的内容不一致，不要使用。")


def _signature(verdict: Verdict, is_file: bool) -> Fact:
    if verdict.signature_valid is None:
        return _unexamined("签名是否有效", is_file, "这次没有上传文件，没有核对数字签名。")
    what = "数字签名" if verdict.intact is not None else "二维码里的签名"
    if verdict.signature_valid:
        return Fact("签名是否有效", GOOD, "签名有效", f"{what}与内容相符。")
    reason = "签名部分写明的网站与这张码打开的不同。" if verdict.warning else f"没有签名，或者{what}与内容不符。"
    return Fact("签名是否有效", BAD, "签名无效", reason)


def _signer(verdict: Verdict, is_file: bool) -> Fact:
    if verdict.signer_trusted is None:
        return _unexamined("签发者是否可信", is_file, "这次没有上传文件，没有核对由谁签发。")
    if verdict.signer_trusted:
        return Fact("签发者是否可信", GOOD, "签发者可信", "签发所用的密钥是本站公布的。")
    return Fact("签发者是否可信", BAD, "签发者不可信", "签发所用的密钥不是本站公布的。")


def _status(verdict: Verdict) -> Fact:
    if verdict.status is None:
        words = STATUS_NOT_ASKED if STATUS_NOT_ASKED in verdict.reasons else verdict.status_words
        return Fact("报告状态", OPEN, words, _unknown_reason(verdict))
    status = ReportStatus(verdict.status)
    reason = STATUS_REASONS[status]
    if verdict.since is not None and status not in (ReportStatus.IN_FORCE, ReportStatus.PREPARED):
        why = f"；{verdict.why}" if verdict.why and status != ReportStatus.REVOKED else ""
        reason = f"自{spoken_date(china_date(verdict.since))}起{why}。{reason}"
    return Fact("报告状态", STATUS_MARKS.get(status, OPEN), _status_words(verdict), reason)


def _status_words(verdict: Verdict) -> str:
    """The fixed words of the status; with the reason where the report was revoked for one."""
    return next((reason for reason in verdict.reasons if reason.startswith(verdict.status_words)), verdict.status_words)


def _unknown_reason(verdict: Verdict) -> str:
    if verdict.warning:
        return "这张码不是本站的，没有查询。请主体出示报告原文件。"
    if verdict.number:
        return "没有找到编号和核验码都相符的报告。请对照报告末页再输一次；没有输错的，向交来报告的主体核实。"
    if verdict.intact is not None:
        return "从文件里读不出本站的报告编号。请改用报告末页的编号和核验码核对。"
    return "本站没有这份报告的登记。请向交来报告的主体核实。"


def _advice(verdict: Verdict, way: str) -> str:
    if verdict.warning and verdict.status is None:
        return "不要打开这张码，也不要在它打开的页面填写任何内容。请主体出示报告原文件。"
    if verdict.intact is False or verdict.signature_valid is False or verdict.signer_trusted is False:
        return "不要使用这份文件。请向主体要原文件，或者扫报告末页的二维码。"
    if verdict.status is None:
        return "核验没有查到登记的报告，不能据此认定文件为真。"
    if verdict.status != ReportStatus.IN_FORCE:
        return "请按报告状态处理，不要再使用这份报告。"
    return "" if way == "file" else "这次只核对了登记的报告。要确认手里的文件没有被改动，请再上传文件。"
