"""What a model computes of sessions since training is set beside what it computed of training."""

from dataclasses import replace
from datetime import date

import numpy as np
import polars as pl
import pytest

from heddle.features.on_history import OnHistory
from heddle.features.price_history import PriceHistory
from heddle.frames.sessions import sessions
from heddle.models.on_history import HistoryModel
from heddle.monitoring.track_record import Watch
from heddle.presentation.computed_features import features_check
from heddle.registry.manifest import Fit, HistoryFacts, Manifest, Split

DAYS = sessions("XNYS", date(2021, 1, 4), date(2024, 12, 31))
CFG = Watch(window=40, fewest=40)
SPEC = PriceHistory(
    lags=(1, 2), spans=(1,), windows=(3,), ewm=(2,), settle=1, rsi=2, macd=(2, 3, 2), atr=2,
    bollinger=3, time="day",
)  # fmt: skip
MODEL = HistoryModel(OnHistory.of(SPEC), columns=SPEC.names[:4])
MANIFEST = Manifest(
    name="share", best_model="ridge", parameters={}, target="ahead", columns={}, seen={},
    metric="rmse", metrics={}, interval=None, data={}, config_hash="c", libraries={},
    split=Split(hash="s", strategy="walk_forward", seed=1, train_rows=900, test_rows=0),
    history=HistoryFacts(lookback=SPEC.lookback, time="day", horizon=1),
    refit=Fit(rows=900, first="2021-02-01", last="2024-07-31"),
)  # fmt: skip


def prices(scale: float = 1.0) -> pl.DataFrame:
    """A share whose last months move `scale` times as much."""
    luck = np.random.default_rng(5).normal(0, 0.01, len(DAYS))
    luck[np.asarray(DAYS) > date(2024, 7, 31)] *= scale
    close = 100 * np.exp(np.cumsum(luck))
    told = {"open": close, "high": close * 1.01, "low": close * 0.99, "close": close}
    return pl.DataFrame({"day": DAYS, **told, "volume": np.full(len(DAYS), 1e6)})


def asked():
    raise AssertionError("no model is loaded for that")


@pytest.fixture
def root(tmp_path):
    stages = "stages: {tidy: {reads: [v0], writes: [v1]}}\nworld: {}\n"
    (tmp_path / "params.yaml").write_text(stages)
    return tmp_path


def test_other_days_are_an_alarm_that_says_where_to_look(root):
    """Column, data version and stage; days like those of training are fine."""
    assert features_check(root, lambda: MODEL, MANIFEST, prices(), CFG).state == "ok"
    found = features_check(root, lambda: MODEL, MANIFEST, prices(4.0), CFG)
    assert found.state == "alarm"
    assert "(computed from v1 of stage tidy) lies furthest off" in found.words
    assert found.words.split()[0] in MODEL.columns


@pytest.mark.parametrize(
    ("fit", "rows", "words"),
    [
        (Fit(rows=900), 1_000, "the model does not tell which sessions it was fitted on"),
        (MANIFEST.refit, 0, "there is no prediction yet"),
        (MANIFEST.refit, -70, "36 sessions since those of training, 40 are needed"),
    ],
)
def test_what_cannot_be_compared_is_said_without_the_model(root, fit, rows, words):
    """Nothing is loaded in vain."""
    told = None if not rows else prices().head(rows)
    found = features_check(root, asked, replace(MANIFEST, refit=fit), told, CFG)
    assert (found.state, found.words) == ("unknown", words)
