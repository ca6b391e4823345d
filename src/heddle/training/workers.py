"""Processes that run trials, and the guard that keeps them within the machine."""

from __future__ import annotations

import os
import threading
import time
from collections.abc import Callable, Iterator
from concurrent.futures import Executor, Future
from concurrent.futures.process import BrokenProcessPool
from contextlib import contextmanager
from typing import Any

from heddle.domain.errors import ConfigError, HeddleError, ResourceError

__all__ = ["broken", "guard", "workers"]

_IDLE_SECONDS = 60  # after which a worker ends itself
_LOOK_SECONDS = 0.5  # between two looks at whether the parent lives
_POOLS = ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS")


def guard(study_jobs: int, cv_jobs: int, model_threads: int, cores: int) -> None:
    """Refuse more threads than there are cores: they would only wait for each other.

    >>> guard(2, 1, 1, cores=2)

    Raises:
        ConfigError: a number is below 1, or the product exceeds `cores`.
    """
    parts = {"study jobs": study_jobs, "cv jobs": cv_jobs, "model threads": model_threads}
    for name, value in parts.items():
        if value < 1:
            raise ConfigError(f"{name} must be at least 1, not {value}")
    wanted = study_jobs * cv_jobs * model_threads
    if wanted > cores:
        sum_ = " x ".join(f"{name} {value}" for name, value in parts.items())
        raise ConfigError(
            f"{sum_} = {wanted} threads exceed {cores} core{'s' if cores != 1 else ''}",
            todo="Lower one of them, or raise `cores`.",
        )


@contextmanager
def workers(jobs: int, *, threads: int = 1) -> Iterator[Executor]:
    """Give an executor of `jobs` processes; one job runs in this process.

    Processes are fresh ones (no fork of a process that holds OpenMP threads), each limited to
    `threads` threads; the functions given to them may be closures. They end with this process,
    also when it is killed in the middle of their work.
    """
    if jobs == 1:
        yield _Here()
        return
    from joblib.externals.loky import get_reusable_executor

    limits = dict.fromkeys(_POOLS, str(threads))
    pool = get_reusable_executor(
        max_workers=jobs,
        timeout=_IDLE_SECONDS,
        env=limits,
        initializer=_follow,
        initargs=(os.getpid(),),
    )
    try:
        yield pool
    finally:
        pool.shutdown(wait=True, kill_workers=True)


def broken(fault: BrokenProcessPool) -> HeddleError:
    """Say what broke a pool of processes: one that ended, or work that could not be sent to it."""
    from joblib.externals.loky.process_executor import TerminatedWorkerError

    if isinstance(fault, TerminatedWorkerError):
        return ResourceError(
            "a process that ran a trial was ended from outside",
            todo="Usually memory ran out: lower the number of jobs. Run again to go on from here.",
        )
    return HeddleError(f"a trial could not be handed to another process: {fault}")


def _follow(parent: int) -> None:
    """End this process soon after its parent, whatever it is doing then."""

    def watch() -> None:
        while os.getppid() == parent:
            time.sleep(_LOOK_SECONDS)
        os._exit(1)

    threading.Thread(target=watch, daemon=True).start()


class _Here(Executor):
    """Runs each call at once, in this process."""

    def submit(self, fn: Callable[..., Any], /, *args: Any, **kwargs: Any) -> Future[Any]:
        done: Future[Any] = Future()
        try:
            done.set_result(fn(*args, **kwargs))
        except Exception as fault:  # noqa: BLE001 - handed on by Future.result
            done.set_exception(fault)
        return done
