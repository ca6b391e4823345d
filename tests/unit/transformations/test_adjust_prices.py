"""Prices as a holder saw them, and the money that changed hands."""

from __future__ import annotations

import narwhals as nw
import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st

from heddle.domain.errors import ConfigError, DataContractError
from heddle.transformations.adjust_prices import AdjustPrices, adjust_prices

PRICE = st.floats(1e-6, 1e6)
BARS = st.lists(
    st.tuples(st.lists(PRICE, min_size=4, max_size=4).map(sorted), st.booleans(), PRICE), max_size=9
)
CFG = AdjustPrices(adjusted="total", time="day", keep="as_was")


def made(frame: pl.DataFrame, cfg: AdjustPrices = CFG) -> pl.DataFrame:
    return adjust_prices(nw.from_native(frame.lazy()), cfg).collect().to_native()


def table(bars) -> pl.DataFrame:
    """Any prices at all with the low lowest and the high highest."""
    rows = [(p[0], p[1 + rises], p[2 - rises], p[3], total, 1000) for p, rises, total in bars]
    kinds = dict.fromkeys(("low", "close", "open", "high", "total"), pl.Float64)
    told = pl.DataFrame(rows, schema={**kinds, "volume": pl.Int64}, orient="row")
    return told.with_row_index("day")


def wanted(before: pl.DataFrame) -> pl.Series:
    """The adjusted close as a download of the last day would have told it."""
    if before.is_empty():
        return before["total"]
    return before["total"] * (before["close"][-1] / before["total"][-1])


@given(BARS)
def test_each_price_is_scaled_as_the_close_is_and_keeps_its_place(bars):
    """To the last digit the low stays lowest, the high highest; the close is the adjusted one."""
    before = table(bars)
    after = made(before)
    assert after.columns == ["day", "low", "close", "open", "high", "volume", "as_was"]
    assert after["close"].equals(wanted(before))
    assert after["close"].tail(1).to_list() == pytest.approx(before["close"].tail(1).to_list())
    assert after["as_was"].equals(before["close"])
    for name in ("open", "close"):
        assert (after["low"] <= after[name]).all()
        assert (after[name] <= after["high"]).all()
    for name in ("open", "high", "low"):
        scaled = before[name] / before["close"] * wanted(before)
        assert after[name].to_list() == pytest.approx(scaled.to_list(), rel=1e-12)


@given(BARS)
def test_money_that_changed_hands_stays_the_same(bars):
    """Price times volume, as traded and adjusted."""
    before, after = table(bars), made(table(bars))
    traded = (before["close"] * before["volume"]).to_list()
    assert (after["close"] * after["volume"]).to_list() == pytest.approx(traded, rel=1e-12)


@given(BARS, st.integers(1, 8), st.integers(-6, 6))
def test_what_was_paid_after_the_last_row_is_of_no_account(bars, at, power):
    """It scales all adjusted closes of a later download; cut at a day, prices are the same."""
    then = table(bars[:at])
    later = table(bars).with_columns(pl.col("total") * 2.0**power).head(at)
    assert made(later).equals(made(then))


def test_the_last_row_is_that_of_the_last_day():
    """Wherever it stands; one without a price is none."""
    frame = pl.DataFrame({
        "day": [3, 1, 2, 4], "open": [6.0, 4.0, 8.0, 1.0], "high": [6.0, 4.0, 8.0, 1.0],
        "low": [6.0, 4.0, 8.0, 1.0], "close": [6.0, 4.0, 8.0, 1.0], "volume": [1, 1, 1, 1],
        "total": [3.0, 1.0, 2.0, None],
    })  # fmt: skip
    assert made(frame)["close"].to_list() == [6.0, 2.0, 4.0, None]


def test_what_is_not_asked_for_stays():
    """No volume, and no close as it was."""
    prices = {"open": [2.0, 1.0], "high": [4.0, 1.0], "low": [1.0, 1.0], "close": [2.0, 1.0]}
    frame = pl.DataFrame({"day": [1, 2], **prices, "total": [1.0, 1.0]})
    cfg = AdjustPrices(adjusted="total", time="day", volume=None)
    assert made(frame, cfg).row(0) == (1, 1.0, 2.0, 0.5, 1.0)


def test_what_is_missing_or_taken_is_told():
    """Before anything is computed."""
    frame = table([])
    with pytest.raises(
        DataContractError, match="adjust_prices: input has no column 'totl'; did you"
    ):
        made(frame, AdjustPrices(adjusted="totl", time="day"))
    with pytest.raises(ConfigError, match="column 'open' exists already"):
        made(frame, AdjustPrices(adjusted="total", time="day", keep="open"))
