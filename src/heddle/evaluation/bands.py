"""What chance alone makes of a strategy: its returns drawn again, in blocks of sessions.

The circular block bootstrap (Politis and Romano 1992): a path is made of blocks of sessions that
follow each other, the first session after the last, so that what hangs together for a while stays
together.
"""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import numpy.typing as npt

from heddle.evaluation.returns import SESSIONS_A_YEAR, sharpe

__all__ = ["drawn_again", "expected_band", "sharpe_difference"]

Values = npt.NDArray[np.float64]
Ints = npt.NDArray[np.int64]

_AT_ONCE = 2_000_000  # values drawn at a time


def drawn_again(
    returns: npt.ArrayLike, sessions: int, *, block: int, draws: int, seed: int
) -> Values:
    """Return paths of returns, shape (draws, sessions), each made of blocks of the given ones.

    >>> drawn_again([0.1, 0.2, 0.3], 4, block=2, draws=1, seed=0).shape
    (1, 4)

    Raises:
        ValueError: no returns, or a number below 1.
    """
    values = np.asarray(returns, dtype=np.float64)
    return np.asarray(values[_places(values.size, sessions, block, draws, seed)])


def expected_band(
    returns: npt.ArrayLike,
    *,
    window: int = 60,
    level: float = 0.9,
    block: int = 20,
    draws: int = 2000,
    seed: int,
) -> dict[str, Any]:
    """Return where `level` of the windows lie that a strategy with these returns goes through.

    For monitoring: a Sharpe ratio of `window` sessions below `sharpe.low`, or a fall below
    `drawdown.low` within them (`drawdown_year.low` within a year), is worse than the back-test
    makes likely. `low` leaves (1 - level) / 2 of the windows below it, `high` as many above; null
    where no window has a value, because nothing was ever held.
    """
    tail = (1 - level) / 2
    year = SESSIONS_A_YEAR
    paths = {
        name: drawn_again(returns, sessions, block=block, draws=draws, seed=seed)
        for name, sessions in (("window", window), ("year", year))
    }
    found = {
        "sharpe": _ratios(paths["window"]),
        "drawdown": _falls(paths["window"]),
        "drawdown_year": _falls(paths["year"]),
    }
    told: dict[str, Any] = {
        "level": level,
        "window": window,
        "year": year,
        "block": block,
        "draws": draws,
    }
    for name, values in found.items():
        known = values[np.isfinite(values)]
        low, high = np.quantile(known, [tail, 1 - tail]).tolist() if known.size else (None, None)
        told[name] = {"low": low, "high": high}
    return told


def sharpe_difference(
    returns: npt.ArrayLike,
    benchmark: npt.ArrayLike,
    *,
    block: int = 20,
    draws: int = 2000,
    level: float = 0.95,
    seed: int,
) -> dict[str, float]:
    """Return how much higher the Sharpe ratio is than that of a benchmark in the same sessions.

    Both are drawn in the same blocks, so that what moves both cancels. low and high hold `level`
    of the differences drawn. p_value is one-sided: the share of draws without a difference above
    0, one draw added (Ledoit and Wolf 2008, Robust performance hypothesis testing with the Sharpe
    ratio, without their studentisation). NaN where either ratio has no value.
    """
    one, other = (np.asarray(v, dtype=np.float64) for v in (returns, benchmark))
    difference = sharpe(one) - sharpe(other)
    told = {"difference": difference, "low": math.nan, "high": math.nan, "p_value": math.nan}
    if not math.isfinite(difference):
        return told
    rows, drawn = one.size, []
    each = max(_AT_ONCE // rows, 1)
    for first in range(0, draws, each):
        at = _places(rows, rows, block, min(each, draws - first), seed + first)
        drawn.append(_ratios(one[at]) - _ratios(other[at]))
    values = np.concatenate(drawn)
    values = values[np.isfinite(values)]
    low, high = np.quantile(values, [(1 - level) / 2, (1 + level) / 2]).tolist()
    share = (1 + int((values <= 0).sum())) / (1 + values.size)
    return {"difference": difference, "low": low, "high": high, "p_value": share}


def _places(rows: int, sessions: int, block: int, draws: int, seed: int) -> Ints:
    if min(rows, sessions, block, draws) < 1:
        raise ValueError("returns, sessions, block and draws must be at least 1")
    starts = np.random.default_rng(seed).integers(rows, size=(draws, -(-sessions // block)))
    places = (starts[:, :, None] + np.arange(block)) % rows
    return np.asarray(places.reshape(draws, -1)[:, :sessions])


def _ratios(paths: Values) -> Values:
    """Return the Sharpe ratio of each path; NaN where nothing varies."""
    if paths.shape[1] < 2:
        return np.full(len(paths), np.nan)
    spread = paths.std(axis=1, ddof=1)
    moved = np.ptp(paths, axis=1) > 1e-12 * np.abs(paths).max(axis=1)
    ratio = np.divide(paths.mean(axis=1), spread, out=np.full(len(paths), np.nan), where=moved)
    return np.asarray(ratio * math.sqrt(SESSIONS_A_YEAR))


def _falls(paths: Values) -> Values:
    """Return the deepest fall of each path from its peak."""
    wealth = np.cumprod(np.maximum(1.0 + paths, 0.0), axis=1)
    peaks = np.maximum(np.maximum.accumulate(wealth, axis=1), 1.0)
    return np.asarray((wealth / peaks - 1.0).min(axis=1))
