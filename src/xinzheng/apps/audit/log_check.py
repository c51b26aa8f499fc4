"""Check the log in the own database (自查): every leaf, node and checkpoint against one another and against the key."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from django.db import connection

from xinzheng.apps.audit import log, ports
from xinzheng.apps.audit.keys import log_keys
from xinzheng.apps.audit.log_queries import newest_checkpoint
from xinzheng.apps.audit.models import Checkpoint, LogNode, LogWaiting
from xinzheng.core.errors import XinzhengError
from xinzheng.core.merkle import Growth, leaf_hash

AT_ONCE = 10_000
LEAVES = """
    SELECT place.index, leaf.data, leaf.leaf_hash FROM audit_logplace place
    JOIN audit_logleaf leaf ON leaf.id = place.leaf_id
    WHERE place.index >= %s AND place.index < %s ORDER BY place.index
"""
REACH = """
    SELECT (SELECT coalesce(max(index) + 1, 0) FROM audit_logplace),
        (SELECT coalesce(max(size), 0) FROM audit_checkpoint)
"""
NODES_UPTO = "SELECT count(*) FROM audit_lognode WHERE (index + 1) << level <= %s"
LOST = """
    SELECT count(*) FROM audit_logleaf leaf
    WHERE NOT EXISTS (SELECT 1 FROM audit_logplace place WHERE place.leaf_id = leaf.id)
    AND NOT EXISTS (SELECT 1 FROM audit_logwaiting waiting WHERE waiting.leaf_id = leaf.id)
"""


@dataclass(frozen=True, slots=True)
class LogState:
    """What was found (自查结果): how much there is, and in Chinese what does not fit."""

    size: int
    root: bytes
    checkpoints: int
    waiting: int
    faults: tuple[str, ...]


def check_log() -> LogState:
    """Compute the log again from its leaves, as far as it reached when the check began; sealing goes on meanwhile."""
    log.log_signer()
    with connection.cursor() as cursor:
        cursor.execute(REACH)
        placed, signed = cursor.fetchone()
        cursor.execute(LOST)
        (lost,) = cursor.fetchone()
    tree = Growth()
    faults = [*_faults_of_growth(tree, placed), *_faults_of_key()]
    if placed < signed:
        faults.append(f"最后的检查点有{signed}条，比日志还长（{placed}条）：条目被移走。")
    if placed > signed:
        faults.append(f"自序号{signed}起没有检查点。")
    if lost:
        faults.append(f"有{lost}条既没有收录，也不在等待收录：等待收录的清单被改动过。")
    waiting = LogWaiting.objects.count()
    return LogState(tree.size, tree.root(), Checkpoint.objects.count(), waiting, tuple(faults))


def _faults_of_growth(tree: Growth, placed: int) -> Iterator[str]:
    keys = log_keys()
    stored = 0
    while tree.size < placed:
        hashes, faults = _leaves(tree.size, min(tree.size + AT_ONCE, placed))
        yield from faults
        for upto, checkpoint in _cuts(tree.size, len(hashes)):
            rows = tree.add(hashes[upto[0] : upto[1]])
            stored += sum(len(row) for _, _, row in rows)
            yield from _faults_of_rows(rows)
            if checkpoint is not None:
                yield from _faults_of_checkpoint(checkpoint, tree, keys)
        if not hashes:
            break
    with connection.cursor() as cursor:
        cursor.execute(NODES_UPTO, [placed])
        if cursor.fetchone() != (stored,):
            yield "节点的数目与条目不符：有多出或者缺少的节点。"


def _leaves(first: int, end: int) -> tuple[list[bytes], list[str]]:
    with connection.cursor() as cursor:
        cursor.execute(LEAVES, [first, end])
        rows = cursor.fetchall()
    faults = [
        f"序号{index}的内容与其摘要不符。" for index, data, hash_ in rows if leaf_hash(bytes(data)) != bytes(hash_)
    ]
    if [index for index, _, _ in rows] != list(range(first, end)):
        faults.append(f"序号{first}之后不连续。")
    return [leaf_hash(bytes(data)) for _, data, _ in rows], faults


def _cuts(size: int, count: int) -> Iterator[tuple[tuple[int, int], Checkpoint | None]]:
    """The stretches between checkpoints, as ranges of what was read, each with the checkpoint at its end."""
    begin = 0
    for checkpoint in Checkpoint.objects.filter(size__gt=size, size__lte=size + count).order_by("size"):
        yield (begin, checkpoint.size - size), checkpoint
        begin = checkpoint.size - size
    if begin < count:
        yield (begin, count), None


def _faults_of_rows(rows: Sequence[tuple[int, int, Sequence[bytes]]]) -> Iterator[str]:
    for level, first, row in rows:
        nodes = LogNode.objects.filter(level=level, index__gte=first, index__lt=first + len(row)).order_by("index")
        if [bytes(hash_) for hash_ in nodes.values_list("hash", flat=True)] != list(row):
            yield f"第{level}层自{first}起的节点与条目不符。"


def _faults_of_checkpoint(checkpoint: Checkpoint, tree: Growth, keys: Sequence[bytes]) -> Iterator[str]:
    try:
        head = ports.transparency().open_own_note(checkpoint.note, keys)
    except XinzhengError as error:
        yield f"{checkpoint.size}条的检查点：{error.message}"
        return
    if (head.size, head.root) != (tree.size, tree.root()) or bytes(checkpoint.root) != head.root:
        yield f"{checkpoint.size}条的检查点与条目不符：日志被改写。"


def _faults_of_key() -> list[str]:
    try:
        log.refuse_fork(log.log_signer(), newest_checkpoint())
    except XinzhengError as error:
        return [error.message]
    return []
