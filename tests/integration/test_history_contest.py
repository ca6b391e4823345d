"""A contest on features of a history: computed on all of it, sliced by fold, selected by fold."""

from __future__ import annotations

import json
from datetime import date, timedelta

import numpy as np
import polars as pl
import pytest
from tests.staged import given

from heddle.domain.errors import ConfigError, DataContractError
from heddle.domain.typed import build
from heddle.evaluation.split_plan import Split, Timeline
from heddle.evaluation.splits import assign
from heddle.infrastructure.memory import MemoryTables, SilentProgress
from heddle.infrastructure.memory_tracking import MemoryTracker
from heddle.models.candidates import read_candidates
from heddle.models.features import read_features
from heddle.models.on_history import with_history
from heddle.models.selected import selected
from heddle.pipeline.steps.compete import Compete, compete
from heddle.registry.final_model import builder
from heddle.training.dataset import read_dataset

HORIZON = 3
HISTORY = {
    "lags": [1, 2], "spans": [1, 5], "windows": [5, 10], "ewm": [3], "macd": [2, 4, 2],
    "rsi": 3, "atr": 3, "bollinger": 5, "settle": 2,
}  # fmt: skip
FEATURES = {
    "numeric": "__AUTO__",
    "exclude": ["is_monday"],
    "history": HISTORY,
    "selection": {"how": "kbest", "k": 5},
}
DEPTHS = {"max_depth": {"type": "int", "low": 1, "high": 6}}
CONTEST = {
    "target": "ahead",
    "row_key": "session",
    "features": FEATURES,
    "horizon": HORIZON,
    "scale": "return",
    "metric": "rmse",
    "seed": 7,
    "trials": 5,
    "startup": 2,
    "pruning": {"startup": 1},
    "skill_against": "persistence",
    "candidates": {
        "persistence": {"estimator": "zero", "baseline": True},
        "drift": {"estimator": "mean", "baseline": True},
        "ridge": {
            "estimator": "ridge",
            "space": {"alpha": {"type": "float", "low": 0.1, "high": 1e5, "log": True}},
        },
        "tree": {"estimator": "decision_tree", "space": DEPTHS},
        # a third of its points are refused by the estimator when it is fitted
        "odd": {
            "estimator": "decision_tree",
            "fixed": {"max_depth": 2},
            "space": {"criterion": {
                "type": "categorical", "choices": ["squared_error", "friedman", "poisson"],
            }},
        },
    },
}  # fmt: skip


def prices(rows=260, seed=5):
    """A price whose next move leans on the last one, so that there is something to find."""
    rng = np.random.default_rng(seed)
    moves = rng.normal(0, 0.02, rows)
    for at in range(1, rows):
        moves[at] += 0.7 * moves[at - 1]
    close = 50 * np.exp(np.cumsum(moves))
    low, high = close * (1 - rng.uniform(0, 0.02, rows)), close * (1 + rng.uniform(0, 0.02, rows))
    return pl.DataFrame(
        {
            "session": [date(2020, 1, 1) + timedelta(days=n) for n in range(rows)],
            "open": rng.uniform(low, high),
            "high": high,
            "low": low,
            "close": close,
            "volume": rng.integers(1000, 9000, rows),
        }
    )


def labelled(history, warm=12):
    later = pl.col("close").log().shift(-HORIZON) - pl.col("close").log()
    return history.select("session", ahead=later).slice(warm).drop_nulls()


class World:
    """A project in a folder, with tables and a tracker in memory."""

    def __init__(self, root, history=None, purge=HORIZON):
        history = prices() if history is None else history
        rows = labelled(history)
        time = Timeline(column="session", purge=purge, embargo=1, valid_periods=30)
        cfg = Split(strategy="walk_forward", row_key="session", folds=3, time=time)
        self.tables = MemoryTables()
        for name, frame in (("v1", history), ("v2", rows), ("split", assign(rows, cfg))):
            self.tables.write(name, frame, {})
        self.root, self.tracker, self.progress = root, MemoryTracker(), SilentProgress()

    def run(self, reads=("v2", "split", "v1"), **changes):
        context = given(self, "tune", reads)
        compete(context, build(Compete, {**CONTEST, **changes}, where="tune"))
        return self

    @property
    def board(self):
        return (self.root / "models" / "leaderboard.json").read_bytes()

    def data(self):
        features = read_features(FEATURES, where="features")
        reads = {name: name for name in ("v2", "split", "v1")}
        return read_dataset(
            self.tables, reads, target="ahead", row_key="session", features=features,
            horizon=HORIZON,
        )  # fmt: skip


@pytest.fixture(scope="module")
def done(tmp_path_factory):
    return World(tmp_path_factory.mktemp("done")).run()


def test_baselines_and_candidates_are_ranked_and_say_what_they_kept(done):
    """Five columns per fold, chosen by each fold from its own rows; baselines choose none."""
    board = json.loads(done.board)
    entries = {entry["candidate"]: entry for entry in board["entries"]}
    assert set(entries) == set(CONTEST["candidates"])
    assert board["skipped"] == []
    assert entries["persistence"]["skill"] == 0.0
    assert entries["ridge"]["skill"] > 0, "the price leans on its last move"
    assert "selected" not in entries["persistence"]
    assert "selected" not in entries["drift"]
    names = set(read_features(FEATURES, where="f").numeric)
    for name in ("ridge", "tree"):
        kept = entries[name]["selected"]
        assert [len(columns) for columns in kept] == [5, 5, 5]
        assert set().union(*kept) <= names
    assert len({tuple(columns) for columns in entries["ridge"]["selected"]}) > 1
    runs = {run.name: run for run in done.tracker.runs[0].children}
    assert runs["ridge"].values["selected.fold_1"] == str(entries["ridge"]["selected"][0])
    assert not any(key.startswith("selected") for key in runs["drift"].values)
    assert done.tracker.runs[0].values["horizon"] == "3"
    trials = runs["ridge"].finished_trials.values()
    assert all(set(trial.scores) == {"rmse", "mae", "r2"} for trial in trials)


