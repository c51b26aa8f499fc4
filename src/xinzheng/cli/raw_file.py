"""``xinzheng intake --fetch``: a batch's file as it came."""

import argparse
import json
import shutil
from pathlib import Path

from xinzheng.core.errors import XinzhengError


def fetch(args: argparse.Namespace) -> int:
    """Write the file and say its SHA-256; a file that is there is left alone."""
    from xinzheng.apps.ledger.actions import fetch_raw_file

    batch, out = args.fetch[0], Path(args.fetch[1])
    if not batch.isdecimal():
        args.parser.error("--fetch 依次写批次号、要写的文件")
    kept = fetch_raw_file(batch_id=int(batch), by="command-line")
    with kept.content as content:
        try:
            with out.open("xb") as file:
                shutil.copyfileobj(content, file)
        except OSError as error:
            message = f"{out}写不了（{error.strerror}），请换一个不存在的文件名。"
            raise XinzhengError(message, code="out-not-writable") from error
    told = {"batch": int(batch), "file": str(out), "file_name": kept.name, "sha256": kept.sha256}
    print(json.dumps(told, ensure_ascii=False) if args.json else f"{kept.name}已写到{out}，SHA-256：{kept.sha256}。")
    return 0
