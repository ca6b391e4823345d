"""Sums that do not hang on the order."""

from __future__ import annotations

import math

import narwhals as nw
import numpy as np
import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st

from heddle.frames.sums import grains, group_sums, parts

NUMBER = st.floats(-1e12, 1e12).filter(lambda x: x == 0 or abs(x) > 1e-6)


def one_sum(values: list[float]) -> float:
    return float(group_sums(np.array(values), np.array([0]))[0])


@given(st.lists(NUMBER, min_size=1, max_size=40), st.randoms())
def test_a_sum_is_the_exact_one_rounded_in_any_order(values, chance):
    """As `math.fsum` has it, to the last bit."""
    wanted = one_sum(values)
    assert wanted == math.fsum(values)
    chance.shuffle(values)
    assert one_sum(values) == wanted


def test_a_small_group_keeps_its_digits_beside_a_large_one():
    """However much larger a number of another group is; and the sum of one number is the number."""
    values, starts = np.array([0.1, 0.2, 1e300, 1e-300]), np.array([0, 2, 3])
    assert group_sums(values, starts).tolist() == [0.1 + 0.2, 1e300, 1e-300]


@pytest.mark.parametrize(
    ("values", "wanted"),
    [
        ([1.0, math.inf], math.inf),
        ([-math.inf, 3.0, 0.5], -math.inf),
        ([math.nan, 1.0], math.nan),
        ([math.inf, -math.inf], math.nan),
        ([1e308, 0.5e308], 1.5e308),
        ([5e-324, 5e-324], 1e-323),
        ([0.0, 0.0], 0.0),
    ],
)
def test_what_is_endless_nothing_or_at_the_edge_is_added_up_too(values, wanted):
    """As plain addition has it."""
    assert one_sum(values) == pytest.approx(wanted, rel=0, abs=0, nan_ok=True)


def test_no_rows_make_no_sums():
    """Nor do they fail."""
    assert group_sums(np.empty(0), np.empty(0, np.intp)).tolist() == []


@given(st.lists(st.one_of(NUMBER, st.just(math.nan), st.just(math.inf)), min_size=1, max_size=9))
def test_the_parts_of_a_column_make_it_up_again(values):
    """High plus middle plus low is the value; the high parts are few bits wide."""
    largest = max((abs(v) for v in values if math.isfinite(v)), default=0.0)
    table = nw.from_native(pl.LazyFrame({"x": values}))
    high, middle, low = parts(nw.col("x"), largest, 9)
    made = table.select(high.alias("high"), middle.alias("middle"), low.alias("low"))
    for value, (h, m, rest) in zip(values, made.collect().rows(), strict=True):
        assert h + (m + rest) == pytest.approx(value, rel=0, abs=0, nan_ok=True)
        if math.isfinite(value):
            assert (h + grains(largest, 9)[0]) - grains(largest, 9)[0] == h
