"""Each alarm fires when it should, and nothing else does."""

from __future__ import annotations

import math
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.predictions import PREDICTION

from heddle.domain.entities import Prediction
from heddle.monitoring.track_record import (
    Band,
    Promises,
    Watch,
    accuracy,
    performance,
    staleness,
)

PROMISED = Promises(rmse=0.02, level=0.9)
NAMES = ("rmse", "mae", "direction", "coverage")


def matured(predicted, actual, *, horizon=1) -> list[Prediction]:
    """Return one prediction a day, its interval five points wide on both sides."""
    return [
        replace(
            PREDICTION,
            as_of=date(2024, 3, 1) + timedelta(days=day),
            horizon=horizon,
            predicted_return=float(said),
            lower_return=float(said) - 0.05,
            upper_return=float(said) + 0.05,
            realised_return=float(came),
            realised_price=100.0,
            realised_at=datetime(2024, 6, 1, tzinfo=UTC),
        )
        for day, (said, came) in enumerate(zip(predicted, actual, strict=True))
    ]


def as_promised(rows: int = 60, *, sign: float = 1.0, times: float = 1.0) -> list[Prediction]:
    draw = np.random.default_rng(3)
    actual = draw.normal(0.0, 0.03, rows)
    return matured(sign * actual + times * draw.normal(0.0, 0.02, rows), actual)


def states(checks) -> dict[str, str]:
    return {check.name: check.state for check in checks}


def test_predictions_as_good_as_promised_are_silent():
    """Each figure is told with its limit."""
    found = {check.name: check for check in accuracy(as_promised(), PROMISED, Watch())}
    assert {name: check.state for name, check in found.items()} == dict.fromkeys(NAMES, "ok")
    assert found["rmse"].value < found["rmse"].limit == pytest.approx(0.03)
    assert found["coverage"].limit == pytest.approx(0.8)
    assert "of the test rows" in found["rmse"].words


def test_larger_errors_are_an_alarm():
    """Twice the promised error, over sixty sessions."""
    found = accuracy(as_promised(times=2.0), PROMISED, Watch())
    assert states(found)["rmse"] == "alarm"
    assert states(accuracy(as_promised(times=2.0), PROMISED, Watch(rmse=3.0)))["rmse"] == "ok"


def test_wrong_directions_are_an_alarm():
    """What was said up went down; the base rate stands beside it."""
    found = {c.name: c for c in accuracy(as_promised(sign=-1.0), PROMISED, Watch())}
    assert found["direction"].state == "alarm"
    assert "always up would have had" in found["direction"].words


def test_outcomes_outside_of_the_interval_are_an_alarm():
    """Nine in ten were promised."""
    wide = [replace(one, lower_return=-0.001, upper_return=0.001) for one in as_promised()]
    assert states(accuracy(wide, PROMISED, Watch()))["coverage"] == "alarm"
    none = [replace(one, lower_return=None) for one in as_promised()]
    assert states(accuracy(none, PROMISED, Watch()))["coverage"] == "unknown"
    unpromised = accuracy(as_promised(), Promises(), Watch())
    assert states(unpromised) == {**dict.fromkeys(NAMES, "unknown"), "mae": "ok", "direction": "ok"}


def test_what_may_be_chance_is_told_and_is_no_alarm():
    """Targets of twenty sessions overlap: sixty of them count as three."""
    found = accuracy(
        [replace(one, horizon=20) for one in as_promised(sign=-1.0)], PROMISED, Watch()
    )
    direction = next(check for check in found if check.name == "direction")
    assert direction.state == "ok"
    assert "may be chance (p = 0." in direction.words


def test_too_few_outcomes_are_told_and_are_no_alarm():
    """Whatever they are; those to come do not count."""
    bad = as_promised(39, sign=-1.0, times=9.0)
    waiting = [replace(PREDICTION, as_of=date(2025, 1, n)) for n in range(1, 30)]
    found = accuracy([*bad, *waiting], PROMISED, Watch())
    assert states(found) == dict.fromkeys(NAMES, "unknown")
    assert found[0].words == "39 matured predictions, 40 are needed"


def test_only_the_latest_are_judged():
    """What was bad long ago is over."""
    old = as_promised(60, sign=-1.0, times=9.0)
    new = [replace(one, as_of=one.as_of + timedelta(days=90)) for one in as_promised()]
    assert "alarm" not in states(accuracy([*old, *new], PROMISED, Watch())).values()


