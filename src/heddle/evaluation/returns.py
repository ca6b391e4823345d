"""What a strategy earned and at what risk, from its simple returns, one per session.

Returns are shares of the capital at the session's start (0.01 is 1 %), finite, in time order, and
stand for a year in 252 sessions. A figure that has no value (a Sharpe ratio without spread, a
Calmar ratio without a fall) is NaN, never infinite; `written` makes null of it.
"""

from __future__ import annotations

import math
from collections.abc import Mapping

import numpy as np
import numpy.typing as npt

__all__ = [
    "SESSIONS_A_YEAR",
    "alpha_beta",
    "annual_return",
    "annual_turnover",
    "calmar",
    "cautions",
    "drawdown_sessions",
    "drawdowns",
    "equity",
    "expected_shortfall",
    "exposure",
    "information_ratio",
    "max_drawdown",
    "performance",
    "sharpe",
    "sortino",
    "trade_figures",
    "value_at_risk",
    "volatility",
    "written",
]

Values = npt.NDArray[np.float64]

SESSIONS_A_YEAR = 252
_FEWEST = 60  # observations below which a ratio is mostly luck
_ROUNDING = 1e-12  # a spread below this share of the largest value is rounding


def equity(returns: npt.ArrayLike) -> Values:
    """Return what 1 of capital has become after each session; ruin (-100 %) is for good.

    >>> equity([0.5, -0.5, -1.0, 0.2]).tolist()
    [1.5, 0.75, 0.0, 0.0]

    Raises:
        ValueError: here as in every function of this module: no returns, or one that is missing
            or infinite.
    """
    return np.asarray(np.cumprod(np.maximum(1.0 + _series(returns), 0.0)))


def annual_return(returns: npt.ArrayLike) -> float:
    """Compound annual growth rate: equity ** (252 / sessions) - 1.

    >>> round(annual_return([0.001] * 252), 6) == round(1.001**252 - 1, 6)
    True
    """
    wealth = equity(returns)
    return float(wealth[-1] ** (SESSIONS_A_YEAR / wealth.size) - 1)


def volatility(returns: npt.ArrayLike) -> float:
    """Sample standard deviation x sqrt(252); NaN for one session."""
    return _spread(_series(returns)) * math.sqrt(SESSIONS_A_YEAR)


def sharpe(returns: npt.ArrayLike, riskless: npt.ArrayLike = 0.0) -> float:
    """mean(r - rf) / sample standard deviation of (r - rf) x sqrt(252) (Sharpe 1994).

    NaN where nothing varies. The root of 252 takes sessions to be uncorrelated, which returns of
    overlapping forecasts are not (Lo 2002, The statistics of Sharpe ratios).

    >>> sharpe([0.01, 0.01, 0.01])
    nan

    Args:
        returns: shape (n_sessions,).
        riskless: return of a session without risk: one number, or shape (n_sessions,).
    """
    return _ratio(_series(returns) - np.asarray(riskless, dtype=np.float64))


def sortino(returns: npt.ArrayLike, riskless: npt.ArrayLike = 0.0) -> float:
    """As `sharpe`, with the root mean square of losses alone below (Sortino and Price 1994).

    The mean square is over all sessions, those without loss counted as 0; NaN without a loss.
    """
    excess = _series(returns) - np.asarray(riskless, dtype=np.float64)
    down = math.sqrt(float(np.mean(np.minimum(excess, 0.0) ** 2)))
    return float(excess.mean()) / down * math.sqrt(SESSIONS_A_YEAR) if down else math.nan


def drawdowns(returns: npt.ArrayLike) -> Values:
    """Return equity / highest equity so far - 1 after each session; the capital is the first peak.

    >>> [round(fall, 6) for fall in drawdowns([-0.1, 0.2, -0.5]).tolist()]
    [-0.1, 0.0, -0.5]
    """
    wealth = equity(returns)
    return np.asarray(wealth / np.maximum(np.maximum.accumulate(wealth), 1.0) - 1.0)


def max_drawdown(returns: npt.ArrayLike) -> float:
    """Deepest fall from a peak, in [-1, 0]."""
    return float(drawdowns(returns).min())


def drawdown_sessions(returns: npt.ArrayLike) -> int:
    """Return how many sessions the deepest fall kept equity below its peak, to its end or ours.

    >>> drawdown_sessions([0.1, -0.2, 0.1, 0.3, 0.0])
    2
    """
    below = drawdowns(returns)
    if below.min() == 0.0:
        return 0
    deepest = int(below.argmin())
    whole = np.flatnonzero(below == 0.0)
    after = whole[whole > deepest]
    before = whole[whole < deepest]
    first = int(before[-1]) + 1 if before.size else 0
    return (int(after[0]) if after.size else below.size) - first


def calmar(returns: npt.ArrayLike) -> float:
    """Annual return over the size of the deepest fall (Young 1991); NaN without a fall."""
    fall = max_drawdown(returns)
    return annual_return(returns) / -fall if fall else math.nan


def value_at_risk(returns: npt.ArrayLike, level: float = 0.95) -> float:
    """Historical: the (1 - level) quantile of the returns, interpolated; a loss is negative."""
    return float(np.quantile(_series(returns), 1 - level))


def expected_shortfall(returns: npt.ArrayLike, level: float = 0.95) -> float:
    """Historical CVaR: mean of the worst floor((n - 1) (1 - level)) + 1 returns.

    >>> expected_shortfall([-0.3, -0.1, *[0.01] * 38])
    -0.2
    """
    values = np.sort(_series(returns))
    worst = int((values.size - 1) * (1 - level) + 1e-9) + 1  # 1e-9: 20 x 0.05 is 1, not 0.99…
    return float(values[:worst].mean())


