"""Prices as a holder saw them: splits and dividends taken out of all that came before them.

Which is relative to a day: that of the table's last row, where an adjusted price is the price. A
source scales its adjusted closes by whatever was paid up to the download; were they taken as they
are, a table that was cut at a day would still know the dividends after it.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import narwhals as nw

from heddle.frames.columns import refuse_taken, require
from heddle.frames.engines import fetched

__all__ = ["AdjustPrices", "adjust_prices"]

_STEP = "adjust_prices"
_FACTOR = "the factor"  # no sanitised name has a space


@dataclass(frozen=True, slots=True, kw_only=True)
class AdjustPrices:
    """Which columns are which, and what the close as it was gets called."""

    open: str = "open"
    high: str = "high"
    low: str = "low"
    close: str = "close"  # as traded, or adjusted for splits alone, as most sources have it
    adjusted: str  # the close adjusted for splits and dividends, to whatever day; goes
    time: str  # tells which row is the last
    volume: str | None = "volume"  # shares; None: leave it as it is
    keep: str | None = None  # name for the close as it was; None: it goes


def adjust_prices(frame: nw.LazyFrame[Any], cfg: AdjustPrices) -> nw.LazyFrame[Any]:
    """Multiply prices by adjusted close over close, relative to the last row, where that is 1.

    Adjusted prices as of a day are then those that a download of that day would have given,
    whatever was paid since: a table that is cut at a day before it is adjusted and one whose
    adjusted closes are scaled otherwise give the same. (Where `close` is told adjusted for splits,
    later splits stay in it as one factor for all rows; nor can `keep` know of them.)

    Volume is divided by the same factor: price times volume stays the money that changed hands,
    whatever splits and dividends came later. (Who divides by splits alone loses that, but keeps
    whole shares.) The low stays lowest and the high highest, to the last digit.

    >>> import polars as pl
    >>> days = {"day": [1, 2], "open": [8.0, 5.0], "high": [12.0, 5.0], "low": [6.0, 5.0]}
    >>> told = {"close": [10.0, 5.0], "volume": [30, 50], "total": [2.5, 2.5]}
    >>> table = nw.from_native(pl.LazyFrame({**days, **told}))
    >>> cfg = AdjustPrices(adjusted="total", time="day", keep="raw")
    >>> adjust_prices(table, cfg).collect().rows()
    [(1, 4.0, 6.0, 3.0, 5.0, 60.0, 10.0), (2, 5.0, 5.0, 5.0, 5.0, 50.0, 5.0)]

    Raises:
        DataContractError: a column is not there.
        ConfigError: the name for the close as it was is taken.
    """
    volume = [cfg.volume] if cfg.volume else []
    names = [cfg.time, cfg.open, cfg.high, cfg.low, cfg.close, cfg.adjusted, *volume]
    require(frame, names, where=_STEP)
    kept = [nw.col(cfg.close).alias(cfg.keep)] if cfg.keep else []
    refuse_taken(frame, [cfg.keep] if cfg.keep else [], where=_STEP)
    adjusted = nw.col(cfg.adjusted).cast(nw.Float64) * _unscaled(frame, cfg)
    factor = adjusted / nw.col(cfg.close)
    close, scale = nw.col(cfg.adjusted), nw.col(_FACTOR)
    # the close is not multiplied, so that rounding could put it above the high or below the low
    made = frame.with_columns(
        factor.alias(_FACTOR), adjusted.alias(cfg.adjusted), *kept
    ).with_columns(
        (nw.col(cfg.open) * scale).alias(cfg.open),
        nw.max_horizontal(nw.col(cfg.high) * scale, close).alias(cfg.high),
        nw.min_horizontal(nw.col(cfg.low) * scale, close).alias(cfg.low),
        close.alias(cfg.close),
        *((nw.col(name) / scale).alias(name) for name in volume),
    )
    return made.drop(_FACTOR, cfg.adjusted)


def _unscaled(frame: nw.LazyFrame[Any], cfg: AdjustPrices) -> float:
    """Return by what adjusted closes are multiplied, so that the last one is the close."""
    close, adjusted = nw.col(cfg.close), nw.col(cfg.adjusted)
    known = frame.select(cfg.time, cfg.close, cfg.adjusted).filter((close > 0) & (adjusted > 0))
    last = fetched(known.sort(cfg.time, cfg.close, cfg.adjusted, descending=True).head(1))
    return float(last[cfg.close][0]) / float(last[cfg.adjusted][0]) if last.height else 1.0
