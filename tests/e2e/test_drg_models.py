"""The hospital project's models: years ahead, beside persistence, on a small sample."""

from __future__ import annotations

import json
import runpy
from pathlib import Path
from types import SimpleNamespace

import polars as pl
import pytest
import yaml

from heddle.evaluation.splits import pairs
from heddle.pipeline.stages import wanted_stages
from heddle.serving.loader import load_folder

drg = SimpleNamespace(**runpy.run_path(str(Path(__file__).with_name("drg_runs.py"))))
SMALL = (
    "ingestion.rows=6000",
    "model_candidates=quick",
    "model_candidates.hist_gradient_boosting.fixed.max_iter=20",
    "ml_experiments.register.importance_rows=50",
    "ml_experiments.register.importance_repeats=1",
    "world.cores=1",
)
pytestmark = pytest.mark.slow


def run(root: Path, last: str, *overrides: str) -> Path:
    """Run `last` and what it needs."""
    plan = drg.planned(*SMALL, *overrides)
    for stage in wanted_stages(plan.stages, [last]):
        drg.stage(root, plan, stage.name)
    return root


@pytest.fixture(scope="module")
def registered(tmp_path_factory) -> Path:
    return run(drg.copied(tmp_path_factory.mktemp("drg")), "register")


def test_each_year_is_predicted_from_the_years_before_it(registered):
    """2012 to 2015 one by one; 2016 and 2017 are test rows and nothing else."""
    split = pl.read_parquet(registered / "data/split/split.parquet")
    assert split.filter(pl.col("part") == "test")["year"].unique().sort().to_list() == [2016, 2017]
    held_out = []
    for train, valid in pairs(split):
        years, (year,) = split["year"][train], split["year"][valid].unique()
        assert years.max() < year
        held_out.append(year)
    assert held_out == [2012, 2013, 2014, 2015]


def test_every_candidate_stands_beside_persistence(registered):
    """Its own skill is 0; the forecasts that cost nothing are baselines."""
    board = json.loads((registered / "models/leaderboard.json").read_text())
    skill = {e["candidate"]: e["skill"] for e in board["entries"]}
    assert skill["persistence"] == 0.0
    assert skill["median"] < 0 < skill["two_years_mean"]
    assert {e["candidate"] for e in board["entries"] if not e["baseline"]} == {
        "ridge",
        "hist_gradient_boosting",
    }


def test_persistence_is_the_year_before(registered):
    """On the rows held out its error is that of the lagged target, or of the median where none."""
    board = json.loads((registered / "models/leaderboard.json").read_text())
    (entry,) = (e for e in board["entries"] if e["candidate"] == "persistence")
    rows = pl.read_parquet(registered / "data/v13/v13.parquet").sort(drg.KEY)
    split = pl.read_parquet(registered / "data/split/split.parquet").sort(drg.KEY)
    found = []
    for train, valid in pairs(split):
        said = rows["sum_total_mean_profit_lag1"][valid]
        middle = rows["sum_total_mean_profit_lag1"][train].median()  # what the imputer fills in
        actual = rows["sum_total_mean_profit"][valid]
        error = (actual - said.fill_null(middle)).abs().sum() / actual.abs().sum()
        found.append(100 * error)
    assert entry["folds"] == pytest.approx(found)


def test_the_test_years_are_opened_once_at_registration(registered):
    """The manifest says so; the predictions are theirs alone, with their keys."""
    told = yaml.safe_load((registered / "models/model_config.yaml").read_text())["model"]
    assert told["split"]["test_opened"] == 1
    assert told["split"]["strategy"] == "walk_forward"
    made = pl.read_parquet(registered / "models/predictions.parquet")
    assert made.columns[:4] == [*drg.KEY, "actual"]
    assert made["year"].unique().sort().to_list() == [2016, 2017]
    assert {"persistence", "two_years_mean"} <= set(
        json.loads((registered / "models/evaluation.json").read_text())["baselines"]
    )


def test_the_registered_model_is_loaded_and_predicts_the_test_years_as_it_did(registered):
    """Whole numbers with gaps among its columns."""
    model = load_folder(registered / "models/model")
    made = pl.read_parquet(registered / "models/predictions.parquet")
    rows = made.join(pl.read_parquet(registered / "data/v13/v13.parquet"), on=drg.KEY, how="left")
    nullable = [n for n, c in model.manifest.columns.items() if c.type == "int" and c.nullable]
    assert rows.select(nullable).null_count().sum_horizontal().item() > 0
    found = model.predict(rows.select(list(model.manifest.columns)))
    assert found.tolist() == pytest.approx(made["predicted"].to_list(), rel=1e-9)


@pytest.mark.parametrize(
    ("overrides", "document"),
    [
        (("semantics=reference",), "models/ridge_optuna_trial.json"),
        (
            ("cv=facility_blocks", "model_params=ridge_optuna_trial_params"),
            "models/ridge_optuna_trial.json",
        ),
    ],
    ids=["reference", "facility_blocks"],
)
def test_the_old_search_runs_in_either_way(tmp_path, overrides, document):
    """With the reference's features, or its blocks of hospitals in order; the test is the same."""
    root = run(drg.copied(tmp_path), "v13_ridge_optuna_trial", *overrides)
    board = json.loads((root / document).read_text())
    assert [e["trials"] for e in board["entries"] if e["candidate"] == "ridge"] == [10]
    split = pl.read_parquet(root / "data/split/split.parquet")
    test = split.filter(pl.col("part") == "test")
    assert test["year"].unique().sort().to_list() == [2016, 2017]
    if "cv=facility_blocks" in overrides:
        for train, valid in pairs(split):
            assert split["facility_id"][train].max() < split["facility_id"][valid].min()
            assert split["year"][valid].unique().sort().to_list() == list(range(2010, 2016))
