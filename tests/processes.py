"""Which processes, and whose stages, are still at work, for tests that end some."""

from __future__ import annotations

import contextlib
import fcntl
from collections.abc import Sequence
from pathlib import Path

import psutil

__all__ = ["at_work", "still_running"]


def still_running(family: Sequence[psutil.Process], timeout: float) -> list[psutil.Process]:
    """Return those that still run after `timeout` seconds.

    One that has ended and waits for its parent to notice does nothing any more.
    """
    left = []
    for process in psutil.wait_procs(family, timeout=timeout)[1]:
        with contextlib.suppress(psutil.NoSuchProcess):
            if process.status() != psutil.STATUS_ZOMBIE:
                left.append(process)
    return left


def at_work(root: Path) -> bool:
    """Tell whether a stage of the project is at work: who does the work holds the lock."""
    with (root / ".heddle/stages.lock").open() as file:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError:
            return True
    return False
