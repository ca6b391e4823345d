"""One of two predictions is better, or it cannot be told yet."""

import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from heddle.domain.errors import ConfigError
from heddle.evaluation.bands import drawn_again
from heddle.evaluation.metrics import METRICS
from heddle.evaluation.paired_metric import _of_means, block_of, difference, rows_needed

OF_MEANS = sorted(set(METRICS) - {"median_ape"})


def three(rows, *, seed=0, better=0.0):
    """What came, and two predictions of it; the other errs less by `better`."""
    rng = np.random.default_rng(seed)
    actual = rng.gamma(4.0, 25.0, rows) + 10
    one = actual + rng.normal(0, 10, rows)
    return actual, one, actual + (one - actual) * (1 - better) + rng.normal(0, 2, rows)


@pytest.mark.parametrize("key", OF_MEANS)
def test_every_metric_is_made_of_means(key):
    """Of all rows it is the metric itself."""
    from heddle.evaluation.losses import row_losses

    actual, one, _ = three(50)

    def whole(values):
        return np.asarray([values.mean()])

    made = _of_means(key, whole(row_losses(key, actual, one)), actual, whole)
    assert made[0] == pytest.approx(METRICS[key](actual, one), rel=1e-12)


@pytest.mark.parametrize("key", OF_MEANS)
def test_the_draws_are_those_of_rows_drawn_one_by_one(key):
    """Read aloud: take the rows of each draw, compute both metrics, subtract."""
    actual, one, other = three(60, better=0.3)
    found = difference(actual, one, other, key=key, block=3, draws=99, seed=5)
    places = drawn_again(np.arange(60), 60, block=3, draws=99, seed=5).astype(int)
    slow = [METRICS[key](actual[p], other[p]) - METRICS[key](actual[p], one[p]) for p in places]
    assert min(slow) <= found.low <= found.high <= max(slow)
    share = np.mean([found.low <= one <= found.high for one in slow])
    assert share >= 0.95, "20 blocks know little: more than 95 of a hundred are inside"


@settings(deadline=None, max_examples=30)
@given(
    st.lists(st.tuples(*[st.floats(1, 1e6)] * 3), min_size=4, max_size=30),
    st.sampled_from(sorted(METRICS)),
    st.integers(1, 2),
)
def test_the_other_way_round_the_sign_turns_and_nothing_else(rows, key, block):
    """To the last bit."""
    actual, one, other = map(np.asarray, zip(*rows, strict=True))
    there = difference(actual, one, other, key=key, block=block, draws=50, seed=3)
    back = difference(actual, other, one, key=key, block=block, draws=50, seed=3)
    assert (back.one, back.other) == (there.other, there.one)
    assert back.difference == -there.difference
    assert np.array_equal([back.low, back.high], [-there.high, -there.low], equal_nan=True)
    assert back.better == -there.better
    assert rows_needed(back) == rows_needed(there)


@pytest.mark.parametrize(
    ("key", "rows", "block"), [("mae", 40, 1), ("rmse", 100, 1), ("mae", 300, 10)]
)
def test_the_interval_covers_what_it_promises(key, rows, block):
    """About 95 of a hundred tries, rows alone or alike for a third of a block."""
    rng, near, truth = np.random.default_rng(11), max(block // 3, 1), _truth(key)
    inside = []
    for _ in range(300):
        noise = rng.normal(size=rows + near - 1)
        alike = np.convolve(noise, np.ones(near), "valid") / math.sqrt(near)
        one = rng.normal(size=rows)
        other = np.abs(np.abs(one) + 0.5 + alike * 0.3)
        found = difference(np.zeros(rows), one, other, key=key, block=block, draws=200, seed=1)
        inside.append(found.low <= truth <= found.high)
    assert 0.91 <= np.mean(inside) <= 0.985


def _truth(key):
    """The difference of a million rows that are alone."""
    rng = np.random.default_rng(0)
    one, alike = rng.normal(size=(2, 1_000_000))
    other = np.abs(np.abs(one) + 0.5 + alike * 0.3)
    return METRICS[key](np.zeros(one.size), other) - METRICS[key](np.zeros(one.size), one)


def test_more_rows_tell_what_few_do_not():
    """And as many as were said to be needed, roughly."""
    few = difference(*three(40, seed=3, better=0.05), key="mae")
    assert few.better == 0
    more = rows_needed(few)
    assert 10 < more < 4_000
    much = difference(*three(6 * (40 + more), seed=4, better=0.05), key="mae")
    assert (much.better, rows_needed(much)) == (1, 0)
    assert much.difference < 0, "an error that is smaller"


def test_a_share_within_is_better_when_it_is_higher():
    """The direction is the metric's."""
    found = difference(*three(400, better=0.6), key="within_10pct")
    assert (found.better, found.difference > 0) == (1, True)


def test_the_same_twice_needs_more_rows_than_there_will_be():
    """No difference is no matter of more rows; two rows tell nothing."""
    actual, one, _ = three(50)
    same = difference(actual, one, one, key="rmse")
    assert (same.difference, same.low, same.high, same.better) == (0, 0, 0, 0)
    assert rows_needed(same) is None
    single = difference(actual[:3], one[:3], one[:3] + 1, key="mae", block=2)
    assert math.isnan(single.low)
    assert (single.better, rows_needed(single)) == (0, None)


def test_the_median_is_judged_by_the_mean():
    """It is named."""
    assert difference(*three(30), key="median_ape").metric == "mape"


def test_blocks_are_as_long_as_requests_and_never_too_few():
    """A batch of one hand is drawn as a whole, unless it is nearly everything."""
    assert block_of(np.repeat(np.arange(40), 25)) == 25
    assert block_of(range(27_000)) == 30
    assert block_of([7] * 500) == 50
    assert block_of([1, 2]) == 1


@pytest.mark.parametrize("wrong", [{"block": 0}, {"block": 9}, {"draws": 0}, {"level": 1.0}])
def test_what_makes_no_sense_is_refused(wrong):
    """Before anything is drawn."""
    with pytest.raises(ValueError, match=r"1 <= block <= 4 \(rows\), draws >= 1 and"):
        difference(*three(4), key="mae", **wrong)
    with pytest.raises(ConfigError, match="no metric 'mea'; did you mean 'mae'"):
        difference(*three(4), key="mea")
