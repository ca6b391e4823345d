"""What kind of number a target is, and which metrics say something of it."""

from __future__ import annotations

from typing import Literal

from heddle.evaluation.metrics import METRICS

__all__ = ["Scale", "meaningful"]

Scale = Literal["level", "return"]


def meaningful(scale: Scale) -> tuple[str, ...]:
    """Return the metrics to show: all for a level (a price), no percentages for a return.

    A return lies around 0, and an error in percent of nearly nothing says nothing.

    >>> meaningful("return")
    ('rmse', 'r2', 'mae')
    """
    return tuple(key for key, m in METRICS.items() if scale == "level" or m.unit != "%")
