"""Fitting a model anew as time goes on, and what each fit said of the sessions until the next."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from concurrent.futures import Executor
from concurrent.futures.process import BrokenProcessPool
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd

from heddle.evaluation.walk_forward import Refit
from heddle.models.selected import selected
from heddle.training.workers import broken

__all__ = ["Walk", "walk"]

Values = npt.NDArray[np.float64]


@dataclass(frozen=True, slots=True, kw_only=True)
class Walk:
    """What the refits said, row by row; rows before the first one are NaN."""

    predicted: Values  # shape (n_rows,)
    drift: Values  # shape (n_rows,), mean target of what the row's refit had learned from
    chosen: tuple[tuple[str, ...], ...]  # features that each refit kept; () where none was chosen


def walk(
    build: Callable[[], Any],
    rows: pd.DataFrame,
    target: Values,
    plan: Sequence[Refit],
    pool: Executor,
    *,
    on_refit: Callable[[Refit], object] = lambda _: None,
) -> Walk:
    """Fit a new model at each refit of `plan`, and let it predict until the next one.

    The whole pipeline is fitted, what selects features inside it too. The result does not depend
    on how many processes work or which is done first.

    Args:
        build: makes an unfitted model.
        rows: what models see, in time order.
        target: shape (n_rows,); rows of a refit's `train` must be finite.
        plan: from `heddle.evaluation.walk_forward.refits`.
        pool: processes for the fits.
        on_refit: told of each refit when it and those before it are done.

    Raises:
        ResourceError: a process was ended from outside.
    """
    waiting = [
        pool.submit(
            _said,
            build(),
            rows.iloc[refit.train.start : refit.train.stop],
            target[refit.train.start : refit.train.stop],
            rows.iloc[refit.predict.start : refit.predict.stop],
        )
        for refit in plan
    ]
    predicted, drift = np.full(len(target), np.nan), np.full(len(target), np.nan)
    chosen = []
    try:
        for refit, future in zip(plan, waiting, strict=True):
            said, kept = future.result()
            predicted[refit.predict.start : refit.predict.stop] = said
            seen = target[refit.train.start : refit.train.stop]
            drift[refit.predict.start : refit.predict.stop] = seen.mean()
            chosen.append(kept)
            on_refit(refit)
    except BrokenProcessPool as fault:
        raise broken(fault) from None
    return Walk(predicted=predicted, drift=drift, chosen=tuple(chosen))


def _said(
    model: Any, rows: pd.DataFrame, target: Values, fresh: pd.DataFrame
) -> tuple[Values, tuple[str, ...]]:
    model.fit(rows, target)
    return np.asarray(model.predict(fresh), dtype=np.float64), selected(model)
