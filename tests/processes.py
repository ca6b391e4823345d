"""Which processes are still at work, for tests that end some."""

from __future__ import annotations

import contextlib
from collections.abc import Sequence

import psutil

__all__ = ["still_running"]


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
