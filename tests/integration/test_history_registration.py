"""Prices in, a registered model out: competition, selection and registration on a history."""

from __future__ import annotations

import json
import math
import shutil
from datetime import date, timedelta

import numpy as np
import polars as pl
import pytest
import yaml
from tests.staged import given

from heddle.domain.errors import ConfigError, GateRefused
from heddle.domain.typed import build
from heddle.evaluation.forecasts import price_scores
from heddle.evaluation.split_plan import Split
from heddle.evaluation.splits import assign
from heddle.infrastructure.memory import MemoryTables, SilentProgress
from heddle.infrastructure.memory_tracking import MemoryTracker
from heddle.infrastructure.mlflow_registry import MlflowRegistry
from heddle.models.candidates import read_candidates
from heddle.models.features import read_features
from heddle.models.trusted import TRUSTED_TYPES
from heddle.pipeline.steps.compete import Compete, compete
from heddle.pipeline.steps.register import Register, register
from heddle.pipeline.steps.select_model import SelectModel, select_model
from heddle.registry.final_model import builder
from heddle.registry.gates import Gates
from heddle.registry.promotion import Promote, promote
from heddle.serving.loader import load_folder, load_registered
from heddle.training.dataset import read_dataset

HORIZON = 2
FEATURES = {
    "numeric": "__AUTO__",
    "history": {
        "lags": [1, 2],
        "spans": [1],
        "windows": [3],
        "ewm": [2],
        "calendar": False,
        "rsi": 2,
        "macd": [2, 3, 2],
        "atr": 2,
        "bollinger": 3,
        "settle": 1,
    },
    "selection": {"how": "kbest", "k": 6},
}
COMMON = {
    "target": "forward_return",
    "row_key": "session",
    "horizon": HORIZON,
    "scale": "return",
    "features": FEATURES,
    "metric": "rmse",
    "seed": 7,
    "candidates": {
        "zero": {"estimator": "zero", "baseline": True},
        "drift": {"estimator": "mean", "baseline": True},
        "ridge": {
            "estimator": "ridge",
            "space": {"alpha": {"type": "float", "low": 0.1, "high": 10.0, "log": True}},
        },
    },
}
NUMBER = {"type": "float", "above": 0}
CONTRACT = {
    "key": ["session"],
    "columns": {
        "session": {"type": "date"},
        **dict.fromkeys(("open", "high", "low", "close", "raw_close"), NUMBER),
        "volume": {"type": "float", "min": 0},
    },
}
REGISTER = {
    "model": "Prices",
    "contract": CONTRACT,
    "split": {"strategy": "walk_forward", "seed": 42},
    "relative": False,
    "segments": [{"column": "log_return_1", "edges": [0.0]}],
    "importance_rows": 20,
    "importance_repeats": 1,
}
STEPS = {
    "tune": (compete, Compete, {"trials": 2}),
    "select": (select_model, SelectModel, {"proof": {"draws": 200}}),
    "train": (register, Register, REGISTER),
}
KEPT = ("models/selection.json", "models/backtest.json")
WRITTEN = ("metrics.json", "evaluation.json", "predictions.parquet", "model/manifest.json")


def prices(rows=260, *, carried=0.0, seed=3):
    """Daily bars; with `carried` a rise goes on for a while, which a line can learn."""
    rng = np.random.default_rng(seed)
    steps, last = [], 0.0
    for noise in rng.normal(0, 0.02, rows):
        last = noise + carried * last
        steps.append(last)
    close = 100 * np.exp(np.cumsum(steps))
    opened = np.concatenate([[100.0], close[:-1]]) * rng.uniform(0.99, 1.01, rows)
    day = date(2020, 1, 1)
    return pl.DataFrame(
        {
            "session": [day + timedelta(days=i) for i in range(rows)],
            "open": opened,
            "high": np.maximum(opened, close) * 1.01,
            "low": np.minimum(opened, close) * 0.99,
            "close": close,
            "volume": rng.uniform(1e6, 2e6, rows).round(),
            "raw_close": close * 10,
        }
    )


