"""DuckDB in this process: columns in memory, several threads, on disk only what memory does not hold.

The lists name nobody: subjects are keys of the registry in them.
"""

import os
from collections.abc import Collection, Iterable, Iterator, Mapping
from contextlib import ExitStack, contextmanager
from pathlib import Path
from queue import Queue
from threading import Thread
from types import TracebackType
from typing import Any, Self

import duckdb

from xinzheng.adapters.screening.answers import AnswerRow, DomainRow, FindingRow, Plan, domain_result
from xinzheng.adapters.screening.engines import Limits
from xinzheng.adapters.screening.errors import EngineError
from xinzheng.adapters.screening.lists import LISTS
from xinzheng.adapters.screening.weighing import COUNTING
from xinzheng.adapters.screening.work_folder import work_folder
from xinzheng.core.policy import Effect

PIECE_BYTES = 64 << 20
ROWS_AT_ONCE = 20_000
TYPES = {"int64": "BIGINT", "int16": "SMALLINT", "string": "VARCHAR", "date": "DATE", "boolean": "BOOLEAN"}


class DuckDbEngine:
    """DuckDB, with its overflow in the work folder."""

    def __init__(self, folder: Path, limits: Limits) -> None:
        self._open = ExitStack()
        self.folder = self._open.enter_context(work_folder(folder))
        try:
            self._database = self._open.enter_context(_database(self.folder, limits))
            for name, columns in LISTS.items():
                self._database.execute(f"CREATE TABLE {name} ({_columns(columns)})")
        except BaseException:
            self._open.close()
            raise
        self._done: set[str] = set()

    def take(self, table: str, chunks: Iterable[bytes]) -> int:
        """Add rows to one of LISTS: read and taken in beside each other, through memory only."""
        pieces: Queue[int | None] = Queue(maxsize=1)
        failures: list[Exception] = []
        with self._database.cursor() as database, _told():
            reader = Thread(target=_take_pieces, args=(database, table, pieces, failures), daemon=True)
            reader.start()
            try:
                for piece in _pieces(chunks):
                    pieces.put(piece)
                    if failures:
                        break
            finally:
                pieces.put(None)
                reader.join()
            if failures:
                raise failures[0]
        ((rows,),) = self._rows(f"SELECT count(*) FROM {table}")  # noqa: S608
        return int(rows)

    def organ_pairs(self) -> Iterator[tuple[str | None, str | None]]:
        """Code and name of every deciding organ the records have, each pair once; an empty text is None."""
        pairs = "SELECT DISTINCT nullif(organ_code, ''), nullif(organ_name, '') FROM records ORDER BY ALL"
        return ((code, name) for code, name in self._rows(pairs))

    def run(self, plan: Plan) -> Iterator[AnswerRow]:
        """Work the plan out, once, and read the answers."""
        if plan.name not in self._done:
            self._work_out(plan)
            self._done.add(plan.name)
        return self._answers(plan)

    def _answers(self, plan: Plan) -> Iterator[AnswerRow]:
        order = [d.code for d in plan.policy.domains]
        for subject, outcome, refusal, counted, unresolved, waiting in self._rows(
            f"SELECT * FROM {plan.answer} ORDER BY subject"  # noqa: S608
        ):
            mine = () if refusal else {*plan.gaps, *waiting.split()}
            gaps = tuple(sorted(mine, key=order.index)) if waiting else (plan.gaps if mine else ())
            yield AnswerRow(subject, outcome, refusal, counted, unresolved, gaps)

    def execute(self, statement: str) -> None:
        """Run a statement that gives no rows. Raises ``engine-failed``."""
        with _told():
            self._database.execute(statement)

    def _work_out(self, plan: Plan) -> None:
        for name, statement in plan.sql("duckdb"):
            self.execute(f"CREATE OR REPLACE TABLE {name} AS {statement}")
        for name in plan.steps:
            self.execute(f"DROP TABLE {name}")

    def reasons(self, plan: Plan) -> Iterator[FindingRow]:
        """What counts or is unresolved; never anything hidden."""
        effects = (*COUNTING, Effect.UNRESOLVED)
        telling = plan.verdicts.numbers(lambda verdict: verdict.effect in effects and not verdict.hides)
        return self._findings(plan, "verdict = ANY($1) AND domain = ANY($2)", [telling, list(plan.chosen)])

    def findings(self, plan: Plan, subjects: Collection[int] | None = None) -> Iterator[FindingRow]:
        """Every finding of these subjects, or of all."""
        if subjects is None:
            return self._findings(plan, "true", [])
        return self._findings(plan, "asker = ANY($1)", [list(subjects)])

    def _findings(self, plan: Plan, which: str, values: list[Any]) -> Iterator[FindingRow]:
        verdicts = plan.verdicts.by_number
        statement = f"SELECT asker, id, domain, verdict, marks FROM {plan.findings} WHERE {which} ORDER BY asker, id"  # noqa: S608
        for asker, record, domain, number, marks in self._rows(statement, values):
            verdict = verdicts[number]
            words = plan.verdicts.marks(marks)
            yield FindingRow(asker, record, domain, str(verdict.effect), verdict.clause, words, verdict.hides)

    def domains(self, plan: Plan) -> Iterator[DomainRow]:
        """The results of domains that have something of the subject's own."""
        statement = f"SELECT asker, domain, counted, unresolved FROM {plan.domains} ORDER BY ALL"  # noqa: S608
        for asker, domain, counted, unresolved in self._rows(statement):
            yield DomainRow(asker, domain, domain_result(counted), counted, unresolved)

    def _rows(self, statement: str, values: list[Any] | None = None) -> Iterator[tuple[Any, ...]]:
        with self._database.cursor() as database:
            with _told():
                database.execute(statement, values)
            while True:
                with _told():
                    rows = database.fetchmany(ROWS_AT_ONCE)
                if not rows:
                    return
                yield from rows

    def close(self) -> None:
        """Close the database and delete the work folder."""
        self._open.close()

    def __enter__(self) -> Self:
        """The engine itself."""
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Close it."""
        self.close()


@contextmanager
def _database(folder: Path, limits: Limits) -> Iterator[duckdb.DuckDBPyConnection]:
    settings: dict[str, Any] = {
        "threads": limits.threads,
        "memory_limit": f"{limits.memory_bytes >> 20}MiB",
        "temp_directory": str(folder),
        "autoinstall_known_extensions": False,
        "autoload_known_extensions": False,
        "python_enable_replacements": False,
        "preserve_insertion_order": False,
    }
    with _told():
        database = duckdb.connect(":memory:", config=settings)
    with database:
        yield database


@contextmanager
def _told() -> Iterator[None]:
    """DuckDB's complaints in our words: its own quote the rows they are about."""
    try:
        yield
    except duckdb.OutOfMemoryException:
        raise EngineError(
            "核查引擎的内存或者磁盘不够。请调大 XINZHENG_SCREENING_MEMORY_MIB，或者腾出磁盘空间，再重新核查。",
            code="engine-failed",
        ) from None
    except duckdb.Error as error:
        raise EngineError(
            "核查引擎没有算完，没有给出结论。请重试；再次出现的，请联系系统管理员查看运行日志。",
            code="engine-failed",
            failure=type(error).__name__,
        ) from None


