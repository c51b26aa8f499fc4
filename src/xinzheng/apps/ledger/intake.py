"""Taking a delivery in: read, stage, merge, account for every line; one transaction, in whole or not at all."""

from collections.abc import Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from itertools import chain, takewhile
from pathlib import Path
from threading import Event

from django.db import transaction

from xinzheng.apps.audit.actions import check_constraints_now, open_entry, record_event, take_position
from xinzheng.apps.audit.models import Entry
from xinzheng.apps.ledger.coverage import state_coverage
from xinzheng.apps.ledger.delivery import (
    CORRECTION,
    MODES,
    Answering,
    Delivery,
    answering,
    check_period,
    today_in_china,
)
from xinzheng.apps.ledger.errors import IntakeError
from xinzheng.apps.ledger.heads import are_there_heads
from xinzheng.apps.ledger.holding import Merged, keep_reasons, reasons_against
from xinzheng.apps.ledger.maps import ChosenMap, chosen_map, kept_version
from xinzheng.apps.ledger.mending import are_lines_pending, mend_lines
from xinzheng.apps.ledger.merge import Merging, begin_merging, drop_fates
from xinzheng.apps.ledger.models import Batch
from xinzheng.apps.ledger.raw_files import batch_owner, keep_raw_file, pack_file, seal_pieces
from xinzheng.apps.ledger.reading import Reading, Stretch, read_stretches
from xinzheng.apps.ledger.snapshots import put_forward_missing
from xinzheng.apps.ledger.taking import Progress, Taking, take_rows
from xinzheng.apps.registry.keys import new_data_key, wrap_key
from xinzheng.apps.registry.queries import is_served
from xinzheng.core.floors import Reason


@dataclass(frozen=True)
class BatchResult:
    """What became of a delivery (批次结果): ``batch`` is its number, ``position`` its place in the ledger.

    ``new + changed + identical + rejected + duplicate == lines``. ``mended`` counts earlier rejected lines this
    batch settled; ``put_forward`` the records a snapshot lacks; ``is_covered`` whether a statement came
    with it that no rejected line holds back. ``held``, for the ``reasons`` given: nothing is booked, and the counts
    tell what would become of the lines.
    """

    batch: int
    position: int
    lines: int
    new: int
    changed: int
    identical: int
    rejected: int
    duplicate: int
    held: bool = False
    mended: int = 0
    put_forward: int = 0
    is_covered: bool = False
    reasons: tuple[Reason, ...] = ()


class _TooUnusual(Exception):
    """The merge has to be undone: a second officer has to look at what it would do."""

    def __init__(self, merged: Merged) -> None:
        super().__init__()
        self.merged = merged


@dataclass
class _Receiving:
    """A delivery while it is taken in."""

    delivery: Delivery
    who: Answering
    by: str
    progress: Progress | None
    column_map: ChosenMap | None
    confirms: int | None = None
    key: bytes = field(default_factory=new_data_key)

    def read(self) -> Iterator[Stretch]:
        """The file's rows."""
        delivery = self.delivery
        scope, column_map = delivery.scope, self.column_map
        content = None if column_map is None else column_map.content
        reading = Reading(scope.kind, scope.domain, today_in_china(), delivery.name, content)
        return read_stretches(delivery.file, reading)

    def read_again(self, sha256: str) -> Iterator[Stretch]:
        """The same rows once more; IntakeError when they are no longer the same."""
        for stretch in self.read():
            if stretch.sha256 != sha256:
                message = f"{self.delivery.name}在读取过程中被改动，没有接收。请等文件写完、关闭后重新报送。"
                raise IntakeError(message, code="file-changed")
            yield stretch


def take_in(delivery: Delivery, *, by: str, progress: Progress | None = None) -> BatchResult:
    """Take a delivery in; opens and commits the transaction unless one is open.

    ``progress`` is called with the number of lines judged so far. Raises IntakeError, CoverageError, and the
    adapter's error when the file cannot be read; the database is then unchanged.
    """
    who = _check(delivery)
    return _received(_Receiving(delivery, who, by, progress, chosen_map(who, delivery)))


def take_in_confirmed(delivery: Delivery, *, by: str, confirms: int, progress: Progress | None = None) -> BatchResult:
    """Book the file of a held batch, whatever the floors say; what its unit delivered since then stays.

    Raises as ``take_in`` does.
    """
    who = _check(delivery)
    return _received(_Receiving(delivery, who, by, progress, chosen_map(who, delivery), confirms))


def _received(receiving: _Receiving) -> BatchResult:
    stretches = receiving.read()
    with _packing(receiving.delivery.file) as packed:
        first = next(stretches)
        with transaction.atomic():
            return _take(receiving, chain((first,), stretches), first.sha256, packed)


def _check(delivery: Delivery) -> Answering:
    if delivery.mode not in (*MODES, CORRECTION):
        message = f"没有报送方式“{delivery.mode}”，可用的有：increment（增量）、snapshot（全量快照）。"
        raise IntakeError(message, code="unknown-mode")
    who = answering(delivery.scope)
    if delivery.covers is not None:
        check_period(*delivery.covers)
    return who


