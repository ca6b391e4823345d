from datetime import date, timedelta

import numpy as np
import polars as pl
import pytest

from heddle.domain.errors import ConfigError, DataContractError, IntegrityError
from heddle.infrastructure.memory import MemoryTables
from heddle.models.features import read_features
from heddle.training.timeline import timed_rows

DAYS = [date(2024, 1, 1) + timedelta(days=i) for i in range(12)]
PRICES = pl.DataFrame(
    {
        "session": DAYS,
        **{name: [10.0 + i for i in range(12)] for name in ("open", "high", "low", "close")},
        "volume": [100.0] * 12,
    }
)
ROWS = pl.DataFrame(
    {
        "session": DAYS[4:10],
        "gain": [0.1, 0.2, 0.3, 0.4, 0.5, 0.6],
        "size": [1.0, 2.0, 3.0, 4.0, 5.0, 6.0],
        "first": [9.0] * 6,
        "last": [8.0] * 6,
    }
)
SPLIT = pl.DataFrame({"session": DAYS[4:10], "part": ["train"] * 3 + ["gap"] + ["test"] * 2})
HISTORY = {
    "numeric": ["return_lag_1", "log_return_2"],
    "history": {
        "reads": "v1",
        "lags": [1],
        "spans": [2],
        "windows": [3],
        "ewm": [2],
        "settle": 1,
        "rsi": 2,
        "macd": [2, 3, 2],
        "atr": 2,
        "bollinger": 2,
    },
}


def read(features=None, reads=("v2", "split", "v1"), prices=("first", "last"), horizon=0, **tables):
    store = MemoryTables()
    for name, frame in {"v1": PRICES, "v2": ROWS, "split": SPLIT, **tables}.items():
        store.write(name, frame, {})
    return timed_rows(
        store,
        {name: name for name in reads},
        target="gain",
        session="session",
        features=read_features(features or {"numeric": ["size"]}, where="test"),
        prices=prices,
        horizon=horizon,
    )


def test_all_rows_come_in_the_order_of_time_whatever_their_part():
    """Train, gap and test; the first test session is told."""
    made = read(v2=ROWS.sample(fraction=1, shuffle=True, seed=3))
    assert made.sessions == tuple(DAYS[4:10])
    assert made.target.tolist() == ROWS["gain"].to_list()
    assert made.rows["size"].tolist() == ROWS["size"].to_list()
    assert made.test_from == DAYS[8]
    assert made.places.tolist() == list(range(6))
    assert made.opens.tolist() == [9.0] * 6
    assert made.closes.tolist() == [8.0] * 6


def test_a_history_gives_features_and_prices_of_every_session():
    """Sessions before the first row and after the last one, too; rows have their places there."""
    made = read(HISTORY, v2=ROWS.select("session", "gain"))
    assert made.days == tuple(DAYS)
    assert made.places.tolist() == [4, 5, 6, 7, 8, 9]
    assert made.closes.tolist() == PRICES["close"].to_list()
    assert made.rows["return_lag_1"].tolist() == pytest.approx(
        [(14 + i) / (13 + i) - 1 for i in range(-1, 5)]
    )


@pytest.mark.parametrize(("horizon", "more"), [(1, 1), (2, 2), (9, 2)])
def test_the_last_sessions_follow_with_features_and_without_a_target(horizon, more):
    """As many as the target looks ahead; their features are those of the whole history."""
    told = ROWS.select("session", "gain")
    made = read(HISTORY, horizon=horizon, v2=told)
    assert made.sessions == tuple(DAYS[4 : 10 + more])
    assert made.places.tolist() == list(range(4, 10 + more))
    assert made.target[:6].tolist() == ROWS["gain"].to_list()
    assert np.isnan(made.target[6:]).all()
    whole = read(
        HISTORY,
        v2=pl.DataFrame({"session": DAYS[4:], "gain": [0.0] * 8}),
        split=pl.DataFrame({"session": DAYS[4:], "part": ["train"] * 8}),
    )
    assert made.rows.equals(whole.rows.head(6 + more))
    assert list(made.rows.columns) == ["return_lag_1", "log_return_2"]


def test_rows_without_a_history_end_where_they_end():
    """Nothing tells the features of a session that has no row."""
    assert read(horizon=2).sessions == tuple(DAYS[4:10])


def test_rows_before_a_session_are_counted():
    """Written as a person writes it; one that leaves nothing on a side is refused."""
    made = read()
    assert made.before("2024-01-07") == 2
    for wrong in ("2024-01-05", "2024-02-01", "tomorrow"):
        with pytest.raises(ConfigError, match="no session with rows before it"):
            made.before(wrong)


@pytest.mark.parametrize(
    ("tables", "kind", "words"),
    [
        ({"split": SPLIT.head(5)}, IntegrityError, "rows and split are not of the same sessions"),
        (
            {"v2": pl.concat([ROWS, ROWS.head(1)])},
            IntegrityError,
            "1 sessions of the rows are repea",
        ),
        (
            {"v2": ROWS.with_columns(gain=pl.lit("?"))},
            DataContractError,
            "gain: must be numbers, not String",
        ),
        (
            {"v2": ROWS.with_columns(last=pl.lit(float("nan")))},
            DataContractError,
            "close: is missing or infinite in 6 of 6 sessions",
        ),
        ({"v2": ROWS.drop("first")}, ConfigError, "the rows: no column 'first'"),
        ({"v2": ROWS.drop("gain")}, ConfigError, "v2: no column 'gain'"),
        ({"split": SPLIT.drop("part")}, ConfigError, "split: no column 'part'"),
    ],
)
def test_tables_that_do_not_fit_are_refused(tables, kind, words):
    """With what is wrong, where."""
    with pytest.raises(kind, match=words) as fault:
        read(**tables)
    assert fault.value.where
    assert fault.value.todo or fault.value.known


def test_a_stage_that_reads_too_little_is_refused():
    """Rows and split, in this order."""
    with pytest.raises(ConfigError, match="reads 1 data versions; it needs the rows") as fault:
        read(reads=("v2", "models/best_params.yaml"))
    assert (fault.value.where, fault.value.todo[:9]) == ("reads", "Name both")


def test_rows_whose_session_has_no_price_are_refused():
    """With the first of them, and what to do."""
    with pytest.raises(IntegrityError, match="1 of 6 rows are not in the history") as fault:
        read(
            HISTORY,
            v2=ROWS.select("session", "gain"),
            v1=PRICES.filter(pl.col("session") != DAYS[6]),
        )
    assert fault.value.todo


def test_a_panel_is_refused():
    """One account follows one series."""
    told = {**HISTORY, "history": {**HISTORY["history"], "by": "name"}}
    named = pl.lit("x").alias("name")
    with pytest.raises(ConfigError, match="follows one series, not a panel"):
        read(told, v1=PRICES.with_columns(named), v2=ROWS.select("session", "gain", named))
