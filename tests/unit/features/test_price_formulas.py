"""Each formula against a second source: pandas, and the definitions of the textbooks."""

from __future__ import annotations

from calendar import monthrange
from datetime import date, timedelta

import numpy as np
import pandas as pd
import polars as pl
import pytest

from heddle.features.price_history import PriceHistory, price_features

SPEC = PriceHistory(others=("rate",), markets=("index",))


@pytest.fixture(scope="module")
def table(path) -> pl.DataFrame:
    return path(600, 3)


@pytest.fixture(scope="module")
def made(table) -> pd.DataFrame:
    found = price_features(table, SPEC)
    return pd.DataFrame({name: found[name].to_numpy() for name in SPEC.names})


@pytest.fixture(scope="module")
def bars(table) -> pd.DataFrame:
    return pd.DataFrame({name: table[name].to_numpy() for name in table.columns})


def from_pandas(bars: pd.DataFrame) -> dict[str, pd.Series]:
    close, volume = bars["close"], bars["volume"].astype(float)
    r, dollars = np.log(close).diff(), close * volume
    found = {f"return_lag_{k}": close.pct_change().shift(k) for k in SPEC.lags}
    for n in SPEC.spans:
        found[f"return_{n}"] = close.pct_change(n)
        found[f"log_return_{n}"] = np.log(close).diff(n)
        found[f"rate_change_{n}_lag_1"] = bars["rate"].diff(n).shift(1)
        found[f"index_log_return_{n}_lag_1"] = np.log(bars["index"]).diff(n).shift(1)
    found["rate_lag_1"] = bars["rate"].shift(1)
    for n in SPEC.windows:
        for kind in ("mean", "std", "min", "max", "skew"):
            found[f"log_return_{kind}_{n}"] = getattr(r.rolling(n), kind)()
        found[f"close_to_mean_{n}"] = close / close.rolling(n).mean() - 1
        for name, values in (("close", close), ("volume", volume)):
            rolled = values.rolling(n)
            found[f"{name}_zscore_{n}"] = (values - rolled.mean()) / rolled.std()
        found[f"log_dollar_volume_to_mean_{n}"] = np.log1p(dollars / dollars.rolling(n).mean())
    found["range_to_close"] = (bars["high"] - bars["low"]) / close
    found["overnight_gap"] = bars["open"] / close.shift(1) - 1
    middle, sd = close.rolling(20).mean(), close.rolling(20).std(ddof=0)
    found["bollinger_20"] = (close - (middle - 2 * sd)) / (4 * sd)
    return found


def test_windows_and_lags_are_those_of_pandas(made, bars):
    """Null in the same rows, and equal in the others."""
    for name, wanted in from_pandas(bars).items():
        np.testing.assert_allclose(made[name], wanted, rtol=1e-6, atol=1e-9, err_msg=name)


def averages_without_end(bars: pd.DataFrame) -> dict[str, pd.Series]:
    close = bars["close"]
    r = np.log(close).diff()

    def ema(values: pd.Series, n: int) -> pd.Series:
        return values.ewm(span=n, adjust=False).mean()

    line = ema(close, 12) - ema(close, 26)
    signal = ema(line, 9)
    return {
        "log_return_ewm_std_20": np.sqrt((r**2).ewm(span=20).mean()),
        "macd_12_26": line / close,
        "macd_signal_12_26_9": signal / close,
        "macd_histogram_12_26_9": (line - signal) / close,
    }


def test_averages_without_end_differ_by_what_was_cut_off(made, bars):
    """After five spans 0.005 % of the weight is left, and so much of the value may be missing."""
    for name, wanted in averages_without_end(bars).items():
        near = made[name].dropna()
        spread = float(wanted.abs().max())
        np.testing.assert_allclose(near, wanted[near.index], atol=1e-3 * spread, err_msg=name)


def test_strength_and_true_range_are_those_of_wilder(made, bars):
    """His recursion: the mean of the first 14, then 13 parts of the old and one of the new."""
    close = bars["close"].to_numpy()
    change = np.diff(close)
    high, low = bars["high"].to_numpy()[1:], bars["low"].to_numpy()[1:]
    reach = np.max([high - low, abs(high - close[:-1]), abs(low - close[:-1])], axis=0)

    def smooth(values: np.ndarray) -> list[float]:
        found = [values[:14].mean()]
        for value in values[14:]:
            found.append((13 * found[-1] + value) / 14)
        return found

    gains, losses = np.maximum(change, 0), np.maximum(-change, 0)
    strength = [100 - 100 / (1 + g / x) for g, x in zip(smooth(gains), smooth(losses), strict=True)]
    for name, wanted in (("rsi_14", strength), ("atr_14", smooth(reach) / close[14:])):
        near = made[name].to_numpy()[200:]
        np.testing.assert_allclose(near, wanted[200 - 14 :], rtol=1e-3, err_msg=name)


def test_what_a_price_that_stands_still_gives(path):
    """No division by nothing: neither up nor down, in the middle, not unusual."""
    last = price_features(path(200, still=1.0), PriceHistory()).row(-1, named=True)
    assert last["rsi_14"] == 50.0
    assert last["bollinger_20"] == 0.5
    assert last["log_dollar_volume_to_mean_20"] == np.log(2.0)
    names = ("close_zscore_60", "volume_zscore_5", "log_return_skew_20", "log_return_20", "atr_14")
    assert [last[name] for name in names] == [0.0] * len(names)
    assert abs(last["macd_12_26"]) < 1e-15


def test_gains_alone_are_all_the_strength_there_is(path):
    """100 where nothing was lost, 0 where nothing was won."""
    rising = path(200).with_columns(close=pl.int_range(1, 201).cast(pl.Float64))
    falling = rising.with_columns(close=pl.col("close").reverse())
    for history, wanted in ((rising, 100.0), (falling, 0.0)):
        assert price_features(history, PriceHistory())["rsi_14"][-1] == wanted


def test_the_calendar_is_that_of_the_wall():
    """Every day of six years, Saturdays and Sundays too."""
    days = [date(2019, 1, 1) + timedelta(n) for n in range(2200)]
    prices = dict.fromkeys(("open", "high", "low", "close", "volume"), pl.lit(1.0))
    made = price_features(pl.DataFrame({"session": days}).with_columns(**prices), PriceHistory())
    weekdays = ["monday", "tuesday", "wednesday", "thursday", "friday"]
    for day, row in zip(days, made.iter_rows(named=True), strict=True):
        marked = [place for place, name in enumerate(weekdays) if row[f"is_{name}"]]
        assert marked == [day.weekday()] * (day.weekday() < 5)
        end = monthrange(day.year, day.month)[1]
        left = sum(day.replace(day=d).weekday() < 5 for d in range(day.day + 1, end + 1))
        assert row["weekdays_to_month_end"] == left
        assert row["is_month_end"] == (left == 0)


def test_a_month_that_ends_in_a_holiday_is_not_known_to_end_early():
    """Thursday 28 March 2024 was the last session, the day after it Good Friday."""
    days = pl.date_range(date(2023, 6, 1), date(2024, 3, 28), eager=True).alias("session")
    sessions = pl.DataFrame(days).filter(days.dt.weekday() < 6)
    prices = dict.fromkeys(("open", "high", "low", "close", "volume"), pl.lit(1.0))
    last = price_features(sessions.with_columns(**prices), PriceHistory()).row(-1, named=True)
    assert (last["is_month_end"], last["weekdays_to_month_end"]) == (0.0, 1.0)
