"""Small cases by hand, a slow account as a second reading, and what may never happen."""

import math
from datetime import date, timedelta

import empyrical
import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from heddle.evaluation import returns
from heddle.evaluation.backtest import Rules, break_even_bps, course, positions, signals, trades

FREE = {"costs_bps": 0.0, "slippage_bps": 0.0}
RULES = st.builds(
    Rules,
    horizon=st.integers(1, 5),
    side=st.sampled_from(["long_flat", "long_short"]),
    overlap=st.sampled_from(["ladder", "non_overlapping"]),
    trade_at=st.sampled_from(["open", "close"]),
    cap=st.sampled_from([0.5, 1.0]),
    threshold=st.sampled_from([0.0, 0.01]),
    full_at=st.sampled_from([None, 0.05]),
    costs_bps=st.floats(0, 50),
)
DAYS = st.lists(
    st.tuples(st.floats(-0.1, 0.1), st.floats(-0.1, 0.1), st.floats(-0.1, 0.1)),
    min_size=4,
    max_size=40,
)


def market(days):
    """Return (opens, closes, forecasts) of (overnight, over the day, forecast) triples."""
    night, day, said = np.array(days).T
    closes = 100 * np.cumprod((1 + night) * (1 + day))
    return closes / (1 + day), closes, said


def run(days, rules):
    opens, closes, said = market(days)
    return course(opens, closes, positions(signals(said, rules), rules), rules)


def test_a_forecast_is_traded_at_the_next_close_and_earns_from_there():
    """Said at the close of session 0, bought at that of 1, sold at that of 2: 110 -> 121."""
    rules = Rules(trade_at="close", costs_bps=10.0, slippage_bps=0.0)
    closes = [100.0, 110.0, 121.0, 50.0]
    held = positions(signals([0.01, -0.01, -0.01, -0.01], rules), rules)
    assert held.tolist() == [0, 1, 0, 0]
    made = course(closes, closes, held, rules)
    assert made.gross.tolist() == pytest.approx([0, 0, 0.1, 0])
    assert made.net.tolist() == pytest.approx([0, -0.001, 1.1 * 0.999 - 1, 0])
    assert made.traded.tolist() == [0, 1, 1, 0]


def test_a_forecast_is_traded_at_the_next_open_and_earns_the_day_and_the_night():
    """Bought at the open of session 1 for 105, sold at that of 2 for 115.5: 10 %."""
    rules = Rules(trade_at="open", **FREE)
    opens, closes = [99.0, 105.0, 115.5, 7.0], [100.0, 110.0, 121.0, 50.0]
    made = course(opens, closes, positions([1.0, 0.0, 0.0, 0.0], rules), rules)
    assert made.gross.tolist() == pytest.approx([0, 110 / 105 - 1, 115.5 / 110 - 1, 0])
    assert returns.equity(made.gross)[-1] == pytest.approx(1.1)


def test_a_short_earns_what_the_price_loses():
    """Half the capital sold at 100, bought back at 80: half of 20 %."""
    rules = Rules(side="long_short", cap=0.5, trade_at="close", **FREE)
    closes = [90.0, 100.0, 80.0, 80.0]
    made = course(closes, closes, positions(signals([-0.1, 0, 0, 0], rules), rules), rules)
    assert made.position.tolist() == [0, -0.5, 0, 0]
    assert made.gross.tolist() == pytest.approx([0, 0, 0.1, 0])
    assert made.traded.tolist() == pytest.approx([0, 0.5, 0.4 / 1.1, 0])


def test_a_ladder_puts_a_share_into_each_forecast():
    """Three sessions each: a third comes in, stays for three sessions and goes."""
    rules = Rules(horizon=3)
    held = positions(signals([0.1, 0.1, -0.1, 0.1, 0.1, 0.1, -0.1, -0.1], rules), rules)
    assert held.tolist() == pytest.approx([0, 1 / 3, 2 / 3, 2 / 3, 2 / 3, 2 / 3, 1, 2 / 3])


def test_trades_that_do_not_overlap_ask_again_when_one_is_over():
    """Signals in between are passed by; one that comes at the end follows without a pause."""
    rules = Rules(horizon=2, overlap="non_overlapping", side="long_short")
    held = positions([1.0, -1.0, -1.0, 1.0, 0.0, 0.0, 1.0], rules)
    assert held.tolist() == [0, 1, 1, -1, -1, 0, 0]


