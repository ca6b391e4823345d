"""Signals to a run: they end its processes first, then the run."""

from __future__ import annotations

import signal
import threading
from collections.abc import Callable, Container, Iterable, Iterator
from concurrent.futures import FIRST_COMPLETED, Future, ThreadPoolExecutor, wait
from contextlib import contextmanager, suppress
from typing import Any

__all__ = ["end_children", "first_done", "interruptible", "sigterm_interrupts"]


@contextmanager
def sigterm_interrupts() -> Iterator[None]:
    """Let SIGTERM raise KeyboardInterrupt, as SIGINT does; a no-op outside the main thread."""
    if threading.current_thread() is not threading.main_thread():
        yield
        return
    before = signal.signal(signal.SIGTERM, signal.default_int_handler)
    try:
        yield
    finally:
        signal.signal(signal.SIGTERM, before)


def interruptible(call: Callable[[], Any]) -> Any:
    """Return what `call` returns; on SIGINT and SIGTERM end its processes first.

    DVC ignores SIGINT while a stage runs, so `call` runs beside the main thread.

    Raises:
        KeyboardInterrupt: a signal came.
    """
    if threading.current_thread() is not threading.main_thread():
        return call()
    with sigterm_interrupts(), ThreadPoolExecutor(1) as pool:
        future = pool.submit(call)
        first_done([future])
        return future.result()


def first_done(running: Iterable[Future[Any]]) -> set[Future[Any]]:
    """Wait until one of the calls has ended; on a signal end all processes below, then raise.

    Polars' handler lets a wait for a lock go on after SIGINT: hence the short waits.
    """
    try:
        while True:
            ended, _ = wait(running, timeout=0.2, return_when=FIRST_COMPLETED)
            if ended:
                return ended
    except KeyboardInterrupt:
        end_children()
        raise


def end_children(patience_seconds: float = 5, spared: Container[int] = ()) -> None:
    """Ask all processes below this one but the spared ones to end, and end those that do not."""
    import psutil

    found = psutil.Process().children(recursive=True)
    children = [child for child in found if child.pid not in spared]
    for ask in (psutil.Process.terminate, psutil.Process.kill):
        for child in children:
            with suppress(psutil.Error):
                ask(child)
        _, children = psutil.wait_procs(children, timeout=patience_seconds)
