"""Windows, against pandas."""

import math

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from heddle.features.rolling import before, decay, highest, lowest, means, moments, weighted

VALUES = st.lists(st.integers(-50, 50).map(float) | st.floats(-9, 9), max_size=40)


@given(VALUES, st.integers(3, 12))
def test_every_window_is_what_pandas_makes_of_it(values, window):
    """Mean, spread, skewness, extremes; NaN where the window is not full."""
    series, array = pd.Series(values, dtype=float), np.array(values)
    rolled = series.rolling(window)
    seen = moments(array, window)
    made = {
        "mean": (means(array, window), rolled.mean()),
        "std": (seen.std(), rolled.std()),
        "sd of the values as such": (seen.std(lost=0), rolled.std(ddof=0)),
        "min": (lowest(array, window), rolled.min()),
        "max": (highest(array, window), rolled.max()),
    }
    for name, (ours, theirs) in made.items():
        np.testing.assert_allclose(ours, theirs.to_numpy(), rtol=1e-7, atol=1e-6, err_msg=name)
    assert np.array_equal(seen.mean, made["mean"][0], equal_nan=True)


def test_skewness_is_that_of_pandas_and_zero_where_nothing_moves():
    """Pandas has the same G1."""
    values = np.append(np.random.default_rng(1).gamma(2.0, size=200), [0.1] * 30)
    wanted = pd.Series(values[:200]).rolling(20).skew()
    skew = moments(values, 20).skew()
    np.testing.assert_allclose(skew[:200], wanted.to_numpy(), rtol=1e-7)
    assert skew[-10:].tolist() == [0.0] * 10
    assert moments(values, 20).std()[-10:].tolist() == [0.0] * 10


def test_a_window_does_not_drift():
    """After a huge value has left, a running sum would keep what was rounded off for it."""
    values = np.array([1e16, 0.1, 0.2, 0.3, 0.4])
    assert means(values, 2)[2:].tolist() == [(0.1 + 0.2) / 2, 0.5 / 2, 0.7 / 2]
    assert moments(values, 3).std()[4] == pytest.approx(0.1)


@given(st.floats(0.01, 0.99), st.integers(1, 80))
def test_weights_fall_backwards_and_sum_to_one(keep, rows):
    """The newest has the most."""
    weights = decay(keep, rows)
    assert math.fsum(weights) == pytest.approx(1.0, abs=1e-12)
    assert weights == sorted(weights)
    assert len(weights) == rows


def test_a_gap_spreads_over_the_windows_that_hold_it():
    """And over no other."""
    values = np.array([1.0, np.nan, 3.0, 4.0, 5.0])
    for made in (means(values, 2), weighted(values, [1.0, 0.0]), lowest(values, 2)):
        assert np.isnan(made).tolist() == [True, True, True, False, False]
    assert not moments(values, 3).flat.any()


def test_what_stood_before_is_unknown_at_the_start():
    """Also where the series is shorter than one looks back."""
    assert before(np.array([1.0, 2.0]), 0).tolist() == [1.0, 2.0]
    assert np.isnan(before(np.array([1.0, 2.0]), 5)).all()
    assert len(means(np.empty(0), 3)) == len(highest(np.empty(0), 3)) == 0
