"""Which part of each coverage statement still speaks: a later statement replaces the part it overlaps.

Pure: statements of one unit, kind and domain in, pieces out. A replaced part stays replaced, also when the later
statement is withdrawn or waits for lines to be mended: what it said of that period is then unknown. What the unit says
itself outranks what a return (数据回流) says of it, whichever came later.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date, timedelta

ONE_DAY = timedelta(days=1)


@dataclass(frozen=True, slots=True)
class Stated:
    """A statement in the order of the ledger (``position``, then ``id``); ``is_open`` unless withdrawn or blocked.

    ``is_returned``: made by who brings the unit's data, and not taken back by the unit itself.
    """

    id: int
    position: int
    from_date: date
    through_date: date
    is_open: bool = True
    is_returned: bool = False


@dataclass(frozen=True, slots=True)
class Piece:
    """A part of a statement that no later one replaced; both days included."""

    statement: int
    from_date: date
    through_date: date


def open_pieces_of(statements: Iterable[Stated]) -> list[Piece]:
    """The pieces of the statements that are open, by date."""
    replaced: list[tuple[date, date]] = []
    pieces: list[Piece] = []
    for stated in sorted(statements, key=lambda s: (not s.is_returned, s.position, s.id), reverse=True):
        if stated.is_open:
            left = remainders(stated.from_date, stated.through_date, replaced)
            pieces += [Piece(stated.id, first, last) for first, last in left]
        replaced = _with(replaced, stated.from_date, stated.through_date)
    return sorted(pieces, key=lambda p: p.from_date)


def remainders(first: date, last: date, taken: Sequence[tuple[date, date]]) -> list[tuple[date, date]]:
    """What of first … last is outside the taken stretches (sorted and apart)."""
    left = []
    for begin, end in taken:
        if end < first:
            continue
        if begin > last:
            break
        if begin > first:
            left.append((first, begin - ONE_DAY))
        first = end + ONE_DAY
    if first <= last:
        left.append((first, last))
    return left


def overlap(first: date, last: date, period: tuple[date, date]) -> tuple[date, date] | None:
    """The days of first … last that lie in the period; None where there are none."""
    days = max(first, period[0]), min(last, period[1])
    return days if days[0] <= days[1] else None


def joined(stretches: Iterable[tuple[date, date]]) -> list[tuple[date, date]]:
    """The same days in as few stretches as possible, sorted and apart."""
    found: list[tuple[date, date]] = []
    for first, last in sorted(stretches):
        if found and first <= found[-1][1] + ONE_DAY:
            found[-1] = (found[-1][0], max(found[-1][1], last))
        else:
            found.append((first, last))
    return found


def common(unions: Iterable[Sequence[tuple[date, date]]]) -> list[tuple[date, date]]:
    """The days that are in every one of these unions of stretches, sorted and apart; none where there is no union."""
    found: list[tuple[date, date]] | None = None
    for stretches in unions:
        if found is None:
            found = joined(stretches)
        else:
            shared = (overlap(*days, period) for days in found for period in joined(stretches))
            found = [days for days in shared if days is not None]
    return found or []


def _with(stretches: Sequence[tuple[date, date]], first: date, last: date) -> list[tuple[date, date]]:
    return joined([*stretches, (first, last)])
