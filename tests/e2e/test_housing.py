"""California housing through the real commands, and the tools that it weaves, on a small sample."""

from __future__ import annotations

import json
import shutil
import sqlite3
from pathlib import Path

import pytest
import yaml

pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def housing(finished_clone: Path) -> Path:
    """The project that has run; what the tests here do to it, they undo."""
    return finished_clone / "projects" / "housing"


def test_a_run_ends_with_what_a_person_needs_next(housing: Path) -> None:
    """Leaderboard with baselines, version and alias, report, next commands."""
    said = (housing.parents[1] / "said.txt").read_text()
    for words in (
        *("leaderboard: wmape", "hist_gradient_boosting", "median (baseline)", "mean", "sd"),
        *("housing_price version 1, alias staging", "reports/report.html"),
        *("heddle promote", "heddle predict", "mlflow ui --backend-store-uri"),
    ):
        assert words in said, words


def test_the_tools_agree_after_a_run(housing: Path, shell) -> None:
    """`dvc status` is clean, `dvc metrics show` and `dvc dag` read the generated files."""
    told = shell(housing, "dvc status && dvc metrics show && dvc dag && dvc params diff")
    assert told.returncode == 0, told.stderr
    assert "up to date" in told.stdout
    assert "wmape" in told.stdout
    assert "cluster_study" in told.stdout


def test_nothing_changed_runs_nothing(housing: Path, shell) -> None:
    """A second run finds every stage fresh and changes no file."""
    told = shell(housing, "heddle run --json")
    assert told.returncode == 0, told.stderr
    assert {stage["outcome"] for stage in json.loads(told.stdout)} == {"cached"}


def test_each_stage_is_an_entry_point_of_mlflow(housing: Path, shell) -> None:
    """`mlflow run PROJECT -e STAGE -P overrides=…` runs that stage and what it needs."""
    before = (housing / "params.yaml").read_bytes()
    words = "-e split --env-manager local -P overrides='world.cores=1 world.model=other'"
    told = shell(housing.parents[1], f"mlflow run projects/housing {words}")
    assert told.returncode == 0, told.stderr
    world = yaml.safe_load((housing / "params.yaml").read_text())["world"]
    assert (world["cores"], world["model"]) == (1, "other")
    told = shell(housing, "heddle run split")
    assert told.returncode == 0, told.stderr
    assert (housing / "params.yaml").read_bytes() == before
    assert "staging" in shell(housing, "heddle models").stdout
    (housing.parents[1] / "mlflow.db").unlink(missing_ok=True)
    points = yaml.safe_load((housing / "MLproject").read_text())["entry_points"]
    assert {"main", "v0_ingest", "register", "report"} <= set(points)


def test_runs_are_nested_as_search_candidate_trial(housing: Path) -> None:
    """The tracker holds parent -> candidate -> trial, and every run is finished."""
    with sqlite3.connect(housing / "mlruns" / "mlflow.db") as store:
        names = dict(store.execute("select run_uuid, name from runs"))
        parents = dict(
            store.execute("select run_uuid, value from tags where key = 'mlflow.parentRunId'")
        )
        states = {state for (state,) in store.execute("select distinct status from runs")}
    chains = {names[parents[parents[r]]] for r in parents if parents.get(parents[r])}
    assert {"compete", "tune"} <= chains
    assert states == {"FINISHED"}


def test_a_step_runs_by_hand(housing: Path, shell) -> None:
    """The universal step takes a step and two data versions, from any directory."""
    command = (
        f"python {housing}/scripts/universal_step.py setup.script_base_name=bedrooms_per_room "
        "transformations=bedrooms_per_room data_versions.data_version_input=v0 "
        "data_versions.data_version_output=by_hand"
    )
    try:
        told = shell(housing.parents[1], command)
        assert told.returncode == 0, told.stderr
        made = json.loads((housing / "data/by_hand/by_hand_metadata.json").read_text())
        assert list(made["columns"])[-1] == "bedrooms_per_room"
        wrong = shell(housing, "python scripts/universal_step.py setup.script_base_name=row_idd")
        assert wrong.returncode == 2
        assert "did you mean 'row_id'?" in wrong.stderr
    finally:
        shutil.rmtree(housing / "data" / "by_hand", ignore_errors=True)


def test_the_manifest_tells_where_the_model_comes_from(housing: Path) -> None:
    """model_config.yaml holds figures, columns, hashes, commit, split and libraries."""
    model = yaml.safe_load((housing / "models" / "model_config.yaml").read_text())["model"]
    assert model["name"] == "housing_price"
    assert model["stage"] == "staging"
    assert model["num_features"] == len(model["feature_columns"]) == 9
    assert model["split"]["test_opened"] == 1
    assert len(model["git_commit"]) == 40
    assert "scikit-learn" in model["libraries"]
    assert set(model["data"]) == {"v1", "split"}


@pytest.fixture
def promoted(housing: Path, tmp_path: Path) -> Path:
    """A copy of the project, whose registry a test may change."""
    copy = tmp_path / "housing"
    shutil.copytree(housing, copy, ignore=shutil.ignore_patterns("cache", "tmp"), symlinks=True)
    return copy


def test_gates_speak_and_the_first_version_has_no_way_back(promoted: Path, shell) -> None:
    """A gate that refuses exits with 3 and its reason; passing moves the alias."""
    gate = "ml_experiments.promote.gates"
    refused = shell(promoted, f"heddle promote {gate}.minimum.r2=0.999")
    assert refused.returncode == 3, refused.stderr
    assert "r2" in refused.stderr
    report = json.loads((promoted / "reports" / "promotion_report.json").read_text())
    assert report["promoted"] is False
    passed = shell(promoted, f"heddle promote {gate}.baselines=false {gate}.minimum.r2=-1")
    assert passed.returncode == 0, passed.stderr
    shown = json.loads(shell(promoted, "heddle models --json").stdout)
    assert set(shown[0]["aliases"]) == {"staging", "production"}
    back = shell(promoted, "heddle rollback")
    assert back.returncode == 2
    assert "nothing to go back to" in back.stderr
