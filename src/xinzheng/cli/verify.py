"""``xinzheng verify``: the four facts about a file or a QR text."""

import argparse
import json
import sys
from pathlib import Path
from typing import Any

from xinzheng.core.errors import XinzhengError

NEEDS_DATABASE = True
MAX_BYTES = 20_000_000


def add_parser(subparsers: Any) -> None:
    """Register the command."""
    parser = subparsers.add_parser("verify", help="核验报告：文件、签名、签发者、状态四项分别回答")
    parser.add_argument("what", metavar="FILE.pdf|QR文本", help="报告文件，或者二维码里的文本")
    parser.add_argument("--json", action="store_true", help="输出一个JSON对象")
    parser.set_defaults(run=run)


def run(args: argparse.Namespace) -> int:
    """Verify and print; 0 only when all four facts are good."""
    from xinzheng.apps.reports.issuing import ensure_keys
    from xinzheng.apps.reports.verification import Verdict, verify_pdf, verify_qr_text

    ensure_keys()
    is_text = args.what.startswith(("https://", "http://"))
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
            raise XinzhengError(f"“{path}”超过{MAX_BYTES // 1_000_000} MB，不是本系统的报告。", code="file-too-large")
        return path.read_bytes()
    except OSError as error:
        raise XinzhengError(f"读不到“{path}”（{error.strerror}），请核对路径。", code="file-unreadable") from error
