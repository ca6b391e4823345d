"""From a leaderboard to the chosen model: the table, the words, the parameters, the runs."""

from __future__ import annotations

import json
from datetime import date, timedelta

import numpy as np
import polars as pl
import pytest
import yaml
from tests.staged import given

from heddle.domain.errors import ConfigError
from heddle.domain.typed import build
from heddle.evaluation.split_plan import Split
from heddle.evaluation.splits import assign
from heddle.infrastructure.memory import MemoryTables, SilentProgress
from heddle.infrastructure.memory_tracking import MemoryTracker
from heddle.pipeline.steps.compete import Compete, compete
from heddle.pipeline.steps.select_model import SelectModel, select_model, selected

CONTEST = {
    "target": "forward",
    "row_key": "session",
    "features": {"numeric": ["signal", "noise"]},
    "metric": "rmse",
    "scale": "return",
    "horizon": 2,
    "seed": 7,
    "startup": 2,
    "candidates": {
        "typical": {"estimator": "median", "baseline": True},
        "drift": {"estimator": "mean", "baseline": True},
        "ridge": {
            "estimator": "ridge",
            "space": {"alpha": {"type": "float", "low": 0.1, "high": 10.0, "log": True}},
        },
        "tree": {"estimator": "decision_tree", "fixed": {"max_depth": 2}},
    },
}
PROOF = {"draws": 300}
RESULTS = ("models/selection.json", "models/best_params.yaml")


def sessions(rows=320, strength=1.0, seed=0):
    rng = np.random.default_rng(seed)
    signal = rng.normal(0, 1, rows)
    return pl.DataFrame(
        {
            "session": [date(2020, 1, 1) + timedelta(days=i) for i in range(rows)],
            "signal": signal,
            "noise": rng.normal(0, 1, rows),
            "forward": 0.01 * (strength * signal + rng.normal(0, 1, rows)),
        }
    )


class World:
    """A project in a folder whose competition is over."""

    def __init__(self, root, strength=1.0):
        self.root = root
        self.tables = MemoryTables()
        rows = sessions(strength=strength)
        line = {"column": "session", "purge": 2, "valid_periods": 50}
        plan = {"strategy": "walk_forward", "row_key": "session", "folds": 3, "time": line}
        self.tables.write("v2", rows.reverse(), {})
        self.tables.write("split", assign(rows, build(Split, plan, where="split")), {})
        self.tracker = MemoryTracker()
        self.progress = SilentProgress()
        self.run("tune", compete, Compete, trials=3)

    def run(self, stage, function, kind, cores=1, **changes):
        reads = ("v2", "split", *(("models/leaderboard.json",) if stage == "select" else ()))
        context = given(self, stage, reads, cores=cores)
        function(context, build(kind, CONTEST | changes, where=stage))

    def select(self, **changes):
        self.run("select", select_model, SelectModel, **({"proof": PROOF} | changes))

    def json(self, name):
        return json.loads((self.root / name).read_text())


@pytest.fixture(scope="module")
def done(tmp_path_factory):
    world = World(tmp_path_factory.mktemp("edge"))
    world.select()
    return world


def test_the_table_has_every_candidate_on_the_same_rows_as_the_competition_had(done):
    """The figures of the folds are those of the leaderboard; the winner has its evidence."""
    told, board = done.json("models/selection.json"), done.json("models/leaderboard.json")
    assert {r["candidate"]: r["folds"] for r in told["table"]} == {
        e["candidate"]: pytest.approx(e["folds"]) for e in board["entries"]
    }
    assert (told["winner"], told["edge"]) == ("ridge", True)
    assert told["against"] in {"typical", "drift"}
    assert told["p_value"] < 0.001
    assert told["interval"][1] < 0
    assert told["deflated_sharpe"] > 0.99
    assert told["trials"] == len(board["trials"])
    assert (told["rows"], told["periods"], told["horizon"]) == (150, 150, 2)
    assert told["words"].startswith("an edge: ridge has rmse 0.00")
    assert f"select: {told['words']}" in done.progress.notices


def test_the_parameters_are_those_that_registering_reads(done):
    """One member, the winner, with the parameters of its best trial; no studies, plain choices."""
    best = yaml.safe_load((done.root / "models/best_params.yaml").read_text())
    entry = next(
        e for e in done.json("models/leaderboard.json")["entries"] if e["candidate"] == "ridge"
    )
    assert best["members"] == [
        {
            "candidate": "ridge",
            "estimator": "ridge",
            "value": pytest.approx(entry["mean"]),
            "params": entry["params"],
        }
    ]
    assert (best["metric"], best["imputation"]) == ("rmse", "median")
    assert best["clusters"] == {"kind": "none", "k": None, "gamma": None}


def test_the_chosen_name_and_run_are_told_with_the_table(done):
    """The run of the winner is found in the tracker, by the id that is told."""
    told = selected(done.root)
    run = next(r for r in done.tracker.runs if r.name == "select")
    child = next(c for c in run.children if c.id == told["run_id"])
    assert (told["name"], child.name, child.words["selected"]) == ("ridge", "ridge", "true")
    assert child.measured["rmse"][0][1] == told["table"][0]["mean"]
    assert child.measured["deflated_sharpe"][0][1] == told["deflated_sharpe"]
    assert told["table"] == done.json("models/selection.json")["table"]
    assert (run.words["edge"], run.words["selection"]) == ("true", told["words"])
    assert {c.words["baseline"] for c in run.children} == {"true", "false"}


def test_a_second_run_writes_the_same_bytes(done):
    """Whatever the number of processes; ids of runs and seconds stand elsewhere."""
    before = [(done.root / name).read_bytes() for name in RESULTS]
    done.select(cores=2)
    assert [(done.root / name).read_bytes() for name in RESULTS] == before


def test_without_a_signal_there_is_no_edge(tmp_path):
    """The best candidate is still named and written; the words leave no doubt."""
    world = World(tmp_path, strength=0.0)
    world.select()
    told = world.json("models/selection.json")
    assert told["edge"] is False
    assert told["words"].startswith(f"no edge: {told['winner']} has rmse")
    assert told["winner"] in {"ridge", "tree"}
    assert (tmp_path / "models/best_params.yaml").is_file()


def test_what_cannot_be_chosen_from_is_told(done, tmp_path):
    """A candidate that is gone from the configuration; a project where nothing was chosen."""
    fewer = {k: v for k, v in CONTEST["candidates"].items() if k != "tree"}
    with pytest.raises(ConfigError, match="no candidate 'tree' is configured, but the leaderboard"):
        done.select(candidates=fewer)
    with pytest.raises(ConfigError, match=r"no model is selected yet.*heddle run pick"):
        selected(tmp_path, stage="pick")
    with pytest.raises(ConfigError, match=r"select\.proof: 0 < level < 1"):
        done.select(proof=PROOF | {"level": 0.0})
