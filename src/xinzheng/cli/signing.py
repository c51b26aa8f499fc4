"""``xinzheng signing``: the keys of signatures, their rotation, what to do when one is stolen, and revocation lists."""

import argparse
import json
import sys
from datetime import datetime
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

from xinzheng.core.errors import XinzhengError

NEEDS_DATABASE = True
BY = "command-line"
CHINA = ZoneInfo("Asia/Shanghai")
PURPOSES = {"document": "报告签名", "seal": "二维码签章", "stamp": "时间戳", "root": "演示根"}
KINDS = {"demo": "演示证书", "pkcs12": "自有证书（文件）", "pkcs11": "硬件密钥"}


def add_parser(subparsers: Any) -> None:
    """Register the commands."""
    parser = subparsers.add_parser("signing", help="签名密钥：状态、轮换、泄露、吊销名单")
    actions = parser.add_subparsers(dest="action", required=True, metavar="动作")
    status = actions.add_parser("status", help="正在使用和用过的密钥，能不能签发")
    status.set_defaults(run=status_run, needs_database=False)
    rotate = actions.add_parser("rotate", help="换用新密钥，以前的报告照常有效")
    rotate.add_argument("--p12", type=Path, metavar="文件", help="自有证书（PKCS#12）")
    rotate.add_argument("--passphrase-file", type=Path, metavar="文件", help="存放证书口令的文件")
    rotate.add_argument("--roots", type=Path, metavar="文件", help="自有证书的根证书（PEM）")
    rotate.add_argument("--demo", action="store_true", help="用演示证书，即使正在使用自有证书")
    rotate.add_argument("--rsa", action="store_true", help="演示证书用 RSA-3072，不用 ECDSA P-256")
    rotate.set_defaults(run=rotate_run)
    stolen = actions.add_parser("compromised", help="登记密钥泄露：吊销证书，停止签发；不能撤回")
    stolen.add_argument("key", metavar="密钥编号", help="见 signing status，可以只写开头几位")
    stolen.add_argument(
        "--since", required=True, type=_moment, metavar="时间", help="从何时起可能泄露，例如 2026-11-20T08:00"
    )
    stolen.add_argument("--reason", default="", metavar="说明", help="简短说明，会公布，不要写个人信息")
    stolen.set_defaults(run=compromised_run)
    lists = actions.add_parser("crl", help="更新吊销名单：自己的重新签发，别人的取回")
    lists.set_defaults(run=crl_run)
    for action in (status, rotate, stolen, lists):
        action.add_argument("--json", action="store_true", help="输出一个JSON对象")


def status_run(args: argparse.Namespace) -> int:
    """Tell which keys there are and whether a report could be signed now; needs no database."""
    from xinzheng.cli.signing_status import signing_status, status_lines

    status = signing_status()
    if args.json:
        print(json.dumps(status, ensure_ascii=False))
    else:
        print("\n".join(status_lines(status)))
    return 0 if status["ready"] else 1


def rotate_run(args: argparse.Namespace) -> int:
    """Change to new keys."""
    from xinzheng.apps.reports.signing_keys import Rotation, rotate_keys

    own = (args.p12, args.passphrase_file, args.roots)
    if any(own) and not all(own):
        raise XinzhengError("--p12、--passphrase-file 和 --roots 应当一起给出。", code="signing-options")
    rotation = Rotation(own if all(own) else None, args.demo, "rsa-3072" if args.rsa else "ecdsa-p256")
    number = rotate_keys(rotation, BY)
    if args.json:
        print(json.dumps({"generation": number}))
    else:
        print(f"已换用第{number}代密钥。请立即备份密钥目录；以前的报告照常有效，公布的密钥已经更新。")
    return 0


def compromised_run(args: argparse.Namespace) -> int:
    """Give a key up."""
    from xinzheng.apps.reports.signing_keys import give_up_key

    key = give_up_key(args.key, args.since, args.reason, BY)
    if args.json:
        since = key.compromised_at.isoformat()
        print(json.dumps({"key_id": key.key_id, "purpose": key.purpose, "since": since}))
        return 0
    print(f"已登记：{PURPOSES[key.purpose]}密钥 {key.key_id} 自{_text(key.compromised_at)}起可能泄露。")
    print("正在使用的密钥泄露，签发已经停止；请接着运行 xinzheng signing rotate。", file=sys.stderr)
    print("证书不是演示证书的，请通知签发它的机构吊销。以后的步骤见 docs/operations/密钥.md。", file=sys.stderr)
    return 0


def crl_run(args: argparse.Namespace) -> int:
    """Bring the lists up to date."""
    from xinzheng.apps.reports.signing_keys import renew_lists

    count, silent = renew_lists()
    if args.json:
        print(json.dumps({"lists": count, "silent": list(silent)}, ensure_ascii=False))
    else:
        print(f"现有{count}份吊销名单，均已更新。" if not silent else f"现有{count}份吊销名单。")
        if silent:
            print(f"这些地方没有取到：{'、'.join(silent)}。稍后会再取。", file=sys.stderr)
    return 0 if not silent else 1


def _moment(text: str) -> datetime:
    """A day or a moment; without a zone it is China Standard Time."""
    try:
        moment = datetime.fromisoformat(text)
    except ValueError:
        raise argparse.ArgumentTypeError(f"“{text}”不是时间，应当写成 2026-11-20 或者 2026-11-20T08:00") from None
    return moment if moment.tzinfo else moment.replace(tzinfo=CHINA)


def _text(at: datetime) -> str:
    return at.astimezone(CHINA).strftime("%Y年%-m月%-d日%H:%M")
