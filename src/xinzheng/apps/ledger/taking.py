"""From the file to the ledger: each stretch is staged, judged and written while the next is read.

That cannot be done where a later stretch holds a line that beats one already written. Such a file, which is rare, is
begun again: everything is staged first, and written when the last line is known.
"""

from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass

import polars as pl
from django.db import transaction

from xinzheng.apps.audit.models import Entry
from xinzheng.apps.ledger.delivery import Answering
from xinzheng.apps.ledger.duplicates import keys_of, mark_duplicates
from xinzheng.apps.ledger.merge import (
    Merging,
    clear_staged,
    count_staged,
    create_fates,
    decide_fates,
    look_heads_up,
    write_heads_and_lines,
)
from xinzheng.apps.ledger.parking import parking
from xinzheng.apps.ledger.reading import Stretch, ahead
from xinzheng.apps.ledger.rows import digests, judged
from xinzheng.apps.ledger.staging import DEFECT_COLUMNS, STAGED, copy_frame, create_staging
from xinzheng.apps.ledger.subjects import Subjects
from xinzheng.apps.ledger.versions import CONTENT, write_versions

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
    try:
        with transaction.atomic():
            return dict(_written_as_read(taking, stretches))
    except _BeatenTooLate:
        return _written_when_read(taking, again)


def _written_as_read(taking: Taking, stretches: Iterator[Stretch]) -> Counter[str]:
    merging, counts = taking.merging, Counter[str]()
    seen = pl.Series("a", dtype=pl.UInt64)
    look_heads_up(one_by_one=True)
    for frame in _staged(taking, stretches):
        keys = keys_of(frame)
        if keys.get_column("a").is_in(seen.implode()).any():
            raise _BeatenTooLate
        seen = seen.extend(keys.get_column("a"))
        mark_duplicates(merging, [keys])
        decide_fates(merging)
        write_versions(merging, [frame.select(CONTENT)])
        counts.update(write_heads_and_lines(merging))
        clear_staged(merging)
    look_heads_up(one_by_one=False)
    return counts


def _written_when_read(taking: Taking, stretches: Iterator[Stretch]) -> dict[str, int]:
    merging = taking.merging
    keys = list[pl.DataFrame]()
    with parking() as parked:
        for frame in _staged(taking, stretches):
            parked.add(frame.filter(pl.col("status") == "ok").select(CONTENT))
            keys.append(keys_of(frame))
        mark_duplicates(merging, keys)
        count_staged(merging)
        decide_fates(merging)
        write_versions(merging, parked.taken())
    counts = write_heads_and_lines(merging)
    clear_staged(merging)
    return counts


def _staged(taking: Taking, stretches: Iterator[Stretch]) -> Iterator[pl.DataFrame]:
    """Stage every stretch and keep its defects, while the next is read."""
    create_staging(taking.merging.staging)
    create_fates(taking.merging)
    subjects, lines = Subjects(taking.entry), 0
    for stretch, digest in ahead(_digested(stretches)):
        frame, defects = judged(stretch, taking.who, subjects)
        frame = frame.with_columns(digest)
        copy_frame(taking.merging.staging, frame, list(STAGED))
        if defects.height:
            noted = defects.with_columns(entry_id=pl.lit(taking.entry.pk, pl.Int64)).sort("line", maintain_order=True)
            copy_frame("ledger_defect", noted, DEFECT_COLUMNS)
        if frame.height:
            yield frame
        lines += frame.height
        if taking.progress is not None:
            taking.progress(lines)


def _digested(stretches: Iterator[Stretch]) -> Iterator[tuple[Stretch, pl.Series]]:
    for stretch in stretches:
        yield stretch, digests(stretch.frame)
