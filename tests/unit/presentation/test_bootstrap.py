"""The one place that joins ports and adapters: which are made, and where they keep things."""

from __future__ import annotations

from dataclasses import replace

import pytest

from heddle.domain.entities import RequestRecord
from heddle.domain.errors import ConfigError
from heddle.domain.typed import build
from heddle.infrastructure.memory import SilentProgress
from heddle.infrastructure.mlflow_tracking import MlflowTracker
from heddle.infrastructure.wandb_tracking import WandbTracker
from heddle.pipeline.generated import read_params
from heddle.pipeline.world import World
from heddle.presentation.bootstrap import (
    absolute_uri,
    check_sources,
    make_logged,
    make_request_log,
    make_tracker,
    stage_context,
    tracking_uri,
)
from heddle.serving.logged import LogSettings


@pytest.fixture(autouse=True)
def no_word_of_the_environment(monkeypatch):
    """The store is the project's own unless a test says otherwise."""
    for name in ("MLFLOW_TRACKING_URI", "MLFLOW_RUN_ID"):
        monkeypatch.delenv(name, raising=False)


def world(**tracking) -> World:
    return build(World, {"project": "p", "tracking": tracking}, where="world")


@pytest.mark.parametrize(
    ("kinds", "expected"),
    [
        ([], []),
        (["mlflow"], [MlflowTracker]),
        (["wandb", "mlflow"], [WandbTracker, MlflowTracker]),
    ],
)
def test_the_trackers_are_those_that_are_named(tmp_path, kinds, expected):
    """In their order; making them writes nothing."""
    made = make_tracker(tmp_path, world(kinds=kinds), SilentProgress())
    assert [type(tracker) for tracker in made.trackers] == expected
    assert list(tmp_path.iterdir()) == []


def test_a_relative_store_lies_in_the_project(tmp_path):
    """An absolute one and a server are where they are."""
    assert absolute_uri(tmp_path, "sqlite:///a/b.db") == f"sqlite:///{tmp_path}/a/b.db"
    for uri in ("sqlite:////a/b.db", "http://127.0.0.1:5000"):
        assert absolute_uri(tmp_path, uri) == uri


def test_the_environments_store_goes_first_unless_mlflow_runs_this(tmp_path, monkeypatch):
    """What `mlflow run` tells the process that it starts is not about this project."""
    own = f"sqlite:///{tmp_path}/mlruns/mlflow.db"
    assert tracking_uri(tmp_path, world()) == own
    monkeypatch.setenv("MLFLOW_TRACKING_URI", "http://127.0.0.1:5000")
    assert tracking_uri(tmp_path, world()) == "http://127.0.0.1:5000"
    monkeypatch.setenv("MLFLOW_RUN_ID", "abc")
    assert tracking_uri(tmp_path, world()) == own


def test_a_source_is_looked_at_before_anything_runs(tmp_path):
    """A file that is not there is refused; what is not ingestion is nobody's file."""
    steps = [{"uses": "ingest", "with": {"kind": "file", "path": "absent.csv", "sha256": None}}]
    with pytest.raises(ConfigError, match=r"no file 'absent\.csv'"):
        check_sources(tmp_path, steps)
    check_sources(tmp_path, [{"uses": "other", "with": {"path": "absent.csv"}}])


def test_unfinished_work_is_kept_for_the_code_that_began_it(done):
    """Another code of the stage finds an empty folder of its own, and the old one gone."""
    params = read_params(done)
    entry = params["stages"]["left"]
    first = stage_context(done, "left", entry, params)
    (first.scratch / "half").touch()
    again = stage_context(done, "left", entry, params)
    assert (again.scratch / "half").exists()
    other = stage_context(done, "left", {**entry, "code": {"steps/scaled.py": "new"}}, params)
    assert list(other.scratch.iterdir()) == []
    assert not first.scratch.exists()
    assert (first.reads, first.writes) == ({"v0": "v0"}, ("left",))
    assert first.facts()["data"]["v0"]["rows"] == 60


def test_requests_go_to_the_projects_log_and_are_hashed_with_its_secret(tmp_path):
    """The secret is made when it is needed, and the same for every server of the project."""
    one = RequestRecord(
        id="1", at="2026-05-01T12:00:00Z", model="m/1", digest="d", row={"a": 5}, prediction=1.0
    )
    plainly = make_logged(tmp_path, LogSettings(), print)
    plainly.offer([one])
    assert plainly.close(20)
    secret = tmp_path / "predictions" / "requests.key"
    assert not secret.exists()
    for number in ("2", "3"):
        hashing = make_logged(tmp_path, LogSettings(redact={"a": "hash"}), print)
        hashing.offer([replace(one, id=number)])
        assert hashing.close(20)
    assert secret.stat().st_mode & 0o777 == 0o600
    first, second, third = (kept.row["a"] for kept in make_request_log(tmp_path).rows())
    assert (first, second) == (5, third)
    assert second.startswith("hash:")
