"""Reading files through the tabular adapter, which settings name by its dotted path."""

from collections import deque
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import date
from importlib import import_module
from pathlib import Path
from typing import IO, TYPE_CHECKING, Any, Protocol, TypeVar, cast

import polars as pl
from django.conf import settings

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


def read_stretches(file: Path, kind: str, domain: str, today: date, file_name: str) -> Iterator[Stretch]:
    """The file's rows, stretch by stretch, in line order, each as soon as it is read.

    Raises:
        XinzhengError: the file cannot be read as a table of records (the adapter's ``TabularError``), which may
            show after parts of it were handed over.
    """
    adapter = _adapter()
    defaults = adapter.BatchDefaults(kind=kind, domain=domain, today=today, file_name=file_name)
    read = cast(Callable[..., Iterable[Stretch]], adapter.stream_batches)
    yield from read(file, defaults, chunk_rows=ROWS_AT_ONCE)


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
    adapter = _adapter()
    day = batch.entry.recorded_at.date()
    defaults = adapter.BatchDefaults(kind=batch.kind, domain=batch.domain, today=day, file_name=batch.file_name)
    adapter.write_lines_csv(file, defaults, problems, into)


def _adapter() -> Any:
    return import_module(settings.XINZHENG_TABULAR.rpartition(".")[0])