def _take_pieces(
    database: duckdb.DuckDBPyConnection, table: str, pieces: "Queue[int | None]", failures: list[Exception]
) -> None:
    """Take pieces in until None comes; after a failure they are only closed."""
    while (piece := pieces.get()) is not None:
        try:
            if not failures:
                database.execute(f"INSERT INTO {table} {_reading(piece, LISTS[table])}")
        except Exception as failure:
            failures.append(failure)
        finally:
            os.close(piece)


def _columns(columns: Mapping[str, str]) -> str:
    return ", ".join(f"{name} {TYPES[kind]}" for name, kind in columns.items())


def _reading(piece: int, columns: Mapping[str, str]) -> str:
    described = ", ".join(f"'{name}': '{TYPES[kind]}'" for name, kind in columns.items())
    return f"""SELECT * FROM read_csv('/proc/self/fd/{piece}', columns = {{{described}}}, auto_detect = false,
        header = false, delim = ',', quote = '"', escape = '"', nullstr = '', allow_quoted_nulls = false)"""  # noqa: S608


def _pieces(chunks: Iterable[bytes]) -> Iterator[int]:
    """The chunks gathered in memory files of some size; each must be closed by who takes it."""
    piece, size = -1, 0
    try:
        for chunk in chunks:
            if piece < 0:
                piece, size = os.memfd_create("screening"), 0
            size += os.write(piece, chunk)
            if size >= PIECE_BYTES:
                full, piece = piece, -1
                yield full
        if piece >= 0:
            full, piece = piece, -1
            yield full
    finally:
        if piece >= 0:
            os.close(piece)
