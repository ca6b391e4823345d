"""What a model has to beat to be worth anything."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
import numpy.typing as npt

from heddle.evaluation.metrics import metric

__all__ = ["constant_baselines", "not_beaten", "skill"]


def constant_baselines(
    train_target: npt.ArrayLike, rows: int
) -> dict[str, npt.NDArray[np.float64]]:
    """Return the predictions of `mean` and `median` of the training target for `rows` rows.

    >>> {k: v.tolist() for k, v in constant_baselines([1.0, 2.0, 6.0], 2).items()}
    {'mean': [3.0, 3.0], 'median': [2.0, 2.0]}

    Raises:
        ValueError: no target, or a value that is missing or infinite.
    """
    target = np.asarray(train_target, dtype=np.float64)
    if target.size == 0 or not np.isfinite(target).all():
        raise ValueError("a baseline needs a target, finite in every row")
    return {
        "mean": np.full(rows, float(target.mean())),
        "median": np.full(rows, float(np.median(target))),
    }


def skill(value: float, reference: float) -> float | None:
    """Return 1 - value / reference of an error: 1 is perfect, 0 the reference, below 0 worse.

    The skill score of an error whose best value is 0 (Murphy 1988); None where the reference
    makes no error.

    >>> skill(30.0, 40.0)
    0.25
    """
    return None if reference == 0 else 1 - value / reference


def not_beaten(key: str, value: float, baselines: Mapping[str, float]) -> tuple[str, ...]:
    """Return the baselines that metric `key` finds as good as `value` or better, best first.

    >>> not_beaten("wmape", 30.0, {"mean": 44.0, "linear": 29.0})
    ('linear',)

    Raises:
        ConfigError: an unknown metric.
    """
    judge = metric(key)
    ahead = [name for name, other in baselines.items() if not judge.better(value, other)]
    sign = 1 if judge.direction == "minimise" else -1
    return tuple(sorted(ahead, key=lambda name: (sign * baselines[name], name)))
