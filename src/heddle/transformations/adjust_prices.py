"""Prices as a holder saw them: splits and dividends taken out of all that came before them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import narwhals as nw

from heddle.frames.columns import refuse_taken, require

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
    adjusted: str  # the close adjusted for splits and dividends; goes
    volume: str | None = "volume"  # shares; None: leave it as it is
    keep: str | None = None  # name for the close as it was; None: it goes


def adjust_prices(frame: nw.LazyFrame[Any], cfg: AdjustPrices) -> nw.LazyFrame[Any]:
    """Multiply open, high and low by adjusted close over close, and make the close the adjusted.

    Volume is divided by the same factor: price times volume stays the money that changed hands,
    whatever splits and dividends came later. (Who divides by splits alone loses that, but keeps
    whole shares.) The low stays lowest and the high highest, to the last digit.

    >>> import polars as pl
    >>> day = {"open": [8.0], "high": [12.0], "low": [6.0], "close": [10.0], "volume": [30]}
    >>> table = nw.from_native(pl.LazyFrame({**day, "total": [5.0]}))
    >>> adjust_prices(table, AdjustPrices(adjusted="total", keep="raw")).collect().rows()
    [(4.0, 6.0, 3.0, 5.0, 60.0, 10.0)]

    Raises:
        DataContractError: a column is not there.
        ConfigError: the name for the close as it was is taken.
    """
    volume = [cfg.volume] if cfg.volume else []
    names = [cfg.open, cfg.high, cfg.low, cfg.close, cfg.adjusted, *volume]
    require(frame, names, where=_STEP)
    kept = [nw.col(cfg.close).alias(cfg.keep)] if cfg.keep else []
    refuse_taken(frame, [cfg.keep] if cfg.keep else [], where=_STEP)
    factor = nw.col(cfg.adjusted) / nw.col(cfg.close)
    close, scale = nw.col(cfg.adjusted), nw.col(_FACTOR)
    # the close is not multiplied, so that rounding could put it above the high or below the low
    adjusted = frame.with_columns(factor.alias(_FACTOR), *kept).with_columns(
        (nw.col(cfg.open) * scale).alias(cfg.open),
        nw.max_horizontal(nw.col(cfg.high) * scale, close).alias(cfg.high),
        nw.min_horizontal(nw.col(cfg.low) * scale, close).alias(cfg.low),
        close.alias(cfg.close),
        *((nw.col(name) / scale).alias(name) for name in volume),
    )
    return adjusted.drop(_FACTOR, cfg.adjusted)
