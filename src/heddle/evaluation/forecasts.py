"""How good forecasts of returns are: size, direction, order, and the prices that they mean.

A return is log(price h sessions on / price today). The naive forecast is 0 (the price stays),
unless another is given. Figures that have no value are NaN; missing values are refused.
"""

from __future__ import annotations

import math

import numpy as np
import numpy.typing as npt

from heddle.evaluation.metrics import METRICS

__all__ = [
    "directional_accuracy",
    "forecast_scores",
    "information_coefficient",
    "mase",
    "oos_r2",
    "pesaran_timmermann",
    "pinball",
    "price_scores",
    "prices",
    "theils_u",
    "up_share",
]

Values = npt.NDArray[np.float64]

_NAMES = {"price_rmse": "rmse", "price_mae": "mae", "price_mape": "mape", "price_smape": "smape"}


def directional_accuracy(actual: npt.ArrayLike, predicted: npt.ArrayLike) -> float:
    """Share of rows whose sign was foretold; rows where either is 0 are left out.

    NaN when none is left, as for the naive forecast, which takes no side.

    >>> directional_accuracy([1.0, -1.0, 2.0, 0.0], [0.5, 0.5, 0.1, 1.0])
    0.6666666666666666

    Raises:
        ValueError: here as in every function of this module: no rows, other lengths, or a value
            that is missing or infinite.
    """
    up, said = _sides(actual, predicted)
    return float(np.mean(up == said)) if up.size else math.nan


def up_share(actual: npt.ArrayLike) -> float:
    """Share of rises among rows that moved: what foretelling a rise every time gets right."""
    values = _pair(actual, actual)[0]
    moved = values[values != 0.0]
    return float(np.mean(moved > 0)) if moved.size else math.nan


def pesaran_timmermann(
    actual: npt.ArrayLike, predicted: npt.ArrayLike, *, horizon: int = 1
) -> tuple[float, float]:
    """Return (statistic, one-sided p-value) that signs are foretold no better than by chance.

    Chance is what the two shares of rises alone would give, so that always foretelling a rise in
    a rising market proves nothing: it has no value (NaN). Pesaran and Timmermann 1992, A simple
    nonparametric test of predictive performance, equation 6. Rows of `horizon` sessions overlap:
    n / horizon rows count, which is cautious.

    >>> statistic, p = pesaran_timmermann([1.0, -1.0] * 50, [1.0, -1.0] * 50)
    >>> round(statistic, 2), p < 1e-6
    (10.05, True)
    """
    up, said = _sides(actual, predicted)
    rows = up.size / horizon
    if rows < 2:
        return math.nan, math.nan
    y, x = float(up.mean()), float(said.mean())
    chance = y * x + (1 - y) * (1 - x)
    hits = chance * (1 - chance) / rows
    guess = (2 * y - 1) ** 2 * x * (1 - x) / rows + (2 * x - 1) ** 2 * y * (1 - y) / rows
    guess += 4 * y * x * (1 - y) * (1 - x) / rows**2
    if not hits - guess > 1e-15:
        return math.nan, math.nan
    statistic = (float(np.mean(up == said)) - chance) / math.sqrt(hits - guess)
    return statistic, 0.5 * math.erfc(statistic / math.sqrt(2))


def information_coefficient(
    actual: npt.ArrayLike, predicted: npt.ArrayLike, *, horizon: int = 1
) -> tuple[float, float]:
    """Return (rank correlation, its t statistic) of forecast and outcome (Grinold and Kahn 1999).

    t = c sqrt((m - 2) / (1 - c^2)) with m = n / horizon rows, because those of `horizon` sessions
    overlap. NaN where either side is the same in every row; t is NaN too where m <= 2 or |c| = 1.

    >>> information_coefficient([1.0, 2.0, 3.0, 4.0], [1.0, 2.0, 4.0, 3.0])[0]
    0.8
    """
    from scipy.stats import rankdata

    one, other = _pair(actual, predicted)
    if np.ptp(one) == 0.0 or np.ptp(other) == 0.0:
        return math.nan, math.nan
    a, b = (rankdata(values) - (values.size + 1) / 2 for values in (one, other))
    found = float(a @ b / math.sqrt(float(a @ a) * float(b @ b)))
    rows = one.size / horizon
    if rows <= 2 or abs(found) >= 1:
        return found, math.nan
    return found, found * math.sqrt((rows - 2) / (1 - found**2))


def theils_u(actual: npt.ArrayLike, predicted: npt.ArrayLike, naive: npt.ArrayLike = 0.0) -> float:
    """RMSE over that of the naive forecast; below 1 is better (Theil 1966, U2).

    NaN where the naive forecast makes no error. 1 - U is the skill.

    >>> theils_u([2.0, -2.0], [1.0, -1.0])
    0.5
    """
    one, other = _pair(actual, predicted)
    reference = METRICS["rmse"](one, _filled(naive, one))
    return METRICS["rmse"](one, other) / reference if reference else math.nan


