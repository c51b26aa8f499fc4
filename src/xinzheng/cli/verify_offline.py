"""``xinzheng verify --offline``: the facts that can be told without the site; no database, no network."""

import argparse
import json
import os
import sys
from pathlib import Path

from xinzheng.adapters.offline import (
    OfflineFacts,
    OfflineKeys,
    examine_code,
    examine_file,
    examine_proof,
    keys_in_folders,
    keys_in_text,
)
from xinzheng.core.errors import XinzhengError

MOST_TEXT = 2_000_000
NO_DOCUMENT = "未提交文件，未核对内容"
NO_STATUS = "未联网，未查询状态"
WORDS = (("文件未改动", "文件已被改动"), ("签名有效", "签名无效"), ("签发者可信", "签发者不可信"))
GENUINE = "文件为真，状态未查询：报告可能已经更正或者作废，请联网核验。"
CHANGED = "透明日志里这份报告的状态已经改变，不要再使用。以联网核验的结果为准。"
ONLY_CODE = "只核对了二维码，没有核对文件，也没有查询状态。"


def verify_offline(args: argparse.Namespace, *, is_text: bool) -> int:
    """Verify and print; never 0, for the status is always open: only four good facts are good."""
    keys = _keys(args.keys)
    facts = examine_code(args.what, keys) if is_text else _examined(Path(args.what), keys)
    if args.proof is not None:
        facts = examine_proof(facts, _text(args.proof), keys)
    reasons = _reasons(facts, is_text=is_text)
    if args.json:
        print(json.dumps(_answer(facts, reasons), ensure_ascii=False))
    else:
        print("\n".join([*reasons, *_details(facts, keys)]))
    print(_summary(facts, reasons, is_text=is_text), file=sys.stderr)
    return 1


def _keys(file: Path | None) -> OfflineKeys:
    if file is not None:
        return keys_in_text(_text(file))
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "xinzheng.config.settings")
    from django.conf import settings

    return keys_in_folders(settings.XINZHENG_KEYS / "signing", settings.XINZHENG_KEYS / "log")


def _examined(path: Path, keys: OfflineKeys) -> OfflineFacts:
    try:
        with path.open("rb") as source:
            return examine_file(source, keys)
    except OSError as error:
        raise _unreadable(path, error) from error


def _text(path: Path) -> str:
    try:
        if path.stat().st_size > MOST_TEXT:
            raise XinzhengError(f"“{path}”太大，不是本系统的文件。", code="file-too-large")
        return path.read_text(encoding="utf-8")
    except UnicodeDecodeError as error:
        raise XinzhengError(f"“{path}”不是文本文件。", code="file-unreadable") from error
    except OSError as error:
        raise _unreadable(path, error) from error


def _unreadable(path: Path, error: OSError) -> XinzhengError:
    return XinzhengError(f"读不到“{path}”（{error.strerror}），请核对路径。", code="file-unreadable")


def _reasons(facts: OfflineFacts, *, is_text: bool) -> list[str]:
    given = zip((facts.intact, facts.signature_valid, facts.signer_trusted), WORDS, strict=True)
    said = [words[0] if fact else words[1] for fact, words in given if fact is not None]
    logged = {True: ["透明日志已收录"], False: ["收录证明不成立"], None: []}[facts.in_log]
    return [*([NO_DOCUMENT] if is_text else []), *said, *facts.reasons, *logged, NO_STATUS]


def _details(facts: OfflineFacts, keys: OfflineKeys) -> list[str]:
    shown = {
        "报告编号": facts.number,
        "时间戳": f"{facts.stamped_at.astimezone():%Y-%m-%d %H:%M:%S}" if facts.stamped_at else None,
        "二维码写明的核验网站": facts.host,
        "密钥由此网站公布": keys.host,
    }
    return [f"{what}：{value}" for what, value in shown.items() if value]


def _answer(facts: OfflineFacts, reasons: list[str]) -> dict[str, object]:
    return {
        "intact": facts.intact,
        "signature_valid": facts.signature_valid,
        "signer_trusted": facts.signer_trusted,
        "status": None,
        "number": facts.number,
        "reasons": reasons,
        "log": None if facts.in_log is None else {"included": facts.in_log},
        "stamped_at": facts.stamped_at.isoformat() if facts.stamped_at else None,
        "host": facts.host,
    }


def _summary(facts: OfflineFacts, reasons: list[str], *, is_text: bool) -> str:
    if facts.log_status is not None:
        return CHANGED
    if facts.is_genuine and facts.in_log is not False:
        return GENUINE
    if is_text and facts.signature_valid and facts.signer_trusted:
        return ONLY_CODE
    return f"没有全部通过核验：{'；'.join(reasons)}"
