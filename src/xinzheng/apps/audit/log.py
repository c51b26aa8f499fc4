"""Writing the transparency log (透明日志): a leaf with the fact it tells; its place and the checkpoint later."""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.conf import settings
from django.db import connection, transaction

from xinzheng.apps.audit import ports
from xinzheng.apps.audit.log_queries import newest_checkpoint, nodes_at
from xinzheng.apps.audit.models import Checkpoint, KeyEvent
from xinzheng.core.errors import XinzhengError
from xinzheng.core.merkle import Growth, edge_of, leaf_hash, node_of, root_of

# Constant of the lock under which places are given; nothing else may lock it.
SEAL_LOCK = 0x6D65726B6C65
MOST_AT_ONCE = 20_000

WRITE_LEAF = """
    WITH leaf AS (
        INSERT INTO audit_logleaf (data, leaf_hash, kind, object_id) VALUES (%s, %s, %s, %s) RETURNING id
    )
    INSERT INTO audit_logwaiting (leaf_id) SELECT id FROM leaf
"""
WAITING = """
    SELECT waiting.leaf_id, leaf.leaf_hash
    FROM audit_logwaiting waiting JOIN audit_logleaf leaf ON leaf.id = waiting.leaf_id
    ORDER BY waiting.leaf_id LIMIT %s
"""
GIVE_PLACES = "COPY audit_logplace (index, leaf_id) FROM STDIN (FORMAT BINARY)"
WRITE_NODES = "COPY audit_lognode (level, index, hash) FROM STDIN (FORMAT BINARY)"


class LogKeyGivenUpError(XinzhengError):
    """The key at hand is published as known to others: its signature would prove nothing."""

    code = "log-key-given-up"


class LogForkError(XinzhengError):
    """What is stored is not what was signed before: signing on would show different logs to different people."""

    code = "log-fork"


@dataclass(frozen=True, slots=True)
class _Stretch:
    """Leaves that got their places together."""

    size: int
    count: int
    note: str = ""


def add_leaf(*, data: bytes, kind: str, object_id: str) -> None:
    """Write a leaf within the caller's transaction; no lock is taken, so that nothing waits for the log."""
    with connection.cursor() as cursor:
        cursor.execute(WRITE_LEAF, [data, leaf_hash(data), kind, object_id])


def log_signer() -> Any:
    """The signer of the log; its key is made at the first call."""
    return ports.transparency().open_log_signer(settings.XINZHENG_KEYS / "log", settings.XINZHENG_LOG_ORIGIN)


def seal_log(at: datetime) -> int:
    """Give every leaf that waits its place and sign the log as it then stands; its size.

    Leaves get their places in the order of their numbers; one whose transaction commits later is placed the next time.
    Whoever is to see a checkpoint sees one that is remembered beside the key, too, from its commit on.

    Raises:
        LogForkError: the database is behind, or different from, what the key has signed: nothing is signed.
    """
    signer = log_signer()
    while True:
        with transaction.atomic():
            stretch = _seal_stretch(signer, at)
            if stretch.note:
                transaction.on_commit(lambda note=stretch.note: signer.remember(note))  # type: ignore[misc]
        if stretch.count < MOST_AT_ONCE:
            return stretch.size


def _seal_stretch(signer: Any, at: datetime) -> _Stretch:
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_advisory_xact_lock(%s)", [SEAL_LOCK])
        newest = newest_checkpoint()
        size = newest.size if newest else 0
        tree = Growth(size, nodes_at(edge_of(size)))
        _refuse_given_up(signer)
        refuse_fork(signer, newest)
        # A statement of its own: its snapshot is taken after the lock, so it sees what the sealer before has left.
        cursor.execute(WAITING, [MOST_AT_ONCE])
        waiting = cursor.fetchall()
        if not waiting:
            return _Stretch(size, 0)
        ids = [leaf_id for leaf_id, _ in waiting]
        grown = tree.add([bytes(hash_) for _, hash_ in waiting])
        _copy(cursor, GIVE_PLACES, ("int8", "int8"), enumerate(ids, size))
        _copy(cursor, WRITE_NODES, ("int2", "int8", "bytea"), _rows(grown))
        cursor.execute("DELETE FROM audit_logwaiting WHERE leaf_id = ANY(%s)", [ids])
    note = signer.sign(tree.size, tree.root())
    Checkpoint.objects.create(size=tree.size, root=tree.root(), note=note, made_at=at)
    return _Stretch(tree.size, len(ids), note)


def _rows(grown: Iterable[tuple[int, int, Sequence[bytes]]]) -> Iterator[tuple[int, int, bytes]]:
    for level, first, row in grown:
        for index, hash_ in enumerate(row, first):
            yield level, index, hash_


def _copy(cursor: Any, statement: str, types: Sequence[str], rows: Iterable[Sequence[object]]) -> None:
    with cursor.copy(statement) as copy:
        copy.set_types(types)
        for row in rows:
            copy.write_row(row)


def _refuse_given_up(signer: Any) -> None:
    given_up = KeyEvent.objects.filter(key_id=signer.key.key_id.hex(), purpose="log", event="compromised")
    if given_up.exists():
        raise LogKeyGivenUpError(
            "日志密钥已经公布为泄露，不再签署；请移走 keys/log 文件夹，换一个 XINZHENG_LOG_ORIGIN 重新开始。"
        )


def refuse_fork(signer: Any, newest: Checkpoint | None) -> None:
    """Raise where the key has signed more than is stored, or something else."""
    signed = signer.last_signed()
    if signed is None or signed.size == 0:
        return
    if newest is None or newest.size < signed.size:
        raise LogForkError(
            f"密钥已经签过{signed.size}条的检查点，数据库里只有{newest.size if newest else 0}条。"
            "多半是恢复了较早的备份；请恢复到最新的备份，恢复不了的，停止签发并公告，再以新的日志名称重新开始。"
        )
    found = nodes_at(edge_of(signed.size))
    if len(found) != len(edge_of(signed.size)) or root_of(signed.size, node_of(found)) != signed.root:
        raise LogForkError(f"数据库里前{signed.size}条与已经签过的检查点不同：日志被改动过，请立即核查。")
