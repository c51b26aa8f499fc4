"""The work folder (工作目录) of a run: readable by its owner alone, and gone afterwards, also after a crash.

Each run holds a lock in its folder as long as it lives; a folder whose lock nobody holds is what a killed run left,
and the next run deletes it.
"""

import fcntl
import os
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path

PREFIX = "screening-"


@contextmanager
def work_folder(parent: Path) -> Iterator[Path]:
    """A new folder of mode 0700 below ``parent``, deleted with all that is in it in every case."""
    parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    with ExitStack() as held:
        with _locked(parent):
            _sweep(parent)
            folder = Path(tempfile.mkdtemp(prefix=PREFIX, dir=parent))
            held.callback(shutil.rmtree, folder, ignore_errors=True)
            held.enter_context(_locked(folder))
        yield folder


def _sweep(parent: Path) -> int:
    """Delete the folders whose runs are dead; how many there were. Under the lock of ``parent``."""
    left = [folder for folder in parent.glob(f"{PREFIX}*") if folder.is_dir() and not _is_in_use(folder)]
    for folder in left:
        shutil.rmtree(folder, ignore_errors=True)
    return len(left)


@contextmanager
def _locked(folder: Path, how: int = fcntl.LOCK_EX) -> Iterator[None]:
    """Hold the lock of a folder; it ends with the process, however that ends."""
    lock = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    try:
        fcntl.flock(lock, how)
        yield
    finally:
        os.close(lock)


def _is_in_use(folder: Path) -> bool:
    try:
        with _locked(folder, fcntl.LOCK_EX | fcntl.LOCK_NB):
            return False
    except BlockingIOError:
        return True