def alpha_beta(
    returns: npt.ArrayLike, benchmark: npt.ArrayLike, riskless: npt.ArrayLike = 0.0
) -> tuple[float, float]:
    """Return (alpha a year, beta) of r - rf = alpha + beta (b - rf) by least squares (Jensen 1968).

    alpha is the intercept x 252, not compounded. Both NaN where the benchmark does not vary.

    Raises:
        ValueError: the two are not of one length.
    """
    rf = np.asarray(riskless, dtype=np.float64)
    own, other = (values - rf for values in _together(returns, benchmark))
    if not _spread(other) > 0:
        return math.nan, math.nan
    moved = other - other.mean()
    beta = float(moved @ own / (moved @ moved))
    return float(own.mean() - beta * other.mean()) * SESSIONS_A_YEAR, beta


def information_ratio(returns: npt.ArrayLike, benchmark: npt.ArrayLike) -> float:
    """Mean / sample standard deviation of the difference to a benchmark, x sqrt(252)."""
    own, other = _together(returns, benchmark)
    return _ratio(own - other)


def annual_turnover(traded: npt.ArrayLike) -> float:
    """Sum of what was traded, as shares of the capital, per year of 252 sessions.

    >>> annual_turnover([1.0, *[0.0] * 250, 1.0])
    2.0
    """
    values = np.abs(_series(traded))
    return float(values.sum() / values.size * SESSIONS_A_YEAR)


def exposure(position: npt.ArrayLike) -> float:
    """Share of sessions with a position other than 0."""
    return float(np.mean(_series(position) != 0.0))


def trade_figures(trades: npt.ArrayLike) -> dict[str, float]:
    """Return how trades ended: number, hit rate, profit factor, average win and loss.

    The hit rate is the share of trades that gained; the profit factor what was gained over what
    was lost (NaN without a loss). Without trades all but their number are NaN.

    >>> told = trade_figures([0.5, -0.25, 0.25, 0.0])
    >>> told["hit_rate"], told["profit_factor"], told["average_win"], told["average_loss"]
    (0.5, 3.0, 0.375, -0.25)
    """
    values = np.asarray(trades, dtype=np.float64)
    if values.size:
        values = _series(values)
    won, lost = values[values > 0], values[values < 0]
    return {
        "trades": values.size,
        "hit_rate": float(np.mean(values > 0)) if values.size else math.nan,
        "profit_factor": float(won.sum() / -lost.sum()) if lost.size else math.nan,
        "average_win": float(won.mean()) if won.size else math.nan,
        "average_loss": float(lost.mean()) if lost.size else math.nan,
    }


def performance(returns: npt.ArrayLike, benchmark: npt.ArrayLike | None = None) -> dict[str, float]:
    """Return every figure of the returns alone, and beside a benchmark where there is one."""
    values = _series(returns)
    told = {
        "sessions": values.size,
        "total_return": float(equity(values)[-1] - 1),
        "annual_return": annual_return(values),
        "volatility": volatility(values),
        "sharpe": sharpe(values),
        "sortino": sortino(values),
        "max_drawdown": max_drawdown(values),
        "max_drawdown_sessions": drawdown_sessions(values),
        "calmar": calmar(values),
        "value_at_risk_95": value_at_risk(values),
        "expected_shortfall_95": expected_shortfall(values),
    }
    if benchmark is not None:
        alpha, beta = alpha_beta(values, benchmark)
        ratio = information_ratio(values, benchmark)
        told |= {"alpha": alpha, "beta": beta, "information_ratio": ratio}
    return told


def cautions(sessions: int, *, horizon: int = 1) -> tuple[str, ...]:
    """Return what a reader of the ratios has to know, in sentences; () if there is nothing.

    >>> cautions(2)
    ('only 2 sessions: below 60 a Sharpe ratio is mostly luck',)
    """
    said = []
    if sessions < _FEWEST:
        said.append(f"only {sessions} sessions: below {_FEWEST} a Sharpe ratio is mostly luck")
    if horizon > 1:
        said.append(
            f"forecasts of {horizon} sessions overlap, so that daily returns may be correlated; "
            "the Sharpe ratio takes them to be independent"
        )
    return tuple(said)


def written(figures: Mapping[str, float]) -> dict[str, float | None]:
    """Return the figures for a JSON document: null for one that has no value.

    >>> written({"sharpe": float("nan"), "sessions": 3})
    {'sharpe': None, 'sessions': 3}
    """
    return {key: value if math.isfinite(value) else None for key, value in figures.items()}


def _ratio(values: Values) -> float:
    spread = _spread(values)
    return float(values.mean()) / spread * math.sqrt(SESSIONS_A_YEAR) if spread else math.nan


def _spread(values: Values) -> float:
    """Return the sample standard deviation; exactly 0 where values differ by rounding alone."""
    if values.size < 2:
        return math.nan
    if np.ptp(values) <= _ROUNDING * np.abs(values).max():
        return 0.0
    return float(values.std(ddof=1))


def _together(returns: npt.ArrayLike, benchmark: npt.ArrayLike) -> tuple[Values, Values]:
    own, other = _series(returns), _series(benchmark)
    if own.shape != other.shape:
        raise ValueError(f"{own.size} returns and {other.size} of the benchmark")
    return own, other


def _series(values: npt.ArrayLike) -> Values:
    made = np.asarray(values, dtype=np.float64)
    if made.ndim != 1 or made.size == 0:
        raise ValueError(f"returns must be one row of at least one session, not {made.shape}")
    if not np.isfinite(made).all():
        raise ValueError("returns must be finite: a missing session is not one of return 0")
    return made