class World:
    """A project in a folder, from prices to the registry."""

    def __init__(self, root, uri, **drawn):
        self.root = root
        self.tables = MemoryTables()
        self.prices = prices(**drawn)
        lookback = read_features(FEATURES, where="features").history.lookback
        later = pl.col("close").shift(-HORIZON)
        labels = self.prices.with_columns(forward_return=(later / pl.col("close")).log())
        labels = labels.slice(lookback).drop_nulls("forward_return")
        labels = labels.select("session", "close", "forward_return")
        line = {"column": "session", "purge": HORIZON, "valid_periods": 40}
        plan = {"strategy": "walk_forward", "row_key": "session", "folds": 3, "time": line}
        self.tables.write("v1", self.prices, {})
        self.tables.write("v2", labels, {})
        self.tables.write("split", assign(labels, build(Split, plan, where="split")), {})
        self.tracker = MemoryTracker()
        self.registry = MlflowRegistry(uri, experiment="test", trusted=TRUSTED_TYPES)
        self.progress = SilentProgress()

    def run(self, stage, reads=(), **changes):
        function, kind, own = STEPS[stage]
        context = given(self, stage, ("v2", "split", "v1", *reads))
        function(context, build(kind, COMMON | own | changes, where=stage))

    def all(self):
        self.run("tune")
        self.run("select")
        band = {"window": 60, "sharpe": {"low": -2.0, "high": 2.0}}
        net = {"strategy": "model", "net": {"sharpe": 0.4, "max_drawdown": -0.3}}
        told = json.dumps({"strategies": [net], "bands": band})
        (self.root / "models/backtest.json").write_text(told)
        self.run("train", KEPT)
        return self

    def json(self, name):
        return json.loads((self.root / "models" / name).read_text())


@pytest.fixture(scope="module")
def uri(tmp_path_factory):
    return f"sqlite:///{tmp_path_factory.mktemp('mlruns')}/mlflow.db"


@pytest.fixture(scope="module")
def done(tmp_path_factory, uri):
    return World(tmp_path_factory.mktemp("prices"), uri).all()


def test_the_registered_model_takes_prices_and_says_what_the_test_was_told(done):
    """From the registry, on the whole history: the predictions of the file, bit by bit."""
    model = load_registered(done.registry, "Prices", "Staging")
    assert list(model.manifest.columns) == ["session", "open", "high", "low", "close", "volume"]
    said = pl.read_parquet(done.root / "models/predictions.parquet")
    whole = done.prices.with_columns(said=model.predict(done.prices))
    found = said.join(whole, on="session", how="left")
    assert found["said"].to_numpy().tobytes() == said["predicted"].to_numpy().tobytes()
    facts = model.manifest.history
    assert whole["said"].is_nan().sum() == facts.lookback
    last = model.predict(done.prices.tail(facts.lookback + 1))
    assert last[-1] == whole["said"][-1]
    assert load_registered(done.registry, "Prices", "latest").label == model.label


def test_the_sample_warms_up_before_it_predicts(done):
    """Lookback and five rows of training sessions; a row that warms up has no prediction."""
    golden, facts = done.json("model/golden.json"), done.json("model/manifest.json")
    lookback = facts["history"]["lookback"]
    assert golden["predicted"][:lookback] == [None] * lookback
    assert [v is not None for v in golden["predicted"][lookback:]] == [True] * 5
    assert golden["rows"]["session"][-1] == facts["split"]["train_to"]
    assert len(golden["rows"]["session"]) == lookback + 5
    assert set(facts["files"]) == {"model.skops", "golden.json"}  # prices are no reference


def test_the_manifest_says_what_the_model_asks_for_and_what_speaks_for_it(done):
    """History, window, hashes, and the evidence of the selection and the back-test."""
    told, selection = done.json("model/manifest.json"), done.json("selection.json")
    lookback = told["history"].pop("lookback")
    assert told["history"] == {
        "time": "session",
        "horizon": HORIZON,
        "base": "close",
        "calendar": "XNYS",
        "reads": "v1",
    }
    split = done.tables.read("split").filter(pl.col("part") == "train")["session"]
    assert (told["split"]["train_from"], told["split"]["train_to"]) == (
        str(split.min()),
        str(split.max()),
    )
    assert split.min() == done.prices["session"][lookback]
    assert set(told["data"]) == {"v1", "v2", "split"}
    kept = {key: told["evidence"][key] for key in ("edge", "against", "p_value", "trials", "words")}
    assert kept == {key: selection[key] for key in kept}
    assert (told["evidence"]["sharpe"], told["evidence"]["band"]["window"]) == (0.4, 60)
    version = done.registry.resolve("Prices", "staging")
    assert version.tags["edge"] == str(selection["edge"]).lower()
    assert (version.tags["horizon"], version.tags["train_to"]) == ("2", str(split.max()))
    assert selection["words"] in version.description


