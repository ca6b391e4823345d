import math

import numpy as np
import pytest

from heddle.evaluation import returns as r
from heddle.evaluation.bands import drawn_again, expected_band, sharpe_difference

REAL = np.random.default_rng(2).normal(0.001, 0.02, 800)


def test_a_path_is_made_of_blocks_that_follow_each_other():
    """Within a block each value is followed by the one that follows it, the last by the first."""
    paths = drawn_again(np.arange(7.0), 12, block=4, draws=50, seed=3)
    assert paths.shape == (50, 12)
    for path in paths:
        for start in range(0, 12, 4):
            block = path[start : start + 4]
            assert block.tolist() == [(block[0] + i) % 7 for i in range(4)]
    assert set(paths[:, 0]) == set(range(7))


def test_the_same_seed_draws_the_same():
    """Another seed does not."""
    one, same, other = (drawn_again(REAL, 60, block=20, draws=5, seed=s) for s in (1, 1, 2))
    assert one.tolist() == same.tolist()
    assert one.tolist() != other.tolist()


def test_a_band_holds_what_it_promises_of_fresh_windows():
    """40 back-tests, each with its band, and 50 windows of 60 sessions that came later."""
    dice, inside, deep = np.random.default_rng(9), [], []
    for seed in range(40):
        told = expected_band(dice.normal(0.001, 0.02, 2000), seed=seed, draws=300)
        for window in dice.normal(0.001, 0.02, (50, 60)):
            inside.append(told["sharpe"]["low"] <= r.sharpe(window) <= told["sharpe"]["high"])
            deep.append(r.max_drawdown(window) < told["drawdown"]["low"])
        assert told["drawdown_year"]["low"] < told["drawdown"]["low"] < 0
    assert np.mean(inside) == pytest.approx(0.9, abs=0.03)
    assert np.mean(deep) == pytest.approx(0.05, abs=0.02)


def test_what_never_trades_has_no_band_of_a_ratio():
    """And never falls."""
    told = expected_band(np.zeros(100), seed=0, draws=20)
    assert told["sharpe"] == {"low": None, "high": None}
    assert told["drawdown"] == {"low": 0.0, "high": 0.0}


def test_a_difference_of_nothing_is_within_chance_and_a_large_one_is_not():
    """The same returns but for noise; the same returns with 40 points a year on top."""
    noise = np.random.default_rng(7).normal(0, 0.004, 800)
    noise -= noise.mean()
    none = sharpe_difference(REAL + noise, REAL, seed=0, draws=500)
    assert none["low"] < 0 < none["high"]
    assert 0.05 < none["p_value"] < 0.95
    much = sharpe_difference(REAL + noise + 0.0016, REAL, seed=0, draws=500)
    assert much["difference"] == pytest.approx(r.sharpe(REAL + noise + 0.0016) - r.sharpe(REAL))
    assert 0 < much["low"] < much["difference"] < much["high"]
    assert much["p_value"] == pytest.approx(1 / 501)


def test_a_strategy_without_a_ratio_cannot_be_compared():
    """It has none to differ by."""
    told = sharpe_difference(np.zeros(100), REAL[:100], seed=0)
    assert all(math.isnan(value) for value in told.values())


def test_numbers_below_one_are_refused():
    """No path has no sessions."""
    with pytest.raises(ValueError, match="must be at least 1"):
        drawn_again([0.1], 0, block=1, draws=1, seed=0)
