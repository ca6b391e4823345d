import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from heddle.evaluation.paired import block_bootstrap, diebold_mariano, reality_check


def overlapping(rng, rows, horizon, mean=0.0):
    """Differences of losses of forecasts that look `horizon` rows ahead: a moving sum of noise."""
    noise = rng.normal(size=rows + horizon - 1)
    return mean + np.convolve(noise, np.ones(horizon), "valid") / math.sqrt(horizon)


def test_one_step_ahead_is_the_t_test_of_paired_differences():
    """With no lags and Harvey's factor the statistic is that of `scipy.stats.ttest_rel`."""
    from scipy.stats import ttest_rel

    rng = np.random.default_rng(3)
    one, other = rng.normal(0.1, 1, 50) ** 2, rng.normal(0, 1, 50) ** 2
    found, expected = diebold_mariano(one, other, horizon=1), ttest_rel(one, other)
    assert found.statistic == pytest.approx(expected.statistic)
    assert found.p_value == pytest.approx(expected.pvalue)
    assert found.mean_difference == pytest.approx((one - other).mean())


def test_the_variance_counts_lags_up_to_the_horizon():
    """Read aloud for 6 rows and a horizon of 3, with the factor of Harvey and others."""
    d = np.asarray([1.0, 3.0, 2.0, 5.0, 4.0, 3.0])
    c = d - d.mean()
    gammas = [sum(c[t] * c[t - k] for t in range(k, 6)) / 6 for k in range(3)]
    variance = (gammas[0] + 2 * (gammas[1] + gammas[2])) / 6
    factor = math.sqrt((6 + 1 - 6 + 3 * 2 / 6) / 6)
    if variance > 0:
        expected = factor * d.mean() / math.sqrt(variance)
    else:
        fallen = (gammas[0] + 2 * (2 / 3 * gammas[1] + 1 / 3 * gammas[2])) / 6
        expected = factor * d.mean() / math.sqrt(fallen)
    assert diebold_mariano(d, np.zeros(6), horizon=3).statistic == pytest.approx(expected)


def test_a_variance_that_is_not_positive_falls_back_on_falling_weights():
    """Differences that alternate make the plain estimate negative; the answer is finite."""
    d = np.asarray([1.0, -1.0] * 20 + [0.5])
    found = diebold_mariano(d, np.zeros(41), horizon=2)
    assert math.isfinite(found.statistic)
    assert 0 < found.p_value < 1


@given(st.lists(st.floats(-5, 5), min_size=8, max_size=40), st.integers(1, 5))
def test_the_other_way_round_the_sign_turns_and_nothing_else(difference, horizon):
    """The test knows no favourite."""
    zeros = [0.0] * len(difference)
    one, other = (
        diebold_mariano(*p, horizon=horizon) for p in ((difference, zeros), (zeros, difference))
    )
    assert (one.statistic, one.mean_difference) == (-other.statistic, -other.mean_difference)
    assert one.p_value == other.p_value
    assert 0 <= one.p_value <= 1


@pytest.mark.parametrize(("horizon", "rows"), [(1, 100), (5, 400)])
def test_five_of_a_hundred_are_found_where_there_is_nothing(horizon, rows):
    """Size under the null: about 5 % of 800 simulations, and power where there is an effect."""
    rng, zeros = np.random.default_rng(0), np.zeros(rows)
    for mean, low, high in ((0.0, 0.03, 0.085), (0.5, 0.95, 1.0)):
        drawn = (overlapping(rng, rows, horizon, mean) for _ in range(800))
        found = [diebold_mariano(d, zeros, horizon=horizon).p_value < 0.05 for d in drawn]
        assert low <= np.mean(found) <= high


@pytest.mark.parametrize(("horizon", "rows"), [(1, 100), (5, 400)])
def test_the_bootstrap_finds_as_little_in_nothing_and_as_much_in_something(horizon, rows):
    """Its interval misses the truth, and its p-value the null, in 5 to 10 % of 400 simulations."""
    rng = np.random.default_rng(1)
    for mean, low, high in ((0.0, 0.025, 0.12), (0.6, 0.95, 1.0)):
        rejected, covered = [], []
        for number in range(400):
            d = overlapping(rng, rows, horizon, mean)
            least, most, p = block_bootstrap(d, block=4 * horizon, draws=300, seed=number)
            rejected.append(p < 0.05)
            covered.append(least <= mean <= most)
        assert low <= np.mean(rejected) <= high
        assert 0.86 <= np.mean(covered) <= 0.98


