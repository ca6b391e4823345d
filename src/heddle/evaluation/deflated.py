"""How much a Sharpe ratio is worth that was the best of many that were tried.

All ratios here are of one period: mean over standard deviation of its returns, not annualised.
"""

from __future__ import annotations

import math

import numpy as np
import numpy.typing as npt

__all__ = ["deflated_sharpe", "expected_best", "moments", "probabilistic_sharpe"]

_EULER = 0.5772156649015329


def moments(returns: npt.ArrayLike) -> tuple[float, float, float]:
    """Return (Sharpe ratio, skewness, kurtosis) of returns; a normal kurtosis is 3.

    All are NaN for fewer than two returns, or where they do not vary.

    >>> [round(v, 3) for v in moments([0.01, -0.02, 0.03, 0.02])]
    [0.463, -0.687, 2.0]

    Raises:
        ValueError: a value that is missing or infinite.
    """
    values = np.asarray(returns, dtype=np.float64)
    if not np.isfinite(values).all():
        raise ValueError("returns must be finite")
    if values.size < 2 or values.min() == values.max():
        return math.nan, math.nan, math.nan
    centred = values - values.mean()
    spread = float(np.sqrt(np.mean(centred**2)))
    skew = float(np.mean(centred**3)) / spread**3
    kurtosis = float(np.mean(centred**4)) / spread**4
    return float(values.mean() / values.std(ddof=1)), skew, kurtosis


def probabilistic_sharpe(
    sharpe: float, *, rows: int, skew: float, kurtosis: float, above: float = 0.0
) -> float:
    """Return how sure one is that the true Sharpe ratio is greater than `above`, 0 to 1.

    Bailey and Lopez de Prado (2012, The Sharpe ratio efficient frontier): the estimate is normal
    around the truth with variance (1 - skew SR + (kurtosis - 1) / 4 SR²) / (rows - 1).

    >>> probabilistic_sharpe(0.0, rows=100, skew=0.0, kurtosis=3.0)
    0.5

    Args:
        sharpe: as measured, of one period.
        rows: returns that it was measured on, without overlap.
        skew: of the returns.
        kurtosis: of the returns, 3 for normal ones.
        above: ratio of one period that is to be exceeded.

    Returns:
        NaN with fewer than two rows, a ratio that is NaN, or moments under which the variance is
        not positive.
    """
    variance = 1 - skew * sharpe + (kurtosis - 1) / 4 * sharpe**2
    if rows < 2 or not variance > 0:
        return math.nan
    return _normal((sharpe - above) * math.sqrt((rows - 1) / variance))


def expected_best(trials: int, spread: float) -> float:
    """Return the Sharpe ratio to expect of the best of `trials` tries that have no skill.

    Bailey and Lopez de Prado (2014, The deflated Sharpe ratio, equation 1) after the false
    strategy theorem; one try alone is expected to have 0.

    >>> expected_best(1, 0.1), round(expected_best(100, 0.1), 4)
    (0.0, 0.2531)

    Args:
        trials: independent tries, >= 1.
        spread: standard deviation of the tries' ratios, >= 0.

    Raises:
        ValueError: a bound that is not kept.
    """
    from scipy.special import ndtri

    if trials < 1 or not spread >= 0:
        raise ValueError(f"trials >= 1 and spread >= 0 must hold, but got {trials} and {spread}")
    if trials == 1:
        return 0.0
    first, second = ndtri(1 - 1 / trials), ndtri(1 - 1 / (trials * math.e))
    return float(spread * ((1 - _EULER) * first + _EULER * second))


def deflated_sharpe(
    sharpe: float, *, rows: int, skew: float, kurtosis: float, trials: int, spread: float
) -> float:
    """Return how sure one is that a Sharpe ratio is more than luck, 0 to 1.

    The probability that the true ratio is greater than the best one that as many tries without
    skill would show (Bailey and Lopez de Prado 2014, The deflated Sharpe ratio). Tries that are
    alike count as fewer; whoever counts each of them is on the safe side.

    >>> round(deflated_sharpe(2.5 / 250**0.5, rows=1250, skew=-3.0, kurtosis=10.0,
    ...                       trials=100, spread=(0.5 / 250) ** 0.5), 3)
    0.9

    Args:
        sharpe: the best one, as measured, of one period.
        rows: returns that it was measured on, without overlap.
        skew: of the returns.
        kurtosis: of the returns, 3 for normal ones.
        trials: everything that was tried, >= 1.
        spread: standard deviation of the tries' ratios, >= 0.

    Returns:
        NaN as `probabilistic_sharpe`.

    Raises:
        ValueError: a bound of `expected_best` that is not kept.
    """
    luck = expected_best(trials, spread)
    return probabilistic_sharpe(sharpe, rows=rows, skew=skew, kurtosis=kurtosis, above=luck)


def _normal(value: float) -> float:
    from scipy.special import ndtr

    return float(ndtr(value))
