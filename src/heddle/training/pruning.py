"""When a trial is stopped before its last fold."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from statistics import median_low

__all__ = ["Pruning", "mean"]


def mean(values: Sequence[float]) -> float:
    """Return the mean, summed exactly, so that the same values give the same bits.

    >>> mean([1.0, 2.0, 6.0])
    3.0
    """
    return math.fsum(values) / len(values)


@dataclass(frozen=True, slots=True, kw_only=True)
class Pruning:
    """The median rule, per fold: worse than half of the finished trials at the same fold.

    It compares means over the same folds, because folds differ in difficulty far more than
    trials differ on a fold. The rule is that of Vizier (Golovin et al., KDD 2017, section 3.2.3)
    and of Optuna's `MedianPruner`, except that the latter judges a trial by its best value so
    far, which a single easy fold would set for ever.

    Args:
        startup: finished trials that must be known before the first one is stopped, >= 1.
        warmup: folds that each trial may finish unjudged, >= 0.
        enabled: false lets every trial finish.
    """

    startup: int = 5
    warmup: int = 0
    enabled: bool = True

    def __post_init__(self) -> None:
        if self.startup < 1:
            raise ValueError(f"startup must be at least 1, not {self.startup}")
        if self.warmup < 0:
            raise ValueError(f"warmup must not be negative, not {self.warmup}")

    def stops(
        self, folds: Sequence[float], finished: Sequence[Sequence[float]], *, maximise: bool = False
    ) -> bool:
        """Say whether a trial with these first folds is to be stopped.

        >>> rule = Pruning(startup=3)
        >>> rule.stops([2.5], [(1.0, 9.0), (2.0, 0.0), (3.0, 1.0)])
        True
        >>> rule.stops([2.0], [(1.0, 9.0), (2.0, 0.0), (3.0, 1.0)])
        False

        Args:
            folds: the metric on the folds that the trial has seen, in order.
            finished: the metric per fold of trials that saw all of their folds.
            maximise: a higher metric is better.
        """
        seen = len(folds)
        rivals = [mean(other[:seen]) for other in finished if len(other) >= seen]
        if not self.enabled or seen <= self.warmup or len(rivals) < self.startup:
            return False
        if maximise:
            return mean(folds) < -median_low([-r for r in rivals])
        return mean(folds) > median_low(rivals)
