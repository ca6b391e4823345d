"""Closed forms, a slow second reading, and what chance looks like."""

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.stats import pearsonr, spearmanr

from heddle.evaluation import forecasts as f

ACTUAL = np.random.default_rng(3).normal(0.001, 0.03, 400)
ROWS = st.lists(
    st.tuples(st.floats(-1, 1, width=32), st.floats(-1, 1, width=32)), min_size=1, max_size=40
)


def test_an_exact_forecast_is_perfect():
    """Every figure is at its best value, and chance is ruled out."""
    told = f.forecast_scores(ACTUAL, ACTUAL, base=np.full(400, 50.0), drift=0.001)
    assert (told["rmse"], told["theils_u"], told["skill"], told["oos_r2"]) == (0, 0, 1, 1)
    assert (told["directional_accuracy"], told["price_skill"], told["oos_r2_drift"]) == (1, 1, 1)
    assert told["price_mape"] == 0
    assert told["ic"] == pytest.approx(1)
    assert told["pesaran_timmermann_p"] < 1e-12


def test_the_opposite_forecast_is_wrong_every_time():
    """Signs flipped: no hit, the lowest rank correlation, twice the error."""
    told = f.forecast_scores(ACTUAL, -ACTUAL)
    assert told["directional_accuracy"] == 0
    assert told["ic"] == pytest.approx(-1)
    assert told["theils_u"] == pytest.approx(2)
    assert told["pesaran_timmermann_p"] == pytest.approx(1)


def test_the_naive_forecast_takes_no_side_and_has_no_skill():
    """Always 0 is no direction and no order; its error is the reference."""
    told = f.forecast_scores(ACTUAL, np.zeros(400), base=np.full(400, 50.0))
    assert (told["theils_u"], told["skill"], told["oos_r2"], told["price_skill"]) == (1, 0, 0, 0)
    for name in ("directional_accuracy", "ic", "ic_t", "pesaran_timmermann_p"):
        assert math.isnan(told[name])


def test_always_up_hits_as_often_as_prices_rise_and_proves_nothing():
    """Its accuracy is the base rate; the test that takes the base rate into account is silent."""
    up = np.full(400, 0.01)
    assert f.directional_accuracy(ACTUAL, up) == f.up_share(ACTUAL)
    assert math.isnan(f.pesaran_timmermann(ACTUAL, up)[1])


@given(rows=ROWS)
def test_direction_is_what_counting_by_hand_finds(rows):
    """Rows with a zero on either side are left out; with none left there is no figure."""
    actual, said = zip(*rows, strict=True)
    kept = [(a, p) for a, p in rows if a != 0 and p != 0]
    found = f.directional_accuracy(actual, said)
    if kept:
        assert found == pytest.approx(sum((a > 0) == (p > 0) for a, p in kept) / len(kept))
    else:
        assert math.isnan(found)


def test_the_test_of_direction_keeps_its_level_and_finds_what_is_there():
    """Of 400 pairs by chance about one in twenty is below 0.05; with a signal nearly all are."""
    rng = np.random.default_rng(1)
    chance, signal = [], []
    for _ in range(400):
        actual, said = rng.normal(0.2, 1, 300), rng.normal(0.3, 1, 300)
        chance.append(f.pesaran_timmermann(actual, said)[1] < 0.05)
        signal.append(f.pesaran_timmermann(actual, said + 0.5 * actual)[1] < 0.05)
    assert 0.025 <= np.mean(chance) <= 0.08
    assert np.mean(signal) > 0.95


def test_the_test_of_direction_by_hand():
    """Six of eight hit, shares of rises 1/2 and 1/2: (3/4 - 1/2) / sqrt(1/32 - 4/16/64)."""
    statistic, p = f.pesaran_timmermann([1, 1, 1, 1, -1, -1, -1, -1], [1, 1, 1, -1, 1, -1, -1, -1])
    assert statistic == pytest.approx(0.25 / math.sqrt(1 / 32 - 1 / 256))
    assert p == pytest.approx(0.5 * math.erfc(statistic / math.sqrt(2)))


