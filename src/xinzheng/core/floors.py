"""Floors (报送底线): a delivery so unlike the usual that a second officer has to confirm it before it is booked.

Pure: counts of the would-be batch and of earlier ones go in, reasons to hold it come out; none means book it. What is
far from usual is a judgement of ours, so every threshold can be set; no source prescribes one.
"""

from collections.abc import Sequence
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Floors:
    """The thresholds.

    Sizes are judged only against at least ``least_history`` earlier batches, small ones against whole files. Three
    quarters of them reach the low mark, three quarters stay below the high one: far is less than one ``far_times``-th
    of the low or more than ``far_times`` times the high mark, and at least ``far_lines`` lines away. A batch shrinks
    what is there when it would end more than ``ended_percent`` % and at least ``ended_records`` of the live records.
    Most of it is rejected when that is more than ``rejected_percent`` % and at least ``rejected_lines`` lines.
    """

    least_history: int = 5
    far_times: int = 5
    far_lines: int = 50
    ended_percent: int = 10
    ended_records: int = 10
    rejected_percent: int = 50
    rejected_lines: int = 50


@dataclass(frozen=True, slots=True)
class Size:
    """The lines of a batch, and how many of them were rejected.

    ``is_whole``: it says to be all there is, for a period or altogether. Only then is too little of it suspicious: a
    unit may send a single withdrawal, or the lines it corrected, whenever it likes.
    """

    lines: int
    rejected: int
    is_whole: bool = True


@dataclass(frozen=True, slots=True)
class Shrinkage:
    """Live records of one domain and kind that a batch would end, of so many there were before it.

    Ended is what a snapshot lacks (put forward), what becomes withdrawn, void, sealed or not penalised, and what moves
    to another domain.
    """

    ended: int
    live: int


@dataclass(frozen=True, slots=True)
class WouldBe:
    """A batch before it is booked. ``mended``: earlier rejected lines that it corrects."""

    size: Size
    shrinkages: Sequence[Shrinkage] = ()
    mended: int = 0


@dataclass(frozen=True, slots=True)
class Reason:
    """Why a batch is held (暂存原因): a stable code and a sentence with the numbers."""

    code: str
    message: str


def reasons_to_hold(batch: WouldBe, history: Sequence[Size], floors: Floors) -> tuple[Reason, ...]:
    """Why this batch needs a second officer; empty: it does not.

    ``history`` are the scope's earlier standing batches of the same mode. A first delivery is never held: it has no
    history, and nothing is there that it could end.
    """
    found = [_shrinking(shrinkage, floors) for shrinkage in batch.shrinkages]
    if len(history) >= floors.least_history:
        found += [
            _far_fewer(batch, history, floors),
            _far_more(batch.size, history, floors),
            _mostly_rejected(batch.size, history, floors),
        ]
    return tuple(reason for reason in found if reason is not None)


def _shrinking(shrinkage: Shrinkage, floors: Floors) -> Reason | None:
    ended, live = shrinkage.ended, shrinkage.live
    if ended < floors.ended_records or ended * 100 <= live * floors.ended_percent:
        return None
    share = f"，占{ended * 100 // live}%" if live else ""
    said = f"原有{live}条有效记录，本批会使其中{ended}条失效、封存、改列或者提请撤下{share}。请核对是否确有依据。"
    return Reason("shrinks-live-records", said)


def _far_fewer(batch: WouldBe, history: Sequence[Size], floors: Floors) -> Reason | None:
    lines, wholes = batch.size.lines, sorted(past.lines for past in history if past.is_whole)
    if not batch.size.is_whole or batch.mended * 2 >= lines > 0 or len(wholes) < floors.least_history:
        return None
    low = wholes[len(wholes) // 4]
    if low - lines < floors.far_lines or lines * floors.far_times >= low:
        return None
    said = f"本批只有{lines}行，此前{len(wholes)}批完整的大多不少于{low}行。请核对文件是否完整。"
    return Reason("far-fewer-lines", said)


def _far_more(size: Size, history: Sequence[Size], floors: Floors) -> Reason | None:
    high = sorted((past.lines for past in history), reverse=True)[len(history) // 4]
    if size.lines - high < floors.far_lines or size.lines <= high * floors.far_times:
        return None
    said = f"本批有{size.lines}行，此前{len(history)}批大多不超过{high}行。请核对是否重复导出或者选错了文件。"
    return Reason("far-more-lines", said)


def _mostly_rejected(size: Size, history: Sequence[Size], floors: Floors) -> Reason | None:
    if size.rejected < floors.rejected_lines or size.rejected * 100 <= size.lines * floors.rejected_percent:
        return None
    if sum(_is_likewise(past, size) for past in history) * 2 > len(history):
        return None
    said = f"本批{size.lines}行中有{size.rejected}行退回，此前{len(history)}批大多不是这样。请核对列名和格式是否变了。"
    return Reason("mostly-rejected", said)


def _is_likewise(past: Size, size: Size) -> bool:
    """Mostly rejected, too, or by as large a share; asks no threshold, so that a laxer one never adds a reason."""
    as_large = past.lines > 0 and past.rejected * size.lines >= size.rejected * past.lines
    return past.rejected * 2 > past.lines or as_large