def test_what_always_invests_with_one_trade_is_buy_and_hold():
    """The equity is the price over that of the first trade; costs were paid once."""
    rng = np.random.default_rng(0)
    opens, closes, _ = market(np.c_[rng.normal(0, 0.01, (200, 2)), np.zeros(200)])
    rules = Rules(costs_bps=5.0, slippage_bps=0.0)
    made = course(opens, closes, [0.0, *[1.0] * 199], rules)
    assert returns.equity(made.net)[-1] == pytest.approx(closes[-1] / opens[1] * (1 - 5e-4))
    assert made.traded.sum() == pytest.approx(1.0)


def slow_account(opens, closes, held, rules):
    """Cash and shares, session by session: read aloud what `course` does at once."""
    cash, shares, worth, told = 1.0, 0.0, 1.0, []
    for session, target in enumerate(held):
        price = opens[session] if rules.trade_at == "open" else closes[session]
        capital = cash + shares * price
        order = target * capital / price - shares
        capital -= rules.cost * abs(order) * price
        shares = target * capital / price
        cash = capital - shares * price
        now = cash + shares * closes[session]
        told.append(now / worth - 1)
        worth = now
    return told


@given(days=DAYS, rules=RULES)
def test_an_account_kept_by_hand_comes_to_the_same(days, rules):
    """With the costs taken from the capital before its share is invested."""
    opens, closes, said = market(days)
    held = positions(signals(said, rules), rules)
    made = course(opens, closes, held, rules)
    assert made.net.tolist() == pytest.approx(slow_account(opens, closes, held, rules), abs=1e-9)


@given(days=DAYS, rules=RULES, cut=st.integers(1, 39), seed=st.integers(0, 99))
def test_nothing_is_known_before_it_happens(days, rules, cut, seed):
    """Other forecasts from session t on change no position up to t, other prices no return."""
    cut = min(cut, len(days) - 1)
    opens, closes, said = market(days)
    rng = np.random.default_rng(seed)
    other = np.r_[said[:cut], rng.normal(0, 0.1, len(days) - cut)]
    held, changed = (positions(signals(f, rules), rules) for f in (said, other))
    assert held[: cut + 1].tolist() == changed[: cut + 1].tolist()
    scale = np.r_[np.ones(cut), rng.uniform(0.5, 2, len(days) - cut)]
    one = course(opens, closes, held, rules)
    two = course(opens * scale, closes * scale, held, rules)
    assert one.net[:cut].tolist() == two.net[:cut].tolist()


@given(days=DAYS, rules=RULES, more=st.floats(1, 100))
def test_costs_only_ever_cost(days, rules, more):
    """Net never exceeds gross, and dearer trading never leaves more."""
    from dataclasses import replace

    dear = replace(rules, costs_bps=rules.costs_bps + more)
    cheap, costly = run(days, rules), run(days, dear)
    assert (cheap.net <= cheap.gross + 1e-12).all()
    assert (costly.net <= cheap.net + 1e-12).all()
    assert costly.gross.tolist() == cheap.gross.tolist()


@given(days=DAYS, rules=RULES, factor=st.floats(0.01, 100))
def test_the_currency_does_not_matter(days, rules, factor):
    """All prices times a number: the same returns."""
    opens, closes, said = market(days)
    held = positions(signals(said, rules), rules)
    one = course(opens, closes, held, rules)
    other = course(opens * factor, closes * factor, held, rules)
    assert other.net.tolist() == pytest.approx(one.net.tolist(), abs=1e-9)


@given(days=DAYS, rules=RULES)
def test_no_forecast_and_a_forecast_of_nothing_leave_the_capital_alone(days, rules):
    """Persistence never trades: equity stays at 1, and there is no break-even."""
    opens, closes, said = market(days)
    for none in (np.zeros(len(said)), np.full(len(said), math.nan)):
        asked = signals(none, rules)
        made = course(opens, closes, positions(asked, rules), rules)
        assert not made.net.any()
        assert not made.traded.any()
        assert math.isnan(break_even_bps(made))
        assert trades(range(len(said)), opens, closes, asked, rules).height == 0


@given(days=DAYS, rules=RULES)
def test_a_position_keeps_within_its_bounds(days, rules):
    """Never beyond the cap, never below 0 without shorts, none in the first session."""
    made = run(days, rules)
    assert made.position[0] == 0
    assert np.abs(made.position).max() <= rules.cap
    assert rules.side == "long_short" or (made.position >= 0).all()


