"""Made-up daily prices of one share with the schema, calendar and habits of the real file.

Not market data: a total return of 12 % a year, volatility that comes in clusters, fat tails, and
nothing in the past that foretells the future, unless that is asked for. Around it stands what a
pipeline meets: holidays, half days with less trade, dividends, and splits, at which the price as
traded falls by the factor while the adjusted close does not.

The path is drawn from its last session backwards, as adjusted prices are counted back from the last
one: fewer rows are the last rows of more.
"""

from __future__ import annotations

from datetime import date

import numpy as np
import polars as pl
from numpy.typing import NDArray

from heddle.domain.errors import ConfigError
from heddle.frames.sessions import half_days, sessions

__all__ = ["price_sample"]

Array = NDArray[np.float64]

_CALENDAR, _FIRST, _LAST = "XNYS", date(1927, 1, 3), date(2025, 12, 31)
_CLOSE = 131.07  # of the last session, US dollars
_DRIFT = 0.12 / 252
_TYPICAL, _LEAST, _MOST = 0.022, 0.008, 0.060  # standard deviation of a day
_SHOCK, _MEMORY = 0.09, 0.89  # of yesterday's square, and of yesterday's variance
_SPLIT, _SPLIT_AT = 4, 250  # for one; sessions before the last
_CHEAP, _DEAR = 15.0, 2000.0  # going back: prices at which there must have been a split
_QUARTER, _YIELD = 63, 0.002  # sessions from dividend to dividend, of the price
_SHARES, _HALF_DAY = 40_000_000, 0.42  # traded in a day; part of it on a half day


def price_sample(rows: int, seed: int, signal: float = 0.0) -> pl.DataFrame:
    """Return the last `rows` sessions up to the end of 2025; the same arguments, the same rows.

    Args:
        rows: how many, from 1 to the sessions since 1927 (about 25 000).
        seed: of the drawing.
        signal: what a busy day foretells. 0: nothing. Else trade that is one standard deviation
            above its usual size raises the next day's expected return by so many standard
            deviations; 0.1 is much, as markets go.

    Returns:
        session, open, high, low, close as traded (cents), adj_close (for splits and dividends),
        volume.

    Raises:
        ConfigError: more rows than there are sessions.
    """
    days = sessions(_CALENDAR, _FIRST, _LAST)
    if rows >= len(days):
        raise ConfigError(f"{rows:,} rows are more than the {len(days) - 1:,} sessions since 1927")
    days = days[-rows - 1 :]  # one more: the first row opens where that one closed
    shocks, busy, quiet = _drawn(rows + 1, seed)
    deviation, returns = _clusters(shocks, signal * np.append(busy[1:], 0.0))
    close, factor, split = _prices(returns)

    early = set(half_days(_CALENDAR, days[0], days[-1]))
    short = np.where([day in early for day in reversed(days)], _HALF_DAY, 1.0)
    size = _SHARES * short * np.exp(0.3 * busy + 0.15 * quiet[0])
    ratio = close[:-1] / close[1:] * split[:-1]
    gap = np.exp(0.4 * np.log(ratio) + 0.3 * deviation[:-1] * quiet[1, :-1])
    open_ = np.maximum(np.round(close[1:] / split[:-1] * gap, 2), 0.01)
    reach = np.exp(0.5 * deviation[:-1] * np.abs(quiet[2:, :-1]))
    close, factor = close[:-1], factor[:-1]
    top, bottom = np.maximum(open_, close), np.minimum(open_, close)
    made = {
        "open": open_,
        "high": np.maximum(np.round(top * reach[0], 2), top),
        "low": np.maximum(np.minimum(np.round(bottom / reach[1], 2), bottom), 0.01),
        "close": close,
        "adj_close": _rounded(close * factor),
        "volume": np.round(size[:-1] / np.cumprod(split)[:-1] * split[:-1]).astype(np.int64),
    }
    columns = {name: values[::-1] for name, values in made.items()}
    return pl.DataFrame({"session": pl.Series(days[1:], dtype=pl.Date), **columns})


def _drawn(rows: int, seed: int) -> tuple[Array, Array, Array]:
    """Return shocks, how busy the days are, and four rows of noise; the last session comes first.

    Each has a stream of its own, so that more rows add to the end and change nothing.
    """
    streams = [np.random.default_rng(s) for s in np.random.SeedSequence(seed).spawn(6)]
    shocks = np.clip(streams[0].standard_t(6, rows) / np.sqrt(1.5), -6.0, 6.0)
    busy = streams[1].standard_normal(rows)
    for day in range(1, rows):  # busy days come in a row: half of it is gone after a week
        busy[day] = 0.87 * busy[day - 1] + np.sqrt(1 - 0.87**2) * busy[day]
    return shocks, busy, np.stack([s.standard_normal(rows) for s in streams[2:]])


def _clusters(shocks: Array, expected: Array) -> tuple[Array, Array]:
    """Return each day's standard deviation and log return; a large day makes its neighbours large.

    Args:
        shocks: of variance 1.
        expected: by how many standard deviations the mean is off the drift.
    """
    deviation, returns = np.empty_like(shocks), np.empty_like(shocks)
    variance = _TYPICAL**2
    for day, shock in enumerate(shocks.tolist()):
        deviation[day] = np.sqrt(min(max(variance, _LEAST**2), _MOST**2))
        moved = deviation[day] * shock
        returns[day] = _DRIFT + moved
        variance = (1 - _SHOCK - _MEMORY) * _TYPICAL**2 + _SHOCK * moved**2 + _MEMORY * variance
    return deviation, returns + deviation * expected


def _prices(returns: Array) -> tuple[Array, Array, Array]:
    """Return, from the last session back, closes, their adjustment, and shares for one since then.

    A close of the day before is what makes today's return come true, for a holder who kept the
    dividend and the new shares.
    """
    rows = returns.size
    close, factor, split = np.empty(rows), np.empty(rows), np.ones(rows)
    price, adjust = _CLOSE, 1.0
    for day, moved in enumerate(returns.tolist()):
        close[day], factor[day] = price, adjust
        if day == _SPLIT_AT or price < _CHEAP:
            split[day] = _SPLIT
        elif price > _DEAR:
            split[day] = 1 / _SPLIT
        before = price * float(split[day]) * float(np.exp(-moved))
        paid = round(_YIELD * before, 2) if day % _QUARTER == _QUARTER // 2 else 0.0
        price = round(before + paid, 2)
        adjust *= (1 - paid / price) / float(split[day])
    return close, factor, split


def _rounded(values: Array) -> Array:
    """Round to eight digits, however small."""
    scale = 10.0 ** (7 - np.floor(np.log10(values)))
    return np.round(values * scale) / scale
