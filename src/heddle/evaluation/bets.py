"""What the directions foretold were worth, beside betting without any forecast."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from heddle.evaluation.deflated import deflated_sharpe, moments
from heddle.evaluation.forecasts import directional_accuracy, information_coefficient, up_share
from heddle.evaluation.returns import written

__all__ = ["ALWAYS_UP", "NO_BETS", "Stakes", "figures", "mean_by_period", "rival"]

Values = npt.NDArray[np.float64]
Ints = npt.NDArray[np.int64]

ALWAYS_UP, NO_BETS = "always_up", "no_bets"


@dataclass(frozen=True, slots=True, kw_only=True)
class Stakes:
    """The bets that are to be beaten: one unit in a direction that needed no candidate."""

    name: str  # of a baseline, or always_up, or no_bets
    earned: Values  # shape (n_periods,)


def mean_by_period(values: Values, period: Ints) -> Values:
    """Return the mean over the rows of each period, in ascending order of the periods.

    >>> mean_by_period(np.array([1.0, 3.0, 5.0]), np.array([0, 0, 1])).tolist()
    [2.0, 5.0]
    """
    _, place, count = np.unique(period, return_inverse=True, return_counts=True)
    return np.asarray(np.bincount(place, weights=values) / count)


def rival(baselines: Mapping[str, Values], actual: Values, period: Ints) -> Stakes:
    """Return the bets with the highest Sharpe ratio that no candidate was needed for.

    To bet on a rise every time and not to bet at all are among them whatever competes: without the
    one, whoever is always long in a rising market would look skilled, and without the other, who
    stays away from a falling one.

    >>> moves = np.array([1.0, 2.0, -1.0])
    >>> rival({}, moves, np.arange(3)).name, rival({}, -moves, np.arange(3)).name
    ('always_up', 'no_bets')

    Args:
        baselines: name -> forecasts, shape (n_rows,).
        actual: shape (n_rows,).
        period: shape (n_rows,), rows of one period count once.
    """
    said = {NO_BETS: np.zeros(len(actual)), ALWAYS_UP: np.ones(len(actual)), **baselines}
    earned = {name: _earned(values, actual, period) for name, values in said.items()}
    best = max(earned, key=lambda name: np.nan_to_num(moments(earned[name])[0]))  # first of equals
    return Stakes(name=best, earned=earned[best])


def figures(
    predicted: Values,
    actual: Values,
    period: Ints,
    against: Stakes | None,
    *,
    horizon: int,
    trials: int,
    year: int,
) -> dict[str, float | None]:
    """Return how often the direction was right, the rank correlation, and what bets on it earned.

    The ratio that is deflated is that of what the bets earned beyond `against`: the drift of a
    market is no skill. Returns over several periods overlap: only every horizon-th counts as a row
    of its own. The tries' ratios are taken to spread as those of strategies without skill do by
    chance, and each try to be independent, which is cautious: trials of one study are much alike.

    Args:
        predicted: shape (n_rows,), in the order of time.
        actual: shape (n_rows,).
        period: shape (n_rows,), ascending.
        against: None: this is a baseline, of which no excess is asked.
        horizon: periods that a forecast looks ahead.
        trials: everything that was tried.
        year: periods of a year.
    """
    earned = _earned(predicted, actual, period)
    annual = math.sqrt(year / horizon)
    told = {
        "directional_accuracy": directional_accuracy(actual, predicted),
        "up_share": up_share(actual),
        "ic": information_coefficient(actual, predicted)[0],
        "sharpe": moments(earned)[0] * annual,
        "excess_sharpe": math.nan,
        "deflated_sharpe": math.nan,
    }
    if against is not None:
        rows = len(earned) // horizon
        ratio, skew, kurtosis = moments(earned - against.earned)
        told["excess_sharpe"] = ratio * annual
        told["deflated_sharpe"] = deflated_sharpe(
            ratio,
            rows=rows,
            skew=skew,
            kurtosis=kurtosis,
            trials=max(trials, 1),
            spread=1 / math.sqrt(max(rows - 1, 1)),
        )
    return written(told)


def _earned(predicted: Values, actual: Values, period: Ints) -> Values:
    """Return the mean over each period of outcomes taken in the direction foretold."""
    return mean_by_period(np.sign(predicted) * actual, period)
