"""A request to a model that looks back: a history in, one prediction of a session to come out."""

from __future__ import annotations

from datetime import UTC, date, datetime
from pathlib import Path

import numpy as np
import polars as pl
import pytest
from tests.asking import ask, predict

from heddle.evaluation.intervals import Interval
from heddle.frames.sessions import sessions
from heddle.registry.manifest import HistoryFacts, Manifest, Split
from heddle.serving.address import Address
from heddle.serving.api.app import make_app
from heddle.serving.cascade import Found
from heddle.serving.live import Live
from heddle.serving.loader import LoadedModel
from heddle.serving.next_session import predict_sessions
from heddle.validation.contract import Column

DAYS = sessions("XNYS", date(2024, 1, 2), date(2024, 1, 12))
PRICES = [100.0, 101.0, 103.0, 102.0, 104.0, 107.0, 105.0, 106.0, 108.0]
ROWS = [{"day": str(day), "price": price} for day, price in zip(DAYS, PRICES, strict=True)]


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
        seen={"price": {"min": 50.0, "max": 107.5}},
        metric="rmse",
        metrics={"rmse": 0.02},
        interval=Interval(level=0.9, half=0.1),
        split=Split(hash="s", strategy="walk_forward", seed=1, train_rows=10, test_rows=5),
        data={},
        config_hash="c",
        libraries={},
        history=HistoryFacts(lookback=3, time="day", horizon=2, base="price"),
    ),
    pipeline=Momentum(),
    digest="d" * 64,
)


class OneModel:
    """A place that gives one model."""

    def pointed(self, address):
        return MODEL.digest

    def load(self, address, *, strict=False):
        return Found(model=MODEL, source="folder")


@pytest.fixture
def kept():
    return []


@pytest.fixture
def app(kept):
    live = Live(OneModel(), Address(folder=Path("abc")))
    live.load()
    sink = type("Sink", (), {"offer": lambda _, records: kept.extend(records)})()
    return make_app(live, logged=sink)


def test_the_answer_is_that_of_the_command(app):
    """Return, price, bounds and target session, as `heddle predict` would keep them."""
    frame = pl.DataFrame({"day": DAYS, "price": PRICES})
    now = datetime.now(UTC)
    (said,) = predict_sessions(MODEL, frame, [DAYS[-1]], series="x", now=now)
    answer = predict(app, *ROWS).json()
    (told,) = answer["predictions"]
    assert answer["model_version"] == "abc/7"
    assert (told["as_of"], told["target_session"]) == ("2024-01-12", "2024-01-17")
    assert (told["prediction"], told["predicted_price"]) == (
        said.predicted_return,
        said.predicted_price,
    )
    assert told["interval"] == {
        "lower": said.lower_return,
        "upper": said.upper_return,
        "level": 0.9,
    }
    assert told["flags"] == ["outside_training:price"]
    assert told["prediction"] == pytest.approx(np.log(PRICES[-1] / PRICES[-4]) / 3)


def test_only_the_last_rows_matter(app):
    """What lies further back than the model looks changes nothing."""
    whole, short = (predict(app, *rows).json()["predictions"][0] for rows in (ROWS, ROWS[-4:]))
    assert whole["prediction"] == short["prediction"]


def test_too_short_a_history_is_refused(app):
    """With how long it has to be."""
    answer = predict(app, *ROWS[:3])
    assert answer.status_code == 422
    assert answer.json()["detail"] == [
        {
            "field": "instances",
            "reason": "must hold at least 4 rows: the model looks back so far",
        }
    ]


def test_what_is_kept_is_the_row_that_was_predicted_from(app, kept):
    """One record, with the last row."""
    told = predict(app, *ROWS).json()["predictions"][0]
    assert [one.id for one in kept] == [told["id"]]
    assert kept[0].row == {"day": "2024-01-12", "price": 108.0}


def test_a_day_that_is_no_session_is_refused_without_a_fault_of_ours(app):
    """The exchange was shut, or nobody knows when it will be open."""
    answers = [predict(app, *ROWS, {"day": d, "price": 1.0}) for d in ("2024-01-13", "9999-12-31")]
    assert [answer.status_code for answer in answers] == [422, 422]
    assert [answer.json()["detail"] for answer in answers] == [
        [{"field": "instances[9].day", "reason": "is no session of XNYS"}],
        [{"field": "instances[9].day", "reason": "lies outside of what calendar XNYS knows"}],
    ]


def test_its_description_asks_for_so_many_rows(app):
    """The least number is that of the look back."""
    told = ask(app, "GET", "/openapi.json").json()["components"]["schemas"]
    assert told["Request"]["properties"]["instances"]["minItems"] == 4
    assert told["Row"]["properties"]["day"] == {"type": "string", "format": "date"}
