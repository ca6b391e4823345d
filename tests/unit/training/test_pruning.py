"""The median rule against its definition read aloud."""

from __future__ import annotations

from statistics import median_low

import pytest
from hypothesis import given
from hypothesis import strategies as st

from heddle.training.pruning import Pruning, mean

values = st.floats(-1e3, 1e3)
curves = st.lists(st.lists(values, min_size=4, max_size=4), max_size=9)


@given(st.lists(values, min_size=1, max_size=4), curves)
def test_a_trial_stops_when_it_is_worse_than_half_of_the_finished_ones(folds, finished):
    better = sum(mean(other[: len(folds)]) < mean(folds) for other in finished)
    rivals = sorted(mean(other[: len(folds)]) for other in finished)
    wanted = len(finished) >= 5 and mean(folds) > median_low(rivals)
    assert Pruning().stops(folds, finished) == wanted
    if wanted:
        assert better >= len(finished) / 2


@given(st.lists(values, min_size=1, max_size=4), curves)
def test_maximise_is_the_mirror_image(folds, finished):
    mirrored = [[-v for v in other] for other in finished]
    assert Pruning().stops(folds, finished, maximise=True) == Pruning().stops(
        [-v for v in folds], mirrored
    )


def test_startup_warmup_and_enabled_hold_it_back():
    finished = [(1.0, 1.0)] * 5
    assert Pruning().stops([2.0], finished)
    assert not Pruning(startup=6).stops([2.0], finished)
    assert not Pruning(warmup=1).stops([2.0], finished)
    assert Pruning(warmup=1).stops([2.0, 2.0], finished)
    assert not Pruning(enabled=False).stops([2.0], finished)


@pytest.mark.parametrize(
    ("wrong", "words"), [({"startup": 0}, "startup"), ({"warmup": -1}, "warmup")]
)
def test_impossible_numbers_are_refused(wrong, words):
    with pytest.raises(ValueError, match=f"{words} must"):
        Pruning(**wrong)
