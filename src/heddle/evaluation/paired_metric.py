"""How much better one of two predictions is by a metric, and how sure that is, on the same rows."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from heddle.evaluation.losses import row_losses
from heddle.evaluation.metrics import METRICS, metric
from heddle.evaluation.paired import drawn_means

__all__ = ["Difference", "block_of", "difference", "rows_needed"]

Values = npt.NDArray[np.float64]

_BLOCKS = 5_000  # more of them tell no more, and cost time
_LEAST_BLOCKS = 10  # as long as there are rows for so many
_MOST = 10_000_000  # rows that nobody would wait for


@dataclass(frozen=True, slots=True, kw_only=True)
class Difference:
    """A metric of two predictions of the same rows; the interval is of the difference."""

    metric: str
    rows: int
    block: int  # rows that were drawn together
    one: float
    other: float
    difference: float  # of the other less the one
    low: float  # NaN: too few blocks
    high: float

    @property
    def better(self) -> int:
        """1: the other is better; -1: the one is; 0: it cannot be told."""
        if not (self.low > 0 or self.high < 0):
            return 0
        return 1 if METRICS[self.metric].better(self.difference, 0.0) else -1


def difference(
    actual: npt.ArrayLike,
    one: npt.ArrayLike,
    other: npt.ArrayLike,
    *,
    key: str,
    block: int = 1,
    draws: int = 2000,
    seed: int = 0,
    level: float = 0.95,
) -> Difference:
    """Return a metric of both, and an interval of what it differs by.

    Rows are drawn again in blocks, both predictions of a row together (`block_bootstrap`), and the
    metric is computed of each draw; the interval is that between percentiles of the differences.
    Few blocks make percentiles too narrow, so that their tails are those of Hesterberg (2015, What
    teachers should know about the bootstrap, the expanded percentile interval): with k blocks and
    t the quantile of Student's t with k - 1 degrees of freedom, Phi(-t sqrt(k / (k - 1))).

    The other way round it is the same with its sign turned, to the last bit. The median of
    relative errors is no function of means: their mean stands for it.

    >>> found = difference([10.0] * 60, [12.0, 9.0] * 30, [11.0, 10.0] * 30, key="mae")
    >>> found.one, found.other, found.difference, found.better
    (1.5, 0.5, -1.0, 1)

    Args:
        actual: shape (n_rows,), in the order of time where blocks are to mean something.
        one: predictions, shape (n_rows,).
        other: predictions of the same rows.
        key: a metric.
        block: rows that are drawn together.
        draws: of the bootstrap.
        seed: of the draws.
        level: share of draws in the interval.

    Raises:
        ConfigError: no such metric.
        ValueError: no rows, other lengths, values that are missing or infinite, block not in
            1 … rows, draws below 1, level out of (0, 1).
    """
    key = "mape" if metric(key).key == "median_ape" else key
    y, a, b = (np.asarray(values, dtype=np.float64) for values in (actual, one, other))
    first, second = METRICS[key](y, a), METRICS[key](y, b)  # which checks them
    if not 1 <= block <= y.size or draws < 1 or not 0 < level < 1:
        raise ValueError(f"1 <= block <= {y.size} (rows), draws >= 1 and 0 < level < 1 must hold")

    def drawn(values: Values) -> Values:
        return drawn_means(values, block=block, draws=draws, seed=seed)

    spread = _of_means(key, drawn(row_losses(key, y, b)), y, drawn)
    spread = spread - _of_means(key, drawn(row_losses(key, y, a)), y, drawn)
    low, high = _between(spread[np.isfinite(spread)], y.size // block, level)
    return Difference(
        metric=key,
        rows=y.size,
        block=block,
        one=first,
        other=second,
        difference=second - first,
        low=low,
        high=high,
    )


def block_of(requests: npt.ArrayLike) -> int:
    """Return how many rows that came in the order of time are to be drawn together.

    Rows near each other in time are alike, and those of one request are of one hand. A block is as
    long as the cube root of the rows, the rate at which the variance of a mean is told best (Hall,
    Horowitz and Jing 1995, On blocking rules for the bootstrap with dependent data), and at least
    as long as a request is on average; but there are ten blocks at least where there are rows.

    >>> block_of([1] * 40 + [2] * 40 + [3] * 920), block_of(range(1000)), block_of([1, 1, 1])
    (100, 10, 1)

    Args:
        requests: what tells the request that a row belongs to, shape (n_rows,).
    """
    names = np.asarray(requests)
    rows = names.size
    alike = rows / max(np.unique(names).size, 1)
    wanted = max(math.ceil(round(math.cbrt(rows), 9)), math.ceil(alike), math.ceil(rows / _BLOCKS))
    return int(max(min(wanted, rows // _LEAST_BLOCKS), 1))


def rows_needed(found: Difference) -> int | None:
    """Return how many rows more would tell, if the difference stays what it is; None: too many.

    The interval shrinks with the square root of the rows.
    """
    half, size = (found.high - found.low) / 2, abs(found.difference)
    if found.better or not math.isfinite(half):
        return 0 if found.better else None
    if not size * math.sqrt(_MOST) > half * math.sqrt(found.rows):
        return None
    return max(math.ceil(found.rows * math.pow(half / size, 2)) - found.rows, 1)


def _of_means(key: str, loss: Values, actual: Values, drawn: Callable[[Values], Values]) -> Values:
    """Return the metric of each draw, from the mean of its losses; NaN or more without one."""
    if key == "rmse":
        return np.asarray(np.sqrt(np.maximum(loss, 0.0)))
    if key == "wmape":
        with np.errstate(divide="ignore", invalid="ignore"):
            return np.asarray(100 * loss / drawn(np.abs(actual)))
    if key == "r2":
        middle = actual.mean()  # the variance is the same about any place, and better told near
        variance = drawn((actual - middle) ** 2) - drawn(actual - middle) ** 2
        with np.errstate(divide="ignore", invalid="ignore"):
            return np.asarray(1 - loss / variance)
    if key == "mape":
        return 100 * loss
    return 100 * (1 - loss) if key.startswith("within_") else loss


def _between(spread: Values, blocks: int, level: float) -> tuple[float, float]:
    from scipy.special import ndtr, stdtrit

    if blocks < 2 or spread.size == 0:
        return math.nan, math.nan
    t = stdtrit(blocks - 1, (1 + level) / 2)
    tail = float(ndtr(-t * math.sqrt(blocks / (blocks - 1))))
    return float(np.quantile(spread, tail)), -float(np.quantile(-spread, tail))
