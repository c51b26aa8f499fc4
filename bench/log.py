"""The transparency log: leaves sealed a second, and one inclusion proof out of a million leaves.

    python bench/log.py [--leaves N] [--proofs P]

Leaves are written beforehand, as issuing leaves them; sealing gives them places, writes the tree's nodes and signs a
checkpoint for each 20,000. Two references in the same run: the tree of the same leaves computed in memory alone (no
sealer in Python can be faster), and the same rows copied into bare tables with nothing but their keys (no sealer
that stores a tree in this database can be faster). A proof is read as the page reads it: three queries; then checked.
Limits: at least 0.2 of the slower reference, at least 10,000 leaves a second, a proof at most 10 ms in the middle.
Everything runs in a throwaway home.
"""

import argparse
import os
import shutil
import statistics
import sys
import tempfile
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parents[1]
sys.path[:0] = [str(ROOT), str(ROOT / "src")]

LEAVES, PROOFS = 1_000_000, 300
LEAST_RATIO, LEAST_PER_SECOND, MOST_MILLISECONDS = 0.2, 10_000.0, 10.0

WRITE_LEAVES = """
    WITH leaf AS (
        INSERT INTO audit_logleaf (data, leaf_hash, kind, object_id)
        SELECT data, sha256('\\x00'::bytea || data), 'issued', n::text
        FROM (SELECT n, ('{"digest":"' || encode(sha256(n::text::bytea), 'hex') || '","type":"issued"}')::bytea AS data
              FROM generate_series(%s, %s) n) made
        RETURNING id
    )
    INSERT INTO audit_logwaiting (leaf_id) SELECT id FROM leaf
"""
BARE = (
    "CREATE TABLE bare_place (index bigint PRIMARY KEY, leaf_id bigint UNIQUE)",
    "CREATE TABLE bare_node (level smallint, index bigint, hash bytea, PRIMARY KEY (level, index))",
)


def sealed_per_second(count: int) -> float:
    """Write leaves, then seal them all."""
    from django.db import connection
    from django.utils import timezone

    from xinzheng.apps.audit.log import seal_log

    with connection.cursor() as cursor:
        for first in range(0, count, 50_000):
            cursor.execute(WRITE_LEAVES, [first, min(first + 50_000, count) - 1])
        cursor.execute("VACUUM ANALYZE audit_logleaf, audit_logwaiting")
    began = time.perf_counter()
    if seal_log(timezone.now()) != count:
        raise RuntimeError("not every leaf was sealed")
    return count / (time.perf_counter() - began)


def tree_alone_per_second(count: int) -> float:
    """The same tree in memory, in the same stretches; it must have the root that was signed."""
    from xinzheng.apps.audit.log import MOST_AT_ONCE
    from xinzheng.apps.audit.log_queries import newest_checkpoint
    from xinzheng.apps.audit.models import LogLeaf
    from xinzheng.core.merkle import Growth

    hashes = [bytes(one) for one in LogLeaf.objects.order_by("id").values_list("leaf_hash", flat=True)]
    began = time.perf_counter()
    tree = Growth()
    for first in range(0, count, MOST_AT_ONCE):
        tree.add(hashes[first : first + MOST_AT_ONCE])
        tree.root()
    spent = time.perf_counter() - began
    newest = newest_checkpoint()
    if newest is None or bytes(newest.root) != tree.root():
        raise RuntimeError("the tree in memory is another")
    return count / spent


def rows_alone_per_second(count: int) -> float:
    """The same rows into bare tables, by COPY from memory, a transaction for as many leaves as a sealing takes."""
    from django.db import connection, transaction

    from xinzheng.apps.audit.log import MOST_AT_ONCE
    from xinzheng.apps.audit.models import LogNode, LogPlace

    places = list(LogPlace.objects.order_by("index").values_list("index", "leaf_id"))
    nodes = [
        (level, index, bytes(hash_)) for level, index, hash_ in LogNode.objects.values_list("level", "index", "hash")
    ]
    nodes.sort(key=lambda node: node[1] << node[0])
    with connection.cursor() as cursor:
        for statement in BARE:
            cursor.execute(statement)
    began = time.perf_counter()
    for first in range(0, count, MOST_AT_ONCE):
        with transaction.atomic(), connection.cursor() as cursor:
            _copy(cursor, "bare_place (index, leaf_id)", places[first : first + MOST_AT_ONCE])
            _copy(cursor, "bare_node (level, index, hash)", nodes[2 * first : 2 * (first + MOST_AT_ONCE)])
    return count / (time.perf_counter() - began)


def _copy(cursor: Any, table: str, rows: Sequence[tuple[object, ...]]) -> None:
    with cursor.copy(f"COPY {table} FROM STDIN") as copy:
        for row in rows:
            copy.write_row(row)


def proof_milliseconds(count: int, proofs: int) -> tuple[float, float]:
    """(median, 99th of a hundred) of reading one proof; each is checked against the signed root, off the clock."""
    from xinzheng.apps.audit.log_queries import newest_checkpoint, proof_for

    newest = newest_checkpoint()
    if newest is None:
        raise RuntimeError("nothing was sealed")
    spent = []
    for turn in range(proofs):
        began = time.perf_counter()
        proof = proof_for("issued", str(turn * 7_919 * 127 % count))
        spent.append((time.perf_counter() - began) * 1000)
        if proof is None or not proof.inclusion.holds_in((newest.size, bytes(newest.root))):
            raise RuntimeError("a leaf is not proven")
    return statistics.median(spent), statistics.quantiles(spent, n=100)[98]


def measure(count: int, proofs: int) -> bool:
    """Print every figure; whether all limits are kept."""
    sealed = sealed_per_second(count)
    tree, rows = tree_alone_per_second(count), rows_alone_per_second(count)
    ratio = sealed / min(tree, rows)
    print(
        f"{count:,} leaves sealed: {sealed:,.0f}/s; the tree alone {tree:,.0f}/s, the rows alone {rows:,.0f}/s; "
        f"ratio to the slower {ratio:.2f} (limit {LEAST_RATIO})",
        flush=True,
    )
    middle, slow = proof_milliseconds(count, proofs)
    print(f"proof out of {count:,}: p50 {middle:.2f} ms, p99 {slow:.2f} ms (limit p50 {MOST_MILLISECONDS:.0f} ms)")
    return sealed >= LEAST_PER_SECOND and ratio >= LEAST_RATIO and middle <= MOST_MILLISECONDS


def main() -> int:
    """Run the benchmark; exit 1 when a limit is missed."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--leaves", type=int, default=LEAVES)
    parser.add_argument("--proofs", type=int, default=PROOFS)
    args = parser.parse_args()
    home = Path(tempfile.mkdtemp(prefix="xinzheng-bench-home-"))
    os.environ["XINZHENG_HOME"] = str(home)
    os.environ["DJANGO_SETTINGS_MODULE"] = "xinzheng.config.settings"
    try:
        import django

        django.setup()
        from xinzheng.config.readiness import ensure_ready

        ensure_ready()
        reached = measure(args.leaves, args.proofs)
    finally:
        from xinzheng.adapters.postgres_embedded import stop

        stop(home)
        shutil.rmtree(home, ignore_errors=True)
    return 0 if reached else 1


if __name__ == "__main__":
    sys.exit(main())
