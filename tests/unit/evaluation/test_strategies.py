import numpy as np
import pytest

from heddle.evaluation import returns as r
from heddle.evaluation.backtest import Rules
from heddle.evaluation.strategies import Market, since, strategies, table_row

SESSIONS = 300
DICE = np.random.default_rng(4)
CLOSES = 100 * np.cumprod(1 + DICE.normal(0.001, 0.02, SESSIONS))
MARKET = Market(
    sessions=tuple(range(SESSIONS)),
    opens=CLOSES * (1 + DICE.normal(0, 0.003, SESSIONS)),
    closes=CLOSES,
)
SAID = DICE.normal(0.001, 0.02, SESSIONS)
RULES = Rules(horizon=5, costs_bps=3.0, slippage_bps=2.0)
FOUND = strategies(MARKET, SAID, np.full(SESSIONS, 0.002), RULES)


def test_five_strategies_stand_side_by_side():
    """The model's first; persistence never trades, the drift of a rising market is always up."""
    names = ["model", "buy_and_hold", "always_up", "drift", "persistence"]
    assert list(FOUND) == names
    assert not FOUND["persistence"].course.net.any()
    assert FOUND["drift"].course.net.tolist() == FOUND["always_up"].course.net.tolist()


def test_buying_and_holding_pays_once_and_earns_the_price():
    """From the open of the second session to the last close."""
    made = FOUND["buy_and_hold"].course
    grown = CLOSES[-1] / MARKET.opens[1]
    assert r.equity(made.gross)[-1] == pytest.approx(grown)
    assert r.equity(made.net)[-1] == pytest.approx(grown * (1 - RULES.cost))
    assert FOUND["buy_and_hold"].trades.height == 1


def test_always_up_goes_through_the_same_ladder():
    """A fifth of the capital a session, until all of it is in."""
    held = FOUND["always_up"].course.position
    assert held[:7].tolist() == pytest.approx([0, 0.2, 0.4, 0.6, 0.8, 1, 1])


def test_without_a_forecast_nobody_but_the_holder_trades():
    """Sessions after the last forecast only let go."""
    said = np.r_[SAID[:100], np.full(200, np.nan)]
    found = strategies(MARKET, said, np.full(SESSIONS, 0.002), RULES)
    for name in ("model", "always_up", "drift"):
        assert not found[name].course.position[105:].any()
    assert found["buy_and_hold"].course.position[-1] == 1


def test_a_later_part_keeps_what_was_held():
    """Its returns are the last ones of the whole, and its trades those entered since."""
    part = since(FOUND["model"], MARKET.sessions, 200)
    whole = FOUND["model"].course
    assert part.course.net.tolist() == whole.net[200:].tolist()
    assert part.course.position[0] == whole.position[200] > 0
    assert part.trades["entry"].min() >= 200


def test_a_row_has_gross_and_net_side_by_side():
    """Beside buy and hold, but for itself; null where there is no figure."""
    row = table_row("model", FOUND)
    assert row["gross"]["total_return"] > row["net"]["total_return"]
    assert row["net"]["sharpe"] == r.sharpe(FOUND["model"].course.net)
    assert 0 < row["exposure"] <= 1
    assert row["annual_turnover"] == pytest.approx(
        FOUND["model"].course.traded.sum() / SESSIONS * 252
    )
    assert "alpha" in row["net"]
    assert "alpha" not in table_row("buy_and_hold", FOUND)["net"]
    none = table_row("persistence", FOUND)
    assert none["net"]["sharpe"] is None
    assert none["break_even_bps"] is None
    assert none["trades"]["trades"] == 0
