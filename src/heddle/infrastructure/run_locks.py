"""Who is at work on a project: kernel locks, which die with the processes that hold them."""

from __future__ import annotations

import fcntl
import os
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import IO

from heddle.domain.errors import BusyError, ResourceError

__all__ = ["private_folder", "project_lock", "stage_alive"]

_PATIENCE_SECONDS = 1.5


def private_folder(root: Path) -> Path:
    """Return the folder in which Heddle keeps what is nobody else's: locks, scratch, digests."""
    return root / ".heddle"


@contextmanager
def project_lock(root: Path) -> Iterator[None]:
    """Hold the project for one run, once no stage of an earlier run is left alive.

    Raises:
        BusyError: another run holds it; its process is named.
        ResourceError: the project's folder cannot be written to.
    """
    with _opened(root, "run.lock") as file:
        if not _taken(file, fcntl.LOCK_EX):
            file.seek(0)
            holder = file.read().strip() or "another process"
            raise _busy(root, f"process {holder} is running this project")
        file.truncate(0)
        file.write(str(os.getpid()))
        file.flush()
        with _opened(root, "stages.lock") as stages:
            end = time.monotonic() + _PATIENCE_SECONDS
            while not _taken(stages, fcntl.LOCK_EX):
                if time.monotonic() > end:
                    raise _busy(root, "a stage that another program started is still at work")
                time.sleep(0.02)
        yield


@contextmanager
def stage_alive(root: Path) -> Iterator[None]:
    """Tell later runs that a stage is at work: many may be, none while a run begins."""
    with _opened(root, "stages.lock") as file:
        fcntl.flock(file, fcntl.LOCK_SH)
        yield


def _opened(root: Path, name: str) -> IO[str]:
    path = private_folder(root) / name
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        return path.open("a+", encoding="utf-8")
    except OSError as fault:
        raise ResourceError(f"cannot write: {fault.strerror}", where=str(path)) from None


def _taken(file: IO[str], how: int) -> bool:
    try:
        fcntl.flock(file, how | fcntl.LOCK_NB)
    except OSError:
        return False
    return True


def _busy(root: Path, what: str) -> BusyError:
    return BusyError(what, where=str(root), todo="Wait for it to end, then run again.")
