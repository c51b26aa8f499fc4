"""Show the whole way (全程演示): database, city, one report of each city, verification; each step with its time."""

import argparse
import json
import os
import time
import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from rich.cells import cell_len
from rich.console import Console

from xinzheng.core.errors import XinzhengError

# Keys of the demonstration's own orders are derived from this: the same day, the same report.
ORDERS = uuid.UUID("3f1c6a52-7c1e-5d0e-9a60-78696e7a6865")
REPORTS = (("苏州报告", "suzhou", "suzhou-2024", "clear"), ("湖州报告", "huzhou", "huzhou-2023", "huzhou"))
MARKS = {"clear": "○", "not_clear": "■", "not_verifiable": "◆"}
STYLES = {"clear": "green", "not_clear": "red", "not_verifiable": "yellow"}
WIDTH = 78


@dataclass(frozen=True, slots=True)
class Shown:
    """A report of the demonstration: its content, code, file, what verifying the file found, its place in the log."""

    content: dict[str, Any]
    code: str
    file: Path
    verdict: Any
    place: int


class Page:
    """The demonstration's page on stdout: steps with their times, facts below each."""

    def __init__(self) -> None:
        self.console = Console(highlight=False, soft_wrap=True, emoji=False)

    def say(self, text: str = "", style: str = "") -> None:
        """One line."""
        self.console.print(text, style=style, markup=False)

    @contextmanager
    def step(self, title: str) -> Iterator[list[str]]:
        """A step; what is put into the list stands on its line, with the time it took."""
        told: list[str] = []
        began = time.monotonic()
        yield told
        words = f"{title}  {'，'.join(told)}"
        spent = f"{time.monotonic() - began:.1f} 秒"
        gap = max(WIDTH - cell_len(words) - cell_len(spent), 2)
        self.console.print(f"[bold]{title}[/bold]  {'，'.join(told)}{' ' * gap}[dim]{spent}[/dim]")

    def fact(self, label: str, text: str, style: str = "") -> None:
        """A fact below a step."""
        self.console.print(f"    [dim]{label}[/dim]  ", end="")
        self.say(text, style)


def show(args: argparse.Namespace) -> bool:
    """The whole way up to serving; whether both reports were verified in all four facts.

    Raises:
        XinzhengError: what the steps raise; nothing after it was done.
    """
    from xinzheng.cli.main import ensure_ready

    page = Page()
    page.say()
    page.say("信证  全程演示：报送、归集、核查、出具、核验", "bold")
    page.say("主体、单位代码、文号、数额全部虚构；报告仅供演示，无证明效力。", "dim")
    page.say()
    with page.step("数据库") as told:
        ensure_ready()
        told.append("已就绪")
    _city(page, args)
    folder = out_folder()
    shown = [_report(page, folder, *report) for report in REPORTS]
    _use(page)
    page.say()
    return all(found.verdict.is_good for found in shown)


def say_where(page: Page, port: int) -> None:
    """The line that says where to sign in."""
    from django.conf import settings

    from xinzheng.cli.demo_city.accounts import AGENTS

    page.say("登录", "bold")
    page.fact("网址", f"http://127.0.0.1:{port}/sign-in", "bold blue")
    if settings.XINZHENG_DEMONSTRATION:
        page.fact("账户", "点一下页面上的演示账户即可，不需要密码：")
        page.fact(
            "　　",
            "、".join(shown for _, _, shown in AGENTS)
            + "、苏州市水务局工作人员、苏州市水务局责任人、省级平台（演示）工作人员、信用办工作人员、系统管理员",
        )
    else:
        page.fact("账户", "演示登录已关闭（XINZHENG_DEMONSTRATION=0）")
    page.say()


def _city(page: Page, args: argparse.Namespace) -> None:
    from xinzheng.cli.demo import make_city_of

    with page.step("演示城市") as told:
        loaded = make_city_of(args)
        told.extend(city_in_words(loaded))


def _use(page: Page) -> None:
    from xinzheng.apps.ledger.delivery import today_in_china
    from xinzheng.cli.demo_city.use import show_use

    with page.step("日常使用") as told:
        used = show_use(today_in_china())
        told.append(f"报告 {used.reports}，核验 {used.looks}，亮码查看 {used.views}" if used.reports else "今天已有")


