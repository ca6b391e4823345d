"""Windows over one series, each added up by itself, its oldest value first.

What a window gives depends on the values in it alone: not on how long the series is, where in it
the window lies, or what came before. So a feature of today is the same to the bit whether it is
made from the whole history or from its last rows; running sums, which drift, cannot promise that.
Every function returns as many values as it is given; NaN where the window is not full, or where
there is NaN in it.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass
from typing import TypeAlias

import numpy as np
from numpy.typing import NDArray

__all__ = [
    "Floats",
    "Moments",
    "before",
    "decay",
    "highest",
    "lowest",
    "means",
    "moments",
    "weighted",
]

Floats: TypeAlias = NDArray[np.float64]


def before(values: Floats, rows: int) -> Floats:
    """Return what stood `rows` rows earlier.

    >>> before(np.array([1.0, 2.0, 3.0]), 2).tolist()
    [nan, nan, 1.0]
    """
    return values if rows == 0 else _late(values[: max(len(values) - rows, 0)], len(values))


def means(values: Floats, window: int) -> Floats:
    """Return the mean of each `window` values.

    >>> means(np.array([1.0, 2.0, 6.0]), 2).tolist()
    [nan, 1.5, 4.0]
    """
    return weighted(values, [1.0] * window) / window


def weighted(values: Floats, weights: list[float]) -> Floats:
    """Return the sum of each `len(weights)` values, each times its weight; the last is the newest.

    >>> weighted(np.array([1.0, 2.0, 6.0]), [10.0, 1.0]).tolist()
    [nan, 12.0, 26.0]
    """
    full = len(values) - len(weights) + 1
    if full < 1:
        return np.full(len(values), np.nan)
    total, part = np.zeros(full), np.empty(full)
    for place, weight in enumerate(weights):
        total += np.multiply(values[place : place + full], weight, out=part)
    return _late(total, len(values))


def decay(keep: float, rows: int) -> list[float]:
    """Return `rows` weights that sum to 1, each `keep` times the one after it.

    >>> decay(0.5, 2)
    [0.3333333333333333, 0.6666666666666666]
    """
    falling = [keep**age for age in reversed(range(rows))]
    total = math.fsum(falling)
    return [weight / total for weight in falling]


def lowest(values: Floats, window: int) -> Floats:
    """Return the least of each `window` values."""
    return _extreme(values, window, np.minimum)


def highest(values: Floats, window: int) -> Floats:
    """Return the greatest of each `window` values."""
    return _extreme(values, window, np.maximum)


@dataclass(frozen=True, slots=True)
class Moments:
    """The shape of each window: sums of powers of the distances from its mean."""

    window: int
    mean: Floats
    squares: Floats
    cubes: Floats
    flat: NDArray[np.bool_]  # the window holds one value only

    def std(self, lost: int = 1) -> Floats:
        """Return the standard deviation: of a sample, or with `lost` 0 of the values as such."""
        return np.where(self.flat, 0.0, np.sqrt(self.squares / (self.window - lost)))

    def skew(self) -> Floats:
        """Return the adjusted Fisher-Pearson skewness (G1 of Joanes and Gill 1998); flat: 0."""
        n = self.window
        second, third = self.squares / n, self.cubes / n
        with np.errstate(invalid="ignore", divide="ignore"):
            skew = third / (second * np.sqrt(second)) * (math.sqrt(n * (n - 1)) / (n - 2))
        return np.where(self.flat, 0.0, skew)


def moments(values: Floats, window: int) -> Moments:
    """Return mean and central sums of each `window` values, in two passes."""
    mean = means(values, window)
    squares, cubes = np.full(len(values), np.nan), np.full(len(values), np.nan)
    full = len(values) - window + 1
    if full > 0:
        squares[window - 1 :] = cubes[window - 1 :] = 0.0
        away, power = np.empty(full), np.empty(full)
        middle, second, third = mean[window - 1 :], squares[window - 1 :], cubes[window - 1 :]
        for place in range(window):
            np.subtract(values[place : place + full], middle, out=away)
            second += np.multiply(away, away, out=power)
            third += np.multiply(power, away, out=power)
    flat = (lowest(values, window) == highest(values, window)) | (squares == 0.0)
    return Moments(window, mean, squares, cubes, flat)


def _extreme(values: Floats, window: int, pick: Callable[[Floats, Floats], Floats]) -> Floats:
    """Two windows make one of twice the length: the order does not matter here."""
    if len(values) < window:
        return np.full(len(values), np.nan)
    found, reach = values, 1
    while reach < window:
        step = min(reach, window - reach)
        found = pick(found[step:], found[:-step])
        reach += step
    return _late(found, len(values))


def _late(values: Floats, rows: int) -> Floats:
    """Return `values` after as many NaN as make `rows` of them."""
    out = np.full(rows, np.nan)
    out[rows - len(values) :] = values
    return out
