"""The four training stages on a small table: same bytes again, whatever stands in the way."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import polars as pl
import pytest
import yaml
from tests.staged import given

from heddle.domain.errors import ConfigError, DataContractError, HeddleError, IntegrityError
from heddle.domain.typed import build
from heddle.evaluation.split_plan import Split
from heddle.evaluation.splits import assign
from heddle.infrastructure.memory import MemoryTables, SilentProgress
from heddle.infrastructure.memory_tracking import MemoryTracker
from heddle.models.catalogue import available
from heddle.pipeline.steps.cluster_study import ClusterStudy, cluster_study
from heddle.pipeline.steps.compete import Compete, compete
from heddle.pipeline.steps.imputation_study import ImputationStudy, imputation_study
from heddle.pipeline.steps.tune import Tune, tune

FEATURES = {
    "numeric": ["east", "north", "size", "rooms"],
    "categorical": ["kind"],
    "coordinates": ["east", "north"],
    "ratios": [
        {"uses": "combine_columns", "new": "crowd", "left": "size", "how": "over", "right": "rooms"}
    ],
}
COMMON = {"target": "price", "row_key": "id", "features": FEATURES}
TREE = {
    "estimator": "decision_tree",
    "space": {
        "max_depth": {"type": "int", "low": 2, "high": 8},
        "min_samples_leaf": {"type": "int", "low": 1, "high": 40, "log": True},
    },
}
RIDGE = {
    "estimator": "ridge",
    "target": "log",
    "space": {"alpha": {"type": "float", "low": 1e-3, "high": 1e3, "log": True}},
}
CONTEST = {
    **COMMON,
    "metric": "wmape",
    "seed": 7,
    "startup": 3,
    "pruning": {"startup": 2},
    "candidates": {
        "median": {"estimator": "median", "baseline": True},
        "tree": TREE,
        "ridge": RIDGE,
    },
}
CONFIGS = {
    "imputation_study": {**COMMON, "masked": 20, "repeats": 2},
    "cluster_study": {
        **COMMON,
        "metric": "wmape",
        "k_to": 6,
        "sample": 100,
        "grid": {"labels": [3], "rbf": [4], "gamma": [0.5, 2.0]},
        "proxies": {"tree": {"estimator": "decision_tree", "fixed": {"max_depth": 5}}},
    },
    "compete": {**CONTEST, "trials": 5},
    "tune": {**CONTEST, "trials": 4},
}
STEPS = {
    "imputation_study": (imputation_study, ImputationStudy),
    "cluster_study": (cluster_study, ClusterStudy),
    "compete": (compete, Compete),
    "tune": (tune, Tune),
}
READS = (
    "v1",
    "split",
    "models/imputation_study.json",
    "models/cluster_study.json",
    "models/leaderboard.json",
)
RESULTS = (
    "imputation_study.json",
    "cluster_study.json",
    "leaderboard.json",
    "trials.json",
    "best_params.yaml",
)


def table(rows=240, seed=0):
    rng = np.random.default_rng(seed)
    east, north = rng.uniform(0, 3, rows), rng.uniform(0, 3, rows)
    size = rng.uniform(20, 200, rows)
    rooms = np.round(size / 25 + rng.uniform(0.6, 1.4, rows))
    kind = rng.choice(["a", "b"], rows)
    hill = np.exp(-((east - 1) ** 2 + (north - 2) ** 2))
    price = 50 + size * (1 + 2 * hill) + 30 * (kind == "a") + rng.normal(0, 5, rows)
    return pl.DataFrame(
        {
            "id": [f"r{i:04d}" for i in range(rows)],
            "east": east,
            "north": north,
            "size": size,
            "rooms": [None if i % 11 == 0 else float(v) for i, v in enumerate(rooms)],
            "kind": kind,
            "price": price,
        }
    )


def split_of(rows, folds=3):
    return assign(rows, Split(strategy="random", row_key="id", folds=folds))


class World:
    """A project in a folder, with tables and a tracker in memory."""

    def __init__(self, root, rows=None, split=None, cores=1):
        self.root = root
        self.tables = MemoryTables()
        rows = table() if rows is None else rows
        self.tables.write("v1", rows, {})
        self.tables.write("split", split_of(rows) if split is None else split, {})
        self.tracker = MemoryTracker()
        self.progress = SilentProgress()
        self.cores = cores

    def run(self, stage, **changes):
        function, kind = STEPS[stage]
        reads = READS[: 2 + list(STEPS).index(stage)]
        context = given(self, stage, reads, cores=self.cores)
        function(context, build(kind, {**CONFIGS[stage], **changes}, where=stage))

    def run_all(self):
        for stage in STEPS:
            self.run(stage)
        return self

    def bytes(self):
        return {name: (self.root / "models" / name).read_bytes() for name in RESULTS}

    def json(self, name):
        return json.loads((self.root / "models" / name).read_text())


@pytest.fixture(scope="module")
def done(tmp_path_factory):
    return World(tmp_path_factory.mktemp("done")).run_all()


def test_two_runs_give_equal_bytes(done, tmp_path):
    assert World(tmp_path).run_all().bytes() == done.bytes()


def test_a_second_process_changes_no_trial(done, tmp_path):
    world = _after_studies(done, tmp_path, cores=2)
    world.run("compete")
    name = "leaderboard.json"
    assert (tmp_path / "models" / name).read_bytes() == done.bytes()[name]


def test_the_order_of_rows_changes_nothing(done, tmp_path):
    rows = table()
    shuffled = rows.sample(fraction=1.0, shuffle=True, seed=1)
    again = World(tmp_path, rows=shuffled, split=split_of(rows)).run_all()
    assert again.bytes() == done.bytes()


def test_what_test_rows_say_changes_nothing(done, tmp_path):
    """Other prices and sizes in the test rows: no study and no search may notice."""
    rows = table()
    split = split_of(rows)
    testing = rows["id"].is_in(split.filter(pl.col("part") == "test")["id"].to_list())
    changed = rows.with_columns(
        price=pl.when(testing).then(1.0).otherwise(pl.col("price")),
        size=pl.when(testing).then(9999.0).otherwise(pl.col("size")),
    )
    assert World(tmp_path, rows=changed, split=split).run_all().bytes() == done.bytes()


def test_the_documents_follow_their_schemas(done):
    imputation = done.json("imputation_study.json")
    assert imputation["columns"] == ["rooms"]
    assert imputation["choice"] == "iterative"
    assert {m["method"] for m in imputation["methods"]} == {
        "mean", "median", "knn", "iterative", "iterative_forest",
    }  # fmt: skip
    clusters = done.json("cluster_study.json")
    assert [g["k"] for g in clusters["geometry"]] == [2, 3, 4, 5, 6]
    assert [(c["kind"], c["k"], c["gamma"]) for c in clusters["cv"]] == [
        ("none", None, None), ("labels", 3, None), ("rbf", 4, 0.5), ("rbf", 4, 2.0),
    ]  # fmt: skip
    best = min(clusters["cv"], key=lambda c: c["mean"])
    assert clusters["choice"] == {k: best[k] for k in ("kind", "k", "gamma")}
    board = done.json("leaderboard.json")
    means = [e["mean"] for e in board["entries"]]
    assert (board["metric"], board["direction"]) == ("wmape", "minimise")
    assert means == sorted(means)
    assert {e["candidate"]: e["trials"] for e in board["entries"]} == {
        "median": 1, "tree": 5, "ridge": 5,
    }  # fmt: skip
    assert all(len(e["folds"]) == 3 for e in board["entries"])
    assert "seconds" not in json.dumps(board)


def test_tuning_goes_on_from_the_competition(done):
    """The first trials of each finalist are those of the leaderboard, under their numbers."""
    coarse, deep = done.json("leaderboard.json")["trials"], done.json("trials.json")["trials"]
    for name in ("tree", "ridge"):
        before = [t for t in coarse if t["study"] == name]
        after = [t for t in deep if t["study"] == name]
        assert after[:5] == before
        assert [t["number"] for t in after] == list(range(9))


def test_the_best_parameters_are_those_of_the_best_trial(done):
    best = yaml.safe_load((done.root / "models/best_params.yaml").read_text())
    trials = done.json("trials.json")["trials"]
    first = best["members"][0]
    values = [t["value"] for t in trials if t["study"] == first["candidate"]]
    whole = [t for t in trials if t["state"] == "complete"]
    assert first["value"] == min(t["value"] for t in whole)
    assert first["params"] in [t["params"] for t in whole]
    assert first["value"] in values
    assert best["value"] <= first["value"]
    assert list(best) == ["metric", "value", "members", "imputation", "clusters", "bounds"]


def test_seconds_stand_in_the_timings_alone_and_scratch_is_empty(done):
    for stage in STEPS:
        told = json.loads((done.root / f"reports/timings/{stage}.json").read_text())
        assert told["seconds"] > 0
        assert not any((done.root / ".scratch" / stage).glob("*"))


def test_the_tracker_holds_parent_candidates_and_trials(done):
    runs = {run.name: run for run in done.tracker.runs}
    assert list(runs) == list(STEPS)
    assert [c.name for c in runs["compete"].children] == ["median", "tree", "ridge"]
    assert sorted(runs["compete"].children[1].finished_trials) == [0, 1, 2, 3, 4]
    tuned = {c.name: sorted(c.finished_trials) for c in runs["tune"].children}
    assert tuned == {"tree": [5, 6, 7, 8], "ridge": [5, 6, 7, 8]}
    assert all(run.status == "FINISHED" for run in runs.values())


def test_a_search_says_what_it_stood_on_and_its_trials_have_every_metric(done):
    """Target, features, folds and seed with the run; exact rmse and r2 with each trial."""
    runs = {run.name: run for run in done.tracker.runs}
    tree = runs["compete"].children[1]
    assert tree.words["estimator"] == "decision_tree"
    for name in ("compete", "tune"):
        said = runs[name].values
        assert (said["target"], said["seed"]) == (CONTEST["target"], str(CONTEST["seed"]))
        assert {"features.numeric", "features.categorical", "fold_rows", "imputation"} <= set(said)
    trials = tree.finished_trials.values()
    assert all({"rmse", "mae", "r2"} <= set(trial.scores) for trial in trials)
    whole = [t for t in trials if t.state == "complete"]
    assert all(t.scores[CONTEST["metric"]] == t.value for t in whole)
    best = min(whole, key=lambda t: t.value)
    assert tree.measured["rmse"] == [(0, best.scores["rmse"])]


def test_an_absent_library_is_skipped_with_a_notice(done, tmp_path, monkeypatch):
    monkeypatch.setitem(sys.modules, "xgboost", None)  # what an import finds when it is not there
    world = _after_studies(done, tmp_path)
    candidates = {**CONTEST["candidates"], "boost": {"estimator": "xgboost"}}
    world.run("compete", candidates=candidates)
    assert [s["candidate"] for s in world.json("leaderboard.json")["skipped"]] == ["boost"]
    assert any(
        "boost does not compete: xgboost is not installed" in n for n in world.progress.notices
    )


def test_all_number_columns_may_be_asked_for_without_a_list(done, tmp_path):
    """Those of the table but target and key: the same search to the bit as with a list."""
    world = _after_studies(done, tmp_path)
    world.run("compete", features={**FEATURES, "numeric": "__AUTO__"})
    assert world.json("leaderboard.json") == done.json("leaderboard.json")
    with pytest.raises(ConfigError, match=r"features.exclude: no number column 'sise' to exclude"):
        world.run("compete", features={**FEATURES, "numeric": "__AUTO__", "exclude": ["sise"]})


class Noted(SilentProgress):
    """Keeps what a bar would show."""

    def __init__(self):
        super().__init__()
        self.totals, self.notes = {}, []

    def task(self, title, total=None, *, even=True):
        self.totals[title] = (total, even)
        return super().task(title, total, even=even)

    def advance(self, steps=1, note=""):
        self.notes.append((steps, note))


def test_the_bar_of_the_competition_tells_who_is_searched_how_far_and_the_best(done, tmp_path):
    """A finite space counts its points, a baseline one, and who cannot run counts nothing."""
    world = _after_studies(done, tmp_path)
    world.progress = Noted()
    depths = {"max_depth": {"type": "int", "low": 2, "high": 3}}
    few = {"estimator": "decision_tree", "space": depths, "trials": 9}
    absent = {"estimator": "xgboost", "trials": 50}
    candidates = {"median": CONTEST["candidates"]["median"], "few": few, "ridge": RIDGE}
    if available("xgboost"):
        candidates["absent"] = absent
    world.run("compete", candidates=candidates, trials=3)
    assert world.progress.totals["competition"] == (1 + 2 + 3, False)
    steps, notes = zip(*world.progress.notes, strict=True)
    assert sum(steps) == 6
    board = world.json("leaderboard.json")
    best = {t["study"]: t["value"] for t in reversed(board["trials"]) if t["number"] == 0}
    median, few = (f"{best[name]:.4g}" for name in ("median", "few"))
    assert notes[:4] == (
        "median 0/1",
        f"median 1/1: wmape {median}, best {median} (median)",
        f"few 0/2, best {median} (median)",
        f"few 1/2: wmape {few}, best {few} (few)",
    )
    assert notes[-1].startswith("ridge 3/3: ")


def test_a_candidate_that_always_fails_does_not_stop_the_others(done, tmp_path):
    world = _after_studies(done, tmp_path)
    broken = {"estimator": "ridge", "space": {"solver": {"type": "categorical", "choices": ["no"]}}}
    world.run("compete", candidates={**CONTEST["candidates"], "broken": broken})
    board = world.json("leaderboard.json")
    assert [s["candidate"] for s in board["skipped"]] == ["broken"]
    assert "not one of 1 trials was completed" in board["skipped"][0]["reason"]
    assert len(board["entries"]) == 3


def test_without_gaps_and_coordinates_the_studies_choose_safely(tmp_path):
    rows = table().with_columns(pl.col("rooms").fill_null(3.0))
    world = World(tmp_path, rows=rows)
    world.run("imputation_study")
    world.run("cluster_study", features={**FEATURES, "coordinates": []})
    imputation, clusters = world.json("imputation_study.json"), world.json("cluster_study.json")
    assert (imputation["note"], imputation["choice"]) == ("no missing values", "median")
    assert clusters["choice"] == {"kind": "none", "k": None, "gamma": None}
    assert len(world.progress.notices) == 2


@pytest.mark.parametrize(
    "fault",
    [
        ({"price": None}, DataContractError, r"price: the target is missing or infinite in 192"),
        ({"price": float("inf")}, DataContractError, r"missing or infinite in 192 of 192 rows"),
        ({"price": 5.0}, DataContractError, r"price: the target is 5 in every training row"),
        ({"price": "dear"}, DataContractError, r"price: the target must be numbers, not String"),
        ({"size": 1.0}, DataContractError, r"size: has the same value in all 192 training rows"),
    ],
)
@pytest.mark.parametrize("stage", list(STEPS))
def test_bad_columns_are_refused_before_anything_is_written(done, tmp_path, stage, fault):
    change, kind, words = fault
    rows = table()
    ((name, value),) = change.items()
    values = pl.lit(value, dtype=pl.Float64 if value is None else None).alias(name)
    world = _after_studies(done, tmp_path, rows=rows.with_columns(values), split=split_of(rows))
    world.root.joinpath("models/leaderboard.json").write_bytes(
        (done.root / "models/leaderboard.json").read_bytes()
    )
    before = _files(world.root)
    with pytest.raises(kind, match=words):
        world.run(stage)
    assert _files(world.root) == before


def test_fewer_rows_than_folds_are_refused_by_the_split():
    with pytest.raises(DataContractError, match="folds"):
        split_of(table(rows=5), folds=5)


def test_a_split_of_other_rows_is_refused(tmp_path):
    rows = table()
    world = World(tmp_path, rows=rows.head(200), split=split_of(rows))
    with pytest.raises(IntegrityError, match="the split has 40 keys that the rows do not have"):
        world.run("imputation_study")


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"metric": "wmap"}, r"metric: no metric 'wmap'; did you mean 'wmape'"),
        ({"jobs": 2}, r"study jobs 2 x cv jobs 1 x model threads 1 = 2 threads exceed 1 core"),
        ({"target": "prize"}, r"no column 'prize'; did you mean 'price'"),
        (
            {"candidates": {"a": {"estimator": "ridg"}}},
            r"no estimator 'ridg'; did you mean 'ridge'",
        ),
        ({"skill_against": "medain"}, r"no baseline 'medain'.*did you mean 'median'"),
        ({"skill_against": "median", "metric": "r2"}, r"skill is for errors.*r2 is not"),
        ({"features": {**FEATURES, "numeric": ["sise"]}}, r"coordinates must be among numeric"),
    ],
)
def test_a_mistake_in_the_configuration_is_told_with_the_nearest_name(
    done, tmp_path, changes, words
):
    world = _after_studies(done, tmp_path)
    with pytest.raises(ConfigError, match=words):
        world.run("compete", **changes)


def test_skill_is_the_share_of_a_baselines_error_that_is_saved(done, tmp_path):
    """0 for the baseline itself; nothing is said of skill when nobody asked."""
    world = _after_studies(done, tmp_path)
    world.run("compete", skill_against="median")
    board = world.json("leaderboard.json")
    means = {e["candidate"]: e["mean"] for e in board["entries"]}
    assert board["skill_against"] == "median"
    for entry in board["entries"]:
        assert entry["skill"] == pytest.approx(1 - entry["mean"] / means["median"])
    assert "skill" not in done.json("leaderboard.json")["entries"][0]


def test_a_leaderboard_of_baselines_leaves_nothing_to_tune(done, tmp_path):
    world = _after_studies(done, tmp_path)
    only = {"median": {"estimator": "median", "baseline": True}}
    world.run("compete", candidates=only)
    with pytest.raises(HeddleError, match="the leaderboard holds baselines only"):
        world.run("tune", candidates=only)


PROGRAM = """
import importlib.util, sys
from pathlib import Path
spec = importlib.util.spec_from_file_location("steps_test", sys.argv[1])
module = importlib.util.module_from_spec(spec)
sys.modules["steps_test"] = module
spec.loader.exec_module(module)
if __name__ == "__main__":
    world = module.World(Path(sys.argv[2]))
    world.run(sys.argv[3])