@pytest.mark.parametrize(("candidates", "horizon"), [(1, 1), (25, 5)])
def test_the_best_of_many_that_are_nothing_is_found_as_seldom_as_one(candidates, horizon):
    """The least p-value of a search lies below 0.05 in few of 150 simulations; an effect is."""
    rng = np.random.default_rng(2)
    for mean, low, high in ((0.0, 0.005, 0.13), (-1.2, 0.95, 1.0)):
        rejected = []
        for number in range(150):
            rows = np.stack([overlapping(rng, 200, horizon) for _ in range(candidates)])
            rows[0] += mean
            p = reality_check(rows, block=4 * horizon, draws=200, seed=number)
            rejected.append(p.min() < 0.05)
        assert low <= np.mean(rejected) <= high


def test_a_search_of_one_is_a_one_sided_bootstrap():
    """By hand from the same draws: how often chance gains as much as Student's t of 4 blocks."""
    from scipy.stats import norm, t

    d = np.random.default_rng(4).normal(-0.15, 1, 60)
    found = reality_check(d[None, :], block=15, draws=99, seed=3)[0]
    starts = np.random.default_rng(3).integers(60, size=(99, 4))
    means = d[(starts[:, :, None] + np.arange(15)) % 60].reshape(99, -1).mean(axis=1)
    score = norm.isf(t.sf(-d.mean() / means.std(), 3))
    assert found == (1 + np.sum((d.mean() - means) / means.std() >= score)) / 100 < 0.1


def test_what_always_gains_is_sure_and_what_loses_or_cannot_be_told_is_not():
    """The same gain in every row; the same loss; and blocks as long as the rows."""
    told = reality_check([[-1.0] * 9, [1.0] * 9, [0.0] * 9], block=2, draws=99, seed=0)
    assert told.tolist() == [0.01, 1.0, 1.0]
    assert reality_check([[-1.0, -4.0, -7.0]], block=3, draws=50, seed=0).tolist() == [1.0]


def test_losses_that_do_not_differ_or_always_by_the_same():
    """Nothing to tell apart is p = 1; the same gain in every row leaves no doubt."""
    same = diebold_mariano([1.0, 2.0, 3.0], [1.0, 2.0, 3.0], horizon=1)
    assert (same.statistic, same.p_value, same.mean_difference) == (0.0, 1.0, 0.0)
    less = diebold_mariano([1.0, 2.0, 3.0], [2.0, 3.0, 4.0], horizon=1)
    assert (less.statistic, less.p_value, less.mean_difference) == (-math.inf, 0.0, -1.0)
    assert block_bootstrap([0.0] * 9, block=2, draws=99, seed=0) == (0.0, 0.0, 1.0)
    low, high, p = block_bootstrap([-0.3] * 9, block=2, draws=99, seed=0)
    assert (low, high) == pytest.approx((-0.3, -0.3))
    assert p == 0.01


def test_a_block_of_all_rows_only_turns_them_round():
    """Every draw has each row once, so that its mean is the observed one."""
    low, high, _ = block_bootstrap([1.0, 4.0, 7.0], block=3, draws=50, seed=0)
    assert (low, high) == pytest.approx((4.0, 4.0))


def test_the_same_seed_draws_the_same():
    """Another one does not."""
    d = np.random.default_rng(5).normal(size=60)
    once, again, other = (block_bootstrap(d, block=7, draws=200, seed=s) for s in (1, 1, 2))
    assert once == again != other


@pytest.mark.parametrize(
    ("call", "words"),
    [
        (lambda: diebold_mariano([1.0, 2.0], [1.0], horizon=1), "losses of 2 and 1 rows"),
        (lambda: diebold_mariano([1.0], [2.0], horizon=1), "1 rows are too few for a horizon of 1"),
        (lambda: diebold_mariano([1.0] * 5, [2.0] * 5, horizon=5), "5 rows are too few"),
        (lambda: diebold_mariano([1.0] * 5, [2.0] * 5, horizon=0), "horizon >= 1 must hold"),
        (lambda: diebold_mariano([math.nan], [2.0], horizon=1), "one finite value"),
        (lambda: block_bootstrap([], block=1, draws=9, seed=0), "one or more rows"),
        (lambda: block_bootstrap([1.0], block=2, draws=9, seed=0), r"1 <= block <= 1 \(rows\)"),
        (lambda: block_bootstrap([1.0], block=1, draws=0, seed=0), "draws >= 1 and 0 < level"),
        (lambda: reality_check([[]], block=1, draws=9, seed=0), "one finite value"),
        (lambda: reality_check([[1.0]], block=2, draws=9, seed=0), r"1 <= block <= 1 \(rows\)"),
    ],
)
def test_what_cannot_be_tested_is_refused(call, words):
    """The words name the bound."""
    with pytest.raises(ValueError, match=words):
        call()
