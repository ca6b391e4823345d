"""Closed forms first, then empyrical as a second oracle on random returns."""

import math

import empyrical
import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from heddle.evaluation import returns as r

REAL = np.random.default_rng(5).standard_t(4, 700) * 0.02 + 0.0008
MARKET = 0.4 * REAL + np.random.default_rng(6).normal(0.0003, 0.01, 700)
CHANGES = st.lists(st.floats(-0.5, 0.5), min_size=1, max_size=60)


def dated(values):
    return pd.Series(values, index=pd.bdate_range("2020-01-01", periods=len(values)))


def test_a_constant_return_compounds_and_has_no_ratio():
    """Nothing varies and nothing falls: the ratios have no value, rather than infinity."""
    told = r.performance([0.001] * 252)
    assert told["annual_return"] == pytest.approx(1.001**252 - 1)
    assert told["volatility"] == 0.0
    assert told["max_drawdown"] == 0.0
    assert told["max_drawdown_sessions"] == 0
    assert all(math.isnan(told[name]) for name in ("sharpe", "sortino", "calmar"))


def test_a_constant_return_with_rounding_is_constant():
    """Prices that grow by one factor give returns that differ in the last digit alone."""
    prices = 3.7 * 1.013 ** np.arange(300)
    assert math.isnan(r.sharpe(prices[1:] / prices[:-1] - 1))


def test_one_crash_is_the_drawdown_and_lasts_until_the_peak_is_regained():
    """1, 2, 1, 1.5, then 2 or more: half was lost, and two sessions lay below the peak."""
    changes = [1.0, -0.5, 0.5, 1 / 3]
    assert r.max_drawdown(changes) == pytest.approx(-0.5)
    assert r.equity(changes)[-1] == pytest.approx(2.0)
    assert r.drawdown_sessions([1.0, -0.5, 0.5, 0.4]) == 2
    assert r.calmar(changes) == pytest.approx(r.annual_return(changes) / 0.5)


def test_the_first_peak_is_the_capital():
    """A strategy that only loses has fallen from 1, not from its first equity."""
    assert r.max_drawdown([-0.2]) == pytest.approx(-0.2)
    assert r.drawdown_sessions([-0.2, 0.1]) == 2


def test_ruin_is_for_good_and_no_number_is_broken_by_it():
    """A loss of more than everything, as a short may make, ends at 0."""
    told = r.performance([0.1, -1.4, 0.5])
    assert (told["total_return"], told["annual_return"], told["max_drawdown"]) == (-1, -1, -1)


def test_flipping_the_signs_flips_the_ratios():
    """The Sharpe ratio, alpha, beta and the information ratio to 0 are odd."""
    assert r.sharpe(-REAL) == pytest.approx(-r.sharpe(REAL))
    for one, other in zip(r.alpha_beta(-REAL, MARKET), r.alpha_beta(REAL, MARKET), strict=True):
        assert one == pytest.approx(-other)
    zero = np.zeros(len(REAL))
    assert r.information_ratio(REAL, zero) == pytest.approx(r.sharpe(REAL))


def test_a_single_session_has_a_return_and_no_spread():
    """One row is enough for what needs one row."""
    told = r.performance([0.02], [0.01])
    assert told["total_return"] == pytest.approx(0.02)
    assert told["value_at_risk_95"] == told["expected_shortfall_95"] == 0.02
    for name in ("sharpe", "volatility", "alpha", "beta", "information_ratio"):
        assert math.isnan(told[name])


@pytest.mark.parametrize("bad", [math.nan, math.inf])
def test_a_missing_return_is_refused(bad):
    """It is not taken for 0, and not left out."""
    with pytest.raises(ValueError, match="must be finite: a missing session is not one of return"):
        r.performance([0.01, bad])
    with pytest.raises(ValueError, match="must be finite"):
        r.trade_figures([bad])


def test_no_session_and_another_length_are_refused():
    """The words say what was given."""
    with pytest.raises(ValueError, match="at least one session"):
        r.sharpe([])
    with pytest.raises(ValueError, match="2 returns and 3 of the benchmark"):
        r.alpha_beta([0.1, 0.2], [0.1, 0.2, 0.3])


@pytest.mark.parametrize(
    ("own", "theirs"),
    [
        (r.annual_return, empyrical.annual_return),
        (r.volatility, empyrical.annual_volatility),
        (r.sharpe, empyrical.sharpe_ratio),
        (r.sortino, empyrical.sortino_ratio),
        (r.max_drawdown, empyrical.max_drawdown),
        (r.calmar, empyrical.calmar_ratio),
        (r.value_at_risk, empyrical.value_at_risk),
        (r.expected_shortfall, empyrical.conditional_value_at_risk),
    ],
)
def test_empyrical_finds_the_same(own, theirs):
    """A library that others rely on, on heavy-tailed returns and on the first 61 of them."""
    for values in (REAL, REAL[:61]):
        assert own(values) == pytest.approx(theirs(dated(values)), rel=1e-9)


def test_empyrical_finds_the_same_beside_a_benchmark():
    """Its alpha is compounded and its excess Sharpe ratio that of a session."""
    alpha, beta = r.alpha_beta(REAL, MARKET)
    theirs = empyrical.alpha_beta(dated(REAL), dated(MARKET))
    assert ((1 + alpha / 252) ** 252 - 1, beta) == pytest.approx(tuple(theirs), rel=1e-9)
    ratio = empyrical.excess_sharpe(dated(REAL), dated(MARKET)) * math.sqrt(252)
    assert r.information_ratio(REAL, MARKET) == pytest.approx(ratio, rel=1e-9)
    assert r.sharpe(REAL, 0.0001) == pytest.approx(empyrical.sharpe_ratio(dated(REAL), 0.0001))


@given(changes=CHANGES)
def test_a_drawdown_is_what_the_slow_definition_says(changes):
    """For each session, the equity over the best of 1 and every equity up to it."""
    wealth, slow = [1.0], []
    for change in changes:
        wealth.append(wealth[-1] * (1 + change))
        slow.append(wealth[-1] / max(wealth) - 1)
    assert r.drawdowns(changes).tolist() == pytest.approx(slow, abs=1e-12)
    assert -1 <= r.max_drawdown(changes) <= 0
    assert (r.drawdown_sessions(changes) == 0) == (r.max_drawdown(changes) == 0)


@given(changes=CHANGES)
def test_a_written_figure_is_a_number_or_null(changes):
    """Whatever the returns are, the document holds no NaN and no infinity."""
    for value in r.written(r.performance(changes, changes[::-1])).values():
        assert value is None or math.isfinite(value)


def test_trades_without_a_loss_have_no_profit_factor():
    """Nor do no trades at all, whose number is 0."""
    assert math.isnan(r.trade_figures([0.1, 0.2])["profit_factor"])
    none = r.trade_figures([])
    assert none["trades"] == 0
    assert math.isnan(none["hit_rate"])


def test_turnover_and_exposure_are_shares_of_capital_and_time():
    """A buy and a sale within half a year are four of the capital a year; signs do not cancel."""
    assert r.annual_turnover([1.0, *[0.0] * 124, -1.0]) == pytest.approx(4.0)
    assert r.exposure([0.0, 1.0, -0.5, 0.0]) == 0.5


def test_few_sessions_and_overlap_are_told():
    """In words, which the stage shows and keeps."""
    assert r.cautions(60) == ()
    few, overlap = r.cautions(59, horizon=5)
    assert few == "only 59 sessions: below 60 a Sharpe ratio is mostly luck"
    assert overlap.startswith("forecasts of 5 sessions overlap")