def test_returns_are_told_without_percentages_and_prices_with_them(done):
    """The price figures are those of inverted predictions; nothing is in percent of a return."""
    said = pl.read_parquet(done.root / "models/predictions.parquet")
    metrics, told = done.json("metrics.json"), done.json("evaluation.json")
    base = said.join(done.prices, on="session", how="left")["close"]
    expected = price_scores(
        said["actual"].to_numpy(), said["predicted"].to_numpy(), base.to_numpy()
    )
    assert {key: metrics[key] for key in expected} == expected
    assert metrics["skill"] == pytest.approx(1 - metrics["theils_u"])
    shown = set(metrics) | set(told["test"]) | set(told["cv"])
    shown |= {key for row in told["segments"] for key in row}
    shown |= {key for figures in told["baselines"].values() for key in figures}
    assert not shown & {"mape", "wmape", "smape", "median_ape", "within_5pct", "within_10pct"}
    assert [row["segment"] for row in told["segments"]] == ["up to 0", "above 0"]
    assert set(told["baselines"]) == {"mean", "median", "zero", "drift"}
    half = done.json("model/manifest.json")["interval"]["half"]
    assert (said["upper"] - said["predicted"]).to_numpy() == pytest.approx(half)
    learned = done.tables.read("v2").join(
        done.tables.read("split").filter(pl.col("part") == "train"), on="session", how="semi"
    )
    naive = float(learned["forward_return"].abs().mean())
    assert told["forecast"]["mase"] == pytest.approx(told["forecast"]["mae"] / naive)
    over = (said["actual"] - said["lower"], said["actual"] - said["upper"])
    loss = [pl.max_horizontal(a * d, (a - 1) * d) for d, a in zip(over, (0.05, 0.95), strict=True)]
    expected = float(np.mean([said.select(each).to_series().mean() for each in loss]))
    assert told["forecast"]["pinball"] == pytest.approx(expected)
    assert told["forecast"]["pinball_naive"] > 0
    names = set(read_features(FEATURES, where="x").numeric)
    assert {row["feature"] for row in told["importances"]} == names


def test_a_rerun_writes_the_same_bytes_and_no_second_version(done):
    """Nothing depends on when or where."""
    before = [(done.root / "models" / name).read_bytes() for name in WRITTEN]
    count = len(done.registry.versions("Prices"))
    done.run("train", KEPT)
    assert [(done.root / "models" / name).read_bytes() for name in WRITTEN] == before
    assert len(done.registry.versions("Prices")) == count


def test_what_is_registered_may_have_learned_from_every_known_session(done, tmp_path):
    """With `refit`: the same figures, of the fit that was judged; the model is another, and new."""
    world = World(tmp_path, f"sqlite:///{tmp_path}/runs/mlflow.db")
    shutil.copytree(done.root / "models", tmp_path / "models")
    world.run("train", KEPT, refit=True)
    for name in ("metrics.json", "predictions.parquet"):
        assert (tmp_path / "models" / name).read_bytes() == (
            done.root / "models" / name
        ).read_bytes()
    was, told = (one.json("model/manifest.json") for one in (done, world))
    same = ("metrics", "baselines", "interval", "split", "parameters", "cv", "evidence")
    assert {key: told[key] for key in same} == {key: was[key] for key in same}
    days = world.tables.read("v2")["session"]
    window = {"rows": days.len(), "first": str(days.min()), "last": str(days.max())}
    assert (was["refit"], told["refit"]) == (None, window)
    assert told["split"]["train_to"] < window["last"]
    judged = {key: told["split"][f"train_{at}"] for key, at in (("first", "from"), ("last", "to"))}
    evaluation = world.json("evaluation.json")
    assert evaluation["registered_fit"] == window
    assert evaluation["judged_fit"] == {"rows": told["split"]["train_rows"], **judged}
    assert world.json("model/golden.json")["rows"]["session"][-1] == window["last"]

    model = load_folder(tmp_path / "models/model")  # that it says what golden.json has, is checked
    config = build(Register, COMMON | REGISTER, where="train")
    data = read_dataset(
        world.tables, {n: n for n in ("v2", "split", "v1")}, target="forward_return",
        row_key="session", features=read_features(FEATURES, where="x"), open_known=True,
    )  # fmt: skip
    best = yaml.safe_load((tmp_path / "models/best_params.yaml").read_text())
    candidates = read_candidates(config.candidates, where="x")
    again = builder(best, data.features, candidates, seed=config.seed)()
    again.fit(data.known.rows, data.known.target)
    said = dict(zip(world.prices["session"], model.predict(world.prices), strict=True))
    assert [said[day] for day in days] == again.predict(data.known.rows).tolist()
    tested = pl.read_parquet(tmp_path / "models/predictions.parquet")
    assert [said[day] for day in tested["session"]] != tested["predicted"].to_list()