def mase(
    actual: npt.ArrayLike, predicted: npt.ArrayLike, train: npt.ArrayLike, naive: float = 0.0
) -> float:
    """MAE over the mean absolute error that the naive forecast made on the training rows.

    Hyndman and Koehler 2006, Another look at measures of forecast accuracy. `train` are the
    targets of the training rows; NaN where the naive forecast made no error there.

    >>> mase([1.0, -1.0], [0.0, 0.0], [2.0, -2.0])
    0.5
    """
    known = _pair(train, train)[0]
    scale = float(np.mean(np.abs(known - naive)))
    return METRICS["mae"](actual, predicted) / scale if scale else math.nan


def oos_r2(actual: npt.ArrayLike, predicted: npt.ArrayLike, baseline: npt.ArrayLike = 0.0) -> float:
    """1 - squared errors / those of a baseline (Campbell and Thompson 2008); below 0 is worse.

    >>> oos_r2([1.0, -1.0], [0.5, -0.5])
    0.75
    """
    one, other = _pair(actual, predicted)
    reference = float(np.sum((one - _filled(baseline, one)) ** 2))
    return 1 - float(np.sum((one - other) ** 2)) / reference if reference else math.nan


def pinball(actual: npt.ArrayLike, quantile: npt.ArrayLike, level: float) -> float:
    """Mean loss of forecasts of the `level` quantile (Koenker and Bassett 1978).

    >>> pinball([1.0, 1.0], [0.0, 2.0], 0.9)
    0.5

    Raises:
        ValueError: level out of (0, 1), too.
    """
    if not 0 < level < 1:
        raise ValueError(f"0 < level < 1 must hold, but got {level}")
    one, other = _pair(actual, quantile)
    above = one - other
    return float(np.mean(np.maximum(level * above, (level - 1) * above)))


def prices(base: npt.ArrayLike, returns: npt.ArrayLike) -> Values:
    """Return base x exp(return): the price that a log return means.

    >>> prices([100.0, 50.0], [0.0, np.log(2.0)]).tolist()
    [100.0, 100.0]

    Raises:
        ValueError: a price that is not above 0, too.
    """
    start, moved = _pair(base, returns)
    if not (start > 0).all():
        raise ValueError("prices must be above 0")
    return np.asarray(start * np.exp(moved))


def price_scores(
    actual: npt.ArrayLike, predicted: npt.ArrayLike, base: npt.ArrayLike
) -> dict[str, float]:
    """Return price_rmse, price_mae, price_mape, price_smape and price_skill of returns.

    price_skill is 1 - RMSE / RMSE of the price that stays; NaN where no price moved. Percentages
    are 0 to 100. There is no R2: that of a price that stays is near 1, and says nothing.

    Args:
        actual: log returns, shape (n_rows,).
        predicted: log returns, shape (n_rows,).
        base: price that they start from, shape (n_rows,), > 0.
    """
    came, said = prices(base, actual), prices(base, predicted)
    found = {name: METRICS[key](came, said) for name, key in _NAMES.items()}
    return {**found, "price_skill": 1 - theils_u(came, said, base)}


def forecast_scores(
    actual: npt.ArrayLike,
    predicted: npt.ArrayLike,
    *,
    base: npt.ArrayLike | None = None,
    drift: npt.ArrayLike | None = None,
    horizon: int = 1,
) -> dict[str, float]:
    """Return every figure of forecasts of log returns.

    Args:
        actual: shape (n_rows,), in time order.
        predicted: shape (n_rows,), each from what was known before its row.
        base: price at the time of each forecast, for figures in prices; None: without them.
        drift: the training mean that a forecaster would have had, a number or one per row.
        horizon: sessions of a return, for the overlap of rows.
    """
    ic, t = information_coefficient(actual, predicted, horizon=horizon)
    statistic, p_value = pesaran_timmermann(actual, predicted, horizon=horizon)
    u = theils_u(actual, predicted)
    told = {
        "rows": np.asarray(actual).size,
        "rmse": METRICS["rmse"](actual, predicted),
        "mae": METRICS["mae"](actual, predicted),
        "theils_u": u,
        "skill": 1 - u,
        "oos_r2": oos_r2(actual, predicted),
        "directional_accuracy": directional_accuracy(actual, predicted),
        "up_share": up_share(actual),
        "pesaran_timmermann": statistic,
        "pesaran_timmermann_p": p_value,
        "ic": ic,
        "ic_t": t,
    }
    if drift is not None:
        told["oos_r2_drift"] = oos_r2(actual, predicted, drift)
    return told if base is None else told | price_scores(actual, predicted, base)


def _sides(
    actual: npt.ArrayLike, predicted: npt.ArrayLike
) -> tuple[npt.NDArray[np.bool_], npt.NDArray[np.bool_]]:
    one, other = _pair(actual, predicted)
    taken = (one != 0.0) & (other != 0.0)
    return one[taken] > 0, other[taken] > 0


def _filled(value: npt.ArrayLike, like: Values) -> Values:
    return np.broadcast_to(np.asarray(value, dtype=np.float64), like.shape)


def _pair(one: npt.ArrayLike, other: npt.ArrayLike) -> tuple[Values, Values]:
    first, second = np.asarray(one, dtype=np.float64), np.asarray(other, dtype=np.float64)
    if first.ndim != 1 or first.shape != second.shape or first.size == 0:
        raise ValueError(f"{first.shape} and {second.shape} must be rows of one length, not empty")
    if not (np.isfinite(first).all() and np.isfinite(second).all()):
        raise ValueError("forecasts and outcomes must be finite")
    return first, second
