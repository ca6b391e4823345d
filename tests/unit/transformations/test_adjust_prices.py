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
CFG = AdjustPrices(adjusted="total", keep="as_was")


def made(frame: pl.DataFrame, cfg: AdjustPrices = CFG) -> pl.DataFrame:
    return adjust_prices(nw.from_native(frame.lazy()), cfg).collect().to_native()


def table(bars) -> pl.DataFrame:
    """Any prices at all with the low lowest and the high highest."""
    rows = [(p[0], p[1 + rises], p[2 - rises], p[3], total, 1000) for p, rises, total in bars]
    kinds = dict.fromkeys(("low", "close", "open", "high", "total"), pl.Float64)
    return pl.DataFrame(rows, schema={**kinds, "volume": pl.Int64}, orient="row")


@given(BARS)
def test_each_price_is_scaled_as_the_close_is_and_keeps_its_place(bars):
    """To the last digit the low stays lowest, the high highest; the close is the adjusted one."""
    before = table(bars)
    after = made(before)
    assert after.columns == ["low", "close", "open", "high", "volume", "as_was"]
    assert after["close"].equals(before["total"])
    assert after["as_was"].equals(before["close"])
    for name in ("open", "close"):
        assert (after["low"] <= after[name]).all()
        assert (after[name] <= after["high"]).all()
    for name in ("open", "high", "low"):
        wanted = before[name] / before["close"] * before["total"]
        assert after[name].to_list() == pytest.approx(wanted.to_list(), rel=1e-12)


@given(BARS)
def test_money_that_changed_hands_stays_the_same(bars):
    """Price times volume, as traded and adjusted."""
    before, after = table(bars), made(table(bars))
    traded = (before["close"] * before["volume"]).to_list()
    assert (after["close"] * after["volume"]).to_list() == pytest.approx(traded, rel=1e-12)


@given(BARS, st.integers(0, 8))
def test_other_rows_are_of_no_account(bars, at):
    """A row is a function of itself: the rows after it may be anything."""
    whole = made(table(bars))
    assert made(table(bars[:at])).equals(whole.head(at))


def test_what_is_not_asked_for_stays():
    """No volume, and no close as it was."""
    frame = pl.DataFrame(
        {"open": [2.0], "high": [4.0], "low": [1.0], "close": [2.0], "total": [1.0]}
    )
    cfg = AdjustPrices(adjusted="total", volume=None)
    assert made(frame, cfg).rows() == [(1.0, 2.0, 0.5, 1.0)]


def test_what_is_missing_or_taken_is_told():
    """Before anything is computed."""
    frame = table([])
    with pytest.raises(
        DataContractError, match="adjust_prices: input has no column 'totl'; did you"
    ):
        made(frame, AdjustPrices(adjusted="totl"))
    with pytest.raises(ConfigError, match="column 'open' exists already"):
        made(frame, AdjustPrices(adjusted="total", keep="open"))