def test_both_windows_are_told_wherever_a_version_is(done, tmp_path):
    """Tag, description, model_config.yaml and the table of models; without a second fit as ever."""
    world = World(tmp_path, f"sqlite:///{tmp_path}/runs/mlflow.db")
    shutil.copytree(done.root / "models", tmp_path / "models")
    world.run("train", KEPT, refit=True)
    facts = load_folder(tmp_path / "models/model").manifest
    words = facts.fitted_on
    assert words == f"{facts.refit.words}; judged was a fit on {facts.judged.words}"
    assert facts.refit.words.endswith(f" rows of {facts.refit.first} to {facts.refit.last}")
    version = world.registry.resolve("Prices", "staging")
    assert version.tags["fitted_on"] == words
    assert f"on all rows whose target is known: {facts.refit.words}. Metrics" in version.description
    assert f"of the judged fit, on {facts.judged.words}." in version.description
    page = yaml.safe_load((tmp_path / "models/model_config.yaml").read_text())["model"]
    assert (page["fitted_on"], page["refit"]["last"]) == (words, facts.refit.last)
    plain = done.registry.resolve("Prices", "staging")
    assert "fitted_on" not in plain.tags
    assert "once more" not in plain.description


def test_without_an_edge_nothing_is_promoted_unless_it_is_meant(done, tmp_path):
    """The reason is in the words of the selection's figures; the override is said."""
    assert done.json("selection.json")["edge"] is False
    asked = Promote(model="Prices", gates=Gates(edge=True, baselines=False))
    with pytest.raises(GateRefused, match=r"no edge: not better than .*gates\.edge=false"):
        promote(done.registry, asked, report=tmp_path / "report.json")
    meant = Promote(model="Prices", gates=Gates(baselines=False))
    assert promote(done.registry, meant, report=tmp_path / "report.json").promoted


def test_prices_that_go_on_are_an_edge(tmp_path, uri):
    """A rise that is followed by another is learnt, shown, and told by the manifest."""
    world = World(tmp_path, f"sqlite:///{tmp_path}/runs/mlflow.db", carried=0.7, rows=400)
    for stage in ("tune", "select"):
        world.run(stage)
    told = world.json("selection.json")
    assert (told["winner"], told["edge"]) == ("ridge", True)
    world.run("train", KEPT[:1])
    loaded = load_folder(tmp_path / "models/model").manifest
    assert loaded.evidence["edge"] is True
    assert "band" not in loaded.evidence
    assert math.isclose(loaded.evidence["p_value"], told["p_value"])
    page = yaml.safe_load((tmp_path / "models/model_config.yaml").read_text())["model"]
    assert page["evidence"]["edge"] is True
    assert page["history"]["horizon"] == HORIZON


def test_what_says_nothing_of_a_return_is_refused(done):
    """A percentage as the primary metric, an interval that grows with the prediction."""
    with pytest.raises(ConfigError, match="wmape says nothing of returns, which lie around 0"):
        done.run("train", metric="wmape")
    with pytest.raises(ConfigError, match="errors do not grow with a return: say relative: false"):
        done.run("train", relative=True)