@given(days=DAYS, rules=RULES)
def test_at_the_break_even_cost_nothing_is_left_of_the_gain(days, rules):
    """Run again with that cost, the equity ends where it began."""
    from dataclasses import replace

    made = run(days, rules)
    cost = break_even_bps(made)
    gained = returns.equity(made.gross)[-1] >= 1
    assert math.isnan(cost) == (not gained or not made.traded.any())
    if not math.isnan(cost):
        again = run(days, replace(rules, costs_bps=cost, slippage_bps=0.0))
        assert returns.equity(again.net)[-1] == pytest.approx(1.0, abs=1e-6)


def test_trades_tell_entry_exit_and_what_was_left():
    """Two sessions long, one session short that the data's end cut off."""
    rules = Rules(horizon=2, side="long_short", trade_at="close", costs_bps=10, slippage_bps=0)
    days = [date(2024, 1, 1) + timedelta(d) for d in range(5)]
    closes = [100.0, 100.0, 110.0, 120.0, 90.0]
    told = trades(days, closes, closes, [1.0, 0, 0, -1.0, 0], rules)
    assert told["entry"].to_list() == [days[1], days[4]]
    assert told["exit"].to_list() == [days[3], days[4]]
    assert told["sessions"].to_list() == [2, 0]
    assert told["side"].to_list() == ["long", "short"]
    assert told["size"].to_list() == [0.5, 0.5]
    assert told["gross"].to_list() == pytest.approx([0.2, 0.0])
    assert told["net"].to_list() == pytest.approx([0.2 - 0.001 * 2.2, -0.001])
    assert told["closed"].to_list() == [True, False]


def test_a_lost_short_ends_the_account():
    """The price trebles while all capital is short: nothing is left, and stays so."""
    rules = Rules(side="long_short", trade_at="close", **FREE)
    closes = [1.0, 1.0, 3.0, 1.0, 1.0]
    made = course(closes, closes, [0, -1.0, -1.0, -1.0, 0], rules)
    assert made.gross.tolist() == [0, 0, -1, 0, 0]
    assert returns.equity(made.gross)[-1] == 0


def test_empyrical_judges_the_daily_returns_alike():
    """Of a ladder over 600 sessions, net of costs."""
    rng = np.random.default_rng(8)
    days = np.c_[rng.normal(0, 0.008, 600), rng.normal(0.0005, 0.015, 600), rng.normal(size=600)]
    made = run(days, Rules(horizon=5, side="long_short", cap=0.8))
    series = pd.Series(made.net, index=pd.bdate_range("2020-01-01", periods=600))
    told = returns.performance(made.net)
    assert told["sharpe"] == pytest.approx(empyrical.sharpe_ratio(series))
    assert told["max_drawdown"] == pytest.approx(empyrical.max_drawdown(series))
    assert told["annual_return"] == pytest.approx(empyrical.annual_return(series))


@pytest.mark.parametrize(
    ("changed", "words"),
    [
        ({"horizon": 0}, "horizon >= 1 must hold, but got 0"),
        ({"cap": 0.0}, "cap > 0 must hold, but got 0.0"),
        ({"full_at": 0.0}, "full_at > 0 must hold, but got 0.0"),
        ({"threshold": -0.1}, "threshold >= 0 must hold, but got -0.1"),
        ({"costs_bps": math.nan}, "costs_bps >= 0 must hold, but got nan"),
    ],
)
def test_rules_that_cannot_be_are_refused(changed, words):
    """With the bound and what was given."""
    with pytest.raises(ValueError, match=words):
        Rules(**changed)


def test_prices_and_positions_that_cannot_be_are_refused():
    """Nothing is guessed for a price that is missing."""
    with pytest.raises(ValueError, match="closes must be above 0"):
        course([1.0, 1.0], [1.0, 0.0], [0, 0], Rules())
    with pytest.raises(ValueError, match="opens must be one row of finite numbers"):
        course([1.0, math.nan], [1.0, 1.0], [0, 0], Rules())
    with pytest.raises(ValueError, match="2 opens, 2 closes, 3 positions"):
        course([1.0, 1.0], [1.0, 1.0], [0, 0, 0], Rules())
    with pytest.raises(ValueError, match="the first session has no session before it"):
        course([1.0, 1.0], [1.0, 1.0], [1, 0], Rules())