def test_rows_that_overlap_count_for_less():
    """With targets of five sessions a fifth of the rows is independent."""
    said = ACTUAL + np.random.default_rng(4).normal(0, 0.1, 400)
    one, five = (f.information_coefficient(ACTUAL, said, horizon=h) for h in (1, 5))
    assert one[0] == five[0]
    assert five[1] == pytest.approx(one[1] * math.sqrt(78 / 398))
    sides = [f.pesaran_timmermann(ACTUAL, said, horizon=h)[0] for h in (1, 5)]
    assert sides[1] < sides[0]


@given(rows=ROWS)
def test_the_rank_correlation_is_that_of_scipy(rows):
    """Ties share their ranks; a side that is the same everywhere has none."""
    actual, said = zip(*rows, strict=True)
    found, t = f.information_coefficient(actual, said)
    if len(set(actual)) == 1 or len(set(said)) == 1:
        assert math.isnan(found)
        assert math.isnan(t)
    else:
        assert found == pytest.approx(spearmanr(actual, said).statistic, abs=1e-12)


def test_the_t_statistic_is_that_of_a_correlation_of_ranks():
    """Its two-sided p-value is the one that scipy gives for the ranks."""
    said = ACTUAL + np.random.default_rng(4).normal(0, 0.1, 400)
    ranks = (np.argsort(np.argsort(values)) for values in (ACTUAL, said))
    found, t = f.information_coefficient(ACTUAL, said)
    from scipy.stats import t as student

    assert 2 * student.sf(abs(t), 398) == pytest.approx(pearsonr(*ranks).pvalue)
    assert found == pytest.approx(spearmanr(ACTUAL, said).statistic)


def test_the_mean_of_training_may_be_the_baseline():
    """Gain over the drift is measured against what it would have said."""
    assert f.oos_r2([1.0, 3.0], [2.0, 2.0], 2.0) == 0
    assert f.oos_r2([1.0, 3.0], [1.5, 2.5], [2.0, 2.0]) == pytest.approx(0.75)
    assert f.theils_u([1.0, 3.0], [1.5, 2.5], 2.0) == pytest.approx(0.5)
    assert f.mase([1.0, 3.0], [2.0, 2.0], [0.0, 4.0], naive=2.0) == pytest.approx(0.5)


def test_a_baseline_without_error_gives_no_figure():
    """Nothing is divided by 0."""
    still = [0.0, 0.0]
    assert math.isnan(f.oos_r2(still, [0.1, 0.1]))
    assert math.isnan(f.theils_u(still, [0.1, 0.1]))
    assert math.isnan(f.mase([1.0, 1.0], [0.0, 0.0], still))


def test_prices_are_scored_after_the_return_is_turned_back():
    """A price of 100 that doubles, of which half was foretold; percentages are of the outcome."""
    told = f.price_scores([math.log(2)], [math.log(1.5)], [100.0])
    assert told["price_rmse"] == pytest.approx(50)
    assert told["price_mape"] == pytest.approx(25)
    assert told["price_skill"] == pytest.approx(0.5)


def test_one_row_has_errors_and_no_order():
    """A single forecast can be off, it cannot be ranked."""
    told = f.forecast_scores([0.02], [0.01])
    assert told["rmse"] == pytest.approx(0.01)
    assert math.isnan(told["ic"])


@given(level=st.floats(0.05, 0.95), values=st.lists(st.floats(-5, 5), min_size=1, max_size=30))
def test_the_pinball_loss_is_least_at_the_quantile(level, values):
    """No other constant forecast costs less than the empirical quantile does."""
    best = np.quantile(values, level, method="inverted_cdf")
    own = f.pinball(values, np.full(len(values), best), level)
    for other in values:
        assert own <= f.pinball(values, np.full(len(values), other), level) + 1e-12


def test_what_is_missing_or_of_another_length_is_refused():
    """Nothing is filled or cut off."""
    with pytest.raises(ValueError, match="must be finite"):
        f.forecast_scores([0.1, math.nan], [0.1, 0.1])
    with pytest.raises(ValueError, match="rows of one length, not empty"):
        f.directional_accuracy([], [])
    with pytest.raises(ValueError, match="rows of one length"):
        f.oos_r2([1.0], [1.0, 2.0])
    with pytest.raises(ValueError, match="prices must be above 0"):
        f.prices([0.0], [0.1])
    with pytest.raises(ValueError, match="0 < level < 1 must hold, but got 1"):
        f.pinball([1.0], [1.0], 1)
