"""What is made of open, high, low, close and volume, formula by formula.

r(t) = ln(C(t) / C(t-1)); n is a number of rows, never of days; "mean n" and the like are over the
last n rows, today's included; Wilder n and EMA n are exponential averages with a weight that falls
by 1 - 1/n and 1 - 2/(n+1) a row, cut after so many spans and normalised.

| name | formula | flat window |
|---|---|---|
| `return_lag_k` | C(t-k) / C(t-k-1) - 1 | |
| `return_n` | C(t) / C(t-n) - 1 | |
| `log_return_n` | ln(C(t) / C(t-n)) | |
| `log_return_mean_n`, `_std_n`, `_min_n`, `_max_n`, `_skew_n` | of r; sample std, G1 | skew 0 |
| `close_to_mean_n` | C / mean n of C - 1 | |
| `close_zscore_n` | (C - mean n) / sample std n | 0 |
| `log_return_ewm_std_n` | sqrt(EMA n of r²), the mean taken for 0 (RiskMetrics 1996) | |
| `range_to_close` | (H - L) / C | |
| `overnight_gap` | O(t) / C(t-1) - 1 | |
| `volume_zscore_n` | (V - mean n) / sample std n | 0 |
| `log_dollar_volume_to_mean_n` | ln(1 + CV / mean n of CV) | ln 2 where none was traded |
| `rsi_n` | 100 Wilder n of gains / Wilder n of |C(t) - C(t-1)| (Wilder 1978) | 50 |
| `macd_f_s` | (EMA f - EMA s) / C (Appel 1979, here relative to the price) | |
| `macd_signal_f_s_n` | EMA n of (EMA f - EMA s), / C | |
| `macd_histogram_f_s_n` | the difference of these two | |
| `atr_n` | Wilder n of max(H, C(t-1)) - min(L, C(t-1)), / C (Wilder 1978) | |
| `bollinger_n` | %b: (C - mean n + 2 sd) / 4 sd, sd of the values as such (Bollinger 2001) | 0.5 |
| `is_monday` … `is_friday`, `is_month_end`, `weekdays_to_month_end` | see `calendar` | |
| `X_lag_1`, `X_change_n_lag_1` | X(t-1), X(t-1) - X(t-1-n) for another column | |
| `X_log_return_n_lag_1` | ln(X(t-1) / X(t-1-n)) for another price | |
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from heddle.features import rolling
from heddle.features.bars import Bars, Formula, ema
from heddle.features.rolling import Floats, Moments, before, weighted

__all__ = [
    "bands",
    "calendar",
    "macd",
    "markets",
    "of_the_day",
    "others",
    "returns",
    "shapes",
    "volatility",
    "wilder",
]

_WEEKDAYS = ("monday", "tuesday", "wednesday", "thursday", "friday")
_SD = 2.0  # how far from the mean Bollinger's bands lie


def returns(lags: Sequence[int], spans: Sequence[int]) -> list[Formula]:
    """What the price did: over one row some rows ago, and over several rows up to today."""

    def lagged(k: int) -> Formula:
        return Formula(
            f"return_lag_{k}", k + 1, lambda b: before(b.close, k) / before(b.close, k + 1) - 1.0
        )

    def simple(n: int) -> Formula:
        return Formula(f"return_{n}", n, lambda b: b.close / before(b.close, n) - 1.0)

    def log(n: int) -> Formula:
        return Formula(f"log_return_{n}", n, lambda b: np.log(b.close / before(b.close, n)))

    return [*map(lagged, lags), *map(simple, spans), *map(log, spans)]


def shapes(windows: Sequence[int]) -> list[Formula]:
    """Mean, spread, extremes and skewness of the returns in each window."""
    found = []
    for n in windows:
        found += [
            Formula(f"log_return_mean_{n}", n, _shape(n, lambda m: m.mean)),
            Formula(f"log_return_std_{n}", n, _shape(n, lambda m: m.std())),
            Formula(f"log_return_min_{n}", n, _extreme(n, rolling.lowest)),
            Formula(f"log_return_max_{n}", n, _extreme(n, rolling.highest)),
            Formula(f"log_return_skew_{n}", n, _shape(n, lambda m: m.skew())),
        ]
    return found


def bands(windows: Sequence[int], bollinger: int) -> list[Formula]:
    """Where today's close and volume lie among those of each window."""

    def of(n: int) -> list[Formula]:
        return [
            Formula(f"close_to_mean_{n}", n - 1, lambda b: b.close / _mean(b, n) - 1.0),
            Formula(f"close_zscore_{n}", n - 1, lambda b: _zscore(b, "close", n)),
            Formula(f"volume_zscore_{n}", n - 1, lambda b: _zscore(b, "volume", n)),
            Formula(f"log_dollar_volume_to_mean_{n}", n - 1, lambda b: _dollars(b, n)),
        ]

    def percent_b(b: Bars) -> Floats:
        seen = b.moments("close", bollinger)
        reach = _SD * seen.std(lost=0)
        return _share(b.close - seen.mean + reach, 2.0 * reach, seen.flat, 0.5)

    found = [formula for n in windows for formula in of(n)]
    return [*found, Formula(f"bollinger_{bollinger}", bollinger - 1, percent_b)]