def test_trials_are_stopped_at_a_fold_and_failing_ones_are_recorded(done):
    trials = json.loads(done.board)["trials"]
    pruned = [t for t in trials if t["state"] == "pruned"]
    assert pruned
    assert all(1 <= len(t["folds"]) <= 3 for t in pruned)
    failed = [t for t in trials if t["state"] == "failed"]
    assert {t["study"] for t in failed} == {"odd"}
    assert all("criterion" in t["note"] or "Poisson" in t["note"] for t in failed)


def test_what_happens_after_the_training_rows_changes_nothing(done, tmp_path):
    """Half the price from the first test session on; the same leaderboard, bit by bit."""
    split = done.tables.read("split")
    opened = split.filter(pl.col("part") == "test")["session"].min()
    fall = pl.when(pl.col("session") >= opened).then(0.5).otherwise(1.0)
    bars = [pl.col(name) * fall for name in ("open", "high", "low", "close")]
    other = World(tmp_path, prices().with_columns(bars)).run()
    assert other.tables.read("v2")["ahead"].to_list() != done.tables.read("v2")["ahead"].to_list()
    assert other.board == done.board


class Interrupted(SilentProgress):
    """Presses Ctrl-C after some trials."""

    def __init__(self, trials):
        super().__init__()
        self.left = trials

    def task(self, title, total=None, *, even=True):
        super().task(title, total, even=even)
        return self

    def __enter__(self):
        return self

    def __exit__(self, *fault):
        return None

    def advance(self, steps=1, note=""):
        self.left -= steps
        if self.left < 0:
            raise KeyboardInterrupt


def test_an_interrupted_contest_goes_on_to_the_same_leaderboard(done, tmp_path):
    world = World(tmp_path)
    world.progress = Interrupted(5)
    with pytest.raises(KeyboardInterrupt):
        world.run()
    assert list((tmp_path / ".scratch").rglob("*.journal"))
    assert not (tmp_path / "models").exists()
    world.progress = SilentProgress()
    assert world.run().board == done.board


@pytest.mark.parametrize(
    ("purge", "changes", "kind", "words"),
    [
        (1, {}, DataContractError, r"fold 0 begins 2 periods after.*Set purge to 3 or more"),
        (HORIZON, {"metric": "mape"}, ConfigError, r"mape says nothing of returns, which lie"),
        (
            HORIZON,
            {"reads": ("v2", "split")},
            ConfigError,
            r"features.history.reads: the history is 'v1', which this stage does not read",
        ),
        (
            HORIZON,
            {"features": {**FEATURES, "exclude": ["is_munday"]}},
            ConfigError,
            r"features.exclude: no number column 'is_munday' to exclude; did you mean 'is_monday'",
        ),
        (
            HORIZON,
            {"features": {**FEATURES, "history": {**HISTORY, "windows": [5, 40]}}},
            DataContractError,
            r"2020-01-13: 28 of 245 rows have features that are not all known.*Raise warm_up",
        ),
        (
            HORIZON,
            {"features": {**FEATURES, "selection": {"how": "kbest", "k": 500}}},
            ConfigError,
            r"k is 500, but there are \d+ columns",
        ),
        (
            HORIZON,
            {"candidates": {"tree": {"estimator": "decision_tree", "offset": "return_lag_1"}}},
            ConfigError,
            r"tree: the offset 'return_lag_1' and a selection do not go together",
        ),
    ],
)
def test_a_mistake_is_told_before_anything_is_written(tmp_path, purge, changes, kind, words):
    changes = {"skill_against": None, **changes}
    with pytest.raises(kind, match=words):
        World(tmp_path, purge=purge).run(**changes)
    assert not (tmp_path / "models").exists()


def test_the_final_model_takes_prices_and_says_what_the_contest_saw(done):
    """What the builder makes is fitted to the rows; on the history it predicts the same bits."""
    data = done.data()
    candidates = read_candidates(CONTEST["candidates"], where="candidates")
    best = {
        "members": [
            {"candidate": "ridge", "estimator": "ridge", "params": {"alpha": 10.0}},
            {"candidate": "tree", "estimator": "decision_tree", "params": {"max_depth": 3}},
        ],
        "imputation": "median",
        "clusters": {"kind": "none", "k": None, "gamma": None},
    }
    fitted = builder(best, data.features, candidates, seed=7)().fit(data.train, data.target)
    model = with_history(fitted, data.features)
    history = done.tables.read("v1")
    said = history.select("session").with_columns(said=model.predict(history))
    wanted = data.keys.join(said, on="session", how="left", maintain_order="left")["said"]
    np.testing.assert_array_equal(wanted.to_numpy(), fitted.predict(data.train))
    assert len(selected(model)) >= 5
