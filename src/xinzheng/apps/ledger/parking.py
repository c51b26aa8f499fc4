"""Checked rows wait on disk until it is known which of them make versions; one file a stretch, gone when read back."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from tempfile import TemporaryDirectory

import polars as pl


@dataclass
class Parked:
    """Stretches of rows, in line order."""

    folder: Path
    files: list[Path] = field(default_factory=list)

    def add(self, frame: pl.DataFrame) -> None:
        """Write a stretch down."""
        file = self.folder / str(len(self.files))
        frame.write_ipc(file, compression="lz4")
        self.files.append(file)

    def taken(self) -> Iterator[pl.DataFrame]:
        """Read the stretches back, deleting each one read."""
        for file in self.files:
            frame = pl.read_ipc(file.read_bytes())
            file.unlink()
            yield frame


@contextmanager
def parking() -> Iterator[Parked]:
    """A private folder to park in; whatever is still there at the end is deleted."""
    with TemporaryDirectory(prefix="xinzheng-intake-") as folder:
        yield Parked(Path(folder))
