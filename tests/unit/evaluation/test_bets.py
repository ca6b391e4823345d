import math

import numpy as np
import pytest

from heddle.evaluation.bets import figures, mean_by_period, rival
from heddle.evaluation.deflated import deflated_sharpe, moments

MOVES = np.random.default_rng(6).normal(0.004, 0.02, 300)
EACH = np.arange(300)


def asked(predicted, against, *, horizon=1, trials=10):
    return figures(predicted, MOVES, EACH, against, horizon=horizon, trials=trials, year=252)


def test_the_rival_is_whoever_earned_most_for_its_risk_without_a_candidate():
    """Always up where it rises, no bets where it falls, a baseline where that knew better."""
    assert rival({"zero": np.zeros(300)}, MOVES, EACH).name == "always_up"
    assert rival({"zero": np.zeros(300)}, -MOVES, EACH).name == "no_bets"
    assert rival({"down": -np.ones(300)}, -MOVES, EACH).name == "down"


def test_what_is_deflated_is_what_the_bets_earned_beyond_the_rival():
    """Twice the move where the candidate says down, nothing where it says up."""
    said = np.where(EACH % 3 == 0, -1.0, 1.0)
    told = asked(said, rival({}, MOVES, EACH))
    ratio, skew, kurtosis = moments(np.where(said < 0, -2 * MOVES, 0.0))
    expected = deflated_sharpe(
        ratio, rows=300, skew=skew, kurtosis=kurtosis, trials=10, spread=1 / math.sqrt(299)
    )
    assert told["excess_sharpe"] == pytest.approx(ratio * math.sqrt(252))
    assert told["deflated_sharpe"] == pytest.approx(expected)
    assert told["sharpe"] == pytest.approx(moments(said * MOVES)[0] * math.sqrt(252))


def test_a_baseline_has_no_excess():
    """Nothing is asked of it; what it earned is shown all the same."""
    told = asked(np.ones(300), None)
    assert told["excess_sharpe"] is told["deflated_sharpe"] is None
    assert told["sharpe"] > 0


def test_rows_of_one_period_are_one_bet():
    """The mean of each, in the order of time."""
    made = mean_by_period(np.array([1.0, 2.0, 6.0, 5.0]), np.array([3, 3, 3, 7]))
    assert made.tolist() == [3.0, 5.0]
