"""The stocks project from prices to a registered model, on a small sample, in this process."""

from __future__ import annotations

import json
import runpy
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import polars as pl
import pytest
import yaml

from heddle.evaluation.splits import pairs
from heddle.serving.loader import load_folder

TESTS = Path(__file__).parents[1]
runs = SimpleNamespace(**runpy.run_path(str(TESTS / "in_process.py")))
stocks = SimpleNamespace(**runpy.run_path(str(Path(__file__).with_name("stocks_runs.py"))))
SMALL = (
    "model_candidates=quick",
    "split.folds=3",
    "split.time.valid_periods=100",
    "ml_experiments.backtest.initial_rows=300",
    "ml_experiments.backtest.refit_every=100",
    "ml_experiments.train.importance_rows=50",
    "ml_experiments.train.importance_repeats=1",
    "world.cores=1",
)
HORIZON = 5
pytestmark = pytest.mark.slow


def run(root: Path, *overrides: str, last: str = "report") -> Path:
    """Run `last` and what it needs."""
    runs.run_to(root, runs.planned("stocks", *SMALL, *overrides), last)
    return root


def told(root: Path, name: str) -> dict:
    """Return a document of the models' folder."""
    return json.loads((root / "models" / name).read_text())


@pytest.fixture(scope="module")
def done(tmp_path_factory) -> Path:
    root = stocks.copied(tmp_path_factory.mktemp("stocks"))
    return run(root, "ingestion.rows=900", "ml_experiments.train.refit=false")


def test_no_target_of_a_fold_reaches_what_it_is_judged_on(done):
    """The purge is in sessions: between the two lie at least the horizon and the embargo."""
    split = pl.read_parquet(done / "data/split/split.parquet").sort("session")
    folds = pairs(split)
    assert len(folds) == 3
    for train, valid in folds:
        assert train.max() + HORIZON + 5 < valid.min()
    test = split.with_row_index().filter(pl.col("part") == "test")["index"]
    training = split.with_row_index().filter(pl.col("part") == "train")["index"]
    assert training.max() + HORIZON + 5 < test.min()


def test_the_baselines_compete_and_the_columns_are_chosen_in_each_fold(done):
    """Selection is learned with each fit, so folds may differ in it."""
    entries = {e["candidate"]: e for e in told(done, "leaderboard.json")["entries"]}
    assert {n for n, e in entries.items() if e["baseline"]} == {"persistence", "drift"}
    assert entries["persistence"]["skill"] == 0
    chosen = entries["ridge"]["selected"]
    assert len(chosen) == 3
    assert all(0 < len(columns) < 66 for columns in chosen)


def test_prices_without_a_signal_have_no_edge_and_the_words_say_so(done):
    """What cannot be foretold is not sold as foretold."""
    selection = told(done, "selection.json")
    assert selection["edge"] is False
    assert selection["words"].startswith("no edge")
    assert selection["trials"] == len(told(done, "leaderboard.json")["trials"])
    best = yaml.safe_load((done / "models/best_params.yaml").read_text())
    assert best["members"][0]["candidate"] == selection["winner"]
    page = (done / "reports/report.html").read_text()
    assert "no edge" in page.lower()


def test_the_saved_model_says_of_raw_prices_what_was_said_in_training(done):
    """One pipeline: features at run time are those of training, to the bit.

    Without the second fit, so that it is the judged model that is saved.
    """
    model = load_folder(done / "models/model")
    prices = pl.read_parquet(done / "data/v1/v1.parquet")
    said = dict(zip(prices["session"], model.predict(prices), strict=True))
    tested = pl.read_parquet(done / "models/predictions.parquet")
    assert [said[day] for day in tested["session"]] == tested["predicted"].to_list()
    assert np.isnan(model.predict(prices.head(200))[:173]).all()


def test_a_session_is_predicted_from_the_sessions_up_to_it_alone(done):
    """Whatever the prices do afterwards."""
    model = load_folder(done / "models/model")
    prices = pl.read_parquet(done / "data/v1/v1.parquet").head(400)
    later = pl.int_range(pl.len()) >= 300
    other = prices.with_columns(
        pl.when(later).then(pl.col(c) * 3).otherwise(c).alias(c)
        for c in ("open", "high", "low", "close")
    )
    assert np.array_equal(model.predict(prices)[173:300], model.predict(other)[173:300])


def test_the_back_test_knows_which_sessions_no_search_has_seen(done):
    """They are the test rows; nothing is traded before the first model has learned."""
    found = told(done, "backtest.json")
    split = pl.read_parquet(done / "data/split/split.parquet")
    first = split.filter(pl.col("part") == "test")["session"].min()
    assert found["sessions"]["unseen_from"] == first.isoformat()
    equity = pl.read_parquet(done / "models/equity.parquet")
    assert equity["position"][0] == 0
    assert equity["model"][-1] <= equity["model_gross"][-1]
    names = [row["strategy"] for row in found["strategies"]]
    assert names == ["model", "buy_and_hold", "always_up", "drift", "persistence"]


def test_the_version_says_what_it_is_of(done):
    """A model without an edge carries that with it, and so do the sessions it learned from."""
    manifest = load_folder(done / "models/model").manifest
    assert manifest.history is not None
    assert (manifest.history.lookback, manifest.history.horizon) == (173, HORIZON)
    assert manifest.evidence["edge"] is False
    assert "mape" not in manifest.metrics


def test_the_same_again_gives_the_same_bytes(done, tmp_path):
    """Choice, back-test and figures; the model that is kept is fitted on the newest rows, too."""
    again = run(stocks.copied(tmp_path), "ingestion.rows=900", last="train")
    for name in ("leaderboard", "selection", "backtest", "metrics"):
        assert (again / f"models/{name}.json").read_bytes() == (
            done / f"models/{name}.json"
        ).read_bytes(), name
    was, kept = (load_folder(root / "models/model").manifest for root in (done, again))
    assert (was.refit, kept.split) == (None, was.split)
    labels = pl.read_parquet(again / "data/v2/v2.parquet")
    assert (kept.fitted.rows, kept.fitted.last) == (labels.height, str(labels["session"].max()))


@pytest.mark.parametrize(
    "words",
    [
        ("how=kbest", "k=10"),
        ("how=rfecv",),
        ("how=none",),
        ("how=from_model", "estimator=trees", "max_correlation=0.9"),
    ],
)
def test_every_way_of_choosing_columns_is_an_override_away(words):
    """Its purge is the horizon, whatever that is."""
    where = "ml_experiments.features.selection."
    plan = runs.planned("stocks", "ml_experiments.horizon=20", *(where + word for word in words))
    chosen = plan.entries["tune"]["steps"][0]["with"]["features"]["selection"]
    assert (chosen["how"], chosen["purge"]) == (words[0][4:], 20)


def test_a_real_signal_is_found(tmp_path):
    """The same judge says edge where there is one: in these prices trade foretells tomorrow."""
    words = ("ingestion=sample_with_edge", "model_candidates=quick", "world.cores=1")
    runs.run_to(stocks.copied(tmp_path), runs.planned("stocks", *words), "select")
    selection = told(tmp_path, "selection.json")
    assert selection["edge"] is True, selection["words"]
    assert selection["winner"] in {"ridge", "hist_gradient_boosting"}
