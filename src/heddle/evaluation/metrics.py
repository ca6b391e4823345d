"""How far predictions are from what happened; every metric once, with its direction.

With e = |actual - predicted|; percentages are 0 to 100 and more, not fractions.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Literal

import numpy as np
import numpy.typing as npt

from heddle.domain.errors import ConfigError

__all__ = ["METRICS", "Metric", "metric", "score"]

Values = npt.NDArray[np.float64]

_TINY = 1e-8  # stands for an actual value of 0 in mape, median_ape and within


@dataclass(frozen=True, slots=True)
class Metric:
    """One figure over (actual, predicted)."""

    key: str
    direction: Literal["minimise", "maximise"]
    unit: str  # "target" (that of the target), "%" or "ratio"
    compute: Callable[[Values, Values], float]

    def __call__(self, actual: npt.ArrayLike, predicted: npt.ArrayLike) -> float:
        """Return the figure. Raises ValueError as `score` does."""
        return self.compute(*_checked(actual, predicted))

    def better(self, one: float, other: float) -> bool:
        """Whether `one` is better than `other`; NaN is never better."""
        return one < other if self.direction == "minimise" else one > other


def _mae(actual: Values, predicted: Values) -> float:
    return float(np.mean(np.abs(actual - predicted)))


def _rmse(actual: Values, predicted: Values) -> float:
    return float(np.sqrt(np.mean((actual - predicted) ** 2)))


def _r2(actual: Values, predicted: Values) -> float:
    """Coefficient of determination; 0 (or 1 if exact) for a constant actual, as scikit-learn."""
    left = float(np.sum((actual - predicted) ** 2))
    total = float(np.sum((actual - actual.mean()) ** 2))
    if total == 0.0:
        return 1.0 if left == 0.0 else 0.0
    return 1.0 - left / total


def _relative(actual: Values, predicted: Values) -> Values:
    return np.asarray(np.abs(actual - predicted) / np.maximum(np.abs(actual), _TINY))


def _mape(actual: Values, predicted: Values) -> float:
    return float(np.mean(_relative(actual, predicted)) * 100)


def _smape(actual: Values, predicted: Values) -> float:
    """Mean of e over the mean size of both, 0 to 200; a row with both 0 counts 0."""
    middle = (np.abs(actual) + np.abs(predicted)) / 2
    error = np.abs(actual - predicted)
    return float(
        np.mean(np.divide(error, middle, out=np.zeros_like(error), where=middle > 0)) * 100
    )


def _wmape(actual: Values, predicted: Values) -> float:
    """Sum of e over sum of |actual| (= MAE / mean |actual|)."""
    return float(np.abs(actual - predicted).sum() / max(np.abs(actual).sum(), _TINY) * 100)


def _median_ape(actual: Values, predicted: Values) -> float:
    return float(np.median(_relative(actual, predicted)) * 100)


def _within(share: float) -> Callable[[Values, Values], float]:
    """Share of rows with e / |actual| strictly below `share`."""

    def within(actual: Values, predicted: Values) -> float:
        return float(np.mean(_relative(actual, predicted) < share) * 100)

    return within


METRICS: Mapping[str, Metric] = MappingProxyType(
    {
        m.key: m
        for m in (
            Metric("mape", "minimise", "%", _mape),
            Metric("wmape", "minimise", "%", _wmape),
            Metric("rmse", "minimise", "target", _rmse),
            Metric("r2", "maximise", "ratio", _r2),
            Metric("mae", "minimise", "target", _mae),
            Metric("smape", "minimise", "%", _smape),
            Metric("median_ape", "minimise", "%", _median_ape),
            Metric("within_5pct", "maximise", "%", _within(0.05)),
            Metric("within_10pct", "maximise", "%", _within(0.10)),
            Metric("within_15pct", "maximise", "%", _within(0.15)),
        )
    }
)


def metric(key: str, *, where: str | None = None) -> Metric:
    """Return the metric called `key`. Raises ConfigError naming the known ones."""
    if key not in METRICS:
        raise ConfigError(f"no metric {key!r}", where=where, wanted=key, known=METRICS)
    return METRICS[key]


def score(
    actual: npt.ArrayLike, predicted: npt.ArrayLike, keys: Iterable[str] | None = None
) -> dict[str, float]:
    """Return every metric (or those of `keys`), in the order of `METRICS`.

    >>> found = score([100.0, 200.0], [110.0, 200.0])
    >>> round(found["mape"], 6), round(found["wmape"], 6), found["within_10pct"]
    (5.0, 3.333333, 50.0)

    Args:
        actual: shape (n_rows,), finite.
        predicted: shape (n_rows,), finite, in the unit of `actual`.
        keys: names of metrics; None: all.

    Raises:
        ValueError: no rows, other lengths, or a value that is missing or infinite.
        ConfigError: an unknown metric.
    """
    pair = _checked(actual, predicted)
    wanted = list(METRICS) if keys is None else [metric(key).key for key in keys]
    return {key: METRICS[key].compute(*pair) for key in wanted}


def _checked(actual: npt.ArrayLike, predicted: npt.ArrayLike) -> tuple[Values, Values]:
    one, other = np.asarray(actual, dtype=np.float64), np.asarray(predicted, dtype=np.float64)
    if one.ndim != 1 or one.shape != other.shape:
        raise ValueError(f"actual {one.shape} and predicted {other.shape} are not of one length")
    if one.size == 0:
        raise ValueError("no rows to score")
    if not (np.isfinite(one).all() and np.isfinite(other).all()):
        raise ValueError("actual and predicted must be finite")
    return one, other