def city_in_words(loaded: Any) -> list[str]:
    """What loading did, in short."""
    if loaded.is_new:
        return [f"主体 {loaded.subjects}", f"批次 {loaded.batches}", f"记录 {loaded.new}", f"退回 {loaded.rejected}"]
    return ["已在库中，续报到最近几天"] if loaded.is_refreshed else ["已在库中，没有改动"]


def out_folder() -> Path:
    """Where the files go: ./out, or out under the home where that cannot be written."""
    from django.conf import settings

    for folder in (Path.cwd() / "out", Path(settings.XINZHENG_HOME) / "out"):
        try:
            folder.mkdir(parents=True, exist_ok=True)
        except OSError:
            continue
        if os.access(folder, os.W_OK):
            return folder
    raise XinzhengError("当前文件夹和 XINZHENG_HOME 都不能写入，请换一个文件夹运行。", code="out-not-writable")


def _report(page: Page, folder: Path, title: str, *which: str) -> Shown:
    city, policy, role = which
    with page.step(title) as told:
        shown = issue_and_verify(folder, city, policy, role)
        told.append(str(shown.content["subject"]["name"]))
    outcome = str(shown.content["conclusion"]["outcome"])
    page.fact("结论", f"{MARKS[outcome]} {shown.content['conclusion']['key']}", STYLES[outcome])
    extension = [note for note in shown.content["notes"] if "延期" in note]
    if extension:
        page.fact("依据", "".join(extension))
    page.fact("编号", f"{shown.content['number']}    核验码 {shown.code}")
    page.fact("文件", str(shown.file))
    page.fact("收录", f"透明日志序号{shown.place}，收录证明在同一文件夹")
    page.fact("核验", " · ".join(shown.verdict.reasons), "blue" if shown.verdict.is_good else "red")
    return shown


def issue_and_verify(folder: Path, city: str, policy_id: str, role: str) -> Shown:
    """Issue one report of a known character, write its file, and verify the file as it was written."""
    from xinzheng.apps.ledger.delivery import today_in_china
    from xinzheng.apps.registry.queries import find_subject
    from xinzheng.apps.reports.issuing import Order, issue_report
    from xinzheng.apps.reports.queries import report_pdf, report_view
    from xinzheng.apps.reports.verification import verify_pdf
    from xinzheng.cli.demo_city.characters import known_codes
    from xinzheng.core.decision import Request
    from xinzheng.core.lifecycle import typed_code

    code = known_codes()[role]
    subject_id = find_subject(code)
    if subject_id is None:
        raise XinzhengError("主体名录中没有演示主体，请重新运行 xinzheng demo city。", code="demo-city-broken")
    key = uuid.uuid5(ORDERS, f"{policy_id}/{code}/{today_in_china()}")
    report = issue_report(Order(policy_id, subject_id, Request(), "command-line", key))
    file = folder / f"{city}-{report.number}.pdf"
    file.write_bytes(report_pdf(report.number))
    place = _log_and_prove(report.number, file.with_suffix(".proof.json"))
    verdict = verify_pdf(file.read_bytes())
    return Shown(report_view(report.number).content, typed_code(bytes(report.secret)), file, verdict, place)


def _log_and_prove(number: str, file: Path) -> int:
    """Seal the log now, as the task behind the site does every ten seconds; write the proof; the report's place."""
    from django.utils import timezone

    from xinzheng.apps.audit.keys import note_keys
    from xinzheng.apps.audit.log import seal_log
    from xinzheng.apps.audit.log_queries import proofs_about
    from xinzheng.apps.reports.log_check import add_missing_leaves
    from xinzheng.core.inclusion import proof_document

    # The report may be one that was issued here before there was a log.
    add_missing_leaves("command-line")
    seal_log(timezone.now())
    note_keys()
    proofs = proofs_about(number)
    document = proof_document(proofs[0].note, [proof.inclusion for proof in proofs])
    file.write_text(json.dumps(document), encoding="ascii")
    return proofs[0].index
