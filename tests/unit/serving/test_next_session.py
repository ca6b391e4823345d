"""The session that is meant, what is said of it, and what came of that."""

from __future__ import annotations

import math
from dataclasses import replace
from datetime import UTC, date, datetime

import numpy as np
import polars as pl
import pytest

from heddle.domain.errors import ConfigError, DataContractError
from heddle.evaluation.intervals import Interval
from heddle.frames.sessions import sessions
from heddle.infrastructure.memory import SilentProgress
from heddle.registry.manifest import HistoryFacts, Manifest, Split
from heddle.serving.loader import LoadedModel
from heddle.serving.next_session import (
    last_price,
    outcomes,
    predict_sessions,
    session_asked,
    sessions_between,
)
from heddle.validation.contract import Column

FACTS = HistoryFacts(lookback=3, time="day", horizon=2, base="price")
DAYS = sessions("XNYS", date(2024, 1, 2), date(2024, 6, 28))
HISTORY = pl.DataFrame(
    {"day": DAYS, "price": 100 * np.exp(np.cumsum(np.sin(np.arange(len(DAYS))) / 50)), "left": 1.0}
)
NOW = datetime(2024, 7, 1, 12, tzinfo=UTC)  # a Monday before the opening


class Momentum:
    """Foretells the mean return of the last three sessions, nothing where it does not know them."""

    def predict(self, rows):
        return (rows["price"].log().diff().rolling_mean(3)).to_numpy()


MODEL = LoadedModel(
    label="abc/7",
    manifest=Manifest(
        name="abc",
        best_model="momentum",
        parameters={},
        target="ahead",
        columns={"day": Column(type="date"), "price": Column(type="float", above=0)},
        seen={},
        metric="rmse",
        metrics={"rmse": 0.02},
        interval=Interval(level=0.9, half=0.1),
        split=Split(hash="s", strategy="walk_forward", seed=1, train_rows=10, test_rows=5),
        data={},
        config_hash="c",
        libraries={},
        history=FACTS,
    ),
    pipeline=Momentum(),
    digest="f" * 64,
)


def said(days, history=HISTORY, **more):
    return predict_sessions(MODEL, history, days, series="ABC", now=NOW, **more)


@pytest.mark.parametrize(
    ("wanted", "now", "meant", "words"),
    [
        (None, NOW, "2024-06-28", ""),
        (None, datetime(2024, 7, 1, 20, 1, tzinfo=UTC), "2024-07-01", ""),
        ("2024-06-27", NOW, "2024-06-27", ""),
        ("2024-06-19", NOW, "2024-06-18", "2024-06-19 is no session of XNYS; the one before"),
        ("2024-06-30", NOW, "2024-06-28", "2024-06-30 is no session of XNYS; the one before"),
    ],
)
def test_the_session_that_is_meant(wanted, now, meant, words):
    """The last that has closed; a holiday or a weekend means the session before, and says so."""
    found, notice = session_asked("XNYS", wanted and date.fromisoformat(wanted), now)
    assert str(found) == meant
    assert notice.startswith(words)
    assert bool(notice) == bool(words)


@pytest.mark.parametrize(
    ("wanted", "words"),
    [
        ("2024-07-01", "--asof: session 2024-07-01 has not closed yet. The last session that has"),
        ("2024-07-02", "--asof: 2024-07-02 lies in the future. The last session that has closed"),
        ("2031-01-01", "--asof: 2031-01-01 lies in the future"),
    ],
)
def test_what_has_not_been_is_refused(wanted, words):
    """Naming what there is."""
    with pytest.raises(ConfigError, match=words):
        session_asked("XNYS", date.fromisoformat(wanted), NOW)


def test_sessions_between_two_days_are_those_that_have_closed():
    """None is an error."""
    found = sessions_between("XNYS", date(2024, 6, 18), date(2030, 1, 1), NOW)
    assert (str(found[0]), str(found[-1]), len(found)) == ("2024-06-18", "2024-06-28", 8)
    with pytest.raises(
        ConfigError, match="no session of XNYS that has closed lies from 2024-07-01"
    ):
        sessions_between("XNYS", date(2024, 7, 1), date(2024, 7, 9), NOW)


