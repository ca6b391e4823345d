"""Figures of what a server answers, told to a tracker once in a while; no row is among them."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from contextlib import suppress
from statistics import fmean, quantiles
from threading import Event, Lock, Thread

from heddle.domain.entities import RequestRecord
from heddle.domain.ports import TrackedRun, Tracker

__all__ = ["MirroredAnswers"]

_MOST = 10_000  # answers of a model that are held between two tellings; more are only counted


class MirroredAnswers:
    """Counts, means and times of each model's answers, by a thread of its own.

    A fault of the tracker breaks no request: it is told once, and what was not told is lost.

    Args:
        tracker: where the figures go, as a run that lasts as long as this.
        name: of the run.
        every: seconds between two tellings.
        notice: hears of a fault.
    """

    def __init__(
        self,
        tracker: Tracker,
        *,
        name: str,
        every: float = 60.0,
        notice: Callable[[str], None] = lambda _: None,
    ) -> None:
        self._tracker, self._name, self._every, self._notice = tracker, name, every, notice
        self._lock, self._stop = Lock(), Event()
        self._held: dict[str, list[tuple[float, float]]] = {}
        self._counts: dict[str, tuple[int, int]] = {}  # rows, and those with a remark
        self._thread = Thread(target=self._run, name="heddle-mirror", daemon=True)
        self._thread.start()

    def offer(self, records: Sequence[RequestRecord]) -> bool:
        """Count answers; never wait, never raise."""
        with self._lock:
            for one in records:
                rows, flagged = self._counts.get(one.model, (0, 0))
                self._counts[one.model] = rows + 1, flagged + bool(one.flags)
                held = self._held.setdefault(one.model, [])
                if len(held) < _MOST:
                    held.append((one.prediction, one.latency_ms))
        return not self._stop.is_set()

    def close(self, timeout: float = 10.0) -> bool:
        """Tell what is left and end the run; tell whether that was done in time."""
        self._stop.set()
        self._thread.join(timeout)
        return not self._thread.is_alive()

    def _run(self) -> None:
        try:
            with self._tracker.run(self._name, {"job_type": "serving"}) as run:
                step = 0
                while not self._stop.wait(self._every):
                    step += self._tell(run, step)
                self._tell(run, step)
        except Exception as fault:  # noqa: BLE001 whatever a tracker raises
            with suppress(Exception):
                self._notice(f"answers are not mirrored any more: {type(fault).__name__}: {fault}")

    def _tell(self, run: TrackedRun, step: int) -> bool:
        with self._lock:
            held, counts = self._held, self._counts
            self._held, self._counts = {}, {}
        for model, (rows, flagged) in counts.items():
            figures = _figures(held[model])
            told = {"count": float(rows), "flagged": float(flagged), **figures}
            run.metrics({f"{model}.{name}": value for name, value in told.items()}, step)
        return bool(counts)


def _figures(held: Sequence[tuple[float, float]]) -> dict[str, float]:
    """Return mean, least and greatest prediction, and the milliseconds of answers."""
    said, taken = ([pair[at] for pair in held] for at in (0, 1))
    cuts = quantiles(taken, n=100, method="inclusive") if len(taken) > 1 else taken * 99
    return {
        "mean": fmean(said),
        "min": min(said),
        "max": max(said),
        "latency_ms.mean": fmean(taken),
        "latency_ms.p50": cuts[49],
        "latency_ms.p95": cuts[94],
        "latency_ms.p99": cuts[98],
    }
