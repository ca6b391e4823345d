"""Shares of rows in shared bins: all rows are in one, whatever their values."""

import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st

from heddle.monitoring.histogram import histogram

NUMBERS = st.lists(st.none() | st.floats(-1e6, 1e6), min_size=1, max_size=30)
WORDS = st.lists(st.none() | st.sampled_from("abcdefghijklmnopqrstuvw"), min_size=1, max_size=60)


@given(NUMBERS, NUMBERS)
def test_every_number_lies_in_a_bin_or_is_missing(then, now):
    """The outer bins are open."""
    told = histogram(*(pl.Series(side, dtype=pl.Float64) for side in (then, now)))
    assert len(told["edges"]) == len(told["current"]) + 1
    for at, side in enumerate(("reference", "current")):
        assert sum(told[side]) + told["missing"][at] == pytest.approx(1)


@given(WORDS, WORDS)
def test_every_word_is_shown_or_among_the_others(then, now):
    """Twelve have a name."""
    told = histogram(*(pl.Series(side, dtype=pl.String) for side in (then, now)))
    assert len(told["labels"]) == len(told["current"]) <= 13
    for at, side in enumerate(("reference", "current")):
        assert sum(told[side]) + told["missing"][at] == pytest.approx(1)
