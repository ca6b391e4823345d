"""Rolling figures against their definitions, window by window."""

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.stats import spearmanr

from heddle.evaluation.returns import sharpe
from heddle.presentation.report.course import (
    rolling_mean,
    rolling_rank_correlation,
    rolling_sharpe,
    thinned,
)

DICE = np.random.default_rng(4)


def test_the_rolling_sharpe_is_that_of_each_window():
    """NaN before the first whole window, then as the library's own over the last sessions."""
    returns = DICE.normal(0.001, 0.02, 30)
    found = rolling_sharpe(returns, 10)
    assert np.isnan(found[:9]).all()
    slow = [sharpe(returns[i - 9 : i + 1]) for i in range(9, 30)]
    assert found[9:] == pytest.approx(slow)


def test_a_window_in_which_nothing_moves_has_no_sharpe():
    """A strategy that stays out of the market for weeks, and fewer returns than a window."""
    assert np.isnan(rolling_sharpe(np.zeros(10), 5)).all()
    assert np.isnan(rolling_sharpe(np.ones(3), 5)).all()


def test_the_rolling_rank_correlation_is_spearmans():
    """With ties, and nothing where one side is always the same."""
    one = DICE.integers(0, 5, 25).astype(float)
    other = one + DICE.normal(0, 2, 25)
    found = rolling_rank_correlation(one, other, 12)
    slow = [spearmanr(one[i - 11 : i + 1], other[i - 11 : i + 1]).statistic for i in range(11, 25)]
    assert found[11:] == pytest.approx(slow)
    assert math.isnan(rolling_rank_correlation(one, one * 0, 25)[-1])


def test_the_rolling_mean_needs_a_whole_window():
    """And is plain from then on."""
    assert rolling_mean(np.array([1.0, 3.0]), 3).tolist() == pytest.approx(
        [math.nan] * 2, nan_ok=True
    )
    assert rolling_mean(np.array([1.0, 3.0, 5.0]), 2)[1:].tolist() == [2.0, 4.0]


@given(st.integers(0, 500), st.integers(2, 50))
def test_thinning_keeps_both_ends(length, most):
    """No more than asked for, ascending, first and last among them."""
    at = thinned(length, most)
    assert len(at) <= most
    assert at == sorted(set(at))
    assert at[:1] == [0][:length]
    assert at[-1:] == [length - 1][: len(at)]
