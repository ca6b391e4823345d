"""Cross-validation of a whole pipeline: raw rows in, out-of-fold predictions and scores out."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from heddle.evaluation.metrics import METRICS, score

__all__ = ["CrossValidation", "cross_validate"]

Positions = npt.NDArray[np.int64]


@dataclass(frozen=True, slots=True, kw_only=True)
class CrossValidation:
    """What the folds said."""

    predicted: npt.NDArray[np.float64]  # shape (n_rows,); NaN where a row was never held out
    folds: tuple[Mapping[str, float], ...]  # every metric, per fold
    models: tuple[Any, ...]  # fitted, one per fold; empty unless they were asked for

    @property
    def mean(self) -> dict[str, float]:
        """Mean over the folds of each metric."""
        return {key: float(np.mean([f[key] for f in self.folds])) for key in METRICS}

    @property
    def sd(self) -> dict[str, float]:
        """Standard deviation over the folds of each metric (ddof 1)."""
        return {key: float(np.std([f[key] for f in self.folds], ddof=1)) for key in METRICS}


def cross_validate(
    build: Callable[[], Any],
    rows: Any,
    target: npt.NDArray[np.float64],
    pairs: Sequence[tuple[Positions, Positions]],
    *,
    keep: bool = False,
    on_fold: Callable[[int], object] = lambda _: None,
) -> CrossValidation:
    """Fit a fresh model per fold and score it on the rows it has not seen.

    Random folds say how well the model does among neighbours it knows; `pairs(split, "block")`
    gives folds of whole cells, which say how well it does where it knows nobody.

    Args:
        build: makes an unfitted model; called once per fold.
        rows: pandas frame of raw rows.
        target: shape (n_rows,).
        pairs: (train, valid) positions, as `heddle.evaluation.splits.pairs` gives them.
        keep: return the fitted models too.
        on_fold: told the number of each finished fold, for a progress bar.

    Raises:
        ValueError: fewer than two folds.
    """
    if len(pairs) < 2:
        raise ValueError(f"cross-validation needs two folds or more, not {len(pairs)}")
    predicted = np.full(len(target), np.nan)
    scores, models = [], []
    for number, (train, valid) in enumerate(pairs):
        model = build().fit(rows.iloc[train], target[train])
        predicted[valid] = model.predict(rows.iloc[valid])
        scores.append(score(target[valid], predicted[valid]))
        if keep:
            models.append(model)
        on_fold(number)
    return CrossValidation(predicted=predicted, folds=tuple(scores), models=tuple(models))
