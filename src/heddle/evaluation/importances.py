"""How much worse predictions of unseen rows get when a column is shuffled."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd

from heddle.evaluation.metrics import metric

__all__ = ["permutation_importances"]

Positions = npt.NDArray[np.int64]


def permutation_importances(
    models: Sequence[Any],
    rows: pd.DataFrame,
    target: npt.NDArray[np.float64],
    held_out: Sequence[Positions],
    *,
    columns: Sequence[str],
    key: str,
    seed: int,
    repeats: int = 3,
    most_rows: int = 1000,
) -> list[Mapping[str, Any]]:
    """Return [{"feature", "mean", "sd"}], the largest mean first.

    Each model judges rows of its own held-out fold. A column's figure is the loss of metric `key`
    when the column's values are dealt anew among those rows, positive when the column helps
    (Breiman 2001, Random Forests, section 10; on raw columns, so that a column and what the
    pipeline makes of it count together). Columns that carry the same news share it, and each looks
    less important than it is.

    The cost is bounded by rows, not by the clock, so that the same seed gives the same table:
    len(models) x len(columns) x repeats x most_rows predictions.

    Args:
        models: fitted, raw rows in.
        rows: raw rows.
        target: shape (n_rows,).
        held_out: positions of the rows each model has not seen.
        columns: raw columns to shuffle.
        key: a metric.
        seed: of the rows drawn and of the shuffles.
        repeats: shuffles per column and model.
        most_rows: rows used per fold.

    Raises:
        ConfigError: an unknown metric.
        ValueError: other numbers of models and folds.
    """
    judge = metric(key)
    sign = 1.0 if judge.direction == "minimise" else -1.0
    losses: dict[str, list[float]] = {name: [] for name in columns}
    for number, (model, positions) in enumerate(zip(models, held_out, strict=True)):
        rng = np.random.default_rng([seed, number])
        kept = np.sort(rng.permutation(positions)[:most_rows])
        sample, actual = rows.iloc[kept], target[kept]
        base = judge(actual, model.predict(sample))
        for name in columns:
            orders = [rng.permutation(len(kept)) for _ in range(repeats)]
            found = _shuffled(model, sample, name, orders)
            losses[name] += [sign * (judge(actual, p) - base) for p in found]
    table = [
        {"feature": n, "mean": float(np.mean(v)), "sd": float(np.std(v))} for n, v in losses.items()
    ]
    return sorted(table, key=lambda row: (-row["mean"], row["feature"]))


def _shuffled(
    model: Any, sample: pd.DataFrame, name: str, orders: Sequence[Positions]
) -> list[npt.NDArray[np.float64]]:
    """Predict all shuffles of a column in one call."""
    stacked = pd.concat([sample] * len(orders), ignore_index=True)
    places = np.concatenate(orders)
    stacked[name] = sample[name].take(places).to_numpy()
    return np.split(np.asarray(model.predict(stacked)), len(orders))
