"""Forecasts as charts: the newest, those before it, and those of the walk."""

from datetime import UTC, date, datetime

import polars as pl
import pytest

from heddle.domain.entities import Prediction
from heddle.presentation.dashboard.chapters import pieces
from heddle.presentation.dashboard.forecast_drawn import forecast_chart, record_rows, walk_chart


def foretold(day, price=100.0, **changes):
    told = {
        "series": "demo", "as_of": date(2026, 1, day), "target_session": date(2026, 1, day + 1),
        "horizon": 1, "price": price, "predicted_return": 0.01, "predicted_price": price * 1.01,
        "lower_return": -0.02, "upper_return": 0.04, "lower_price": price * 0.98,
        "upper_price": price * 1.04, "direction": "up", "model_name": "m", "model_version": "1",
        "model_digest": "d", "data_hash": "h", "generated_at": datetime(2026, 1, day, tzinfo=UTC),
    }  # fmt: skip
    return Prediction(**told | changes)


def test_a_forecast_opens_from_the_last_price():
    """Its interval with it; earlier ones stand where they meant, if their day is drawn."""
    prices = [(f"2026-01-0{day}", 100.0 + day) for day in range(3, 8)]
    earlier = [foretold(1), foretold(5, realised_price=101.0)]
    (drawn,) = pieces(forecast_chart(prices, foretold(7), earlier))
    traces = {trace["name"]: trace for trace in drawn.spec["data"]}
    assert traces["foretold earlier"]["x"] == ["2026-01-06"]
    assert traces["forecast"]["y"] == [100.0, 101.0]
    assert traces["interval"]["y"] == [100.0, 104.0, 98.0, 100.0]
    assert "between 98" in drawn.says
    (alone,) = pieces(forecast_chart([], foretold(7, lower_price=None), []))
    assert [trace["name"] for trace in alone.spec["data"]] == ["price", "forecast"]


def test_the_record_says_what_came_and_whether_it_was_expected():
    """The latest first; unknown stays unknown."""
    made = [foretold(1, realised_price=120.0), foretold(2, realised_price=101.0), foretold(3)]
    rows = record_rows(made)
    assert [row["Within"] for row in rows] == [None, True, False]
    assert rows[0]["Id"] == made[2].id


def test_what_the_walk_foretold_stands_at_the_session_that_was_meant():
    """`horizon` sessions after the one it was foretold at; nothing is drawn without forecasts."""
    table = pl.DataFrame(
        {
            "session": [date(2026, 1, day) for day in range(1, 6)],
            "close": [100.0, 110.0, 120.0, 130.0, 140.0],
            "predicted": [0.0, 0.1, 0.0, 0.0, None],
        }
    )
    (drawn,) = pieces(walk_chart(table, 2, "2026-01-03", "2026-01-04"))
    close, told = drawn.spec["data"]
    assert (close["x"], close["y"]) == (["2026-01-03", "2026-01-04"], [120.0, 130.0])
    assert told["y"] == pytest.approx([100.0, 121.569], rel=1e-4)
    assert walk_chart(table.drop("predicted"), 2, "2026", "2027") is None
    assert walk_chart(table, 2, "2030-01-01", "2030-02-01") is None
