from datetime import date, timedelta

import polars as pl
import pytest

from heddle.domain.errors import ConfigError, IntegrityError
from heddle.features.price_history import PriceHistory
from heddle.registry.histories import base_prices, history_columns, history_facts, warmed_up

SMALL = PriceHistory(
    lags=(1,),
    spans=(1,),
    windows=(3,),
    ewm=(2,),
    rsi=2,
    macd=(2, 3, 2),
    atr=2,
    bollinger=2,
    settle=1,
)
DAYS = [date(2024, 1, 1) + timedelta(days=i) for i in range(40)]
PRICES = pl.DataFrame(
    {
        "session": DAYS,
        **{name: [100.0 + i for i in range(40)] for name in ("open", "high", "low", "close")},
        "volume": [10.0] * 40,
        "raw_close": [1.0] * 40,
    }
)
CONTRACT = {
    "key": ["session"],
    "columns": {
        "session": {"type": "date"},
        **{n: {"type": "float", "above": 0} for n in ("raw_close", "close", "open", "high", "low")},
        "volume": {"type": "float", "min": 0},
    },
}


def test_the_columns_are_those_that_the_features_read_and_no_others():
    """In the order of the history, with the bounds of the contract."""
    found = history_columns(CONTRACT, SMALL)
    assert list(found) == ["session", "open", "high", "low", "close", "volume"]
    assert found["close"].above == 0
    fewer = {k: v for k, v in CONTRACT["columns"].items() if k != "low"}
    with pytest.raises(ConfigError, match=r"data_versions\.v1: column 'low' of the history is not"):
        history_columns({**CONTRACT, "columns": fewer}, SMALL)


def test_the_sample_ends_with_the_last_training_row_and_holds_no_later_one():
    """As many rows before the five as the features look back, whatever the order of the table."""
    keys = pl.DataFrame({"session": DAYS[20:31]})
    found = warmed_up(PRICES.reverse(), SMALL, keys)
    assert found.height == SMALL.lookback + 5
    assert found["session"].to_list() == DAYS[31 - found.height : 31]
    assert found.columns == list(SMALL.columns)


def test_a_panel_gives_the_sample_of_one_series():
    """The first by name."""
    panel = PriceHistory(
        by="ticker",
        lags=(1,),
        spans=(1,),
        windows=(3,),
        rsi=2,
        atr=2,
        bollinger=2,
        macd=(2, 3, 2),
        ewm=(2,),
        settle=1,
    )
    both = pl.concat(PRICES.with_columns(ticker=pl.lit(name)) for name in ("B", "A"))
    keys = both.filter(pl.col("session") <= DAYS[30]).select("ticker", "session")
    assert warmed_up(both, panel, keys)["ticker"].unique().to_list() == ["A"]
    assert base_prices(both, panel, keys.tail(2)).tolist() == [129.0, 130.0]


def test_a_return_starts_from_the_price_of_its_session():
    """In the order of the rows; a session without a price is an error, not a guess."""
    keys = pl.DataFrame({"session": [DAYS[7], DAYS[3]]})
    assert base_prices(PRICES, SMALL, keys).tolist() == [107.0, 103.0]
    said = f"v1: 1 rows have no price in the history, {DAYS[7]} first"
    with pytest.raises(IntegrityError, match=said) as fault:
        base_prices(PRICES.head(7), SMALL, keys)
    assert fault.value.todo == "Run the stage that makes the rows again on this history."


def test_the_facts_need_a_horizon():
    """Of no session ahead no return can be told."""
    facts = history_facts(SMALL, horizon=5, calendar="XNYS")
    assert (facts.lookback, facts.time, facts.horizon) == (SMALL.lookback, "session", 5)
    assert (facts.base, facts.calendar, facts.reads) == ("close", "XNYS", "v1")
    with pytest.raises(ConfigError, match=r"tells a return some sessions ahead.*horizon: 5"):
        history_facts(SMALL, horizon=0, calendar="XNYS")
