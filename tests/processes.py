"""Processes that tests start, wait for and end, and which of them are still at work."""

from __future__ import annotations

import contextlib
import fcntl
import os
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path

import psutil

__all__ = ["at_work", "heard", "still_running", "wait_for"]


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


@contextlib.contextmanager
def heard(*words: str, seconds: float = 60) -> Iterator[subprocess.Popen[str]]:
    """Start the command, whose stderr can be read as it comes; kill it after so many seconds."""
    command = [sys.executable, "-m", "heddle.presentation.main", *words]
    spoken = os.environ | {"PYTHONUNBUFFERED": "1"}
    with subprocess.Popen(command, stderr=subprocess.PIPE, text=True, env=spoken) as process:
        guard = threading.Timer(seconds, process.kill)
        guard.start()
        try:
            yield process
        finally:
            guard.cancel()
            process.kill()  # what has ended is not touched


def wait_for(true: Callable[[], object]) -> None:
    """Return once it is true."""
    for _ in range(4_000):
        if true():
            return
        time.sleep(0.005)
    raise AssertionError("it did not come")
