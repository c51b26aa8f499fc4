"""Reading files through the tabular adapter, which settings name by its dotted path."""

from collections import deque
from collections.abc import Callable, Iterable, Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from datetime import date
from importlib import import_module
from pathlib import Path
from typing import IO, TYPE_CHECKING, Any, Protocol, TypeVar, cast

import polars as pl
from django.conf import settings
from django.utils import timezone

from xinzheng.apps.ledger.delivery import CHINA

if TYPE_CHECKING:
    from xinzheng.apps.ledger.models import Batch

# Wide rows of 100 000 need some 100 MB while they are taken in.
ROWS_AT_ONCE = 50_000
# More than one, so that neither who makes them nor who takes them waits when one takes longer than the other.
ITEMS_AHEAD = 2

T = TypeVar("T")
Problems = Callable[[int, int], pl.DataFrame]


class Stretch(Protocol):
    """Some rows of a file, read and checked: the adapter's ``ParsedBatch``."""

    @property
    def frame(self) -> pl.DataFrame:
        """One row per line."""
        ...

    @property
    def defects(self) -> pl.DataFrame:
        """What is wrong, by line."""
        ...

    @property
    def raw(self) -> pl.DataFrame:
        """The original columns."""
        ...

    @property
    def sha256(self) -> str:
        """Digest of the whole file, hexadecimal."""
        ...

    @property
    def near(self) -> pl.Series:
        """Per row a digest, equal where two may be one decision told twice; null or absent where nothing compares."""
        ...


@dataclass(frozen=True)
class Reading:
    """How a file is read (读法): kind and domain of rows that name none, the day it is, and the file's name.

    ``column_map`` is the content of a column map (列对照), for files with headings of their own.
    """

    kind: str
    domain: str
    today: date
    file_name: str
    column_map: Mapping[str, Any] | None = None


def reading_of(batch: "Batch") -> Reading:
    """How a batch's file was read when it was taken in, to read it so again."""
    column_map = None if batch.column_map is None else batch.column_map.content
    day = timezone.localtime(batch.entry.recorded_at, CHINA).date()
    return Reading(batch.kind, batch.domain, day, batch.file_name, column_map)


def defaults_of(reading: Reading) -> Any:
    """The adapter's ``BatchDefaults``. Raises TabularError ``map-of-other-kind``."""
    adapter = tabular()
    plain = adapter.BatchDefaults(
        kind=reading.kind, domain=reading.domain, today=reading.today, file_name=reading.file_name
    )
    return plain if reading.column_map is None else adapter.column_map_of(reading.column_map).applied_to(plain)


def read_stretches(file: Path, reading: Reading) -> Iterator[Stretch]:
    """The file's rows, stretch by stretch, in line order, each as soon as it is read.

    Raises:
        XinzhengError: the file cannot be read as a table of records (the adapter's ``TabularError``), which may
            show after parts of it were handed over.
    """
    read = cast(Callable[..., Iterable[Stretch]], tabular().stream_batches)
    yield from read(file, defaults_of(reading), chunk_rows=ROWS_AT_ONCE)


def ahead(items: Iterator[T]) -> Iterator[T]:
    """The same items, the next ones made on another core while the caller works on those before."""
    with ThreadPoolExecutor(1, thread_name_prefix="ahead") as pool:
        coming = deque(pool.submit(next, items, None) for _ in range(ITEMS_AHEAD))
        while (item := coming.popleft().result()) is not None:
            coming.append(pool.submit(next, items, None))
            yield item


def write_lines(file: Path, batch: "Batch", problems: Problems, into: IO[bytes]) -> None:
    """The lines that have problems with their original columns, as CSV; ``file`` is the batch's.

    ``problems`` gives, from the first and the last of some lines, ``line`` and ``message`` of those that have any.
    """
    tabular().write_lines_csv(file, defaults_of(reading_of(batch)), problems, into)


def tabular() -> Any:
    """The adapter."""
    return import_module(settings.XINZHENG_TABULAR.rpartition(".")[0])
