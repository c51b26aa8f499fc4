"""``xinzheng verify``: the four facts about a file or a QR text; off line, those that can be told without the site."""

import argparse
import json
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from xinzheng.core.errors import XinzhengError

NEEDS_DATABASE = True
MAX_BYTES = 20 * 1024**2


class Offline(argparse.Action):
    """A switch with which the command needs no database."""

    def __call__(
        self,
        parser: argparse.ArgumentParser,  # noqa: ARG002  argparse calls it so
        namespace: argparse.Namespace,
        values: str | Sequence[Any] | None,  # noqa: ARG002  a switch has none
        option_string: str | None = None,  # noqa: ARG002  argparse calls it so
    ) -> None:
        """Switch."""
        namespace.offline = True
        namespace.needs_database = False


def add_parser(subparsers: Any) -> None:
    """Register the command."""
    parser = subparsers.add_parser("verify", help="核验报告：文件、签名、签发者、状态四项分别回答")
    parser.add_argument("what", metavar="FILE.pdf|QR文本", help="报告文件，或者二维码里的文本")
    parser.add_argument(
        "--offline", action=Offline, nargs=0, default=False, help="不用数据库，也不联网：状态不查询，其他各项照常核对"
    )
    parser.add_argument(
        "--keys",
        type=Path,
        metavar="文件",
        help="离线核验用的公布密钥（/.well-known/xinzheng.json）；默认用本机的密钥目录",
    )
    parser.add_argument("--proof", type=Path, metavar="文件", help="离线核验时一并核对的收录证明 proof.json")
    parser.add_argument("--json", action="store_true", help="输出一个JSON对象")
    parser.set_defaults(run=run)


def run(args: argparse.Namespace) -> int:
    """Verify and print; 0 only when all four facts are good."""
    is_text = args.what.startswith(("https://", "http://"))
    if args.offline:
        from xinzheng.cli.verify_offline import verify_offline

        return verify_offline(args, is_text=is_text)
    if args.keys is not None or args.proof is not None:
        raise XinzhengError("--keys 和 --proof 只与 --offline 一起使用。", code="offline-only")
    return _verify_here(args, is_text=is_text)


def _verify_here(args: argparse.Namespace, *, is_text: bool) -> int:
    """With the register."""
    from xinzheng.apps.reports.issuing import ensure_keys
    from xinzheng.apps.reports.verification import Verdict, verify_pdf, verify_qr_text

    ensure_keys()
    verdict: Verdict = verify_qr_text(args.what) if is_text else verify_pdf(_read(Path(args.what)))
    if args.json:
        print(json.dumps(_answer(verdict), ensure_ascii=False))
    else:
        print("\n".join(verdict.reasons))
        if verdict.number:
            print(f"报告编号：{verdict.number}")
        print(verdict.disclaimer)
    if verdict.is_good:
        return 0
    print(f"没有全部通过核验：{'；'.join(verdict.reasons)}", file=sys.stderr)
    return 1


def _answer(verdict: Any) -> dict[str, Any]:
    return {
        "intact": verdict.intact,
        "signature_valid": verdict.signature_valid,
        "signer_trusted": verdict.signer_trusted,
        "status": verdict.status,
        "number": verdict.number,
        "reasons": verdict.reasons,
    }


def _read(path: Path) -> bytes:
    try:
        if path.stat().st_size > MAX_BYTES:
            raise XinzhengError(f"“{path}”超过{MAX_BYTES // 1024**2} MB，不是本系统的报告。", code="file-too-large")
        return path.read_bytes()
    except OSError as error:
        raise XinzhengError(f"读不到“{path}”（{error.strerror}），请核对路径。", code="file-unreadable") from error
