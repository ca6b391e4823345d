"""Sums of floats that come out the same in whatever order they are added up.

A float sum depends in its last digits on the order: on the number of threads, on the engine, on
how an engine cuts its work up. Here each number is cut into a high, a middle and a low part. The
high parts are multiples of one power of two, few enough to be added without rounding, in any
order; so are the middle ones. What is left below lies so far down that its sum is without rounding
too, unless the numbers differ by more than some sixteen powers of ten.
(Demmel and Nguyen, "Fast Reproducible Floating-Point Summation", 2013.)
"""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any

import narwhals as nw
import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray

__all__ = ["grains", "group_sums", "parts"]

_BITS = 52  # of a double, below its highest


def grains(largest: float, rows: int) -> tuple[float, float]:
    """Return the two numbers that cut parts off: added to a number and taken away again.

    >>> high, middle = grains(1000.0, 3)
    >>> x = 123.456789
    >>> (x + high) - high + ((x - ((x + high) - high)) + middle - middle) == x
    True

    Args:
        largest: no number is larger, of those that are finite.
        rows: how many are added up at most.
    """
    room = max(1, rows.bit_length())
    first = math.frexp(largest)[1] + room
    second = first - _BITS + room - 1
    if first >= 1023:  # sums near the largest double
        return 0.0, 0.0
    return math.ldexp(1.5, first), math.ldexp(1.5, second)


def parts(value: nw.Expr, largest: float, rows: int) -> tuple[nw.Expr, nw.Expr, nw.Expr]:
    """Return the high, middle and low part of a column; of what is not finite the high is all.

    The sum of the column is the sum of the highs plus (that of the middles plus that of the lows).
    """
    one, two = grains(largest, rows)
    finite = value.abs() <= largest
    high = nw.when(finite).then((value + one) - one).otherwise(value)
    rest = nw.when(finite).then(value - high).otherwise(0.0)
    middle = (rest + two) - two
    return high, middle, rest - middle


def group_sums(values: NDArray[np.float64], starts: NDArray[np.intp]) -> NDArray[np.float64]:
    """Return the sum of each slice of `values`; a slice ends where the next starts.

    >>> group_sums(np.array([1e16, 1.0, -1e16, 0.5]), np.array([0, 3])).tolist()
    [1.0, 0.5]
    """
    if not len(values):
        return values[:0]
    largest = max(float(values.max()), -float(values.min()))
    finite: Any = True
    if not math.isfinite(largest):
        finite = np.isfinite(values)
        largest = float(np.abs(values).max(where=finite, initial=0.0))
    one, two = grains(largest, len(values))
    with np.errstate(invalid="ignore"):
        high = values + one
        high -= one
        rest = values - high
        if finite is not True:
            rest[~finite] = 0.0
        sums = np.add.reduceat(high, starts)
    np.add(rest, two, out=high)
    high -= two
    rest -= high
    sums += np.add.reduceat(high, starts) + np.add.reduceat(rest, starts)
    return sums