def _take(
    receiving: _Receiving, stretches: Iterator[Stretch], sha256: str, packed: "Future[list[bytes]]"
) -> BatchResult:
    begin_merging()
    unit_id, scope = receiving.who.unit.id, receiving.delivery.scope
    entry = open_entry(
        kind="batch", by=receiving.by, unit_id=unit_id, note={"domain": scope.domain, "kind": scope.kind}
    )
    taken = _merged_or_held(receiving, entry, stretches, sha256)
    counts, is_held = taken.counts, bool(taken.reasons)
    keep_raw_file(entry.pk, seal_pieces(packed.result(), receiving.key, batch_owner(entry.pk)))
    lines = sum(counts.values())
    facts = counts | {"lines": lines, "put_forward": taken.put_forward, "held": is_held}
    _keep_batch(receiving, entry, sha256, facts)
    keep_reasons(entry, taken.reasons)
    if receiving.delivery.covers is not None:
        state_coverage(entry, receiving.who, receiving.delivery.covers, batch_id=entry.pk)
    record_event(
        who=receiving.by, action="batch-taken", object_kind="batch", object_id=entry.pk, details={"lines": lines}
    )
    check_constraints_now()
    position = take_position(entry)
    return BatchResult(
        batch=entry.pk,
        position=position,
        lines=lines,
        new=counts["new"],
        changed=counts["changed"],
        identical=counts["identical"],
        rejected=counts["rejected"],
        duplicate=counts["duplicate"],
        held=is_held,
        mended=taken.mended,
        put_forward=taken.put_forward,
        is_covered=receiving.delivery.covers is not None and not counts["rejected"] and not is_held,
        reasons=taken.reasons,
    )


def _merged_or_held(receiving: _Receiving, entry: Entry, stretches: Iterator[Stretch], sha256: str) -> Merged:
    """Merge the rows; where the result is too unusual, undo that and keep the rows aside for a second officer."""
    who = receiving.who
    try:
        with transaction.atomic():
            merged = _merged(receiving, entry, stretches, sha256)
            if receiving.confirms is not None or receiving.delivery.mode == CORRECTION:
                return merged
            if reasons := reasons_against(entry, who, receiving.delivery, merged):
                raise _TooUnusual(replace(merged, mended=0, reasons=reasons))
            return merged
    except _TooUnusual as unusual:
        merging = replace(_merging(receiving, entry, keeps_fates=False), holds=True)
        rows = receiving.read_again(sha256)
        counts = take_rows(Taking(who, entry, merging, None), rows, receiving.read_again(sha256))
        return replace(unusual.merged, counts=counts)


def _merging(receiving: _Receiving, entry: Entry, keeps_fates: bool) -> Merging:
    unit_id, *brings_for = receiving.who.unit_ids
    return Merging(
        entry.pk,
        unit_id,
        keeps_fates,
        has_heads=are_there_heads(),
        confirms=receiving.confirms,
        is_ranked=bool(brings_for) or is_served(unit_id),
        brings_for=tuple(brings_for),
    )


def _merged(receiving: _Receiving, entry: Entry, stretches: Iterator[Stretch], sha256: str) -> Merged:
    is_snapshot = receiving.delivery.mode == "snapshot"
    merging = _merging(receiving, entry, is_snapshot or are_lines_pending(receiving.who.unit_ids, entry))
    taking = Taking(receiving.who, entry, merging, receiving.progress)
    counts = take_rows(taking, stretches, receiving.read_again(sha256))
    mended = mend_lines(entry, merging)
    missing = put_forward_missing(merging, receiving.delivery.scope) if is_snapshot else 0
    drop_fates(merging)
    return Merged(counts, mended, missing)


@contextmanager
def _packing(file: Path) -> Iterator["Future[list[bytes]]"]:
    """Compress the file on another core, from the first look at it on; given up when the intake is."""
    is_over = Event()
    # What is no file, a pipe say, is refused by who reads it; opening it here would wait for ever.
    pieces = pack_file(file) if file.is_file() else iter(())
    with ThreadPoolExecutor(1, thread_name_prefix="pack") as pool:
        try:
            yield pool.submit(lambda: list(takewhile(lambda _: not is_over.is_set(), pieces)))
        finally:
            is_over.set()


def _keep_batch(receiving: _Receiving, entry: Entry, sha256: str, facts: dict[str, int]) -> None:
    delivery = receiving.delivery
    Batch.objects.create(
        entry=entry,
        unit_id=receiving.who.unit.id,
        domain=delivery.scope.domain,
        kind=delivery.scope.kind,
        mode=delivery.mode,
        file_name=delivery.name,
        file_sha256=bytes.fromhex(sha256),
        wrapped_key=wrap_key(receiving.key, batch_owner(entry.pk)),
        column_map=kept_version(receiving.column_map),
        confirms_id=receiving.confirms,
        **facts,
    )
