"""Check a log as anybody can (外部核查): from a site or a folder, with the public key; without a database."""

import argparse
import json
import os
from pathlib import Path
from typing import Any

from xinzheng.adapters.transparency import Head, LogKey, open_note, parse_key
from xinzheng.adapters.transparency.audit import LogFaultError, OutsideLog, open_proof
from xinzheng.adapters.transparency.report_file import leaf_bytes, leaf_of_file
from xinzheng.adapters.transparency.sources import LogSite, LogSource, LogSourceError, SavedLog, source_at
from xinzheng.cli.log import read_file
from xinzheng.core.errors import XinzhengError
from xinzheng.core.leaves import AuditLeaf, Leaf, read_leaf
from xinzheng.core.lifecycle import ReportStatus
from xinzheng.core.merkle import leaf_hash

SAME_SITE = "公钥取自同一网站，只能查出前后不一致；请从别处取得公钥，用 --key 给出。"
STATUS_WORDS = {
    ReportStatus.IN_FORCE: "出具",
    ReportStatus.SUPERSEDED: "已更正",
    ReportStatus.REVOKED: "作废",
    ReportStatus.EXPIRED: "已过期",
}


def verify_outside(args: argparse.Namespace) -> tuple[dict[str, Any], list[str]]:
    """What was found, as JSON and in words. Raises XinzhengError at the first thing found wanting."""
    source = None if args.place is None else source_at(args.place)
    key, words = _key(args.key, source)
    answer: dict[str, Any] = {"key": str(key), "key_from_same_site": args.key is None}
    if source is None:
        found, told = _proven(args, key, None)
        return answer | found, [*words, *told]
    kept = SavedLog(source, args.save) if args.save else None
    log = OutsideLog(kept or source, key)
    before = _before(args.state, key)
    (log.check_edge if args.quick else log.check_all)(before)
    answer |= {"size": log.head.size, "root": log.head.root.hex(), "complete": not args.quick}
    answer["consistent_with"] = before.size if before else None
    how = "与算根所需的行" if args.quick else "与逐条重算的结果"
    words.append(f"检查点的签名有效；日志{log.head.size}条，根{how}一致。")
    if before is not None:
        words.append(f"与上次看到的{before.size}条前后一致。")
    found, told = _proven(args, key, log, source)
    _keep(args.state, log.note)
    if kept is not None:
        kept.finish()
    return answer | found, [*words, *told]


def _key(given: str | None, source: LogSource | None) -> tuple[LogKey, list[str]]:
    if given is not None:
        is_text = "+" in given and not os.path.isfile(given)  # unlike Path, no error for a long text
        return parse_key(given if is_text else read_file(Path(given))), []
    site_keys = source.keys() if isinstance(source, LogSite) else None
    if site_keys is None:
        raise XinzhengError("请用 --key 给出日志公钥（运营者运行 xinzheng log key 得到）。", code="log-key-missing")
    try:
        return parse_key(json.loads(site_keys)["log"]["vkey"]), [SAME_SITE]
    except (ValueError, LookupError, TypeError):
        raise LogSourceError("网站公布的密钥读不出来，请用 --key 给出日志公钥。", code="log-key-missing") from None


def _before(state: Path | None, key: LogKey) -> Head | None:
    return open_note(read_file(state), key) if state is not None and state.exists() else None


def _keep(state: Path | None, note: str) -> None:
    if state is None:
        return
    draft = state.with_name(f".{state.name}.part")
    try:
        draft.write_text(note, encoding="utf-8")
        draft.replace(state)
    except OSError as error:
        raise XinzhengError(f"“{state}”写不进去（{error.strerror}）。", code="state-unwritable") from error


def _proven(
    args: argparse.Namespace, key: LogKey, log: OutsideLog | None, source: LogSource | None = None
) -> tuple[dict[str, Any], list[str]]:
    """What the proof shows of a report, where one was asked about."""
    wanted = leaf_of_file(read_file(args.report, Path.read_bytes)) if args.report else None
    if args.proof is not None:
        text = read_file(args.proof)
    elif wanted is None or source is None:
        return {}, []
    else:
        text = _fetched(source, wanted)
    head, leaves = open_proof(text, key)
    if log is not None:
        log.check_head(head)
    told = [(one.index, read_leaf(one.leaf)) for one in leaves]
    if wanted is not None:
        _require(wanted, [leaf for _, leaf in told if isinstance(leaf, Leaf)])
    shown = [{"index": index, **_facts(leaf), "at": leaf.at.isoformat()} for index, leaf in told]
    words = [f"已收录：序号{index}，{_words(leaf)}，{leaf.at.astimezone():%Y-%m-%d %H:%M:%S}" for index, leaf in told]
    if wanted is not None:
        words.append("文件的内容和签名与日志所记相同。现在的状态以在线核验为准。")
    return {"included": shown, "proof_size": head.size, "report_matches": None if wanted is None else True}, words


def _facts(leaf: Leaf | AuditLeaf) -> dict[str, Any]:
    if isinstance(leaf, AuditLeaf):
        return {"audit_events": leaf.count, "audit_head": leaf.head.hex()}
    return {"status": str(leaf.status)}


def _words(leaf: Leaf | AuditLeaf) -> str:
    if isinstance(leaf, AuditLeaf):
        return f"审计记录{leaf.count}条，链值{leaf.head.hex()}"
    return STATUS_WORDS[leaf.status]


def _fetched(source: LogSource, wanted: Leaf) -> str:
    data = source.read(f"proof/{leaf_hash(leaf_bytes(wanted)).hex()}")
    if data is None:
        raise LogFaultError("日志没有收录这份文件；刚刚出具的报告请稍后再查。", code="report-not-included")
    return data.decode(errors="replace")


def _require(wanted: Leaf, leaves: list[Leaf]) -> None:
    digests = {leaf.digest for leaf in leaves}
    if digests != {wanted.digest} or wanted.file not in {leaf.file for leaf in leaves}:
        raise LogFaultError("收录证明说的不是这份文件。", code="report-not-included")