"""


@pytest.mark.parametrize("stage", ["compete", "tune"])
def test_kill_9_and_another_run_give_the_undisturbed_bytes(done, tmp_path, stage):
    """A real process dies after its third finished trial; the next one goes on from there."""
    world = _after_studies(done, tmp_path)
    if stage == "tune":
        name = "models/leaderboard.json"
        world.root.joinpath(name).write_bytes((done.root / name).read_bytes())
    process = subprocess.Popen(
        [sys.executable, "-c", PROGRAM, __file__, str(tmp_path), stage],
        env={**os.environ, "OMP_NUM_THREADS": "1"},
    )
    while process.poll() is None and _finished(tmp_path) < 3:
        time.sleep(0.002)
    process.send_signal(signal.SIGKILL)
    process.wait()
    kept = _finished(tmp_path)
    assert kept >= 3
    assert process.returncode == -signal.SIGKILL
    world.run(stage)
    for name in (
        ("leaderboard.json",) if stage == "compete" else ("trials.json", "best_params.yaml")
    ):
        assert (tmp_path / "models" / name).read_bytes() == done.bytes()[name]


def _finished(root: Path) -> int:
    journals = (root / ".scratch").rglob("*.journal")
    return sum(line.count(b'"folds"') for j in journals for line in j.read_bytes().splitlines())


def _after_studies(done, root, **changes):
    world = World(root, **changes)
    (root / "models").mkdir(parents=True)
    for name in ("imputation_study.json", "cluster_study.json"):
        (root / "models" / name).write_bytes((done.root / "models" / name).read_bytes())
    return world


def _files(root):
    inside = [p for p in root.rglob("*") if p.is_file() and ".scratch" not in p.parts]
    return {p: p.read_bytes() for p in inside}
