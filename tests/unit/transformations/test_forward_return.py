"""The target looks so many rows ahead, no further, and is never filled."""

from __future__ import annotations

import math
import re

import narwhals as nw
import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st

from heddle.domain.errors import ConfigError, DataContractError
from heddle.transformations.forward_return import ForwardReturn, forward_return

PRICES = st.lists(st.floats(0.01, 1e4), max_size=12)
USUAL = {"price": "price", "time": "day", "new": "next", "least": 0}


def config(**settings: object) -> ForwardReturn:
    return ForwardReturn(**{**USUAL, "horizon": 2, **settings})


def made(frame: pl.DataFrame, cfg: ForwardReturn) -> pl.DataFrame:
    return forward_return(nw.from_native(frame.lazy()), cfg).collect().to_native()


def table(prices) -> pl.DataFrame:
    return pl.DataFrame(
        {"day": pl.Series(range(len(prices)), dtype=pl.Int64), "price": prices},
        schema={"day": pl.Int64, "price": pl.Float64},
    )


@given(PRICES, st.integers(1, 4), st.integers(0, 4), st.randoms(use_true_random=False))
def test_it_is_the_log_of_the_price_so_many_rows_later_over_the_price(prices, h, warm_up, chance):
    """For the rows that have one, less those at the start; whatever the order of the rows."""
    cfg = config(horizon=h, warm_up=warm_up)
    frame = table(prices)
    found = made(frame, cfg)
    rows = range(warm_up, max(warm_up, len(prices) - h))
    assert found["day"].to_list() == list(rows)
    wanted = [math.log(prices[t + h] / prices[t]) for t in rows]
    assert found["next"].to_list() == pytest.approx(wanted, abs=1e-12)
    assert found["price"].to_list() == [prices[t] for t in rows]
    assert frame.equals(table(prices))
    order = list(range(len(prices)))
    chance.shuffle(order)
    assert made(frame[order], cfg).equals(found)


@given(PRICES, st.integers(1, 4), st.integers(0, 11), st.floats(0.01, 1e4))
def test_it_looks_no_further_than_it_says(prices, h, t, other):
    """Rows later than t + h may be anything: what is said of the rows up to t stays."""
    changed = [p if at <= t + h else other for at, p in enumerate(prices)]
    told = made(table(prices), config(horizon=h)).filter(pl.col("day") <= t)
    assert made(table(changed), config(horizon=h)).filter(pl.col("day") <= t).equals(told)


def test_series_are_kept_apart():
    """The end of one knows nothing of the beginning of the next; each has its warm-up."""
    one, two = table([1.0, 2.0, 4.0, 8.0]), table([5.0, 5.0, 5.0])
    both = pl.concat([one.with_columns(name=pl.lit("b")), two.with_columns(name=pl.lit("a"))])
    found = made(both, config(by=("name",), horizon=1, warm_up=1, keep=("day",)))
    assert found.columns == ["name", "day", "price", "next"]
    assert found.select("name", "day").rows() == [("a", 1), ("b", 1), ("b", 2)]
    assert found["next"].to_list() == pytest.approx([0.0, math.log(2), math.log(2)])


def test_a_price_that_is_not_known_gives_no_target():
    """Neither to its own row nor to the one that looks at it; nothing takes its place."""
    for unknown in (None, 0.0, -3.0):
        frame = table([1.0, unknown, 4.0, 8.0])
        assert made(frame, config(horizon=1))["day"].to_list() == [2]


def test_too_little_history_is_refused_with_what_is_needed():
    """How many rows there are, how many are needed, and what for."""
    cfg = config(horizon=5, warm_up=173, least=250)
    words = "428 rows are needed, there are 427: 173 for the longest window, 5 ahead for the target"
    with pytest.raises(DataContractError, match=re.escape(words)):
        made(table([1.0] * 427), cfg)
    assert made(table([1.0] * 428), cfg).height == 250


def test_a_day_that_stands_twice_is_refused():
    """Which of the two is later cannot be told."""
    frame = pl.concat([table([1.0, 2.0]), table([3.0])])
    with pytest.raises(DataContractError, match=re.escape("key (day=0) stands in 2 rows")):
        made(frame, config())


@pytest.mark.parametrize("name", ["horizon", "warm_up", "least"])
def test_wrong_settings_are_refused(name):
    """The present is no target."""
    least = 1 if name == "horizon" else 0
    with pytest.raises(ValueError, match=f"`{name}` must be at least {least}, not {least - 1}"):
        config(**{name: least - 1})
    with pytest.raises(ConfigError, match="column 'price' exists already"):
        made(table([]), config(new="price"))
    with pytest.raises(DataContractError, match="input has no column 'cost'"):
        made(table([]), config(price="cost"))
