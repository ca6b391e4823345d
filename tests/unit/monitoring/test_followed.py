"""What predictions would have earned: by hand, and by the back-test's own functions."""

from __future__ import annotations

from dataclasses import replace
from datetime import date, timedelta

import numpy as np
import polars as pl
from tests.predictions import PREDICTION

from heddle.evaluation.backtest import Rules
from heddle.monitoring.followed import followed

FREE = Rules(costs_bps=0, slippage_bps=0, side="long_short", trade_at="close")
DAYS = [date(2024, 3, 1) + timedelta(days=n) for n in range(6)]
PRICES = pl.DataFrame({"day": DAYS, "price": [90.0, 100.0, 100.0, 110.0, 99.0, 99.0]})


def test_a_prediction_is_traded_the_session_after_and_held_to_its_horizon():
    """Down, said on the second day, sold on the third at its close: the fourth loses a tenth."""
    down = replace(PREDICTION, as_of=DAYS[1], predicted_return=-0.02, horizon=1)
    earned = followed(PRICES, [down], FREE, time="day", price="price")
    assert np.allclose(earned, [0.0, -0.1, 0.0, 0.0])
    paid = followed(PRICES, [down], replace(FREE, costs_bps=10.0), time="day", price="price")
    assert paid.sum() < earned.sum()


def test_trades_are_made_at_the_opening_where_there_is_one():
    """What happens between opening and close belongs to who bought at the opening."""
    up = replace(PREDICTION, as_of=DAYS[0], predicted_return=0.02)
    frame = PRICES.with_columns(start=pl.lit(80.0))
    rules = replace(FREE, trade_at="open")
    assert np.isclose(
        followed(frame, [up], rules, time="day", price="price", opening="start")[0], 0.25
    )
    assert followed(frame, [up], rules, time="day", price="price")[0] == 0.0


def test_nothing_predicted_earns_nothing():
    """No prediction, or none that the prices reach."""
    later = replace(PREDICTION, as_of=date(2030, 1, 1))
    for said in ([], [later]):
        assert followed(PRICES, said, FREE, time="day", price="price").size == 0
