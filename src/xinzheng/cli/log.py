"""``xinzheng log``: check the transparency log, from outside with its public key or in the own database."""

import argparse
import json
import sys
from collections.abc import Callable, Sequence
from datetime import datetime
from pathlib import Path
from typing import Any

from xinzheng.core.decision import CHINA
from xinzheng.core.errors import XinzhengError

NEEDS_DATABASE = True


class FromOutside(argparse.Action):
    """An option with which the command reads what is public, and no database."""

    def __call__(
        self,
        parser: argparse.ArgumentParser,  # noqa: ARG002  argparse calls it so
        namespace: argparse.Namespace,
        values: str | Sequence[Any] | None,
        option_string: str | None = None,  # noqa: ARG002  argparse calls it so
    ) -> None:
        """Keep the value."""
        setattr(namespace, self.dest, values)
        namespace.needs_database = False


def add_parser(subparsers: Any) -> None:
    """Register the commands."""
    parser = subparsers.add_parser("log", help="透明日志：核查、收录、公钥")
    actions = parser.add_subparsers(dest="action", required=True, metavar="动作")
    _add_verify(actions)
    seal = actions.add_parser("seal", help="立即收录等待中的条目，签署检查点")
    seal.set_defaults(run=run_seal)
    key = actions.add_parser("key", help="输出日志公钥，供他人从外部核查")
    key.set_defaults(run=run_key)
    given_up = actions.add_parser("compromised", help="公布日志密钥可能已经泄露，停止用它签署")
    given_up.add_argument("key", metavar="密钥编号", help="公钥文本中间的八个字符")
    given_up.add_argument("--since", required=True, type=moment, metavar="时间", help="例如 2026-11-20T08:00")
    given_up.add_argument("--reason", default="", metavar="原因", help="原因，会公布")
    given_up.set_defaults(run=run_compromised)
    missing = actions.add_parser("add-missing", help="补记日志启用之前出具的报告和状态变更")
    missing.set_defaults(run=run_add_missing)


def _add_verify(actions: Any) -> None:
    told = "核查透明日志。给出 --from 或者 --proof 时只用公开的文件和公钥，不需要数据库；否则核查本机数据库。"
    verify = actions.add_parser("verify", help="核查日志：签名、根、前后一致、收录", description=told)
    verify.add_argument("--from", dest="place", action=FromOutside, metavar="网址|目录", help="日志所在的网址或者目录")
    verify.add_argument("--key", metavar="公钥|文件", help="日志公钥，或者存有公钥的文件")
    verify.add_argument("--state", type=Path, metavar="文件", help="记住这次的检查点，下次核对前后一致")
    verify.add_argument("--quick", action="store_true", help="只读算根所需的行，不逐条重算")
    verify.add_argument("--save", type=Path, metavar="目录", help="把读到的日志存下来，可以再用 --from 核查")
    verify.add_argument("--proof", type=Path, action=FromOutside, metavar="文件", help="报告的收录证明 proof.json")
    verify.add_argument("--report", type=Path, metavar="文件.pdf", help="报告文件，核对它已收录")
    verify.add_argument("--files", action="store_true", help="自查时逐份核对存档的文件，报告多时较慢")
    verify.add_argument("--json", action="store_true", help="输出一个JSON对象")
    verify.set_defaults(run=run_verify)


def run_verify(args: argparse.Namespace) -> int:
    """Check; 0 only when nothing was found wanting."""
    if args.place is None and args.proof is None:
        return _verify_own(args)
    from xinzheng.cli.log_outside import verify_outside

    answer, words = verify_outside(args)
    _tell(args, answer, words)
    return 0


def run_seal(args: argparse.Namespace) -> int:  # noqa: ARG001  the command takes none
    """Seal now."""
    from django.utils import timezone

    from xinzheng.apps.audit.keys import note_keys
    from xinzheng.apps.audit.log import seal_log

    size = seal_log(timezone.now())
    note_keys()
    print(f"透明日志现有{size}条，检查点已签署。" if size else "透明日志还没有条目。")
    return 0


def run_key(args: argparse.Namespace) -> int:  # noqa: ARG001  the command takes none
    """Print the public key; it is made here if the log has none yet."""
    from xinzheng.apps.audit.log import log_signer

    print(log_signer().key)
    return 0


def run_compromised(args: argparse.Namespace) -> int:
    """Publish that others may have a key of the log."""
    from xinzheng.apps.audit.keys import give_up_log_key

    give_up_log_key(args.key, args.since, args.reason, "command-line")
    print("已公布，不再用这把密钥签署。接着该做什么，见《透明日志》“密钥和备份”。")
    return 0


def moment(text: str) -> datetime:
    """A moment, in China where no zone is given; argparse shows the message."""
    try:
        found = datetime.fromisoformat(text)
    except ValueError:
        raise argparse.ArgumentTypeError(f"“{text}”不是时间，应形如 2026-11-20T08:00") from None
    return found if found.tzinfo else found.replace(tzinfo=CHINA)


def run_add_missing(args: argparse.Namespace) -> int:  # noqa: ARG001  the command takes none
    """Log what was issued or changed before there was a log."""
    from xinzheng.apps.reports.log_check import add_missing_leaves

    print(f"补记{add_missing_leaves('command-line')}条；收录的时间以检查点为准。")
    return 0


def _verify_own(args: argparse.Namespace) -> int:
    """The database's log against itself, its key, and the reports."""
    if any((args.key, args.state, args.save, args.report)):
        raise XinzhengError("--key、--state、--save、--report 与 --from 或者 --proof 一起使用。", code="options-apart")
    from xinzheng.apps.audit.log_check import check_log
    from xinzheng.apps.reports.log_check import check_files, check_reports

    found = check_log()
    faults = [*found.faults, *check_reports(), *(check_files() if args.files else ())]
    answer = {
        "size": found.size,
        "root": found.root.hex(),
        "checkpoints": found.checkpoints,
        "waiting": found.waiting,
        "files": args.files,
        "faults": faults,
    }
    words = [f"日志{found.size}条，检查点{found.checkpoints}个，等待收录{found.waiting}条。"]
    if not faults:
        words.append("逐条重算与各检查点一致；每份报告、每次状态变更都在日志中。")
        words += ["存档的文件都是当时签发的文件。"] * args.files
    _tell(args, answer, words)
    for fault in faults:
        print(fault, file=sys.stderr)
    return 1 if faults else 0


def _tell(args: argparse.Namespace, answer: dict[str, Any], words: Sequence[str]) -> None:
    print(json.dumps(answer, ensure_ascii=False) if args.json else "\n".join(words))


def read_file(path: Path, reading: Callable[[Path], Any] = Path.read_text) -> Any:
    """A file that a person named.

    Raises:
        XinzhengError: ``file-unreadable``.
    """
    try:
        return reading(path)
    except (OSError, UnicodeDecodeError) as error:
        reason = getattr(error, "strerror", None) or "不是文本"
        raise XinzhengError(f"读不到“{path}”（{reason}），请核对路径。", code="file-unreadable") from error
