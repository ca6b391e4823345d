"""Drawings over sessions, of small courses."""

import json
import re

import numpy as np

from heddle.presentation.report.backtest_charts import (
    Earned,
    Sessions,
    earned_charts,
    over_sessions,
)

DAYS = [f"2024-01-{day:02d}" for day in range(1, 11)]


def test_a_first_unseen_session_after_the_end_marks_nothing():
    """Nor does none at all."""
    assert "shapes" not in over_sessions(Sessions(DAYS, "2025-01-01"))
    assert "shapes" not in over_sessions(Sessions(DAYS))
    assert len(over_sessions(Sessions(DAYS, DAYS[3]))["shapes"]) == 2


def test_ruin_and_few_sessions_are_drawn_too():
    """Wealth of 0 has no place on a logarithmic axis, and nothing breaks for that."""
    lost = Earned(name="model", net=np.array([0.1, -1.0, *[0.0] * 8]), position=np.ones(10))
    html = earned_charts(lost, [], Sessions(DAYS))
    assert "model, net 0" in html
    assert "model, net \N{MINUS SIGN}100" in html
    assert "100\N{NO-BREAK SPACE}% of the sessions" in html


def test_short_positions_are_named_as_they_are():
    """A mean below 0, and sessions without a position are not held."""
    position = np.array([0.0, -1.0, -1.0, 0.0, -1.0, -1.0, 0.0, 0.0, 0.0, 0.0])
    made = Earned(name="model", net=np.zeros(10), position=position)
    html = earned_charts(made, [], Sessions(DAYS))
    assert "40\N{NO-BREAK SPACE}% of the sessions, and \N{MINUS SIGN}40\N{NO-BREAK SPACE}%" in html


def test_lines_of_no_value_are_null_not_nan():
    """A rolling figure has none at first; JSON knows no NaN."""
    made = Earned(name="model", net=np.linspace(0, 0.1, 10))
    html = earned_charts(made, [], Sessions(DAYS))
    drawn = json.loads(re.search(r'id="backtest-sharpe-spec">(.*?)</script>', html)[1])
    assert drawn["data"][0]["y"] == [None] * 10
