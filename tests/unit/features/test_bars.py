"""What formulas share."""

import math

import numpy as np
import pytest

from heddle.features.bars import Bars, ema
from heddle.features.rolling import weighted

DAYS = np.array(["2024-02-27", "2024-02-29", "2024-03-28", "2024-03-30", "2024-03-31"], "M8[D]")


@pytest.fixture
def bars() -> Bars:
    close = np.array([10.0, 11.0, 9.9, 9.9, 20.0])
    prices = dict.fromkeys(("open", "high", "low", "volume"), np.ones(5))
    return Bars({**prices, "close": close}, DAYS, {})


def test_returns_and_the_close_before_begin_with_the_second_row(bars):
    """The first has no yesterday."""
    assert bars.before[1:].tolist() == [10.0, 11.0, 9.9, 9.9]
    assert bars.log_return[1:] == pytest.approx(
        [math.log(1.1), math.log(0.9), 0, math.log(20 / 9.9)]
    )
    assert np.isnan([bars.before[0], bars.log_return[0]]).all()


def test_weekdays_that_are_left_are_those_after_the_day(bars):
    """A leap day, a Thursday before Good Friday, a Saturday and a Sunday."""
    assert bars.left.tolist() == [2.0, 0.0, 1.0, 0.0, 0.0]


def test_what_several_formulas_want_is_worked_out_once(bars):
    """And is that of the column and the window asked for."""
    assert bars.moments("close", 3) is bars.moments("close", 3)
    assert bars.moments("close", 3).mean[2] == pytest.approx(30.9 / 3)
    assert bars.moments("volume", 3).flat.tolist() == [False, False, True, True, True]
    assert bars.trend(1, 2, 2) is bars.trend(1, 2, 2)
    wanted = weighted(bars.close, ema(1, 2)) - weighted(bars.close, ema(2, 2))
    assert np.array_equal(bars.trend(1, 2, 2), wanted, equal_nan=True)


def test_five_spans_leave_five_in_a_hundred_thousand():
    """So much of an average without end is not in the one that is cut."""
    assert len(ema(26, 5)) == 130
    left = (1 - 2 / 27) ** 130
    assert left == pytest.approx(4.5e-5, rel=0.02)
    assert ema(3, 1) == pytest.approx([1 / 7, 2 / 7, 4 / 7])
