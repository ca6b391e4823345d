"""Prediction intervals from held-out errors, and whether they cover what they promise.

Split-conformal: with n held-out absolute errors, the ceil((n + 1) level)-th smallest is added on
both sides (Lei et al. 2018, Distribution-free predictive inference for regression, section 2.2).
With errors of out-of-fold predictions instead of one held-out set this is the pooled form of
CV+ (Barber et al. 2021, Predictive inference with the jackknife+); its coverage is nominal in
practice for stable models, guaranteed only down to 1 - 2 (1 - level).
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

__all__ = ["LEVELS", "Interval", "calibration", "conformal", "coverage"]

Values = npt.NDArray[np.float64]

LEVELS = (0.5, 0.6, 0.7, 0.8, 0.9, 0.95)


@dataclass(frozen=True, slots=True, kw_only=True)
class Interval:
    """Half the width of an interval, in the target's unit or as a share of the prediction."""

    level: float  # share of new rows that is to lie inside
    half: float  # infinite when there were too few errors for the level
    relative: bool = False  # half is a share of |prediction|

    def around(self, predicted: npt.ArrayLike) -> tuple[Values, Values]:
        """Return (lower, upper) for predictions of shape (n_rows,).

        >>> lower, upper = Interval(level=0.9, half=0.2, relative=True).around([100.0])
        >>> lower.tolist(), upper.tolist()
        ([80.0], [120.0])
        """
        middle = np.asarray(predicted, dtype=np.float64)
        reach = self.half * np.abs(middle) if self.relative else np.full_like(middle, self.half)
        return middle - reach, middle + reach


def conformal(
    actual: npt.ArrayLike, predicted: npt.ArrayLike, *, level: float, relative: bool = False
) -> Interval:
    """Return the interval that held-out predictions teach.

    >>> conformal([1.0, 2.0, 3.0, 4.0], [1.0, 2.5, 2.0, 6.0], level=0.6).half
    1.0

    Args:
        actual: shape (n_rows,).
        predicted: shape (n_rows,), each by a model that has not seen the row.
        level: share of new rows to cover, in (0, 1).
        relative: scale the errors by |predicted|, for errors that grow with the prediction.

    Raises:
        ValueError: level out of (0, 1), no rows, other lengths, a value missing or infinite, or a
            prediction of 0 with `relative`.
    """
    if not 0 < level < 1:
        raise ValueError(f"0 < level < 1 must hold, but got {level}")
    errors = np.sort(_errors(actual, predicted, relative=relative))
    rank = math.ceil((errors.size + 1) * level - 1e-9)  # 1e-9: 0.6 x 5 is 3, not 3.0000000000000004
    half = float(errors[rank - 1]) if rank <= errors.size else math.inf
    return Interval(level=level, half=half, relative=relative)


def coverage(actual: npt.ArrayLike, lower: npt.ArrayLike, upper: npt.ArrayLike) -> float:
    """Return the share of rows with lower <= actual <= upper, in [0, 1].

    >>> coverage([1.0, 5.0], [0.0, 0.0], [2.0, 2.0])
    0.5

    Raises:
        ValueError: no rows.
    """
    values = np.asarray(actual, dtype=np.float64)
    if values.size == 0:
        raise ValueError("no rows to cover")
    inside = (np.asarray(lower) <= values) & (values <= np.asarray(upper))
    return float(inside.mean())


def calibration(
    held_out: tuple[npt.ArrayLike, npt.ArrayLike],
    fresh: tuple[npt.ArrayLike, npt.ArrayLike],
    *,
    levels: Sequence[float] = LEVELS,
    relative: bool = False,
) -> list[Mapping[str, float]]:
    """Return [{"level", "coverage"}]: what intervals promise and what they keep on fresh rows.

    Args:
        held_out: (actual, predicted) the intervals are learnt from.
        fresh: (actual, predicted) they are tried on.
        levels: each in (0, 1).
        relative: as in `conformal`.
    """
    rows: list[Mapping[str, float]] = []
    for level in levels:
        bounds = conformal(*held_out, level=level, relative=relative).around(fresh[1])
        rows.append({"level": level, "coverage": coverage(fresh[0], *bounds)})
    return rows


def _errors(actual: npt.ArrayLike, predicted: npt.ArrayLike, *, relative: bool) -> Values:
    one, other = np.asarray(actual, dtype=np.float64), np.asarray(predicted, dtype=np.float64)
    if one.ndim != 1 or one.shape != other.shape or one.size == 0:
        raise ValueError(f"actual {one.shape} and predicted {other.shape} must be equal, not empty")
    if not (np.isfinite(one).all() and np.isfinite(other).all()):
        raise ValueError("actual and predicted must be finite")
    errors = np.abs(one - other)
    if not relative:
        return errors
    if (other == 0).any():
        raise ValueError("relative intervals need predictions other than 0")
    return np.asarray(errors / np.abs(other))
