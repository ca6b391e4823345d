"""A window of sessions is one draw: silent on more of the same, whatever the windows overlap."""

import numpy as np
import polars as pl
import pytest

from heddle.monitoring.track_record import Watch
from heddle.monitoring.window_drift import window_drift

CFG = Watch(window=60, fewest=40)


def features(seed: int, rows: int, scale: float = 1.0) -> pl.DataFrame:
    """Returns, means of them over 40 rows, their spread, and a column that never moves."""
    moves = np.random.default_rng(seed).normal(0, 0.02 * scale, rows + 40)
    past = np.lib.stride_tricks.sliding_window_view(moves, 40)[1:]
    return pl.DataFrame(
        {
            "move": moves[40:],
            "mean": past.mean(axis=1),
            "spread": past.std(axis=1),
            "always": np.ones(rows),
        }
    )


def test_more_of_the_same_is_no_alarm():
    """Thirty futures of one kind: rows that follow one another are not taken for independent."""
    then = features(1, 2_400)
    found = [window_drift(then, features(seed, 60), CFG) for seed in range(100, 130)]
    assert {one.state for one in found} == {"ok"}


def test_wilder_days_are_an_alarm_that_names_the_column():
    """Three times the volatility; what never moves is left out of account."""
    found = window_drift(features(1, 2_400), features(2, 90, scale=3.0), CFG, origin="of v1")
    assert found.state == "alarm"
    assert found.value > found.limit > 1
    assert found.words.startswith("spread (of v1) lies furthest off: ")
    assert "times the most of 40 windows of 60 training sessions" in found.words


def test_the_last_window_is_looked_at():
    """What was before it is past."""
    wild, calm = features(2, 300, scale=3.0), features(3, 60)
    assert window_drift(features(1, 2_400), pl.concat([wild, calm]), CFG).state == "ok"


def test_without_a_limit_it_is_told():
    """The figure stands there, unjudged."""
    free = Watch(window=60, fewest=40, features=None)
    found = window_drift(features(1, 2_400), features(2, 60, scale=3.0), free)
    assert (found.state, found.limit) == ("unknown", None)
    assert found.value > 1


@pytest.mark.parametrize(
    ("then", "now", "words"),
    [
        (2_400, 59, "59 sessions since those of training, 60 are needed"),
        (599, 60, "9 windows of 60 training sessions, 10 are needed"),
    ],
)
def test_too_few_sessions_are_said(then, now, words):
    """Nothing is judged on them."""
    found = window_drift(features(1, then), features(2, now), CFG)
    assert (found.state, found.value, found.words) == ("unknown", None, words)


def test_rows_that_are_not_full_are_left_out():
    """A window that warms up is no drift."""
    then = features(1, 2_400)
    gap = then.with_columns(
        mean=pl.when(pl.int_range(pl.len()) >= 40).then("mean"),
        move=pl.col("move").cast(pl.Float32),
    )
    found = window_drift(gap, features(3, 60), CFG)
    assert found.state == "ok"
    assert "of 39 windows" in found.words
