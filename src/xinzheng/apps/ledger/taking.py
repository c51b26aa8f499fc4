"""From the file to the merge: rows are staged as they are read, and written as versions once their fate is known."""

from collections.abc import Callable, Iterator

import polars as pl

from xinzheng.apps.audit.models import Entry
from xinzheng.apps.ledger.delivery import Answering
from xinzheng.apps.ledger.duplicates import keys_of, mark_duplicates
from xinzheng.apps.ledger.merge import Merging, decide_fates, write_heads_and_lines
from xinzheng.apps.ledger.parking import Parked
from xinzheng.apps.ledger.reading import Stretch, ahead
from xinzheng.apps.ledger.rows import judged
from xinzheng.apps.ledger.staging import DEFECT_COLUMNS, STAGED, copy_frame, create_staging
from xinzheng.apps.ledger.subjects import Subjects
from xinzheng.apps.ledger.versions import PARKED, write_versions

Progress = Callable[[int], None]


def stage_all(
    stretches: Iterator[Stretch], who: Answering, entry: Entry, merging: Merging, parked: Parked, tell: Progress | None
) -> int:
    """Stage every stretch while the next is read, and park what versions are made of; how many lines."""
    create_staging(merging.staging)
    subjects, keys, lines = Subjects(entry), list[pl.DataFrame](), 0
    for stretch in ahead(stretches):
        frame, defects = judged(stretch, who, subjects)
        copy_frame(merging.staging, frame, list(STAGED))
        if defects.height:
            noted = defects.with_columns(entry_id=pl.lit(entry.pk, pl.Int64)).sort("line", maintain_order=True)
            copy_frame("ledger_defect", noted, DEFECT_COLUMNS)
        parked.add(frame.filter(pl.col("status") == "ok").select(PARKED))
        keys.append(keys_of(frame))
        lines += frame.height
        if tell is not None:
            tell(lines)
    mark_duplicates(merging, keys)
    return lines


def merge(merging: Merging, parked: Parked) -> dict[str, int]:
    """Write everything staged and parked into the ledger; how many lines met which fate."""
    counts = decide_fates(merging)
    if counts["new"] or counts["changed"]:
        write_versions(merging, parked)
    write_heads_and_lines(merging, counts)
    return counts
