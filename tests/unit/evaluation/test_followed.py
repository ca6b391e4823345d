from datetime import date, timedelta

import numpy as np
import pytest

from heddle.domain.errors import DataContractError
from heddle.evaluation.backtest import Rules
from heddle.evaluation.followed import Said, equity_table, followed
from heddle.evaluation.strategies import Market
from heddle.evaluation.walk_forward import Refit

DAYS = tuple(date(2024, 1, 1) + timedelta(days=i) for i in range(8))
SAID = Said(
    sessions=(*DAYS[:2], *DAYS[3:5]),  # the row of the third day is missing
    predicted=np.array([0.1, -0.1, 0.2, 0.1]),
    actual=np.array([0.1, 0.1, -0.2, 0.1]),
    drift=np.full(4, 0.01),
    refit=(1, 1, 2, 2),
    plan=(
        Refit(number=1, train=range(5), predict=range(6, 8)),
        Refit(number=2, train=range(7), predict=range(8, 10)),
    ),
    chosen=((), ()),
)
PRICES = np.array([10.0, 11, 12, 11, 12, 13, 12, 14])
MARKET = Market(sessions=DAYS, opens=PRICES, closes=PRICES)


def test_forecasts_find_their_sessions_and_gaps_are_no_forecast():
    """Each acts a session later; after the last one the position is let go."""
    made = followed(SAID, MARKET, Rules(trade_at="close"), None)
    assert made.found["model"].course.position.tolist() == [0, 1, 0, 0, 1, 1, 0, 0]
    assert np.isnan(made.predicted[[2, 5, 6, 7]]).all()


def test_the_table_has_a_row_for_every_session():
    """Equity begins at 1; what was not forecast, or is not known yet, is null."""
    table = equity_table(followed(SAID, MARKET, Rules(trade_at="close"), None))
    assert table["session"].to_list() == list(DAYS)
    assert table["predicted"].to_list() == [0.1, -0.1, None, 0.2, 0.1, None, None, None]
    assert table["refit"].to_list() == [1, 1, None, 2, 2, None, None, None]
    assert table["model"][0] == table["buy_and_hold"][0] == 1
    assert table["model_gross"][-1] == pytest.approx(12 / 11 * 13 / 12 * 12 / 13)
    assert table["persistence"].unique().to_list() == [1]
    grown = (1 + table["net_return"].to_numpy()).prod()
    assert table["model"][-1] == pytest.approx(grown)


def test_a_single_session_cannot_be_traded():
    """What is forecast at its close is traded in the next one."""
    alone = Market(sessions=DAYS[:1], opens=PRICES[:1], closes=PRICES[:1])
    said = Said(
        sessions=DAYS[:1],
        predicted=np.array([0.1]),
        actual=np.array([0.1]),
        drift=np.array([0.1]),
        refit=(1,),
        plan=SAID.plan[:1],
        chosen=((),),
    )
    with pytest.raises(DataContractError, match="no session after the first forecast"):
        followed(said, alone, Rules(), None)
