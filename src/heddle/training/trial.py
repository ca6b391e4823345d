"""One trial of a search: parameters in, a plain record out, whatever happens in between."""

from __future__ import annotations

import math
import re
import time
from collections.abc import Callable, Mapping, Sequence
from types import MappingProxyType
from typing import Any, Protocol

from heddle.domain.entities import TrialRecord
from heddle.training.pruning import Pruning, mean

__all__ = ["Objective", "Report", "run_trial"]

Report = Callable[..., None]  # (fold, value), or with other metrics of the fold by name

_ADDRESS = re.compile(r" at 0x[0-9a-f]+")
_NOTE = 200  # characters of a reason that are kept
_NONE: Mapping[str, float] = MappingProxyType({})


class Objective(Protocol):
    """What is searched: it reports the metric fold by fold and returns the mean.

    It must be deterministic and let exceptions of `report` pass: that is how a trial is stopped.
    """

    def __call__(self, params: Mapping[str, Any], report: Report) -> float: ...


class _Stopped(Exception):
    """Raised by `report` inside an objective when its trial is not worth more folds."""


def run_trial(
    objective: Objective,
    number: int,
    params: Mapping[str, Any],
    finished: Sequence[Sequence[float]],
    pruning: Pruning,
    *,
    maximise: bool = False,
) -> TrialRecord:
    """Run one trial; an exception or a value that is not finite makes it a failed one.

    Args:
        objective: what to run.
        number: of the trial in its search.
        params: for the objective.
        finished: the metric per fold of the trials that this one is compared with.
        pruning: when to stop early.
        maximise: a higher metric is better.
    """
    folds: list[float] = []
    others: list[Mapping[str, float]] = []

    def report(fold: int, value: float, scores: Mapping[str, float] = _NONE) -> None:
        if fold != len(folds):
            raise ValueError(f"fold {fold} was reported as number {len(folds)}")
        folds.append(_finite(value, f"the metric on fold {fold}"))
        others.append(scores)
        if pruning.stops(folds, finished, maximise=maximise):
            raise _Stopped

    begin = time.perf_counter()
    state, value, note = "complete", None, ""
    try:
        value = _finite(objective(params, report), "the metric")
    except _Stopped:
        state, value = "pruned", mean(folds)
    except MemoryError:
        raise
    except Exception as fault:  # noqa: BLE001 - any fault of a trial is that trial's result
        state, value, note = "failed", None, _worded(fault)
    return TrialRecord(
        number=number,
        state=state,
        params=dict(params),
        value=value,
        folds=tuple(folds),
        seconds=time.perf_counter() - begin,
        note=note,
        scores=_means(others),
    )


def _means(folds: Sequence[Mapping[str, float]]) -> dict[str, float]:
    return {name: mean([told[name] for told in folds]) for name in (folds[0] if folds else ())}


def _finite(value: float, what: str) -> float:
    if not math.isfinite(value):
        raise ValueError(f"{what} is {value}")
    return float(value)


def _worded(fault: Exception) -> str:
    """Name a fault in one line that is the same in every run."""
    text = " ".join(f"{type(fault).__name__}: {fault}".split())
    return _ADDRESS.sub("", text)[:_NOTE].rstrip(": ")