def test_a_prediction_tells_price_interval_and_dates():
    """Ten digits of the model's number; prices by its exponential."""
    (one,) = said([DAYS[-1]])
    returns = np.diff(np.log(HISTORY["price"].to_numpy()))
    assert one.predicted_return == pytest.approx(returns[-3:].mean(), rel=1e-9)
    assert one.predicted_price == pytest.approx(one.price * math.exp(one.predicted_return))
    assert one.lower_price == pytest.approx(one.price * math.exp(one.predicted_return - 0.1))
    assert one.upper_return == pytest.approx(one.predicted_return + 0.1)
    assert (str(one.as_of), str(one.target_session)) == ("2024-06-28", "2024-07-02")
    assert (one.model_name, one.model_version, one.model_digest) == ("abc", "7", "f" * 64)
    assert one.direction == ("up" if one.predicted_return > 0 else "down")
    assert (one.series, one.horizon, one.generated_at) == ("ABC", 2, NOW)


def test_a_prediction_knows_nothing_of_later_sessions():
    """Prefix, whole history, alone or among others: the same to the last bit and hash."""
    day = DAYS[50]
    (alone,) = said([day], HISTORY.head(51))
    other = HISTORY.with_columns(price=pl.when(pl.col("day") > day).then(1.0).otherwise("price"))
    assert said([day], other) == [alone]
    assert said(DAYS[10:], HISTORY)[40] == alone
    assert said([day], HISTORY.tail(-47)) == [alone]
    earlier = HISTORY.with_columns(
        price=pl.when(pl.col("day") == day).then(99.0).otherwise("price")
    )
    assert said([day], earlier)[0].data_hash != alone.data_hash


def test_a_range_is_predicted_in_parts():
    """A bar is shown, and every session is there once."""
    assert [one.as_of for one in said(DAYS[3:], progress=SilentProgress())] == DAYS[3:]


def test_too_few_sessions_are_refused():
    """What the model needs, what there is, from when on it can."""
    with pytest.raises(DataContractError) as told:
        said([DAYS[2]])
    assert str(told.value) == (
        "ABC: too few sessions up to 2024-01-04: the model needs 4, the history has 3."
        " The first session that can be predicted from is 2024-01-05."
    )
    with pytest.raises(DataContractError, match="Let the source begin earlier"):
        said([DAYS[2]], HISTORY.head(3))


def test_prices_that_break_the_contract_are_refused():
    """Sessions are named; what lies before the rows that are used does not matter."""
    bad = HISTORY.with_columns(
        price=pl.when(pl.col("day") == DAYS[-2]).then(-1.0).otherwise("price")
    )
    with pytest.raises(DataContractError) as told:
        said([DAYS[-1]], bad)
    assert str(told.value) == (
        "ABC: prices that cannot be predicted from: 2024-06-27, 'price': -1.0 is not above 0."
        " Nothing was predicted."
    )
    assert said([DAYS[20]], bad) == said([DAYS[20]])


def test_a_session_that_is_told_twice_is_refused():
    """As it is in a panel of several series."""
    with pytest.raises(DataContractError, match=r"ABC: 2 sessions are told twice\. One series is"):
        said([DAYS[-1]], pl.concat([HISTORY, HISTORY.tail(2)]).sort("day"))


def test_a_model_of_rows_predicts_no_session():
    """It needs a table."""
    rows = replace(MODEL, manifest=replace(MODEL.manifest, history=None))
    with pytest.raises(ConfigError, match="abc/7 predicts rows of a table, not sessions to come"):
        predict_sessions(rows, HISTORY, [DAYS[-1]], series="ABC", now=NOW)


def test_the_last_price_may_be_older_than_the_session():
    """Unless that session was asked for."""
    late = date(2024, 7, 2)
    assert last_price(HISTORY, FACTS, late, asked=False) == DAYS[-1]
    with pytest.raises(DataContractError) as told:
        last_price(HISTORY, FACTS, late, asked=True)
    assert str(told.value) == (
        "history: there is no price of session 2024-07-02."
        " The source gave sessions from 2024-01-02 to 2024-06-28."
    )
    with pytest.raises(DataContractError, match=r"no price of session 2024-07-02\. It is empty"):
        last_price(HISTORY.clear(), FACTS, late, asked=False)


def test_outcomes_are_those_of_sessions_that_have_come():
    """A split since then changes prices, not what became of the prediction."""
    asked = said(DAYS[-4:])
    found = outcomes(asked, HISTORY, FACTS, NOW)
    assert [one.id for one in found] == [one.id for one in asked[:2]]
    expected = math.log(HISTORY["price"][-2] / HISTORY["price"][-4])
    assert found[0].realised_return == pytest.approx(expected, rel=1e-9)
    assert found[0].realised_price == pytest.approx(HISTORY["price"][-2], rel=1e-9)
    split = HISTORY.with_columns(pl.col("price") / 4)
    assert outcomes(asked, split, FACTS, NOW) == found
    done = [replace(one, realised_at=NOW) for one in asked]
    assert outcomes(done, HISTORY, FACTS, NOW) == []
