"""Engines (核查引擎): the lists go in, a plan is worked out, the answers come out; DuckDB here, or a Spark cluster."""

from collections.abc import Collection, Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType
from typing import Protocol, Self

from xinzheng.adapters.screening.answers import AnswerRow, DomainRow, FindingRow, Plan
from xinzheng.adapters.screening.errors import EngineError


@dataclass(frozen=True, slots=True)
class Limits:
    """What an engine may take: threads and bytes of memory of this machine; ``master`` is Spark's address."""

    threads: int = 2
    memory_bytes: int = 3 << 30
    master: str = "local[2]"


class Engine(Protocol):
    """An open engine; also a context manager. Its work folder is deleted when it closes."""

    def take(self, table: str, chunks: Iterable[bytes]) -> int:
        """Add rows to one of LISTS and say how many it has now.

        ``chunks`` is PostgreSQL's CSV without a header (``COPY … TO STDOUT (FORMAT csv)``), cut between lines only.
        """

    def organ_pairs(self) -> Iterator[tuple[str | None, str | None]]:
        """Code and name of every deciding organ the records have, each pair once, to fill ``organs`` with."""

    def run(self, plan: Plan) -> Iterator[AnswerRow]:
        """Work the plan out, and the answer of each subject in the order of their keys. Raises ``engine-failed``."""

    def reasons(self, plan: Plan) -> Iterator[FindingRow]:
        """What counts or is unresolved, by subject; never anything hidden. Only after ``run``."""

    def domains(self, plan: Plan) -> Iterator[DomainRow]:
        """The results of domains that have something of the subject's own, by subject. Only after ``run``."""

    def findings(self, plan: Plan, subjects: Collection[int] | None = None) -> Iterator[FindingRow]:
        """Every finding, also of what is excluded and hidden, of these subjects or of all. Only after ``run``."""

    def close(self) -> None:
        """End everything the engine started and delete its work folder."""

    def __enter__(self) -> Self:
        """The engine itself."""

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Close it."""


def open_engine(name: str, folder: Path, limits: Limits) -> Engine:
    """Open ``duckdb`` or ``spark`` with a work folder of its own below ``folder``.

    For Spark every machine of the cluster must reach ``folder`` under the same path.

    Raises:
        EngineError: ``engine-unavailable``; the message says what is missing.
    """
    if name == "duckdb":
        from xinzheng.adapters.screening.duckdb_engine import DuckDbEngine

        return DuckDbEngine(folder, limits)
    if name == "spark":
        from xinzheng.adapters.screening.spark_engine import SparkEngine

        return SparkEngine(folder, limits)
    raise EngineError(f"没有名为“{name}”的核查引擎，请把 XINZHENG_SCREENING 设为 duckdb 或者 spark。")
