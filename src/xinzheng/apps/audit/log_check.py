"""Check the log in the own database (自查): every leaf, node and checkpoint against one another and against the key."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from django.db import connection

from xinzheng.apps.audit import log, ports
from xinzheng.apps.audit.keys import log_keys
from xinzheng.apps.audit.models import Checkpoint, LogNode, LogWaiting
from xinzheng.core.errors import XinzhengError
from xinzheng.core.merkle import Growth, leaf_hash

AT_ONCE = 10_000
LEAVES = """
    SELECT place.index, leaf.data, leaf.leaf_hash FROM audit_logplace place
    JOIN audit_logleaf leaf ON leaf.id = place.leaf_id
    WHERE place.index >= %s AND place.index < %s ORDER BY place.index
"""
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
    """Compute the whole log again from its leaves."""
    log.log_signer()
    tree = Growth()
    faults = list(_faults_of_growth(tree))
    faults += _faults_of_key(tree)
    with connection.cursor() as cursor:
        cursor.execute(LOST)
        (lost,) = cursor.fetchone()
    if lost:
        faults.append(f"有{lost}条既没有收录，也不在等待收录：等待收录的清单被改动过。")
    waiting = LogWaiting.objects.count()
    return LogState(tree.size, tree.root(), Checkpoint.objects.count(), waiting, tuple(faults))


def _faults_of_growth(tree: Growth) -> Iterator[str]:
    keys = log_keys()
    stored = 0
    while True:
        hashes, faults = _leaves_from(tree.size)
        yield from faults
        for upto, checkpoint in _cuts(tree.size, len(hashes)):
            rows = tree.add(hashes[upto[0] : upto[1]])
            stored += sum(len(row) for _, _, row in rows)
            yield from _faults_of_rows(rows)
            if checkpoint is not None:
                yield from _faults_of_checkpoint(checkpoint, tree, keys)
        if len(hashes) < AT_ONCE:
            break
    if LogNode.objects.count() != stored:
        yield "节点的数目与条目不符：有多出或者缺少的节点。"
    beyond = Checkpoint.objects.filter(size__gt=tree.size).count()
    if beyond:
        yield f"有{beyond}个检查点比日志还长：条目被移走。"


def _leaves_from(first: int) -> tuple[list[bytes], list[str]]:
    with connection.cursor() as cursor:
        cursor.execute(LEAVES, [first, first + AT_ONCE])
        rows = cursor.fetchall()
    faults = [
        f"序号{index}的内容与其摘要不符。" for index, data, hash_ in rows if leaf_hash(bytes(data)) != bytes(hash_)
    ]
    if [index for index, _, _ in rows] != list(range(first, first + len(rows))):
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


def _faults_of_key(tree: Growth) -> list[str]:
    newest = Checkpoint.objects.order_by("-size").first()
    faults = []
    if (newest.size if newest else 0) != tree.size:
        faults.append("最后的条目没有检查点。")
    try:
        log.refuse_fork(log.log_signer(), newest)
    except XinzhengError as error:
        faults.append(error.message)
    return faults
