"""Price histories made up for tests."""

from __future__ import annotations

from collections.abc import Callable
from datetime import date

import numpy as np
import polars as pl
import pytest

from heddle.features.price_history import PriceHistory

Path = Callable[..., pl.DataFrame]


@pytest.fixture(scope="session")
def path() -> Path:
    """Return a function that makes sessions of weekdays with open, high, low, close, volume."""

    def made(rows: int, seed: int = 0, *, still: float = 0.0) -> pl.DataFrame:
        """`still` is the share of rows on which the price stands and nothing is traded."""
        rng = np.random.default_rng(seed)
        moves = rng.normal(0.001, 0.02, rows) * (rng.random(rows) >= still)
        close = np.round(50.0 * np.exp(np.cumsum(moves)), 2)
        before = np.append(close[:1], close[:-1])
        opened = np.where(moves == 0, before, np.round(before * (1 + moves / 3), 2))
        high = np.maximum(opened, close) * (1 + np.abs(moves) / 2)
        low = np.minimum(opened, close) * (1 - np.abs(moves) / 2)
        volume = np.where(moves == 0, 0, rng.integers(1, 9_000_000, rows))
        days = np.busday_offset(np.datetime64(date(2003, 8, 25)), np.arange(rows))
        return pl.DataFrame(
            {
                "session": days,
                "open": opened,
                "high": high,
                "low": low,
                "close": close,
                "volume": volume,
                "rate": rng.normal(3, 1, rows),
                "index": close[::-1] * 7,
            }
        )

    return made


@pytest.fixture(scope="session")
def small() -> PriceHistory:
    """Return every kind of feature, looking back a few rows."""
    return PriceHistory(
        lags=(1, 3),
        spans=(1, 4),
        windows=(3, 7),
        ewm=(2,),
        rsi=2,
        macd=(2, 3, 2),
        atr=3,
        bollinger=5,
        settle=2,
        others=("rate",),
        markets=("index",),
    )