def volatility(ewm: Sequence[int], spans: int) -> list[Formula]:
    """How far returns have been from zero lately."""

    def of(n: int) -> Formula:
        weights = ema(n, spans)
        return Formula(
            f"log_return_ewm_std_{n}",
            len(weights),
            lambda b: np.sqrt(weighted(b.log_return * b.log_return, weights)),
        )

    return [of(n) for n in ewm]


def of_the_day() -> list[Formula]:
    """The day's range, and where it opened."""
    return [
        Formula("range_to_close", 0, lambda b: (b.high - b.low) / b.close),
        Formula("overnight_gap", 1, lambda b: b.open / b.before - 1.0),
    ]


def wilder(rsi: int, atr: int, spans: int) -> list[Formula]:
    """Strength of the gains, and the true range."""
    strength, ranges = _wilder(rsi, spans), _wilder(atr, spans)

    def share_of_gains(b: Bars) -> Floats:
        change = b.close - b.before
        gains = weighted(np.maximum(change, 0.0), strength)
        losses = weighted(np.maximum(-change, 0.0), strength)
        both = gains + losses
        return _share(100.0 * gains, both, both == 0.0, 50.0)

    def true_range(b: Bars) -> Floats:
        reach = np.maximum(b.high, b.before) - np.minimum(b.low, b.before)
        return weighted(reach, ranges) / b.close

    return [
        Formula(f"rsi_{rsi}", len(strength), share_of_gains),
        Formula(f"atr_{atr}", len(ranges), true_range),
    ]


def macd(fast: int, slow: int, signal: int, spans: int) -> list[Formula]:
    """How far a fast average of the close is from a slow one, that smoothed, and the rest."""
    smooth = ema(signal, spans)
    reach = max(len(ema(fast, spans)), len(ema(slow, spans))) - 1

    def line(b: Bars) -> Floats:
        return b.trend(fast, slow, spans) / b.close

    def signalled(b: Bars) -> Floats:
        return weighted(b.trend(fast, slow, spans), smooth) / b.close

    settled = reach + len(smooth) - 1
    names = f"{fast}_{slow}"
    return [
        Formula(f"macd_{names}", reach, line),
        Formula(f"macd_signal_{names}_{signal}", settled, signalled),
        Formula(f"macd_histogram_{names}_{signal}", settled, lambda b: line(b) - signalled(b)),
    ]


def calendar() -> list[Formula]:
    """What the date says by itself.

    The last weekday of a month is its end, whether or not it turns out to be a holiday: the row
    itself cannot know whether another one of its month will follow.
    """

    def weekday(place: int) -> Callable[[Bars], Floats]:
        return lambda b: ((b.days.astype(np.int64) + 3) % 7 == place).astype(np.float64)

    days = [Formula(f"is_{name}", 0, weekday(i)) for i, name in enumerate(_WEEKDAYS)]
    return [
        *days,
        Formula("is_month_end", 0, lambda b: (b.left == 0).astype(np.float64)),
        Formula("weekdays_to_month_end", 0, lambda b: b.left),
    ]


def others(column: str, spans: Sequence[int]) -> list[Formula]:
    """A column that is no price: a rate, a spread, an index of fear. What it was the row before."""

    def change(n: int) -> Formula:
        return Formula(
            f"{column}_change_{n}_lag_1",
            n + 1,
            lambda b: before(b.more[column], 1) - before(b.more[column], n + 1),
        )

    level = Formula(f"{column}_lag_1", 1, lambda b: before(b.more[column], 1))
    return [level, *map(change, spans)]


def markets(column: str, spans: Sequence[int]) -> list[Formula]:
    """Another price, of an index for instance: its returns up to the row before."""

    def of(n: int) -> Formula:
        return Formula(
            f"{column}_log_return_{n}_lag_1",
            n + 1,
            lambda b: np.log(before(b.more[column], 1) / before(b.more[column], n + 1)),
        )

    return [of(n) for n in spans]


def _shape(n: int, pick: Callable[[Moments], Floats]) -> Callable[[Bars], Floats]:
    return lambda b: pick(b.moments("log_return", n))


def _extreme(n: int, pick: Callable[[Floats, int], Floats]) -> Callable[[Bars], Floats]:
    return lambda b: pick(b.log_return, n)


def _mean(b: Bars, n: int) -> Floats:
    return b.moments("close", n).mean


def _zscore(b: Bars, of: Literal["close", "volume"], n: int) -> Floats:
    seen = b.moments(of, n)
    values: Floats = getattr(b, of)
    return _share(values - seen.mean, seen.std(), seen.flat, 0.0)


def _dollars(b: Bars, n: int) -> Floats:
    traded = b.close * b.volume
    usual = rolling.means(traded, n)
    return np.log1p(_share(traded, usual, usual == 0.0, 1.0))


def _share(part: Floats, whole: Floats, flat: NDArray[np.bool_], otherwise: float) -> Floats:
    with np.errstate(invalid="ignore", divide="ignore"):
        return np.where(flat, otherwise, part / whole)


def _wilder(n: int, spans: int) -> list[float]:
    return rolling.decay(1.0 - 1.0 / n, (2 * n - 1) * spans)
