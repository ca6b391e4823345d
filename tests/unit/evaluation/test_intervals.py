import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from heddle.evaluation.intervals import Interval, calibration, conformal, coverage


@given(
    errors=st.lists(st.floats(0, 100), min_size=1, max_size=30), level=st.sampled_from([0.5, 0.8])
)
def test_the_half_width_is_the_smallest_that_enough_errors_do_not_pass(errors, level):
    """Read aloud: the least error e such that at least (n + 1) x level of n errors are <= e."""
    wide = conformal(errors, [0.0] * len(errors), level=level).half
    enough = [e for e in errors if sum(o <= e for o in errors) >= (len(errors) + 1) * level - 1e-9]
    assert wide == (min(enough) if enough else math.inf)


def test_coverage_on_fresh_rows_is_what_was_promised():
    """200 simulated data sets with heavy tails: mean coverage lies within a point of the level."""
    rng = np.random.default_rng(0)
    for level in (0.5, 0.8, 0.95):
        found = []
        for _ in range(200):
            held, fresh = rng.standard_t(3, 199), rng.standard_t(3, 500)
            bounds = conformal(held, np.zeros(199), level=level).around(np.zeros(500))
            found.append(coverage(fresh, *bounds))
        assert np.mean(found) == pytest.approx(level, abs=0.01)


def test_relative_intervals_cover_where_errors_grow_with_the_prediction():
    """Plain intervals cover small predictions always and large ones too rarely; relative both."""
    rng = np.random.default_rng(1)
    predicted = rng.uniform(10, 1000, 4000)
    actual = predicted * (1 + 0.1 * rng.standard_normal(4000))
    held, fresh = slice(0, 2000), slice(2000, None)
    small = predicted[fresh] < 300
    shares = {}
    for relative in (False, True):
        made = conformal(actual[held], predicted[held], level=0.9, relative=relative)
        lower, upper = made.around(predicted[fresh])
        inside = (lower <= actual[fresh]) & (actual[fresh] <= upper)
        shares[relative] = inside[small].mean(), inside[~small].mean()
    assert shares[False][0] > 0.98
    assert shares[False][1] < 0.88
    assert shares[True] == pytest.approx((0.9, 0.9), abs=0.03)


def test_calibration_tells_for_each_level_what_was_kept():
    """The curve rises with the level and lies near it."""
    rng = np.random.default_rng(2)
    zeros = np.zeros(3000)
    curve = calibration(
        (rng.normal(size=3000), zeros), (rng.normal(size=3000), zeros), levels=(0.5, 0.9)
    )
    assert [row["level"] for row in curve] == [0.5, 0.9]
    assert [row["coverage"] for row in curve] == pytest.approx([0.5, 0.9], abs=0.03)


def test_too_few_errors_for_a_level_give_an_interval_without_end():
    """Nine errors cannot promise 95 %: the honest interval is infinite."""
    made = conformal(np.arange(9.0), np.zeros(9), level=0.95)
    assert made == Interval(level=0.95, half=math.inf)


@pytest.mark.parametrize(
    ("call", "words"),
    [
        (lambda: conformal([1.0], [1.0], level=1.0), "0 < level < 1 must hold, but got 1.0"),
        (lambda: conformal([], [], level=0.5), "must be equal, not empty"),
        (lambda: conformal([1.0], [np.nan], level=0.5), "must be finite"),
        (lambda: conformal([1.0], [0.0], level=0.5, relative=True), "other than 0"),
        (lambda: coverage([], [], []), "no rows to cover"),
    ],
)
def test_what_makes_no_interval_is_refused(call, words):
    """Levels, lengths and values are checked."""
    with pytest.raises(ValueError, match=words):
        call()
