"""What each row adds to a metric: the losses by which two forecasts of the same rows are paired."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import partial
from types import MappingProxyType

import numpy as np
import numpy.typing as npt

from heddle.evaluation.metrics import METRICS, metric

__all__ = ["row_losses"]

Values = npt.NDArray[np.float64]

_TINY = 1e-8  # stands for an actual value of 0, as in the metrics


def row_losses(key: str, actual: npt.ArrayLike, predicted: npt.ArrayLike) -> Values:
    """Return a loss for each row; the metric is a function of their mean, or close to it.

    Squared errors for rmse and r2, absolute ones for mae and wmape, relative ones for mape and
    median_ape, misses (1 or 0) for the shares within a bound. A lower mean is better, always.

    >>> row_losses("rmse", [1.0, 2.0], [1.0, 4.0]).tolist()
    [0.0, 4.0]
    >>> row_losses("within_10pct", [100.0, 100.0], [105.0, 120.0]).tolist()
    [0.0, 1.0]

    Args:
        key: a metric.
        actual: shape (n_rows,).
        predicted: shape (n_rows,).

    Raises:
        ConfigError: an unknown metric.
    """
    found = _LOSSES[metric(key).key]
    return found(np.asarray(actual, dtype=np.float64), np.asarray(predicted, dtype=np.float64))


def _squared(actual: Values, predicted: Values) -> Values:
    return np.asarray((actual - predicted) ** 2)


def _absolute(actual: Values, predicted: Values) -> Values:
    return np.abs(actual - predicted)


def _relative(actual: Values, predicted: Values) -> Values:
    return np.asarray(_absolute(actual, predicted) / np.maximum(np.abs(actual), _TINY))


def _of_metric(key: str, actual: Values, predicted: Values) -> Values:
    """Return the metric of each row alone."""
    compute = METRICS[key].compute
    pairs = zip(actual, predicted, strict=True)
    return np.asarray([compute(np.asarray([a]), np.asarray([p])) for a, p in pairs])


def _missed(key: str, actual: Values, predicted: Values) -> Values:
    return np.asarray(1 - _of_metric(key, actual, predicted) / 100)


_LOSSES: Mapping[str, Callable[[Values, Values], Values]] = MappingProxyType(
    {
        "rmse": _squared,
        "r2": _squared,
        "mae": _absolute,
        "wmape": _absolute,
        "mape": _relative,
        "median_ape": _relative,
        "smape": partial(_of_metric, "smape"),
        **{key: partial(_missed, key) for key in METRICS if key.startswith("within_")},
    }
)