def test_a_limit_of_null_is_not_judged():
    """The figure is told all the same."""
    cfg = Watch(rmse=None, direction=None, coverage=None, band=False, price_age=None)
    found = accuracy(as_promised(sign=-1.0, times=9.0), PROMISED, cfg)
    assert "alarm" not in states(found).values()
    assert all(check.value is not None for check in found)
    (price,) = staleness({"price": (date(2024, 3, 1), 99)}, cfg)
    assert (price.state, price.value) == ("unknown", 99)
    lost = performance(np.full(60, -0.01), Band(sharpe=-1.0, drawdown=-0.1), cfg)
    assert "alarm" not in states(lost).values()


BAND = Band(sharpe=-1.5, drawdown=-0.2)
FLAT = np.tile([0.011, -0.01], 40)


def test_returns_within_the_band_are_silent():
    """Sharpe ratio of the window, fall from the peak."""
    found = {check.name: check for check in performance(FLAT, BAND, Watch())}
    assert {name: check.state for name, check in found.items()} == {
        "sharpe": "ok",
        "drawdown": "ok",
    }
    assert found["drawdown"].limit == -0.2
    words = "the back-test (all its sessions, those that the search saw too) makes -1.5 or more"
    assert words in found["sharpe"].words


def test_a_sharpe_ratio_below_the_band_is_an_alarm():
    """Losses, small and steady: no deep fall yet."""
    falling = performance(FLAT - 0.002, BAND, Watch())
    assert states(falling) == {"sharpe": "alarm", "drawdown": "ok"}


def test_a_fall_below_the_band_is_an_alarm():
    """One crash within the window; it is over when the window is."""
    crash = np.concatenate([FLAT, [-0.3], FLAT[:50] + 0.002])
    band = replace(BAND, sharpe=-4.0)
    assert states(performance(crash, band, Watch())) == {"sharpe": "ok", "drawdown": "alarm"}
    over = np.concatenate([crash, FLAT])
    assert states(performance(over, band, Watch())) == {"sharpe": "ok", "drawdown": "ok"}


def test_returns_that_cannot_be_judged_say_why():
    """Too few, no band, nothing that varies."""
    few = performance(FLAT[:59], BAND, Watch())
    assert [check.words for check in few] == ["59 sessions of returns, 60 are needed"] * 2
    alone = performance(FLAT, None, Watch())
    assert states(alone) == {"sharpe": "unknown", "drawdown": "unknown"}
    idle = performance(FLAT, Band(sharpe=None, drawdown=None), Watch())
    assert states(idle) == {"sharpe": "unknown", "drawdown": "unknown"}
    assert "the model tells no band of a back-test" in alone[0].words
    still = {check.name: check for check in performance(np.zeros(60), BAND, Watch())}
    assert still["sharpe"].words == "has no value: nothing varies"


def test_old_prices_and_old_predictions_are_alarms():
    """By sessions that have closed since, not by days."""
    ages = {"price": (date(2024, 3, 1), 3), "prediction": (date(2024, 3, 4), 2)}
    price, prediction = staleness(ages, Watch())
    assert (price.state, price.value, price.limit) == ("alarm", 3, 2)
    assert price.words == "the last price is of 2024-03-01; sessions closed since"
    assert prediction.state == "ok"
    (never,) = staleness({"prediction": (None, None)}, Watch())
    assert never.words.startswith("no prediction was made in time yet: `heddle predict` makes one")
    assert never.state == "unknown"


@given(st.lists(st.floats(-0.5, 0.5), min_size=2, max_size=60))
def test_figures_are_numbers_or_nothing(values):
    """No figure is NaN or infinite: the report is JSON."""
    cfg = Watch(fewest=2)
    found = [
        *accuracy(matured(values, values[::-1]), PROMISED, cfg),
        *performance(values, replace(BAND, window=2), cfg),
    ]
    assert all(c.value is None or math.isfinite(c.value) for c in found)


@pytest.mark.parametrize(
    ("told", "words"),
    [
        ({"window": 1}, "window and fewest must be at least 2"),
        ({"fewest": 61}, "fewest <= window must hold, but got 61 and 60"),
        ({"level": 0.0}, "0 < level < 1 must hold, but got 0"),
        ({"rmse": 0.5}, "rmse is a multiple, at least 1, not 0.5"),
        ({"price_age": -1}, "price_age must not be negative, but is -1"),
    ],
)
def test_limits_that_make_no_sense_are_refused(told, words):
    """When they are read."""
    with pytest.raises(ValueError, match=words):
        Watch(**told)
