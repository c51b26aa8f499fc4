"""From the file to the ledger: each stretch is judged and written while the next is read.

That cannot be done where a later stretch holds a line that beats one already written. Such a file, which is rare, is
begun again: everything is parked first, and written when the last line is known.
"""

from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import partial

import polars as pl
from django.db import transaction

from xinzheng.apps.audit.models import Entry
from xinzheng.apps.ledger.delivery import Answering
from xinzheng.apps.ledger.duplicates import keys_of, mark_duplicates, note_duplicates
from xinzheng.apps.ledger.merge import FATES, Merging, create_fates, look_heads_up, write_stretch
from xinzheng.apps.ledger.near_duplicates import NearLines
from xinzheng.apps.ledger.parking import parking
from xinzheng.apps.ledger.reading import Stretch, ahead
from xinzheng.apps.ledger.register_checks import RegisterChecks
from xinzheng.apps.ledger.rows import digests, judged
from xinzheng.apps.ledger.staging import DEFECT_COLUMNS, copy_frame
from xinzheng.apps.ledger.subjects import Subjects
from xinzheng.apps.ledger.versions import CONTENT
from xinzheng.apps.ledger.writing import Writer, writing_behind

# What of a row is written, or decides what is.
TAKEN = ("status", "record_key", "unit_id", *CONTENT)

Progress = Callable[[int], None]


class _BeatenTooLate(Exception):
    """A line beats one that was already written."""


@dataclass(frozen=True)
class Taking:
    """Whose delivery is taken in, and where to."""

    who: Answering
    entry: Entry
    merging: Merging
    progress: Progress | None


def take_rows(taking: Taking, stretches: Iterator[Stretch], again: Iterator[Stretch]) -> dict[str, int]:
    """Write the rows into the ledger; ``again`` are the same stretches, in case they are needed.

    How many lines met which fate.
    """
    look_heads_up(one_by_one=True)
    try:
        with transaction.atomic():
            counts = _written_as_read(taking, stretches)
    except _BeatenTooLate:
        counts = _written_when_read(taking, again)
    look_heads_up(one_by_one=False)
    return dict(counts)


def _written_as_read(taking: Taking, stretches: Iterator[Stretch]) -> Counter[str]:
    merging, counts, near = taking.merging, Counter(dict.fromkeys(FATES, 0)), NearLines()
    seen = pl.Series("a", dtype=pl.UInt64)

    def write(frame: pl.DataFrame) -> None:
        counts.update(write_stretch(merging, frame))

    with writing_behind() as writer:
        for frame in _judged(taking, stretches, near, writer):
            keys = keys_of(frame)
            if seen.is_in(keys.get_column("a").implode()).any():
                raise _BeatenTooLate
            seen = seen.extend(keys.get_column("a"))
            if keys.get_column("a").is_duplicated().any():
                writer.wait()
            writer.hand(partial(write, mark_duplicates(frame, note_duplicates(merging.entry_id, [keys]))))
    near.note(merging.entry_id)
    return counts


def _written_when_read(taking: Taking, stretches: Iterator[Stretch]) -> Counter[str]:
    merging, counts, near = taking.merging, Counter(dict.fromkeys(FATES, 0)), NearLines()
    keys = list[pl.DataFrame]()
    with parking() as parked:
        for frame in _judged(taking, stretches, near):
            parked.add(frame)
            keys.append(keys_of(frame))
        beaten = note_duplicates(merging.entry_id, keys)
        for frame in parked.taken():
            counts.update(write_stretch(merging, mark_duplicates(frame, beaten)))
    near.note(merging.entry_id)
    return counts


def _judged(
    taking: Taking, stretches: Iterator[Stretch], near: NearLines, writer: Writer | None = None
) -> Iterator[pl.DataFrame]:
    """Judge every stretch and keep its defects, while the next is read and the one before is written."""
    create_fates(taking.merging)
    subjects, register, lines = Subjects(taking.entry), _register_checks(taking.who), 0
    for stretch, digest in ahead(_digested(stretches)):
        here = subjects.meet(stretch.frame)
        if writer is not None:
            writer.begin()
        frame, defects = judged(stretch, register, here)
        near.add(stretch.near, frame)
        if defects.height:
            if writer is not None:
                writer.wait()
            noted = defects.with_columns(entry_id=pl.lit(taking.entry.pk, pl.Int64)).sort("line", maintain_order=True)
            copy_frame("ledger_defect", noted, DEFECT_COLUMNS)
        if frame.height:
            yield frame.with_columns(digest).select(TAKEN)
        lines += frame.height
        if taking.progress is not None:
            taking.progress(lines)


def _register_checks(who: Answering) -> RegisterChecks:
    return RegisterChecks(who, asks_source=not who.served)


def _digested(stretches: Iterator[Stretch]) -> Iterator[tuple[Stretch, pl.Series]]:
    for stretch in stretches:
        yield stretch, digests(stretch.frame)
