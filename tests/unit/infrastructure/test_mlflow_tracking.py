"""What only the MLflow tracker has to withstand: cold starts, killed processes, broken stores."""

import os
import signal
import sqlite3
import subprocess
import sys
from pathlib import Path

import pytest

from heddle.domain.entities import TrialRecord
from heddle.domain.errors import ConfigError
from heddle.infrastructure.mlflow_tracking import MlflowTracker

WRITER = """
import sys, time
from pathlib import Path
from heddle.infrastructure.mlflow_tracking import MlflowTracker
tracker = MlflowTracker(sys.argv[1], experiment="shared", notice=lambda text: print("notice", text))
with tracker.run(sys.argv[2]) as run, run.child("below") as child:
    run.metrics({"m": 1.0})
    print("open", run.id, flush=True)
    if sys.argv[2] == "waits":
        time.sleep(60)
"""


def start(uri: str, name: str) -> subprocess.Popen[str]:
    command = [sys.executable, "-c", WRITER, uri, name]
    pipe = subprocess.PIPE
    return subprocess.Popen(command, stdout=pipe, stderr=pipe, text=True)


def runs_of(uri: str, experiment: str) -> dict[str, str]:
    with sqlite3.connect(uri.removeprefix("sqlite:///")) as rows:
        query = (
            "select r.name, r.status from runs r join experiments e"
            " on e.experiment_id = r.experiment_id where e.name = ?"
        )
        return dict(rows.execute(query, (experiment,)).fetchall())


@pytest.fixture(scope="module")
def uri(tmp_path_factory):
    """A store whose tables three processes made at once."""
    place = f"sqlite:///{tmp_path_factory.mktemp('cold')}/runs/mlflow.db"
    writers = [start(place, f"run-{i}") for i in range(3)]
    said = [writer.communicate(timeout=120) for writer in writers]
    assert [writer.returncode for writer in writers] == [0, 0, 0], said
    for out, err in said:
        assert out.startswith("open ")
        assert "notice" not in out
        assert err == ""
    return place


def test_a_cold_start_of_several_processes_loses_nothing(uri):
    """Three processes that find no tables at once write three runs, and nothing to stderr."""
    found = runs_of(uri, "shared")
    assert {f"run-{i}" for i in range(3)} | {"below"} == set(found)
    assert set(found.values()) == {"FINISHED"}
    assert list(Path(uri.removeprefix("sqlite:///")).parent.glob(".alive/*")) == []


def test_runs_of_a_killed_process_are_ended_as_killed(uri):
    """A run whose process is gone is KILLED at the next start; a living one is left alone."""
    killed, alive = start(uri, "waits"), start(uri, "waits")
    try:
        ids = [p.stdout.readline().split()[1] for p in (killed, alive)]
        killed.send_signal(signal.SIGKILL)
        killed.communicate(timeout=20)
        told: list[str] = []
        with MlflowTracker(uri, experiment="shared", notice=told.append).run("next"):
            pass
        with sqlite3.connect(uri.removeprefix("sqlite:///")) as rows:
            query = "select status from runs where run_uuid = ?"
            status = [rows.execute(query, (i,)).fetchone()[0] for i in ids]
        assert status == ["KILLED", "RUNNING"]
        assert told == []
    finally:
        alive.terminate()
        alive.communicate(timeout=20)


@pytest.mark.parametrize("patience", [0.1])
def test_a_locked_database_is_a_notice(uri, patience):
    """Another writer that does not let go costs the record, never the work."""
    told: list[str] = []
    with sqlite3.connect(uri.removeprefix("sqlite:///")) as holder:
        holder.execute("begin exclusive")
        tracker = MlflowTracker(uri, experiment="x", notice=told.append, patience=patience)
        with tracker.run("run") as run:
            run.metrics({"m": 1.0})
            run.trials([TrialRecord(number=0, state="complete", params={}, value=1.0)])
            assert run.id == ""
        holder.rollback()
    assert told == ["mlflow: recording ends here, the work goes on; start: database is locked"]


def test_a_database_that_breaks_on_the_way_is_a_notice(uri, tmp_path):
    """A file that turns to rubbish under an open run ends the recording with one notice."""
    file = tmp_path / "mlflow.db"
    file.write_bytes(Path(uri.removeprefix("sqlite:///")).read_bytes())
    told: list[str] = []
    with MlflowTracker(f"sqlite:///{file}", experiment="x", notice=told.append).run("run") as run:
        file.write_bytes(b"rubbish " * 20_000)
        for step in range(5):
            run.metrics({"m": float(step)}, step)
    assert len(told) == 1
    assert told[0].startswith("mlflow: recording ends here, the work goes on; metrics: ")


def test_a_place_that_cannot_be_made_is_a_notice(tmp_path):
    """A folder that is a file: the run goes on untracked, at once and not after minutes."""
    (tmp_path / "mlruns").write_text("in the way")
    told: list[str] = []
    uri = f"sqlite:///{tmp_path}/mlruns/mlflow.db"
    with MlflowTracker(uri, experiment="x", notice=told.append).run("run") as run:
        run.params({"a": 1})
    assert len(told) == 1
    assert "recording ends here" in told[0]


def test_the_error_of_the_work_is_what_goes_up(tmp_path):
    """When the store is broken and the work fails, the caller sees the work's error."""
    (tmp_path / "mlruns").write_text("in the way")
    tracker = MlflowTracker(
        f"sqlite:///{tmp_path}/mlruns/mlflow.db", experiment="x", notice=lambda _: None
    )
    with pytest.raises(ZeroDivisionError), tracker.run("run"):
        raise ZeroDivisionError


@pytest.mark.parametrize("uri", ["./mlruns", "file:./mlruns"])
def test_a_folder_of_files_is_refused(uri):
    """MLflow no longer writes its file store: the error says what to use."""
    with pytest.raises(ConfigError, match=r"Use sqlite:///mlruns/mlflow\.db"):
        MlflowTracker(uri, experiment="x", notice=print)


def test_long_values_and_odd_names_are_kept(uri):
    """A long parameter is cut and kept whole as an artefact; refused signs become `_`."""
    told: list[str] = []
    with MlflowTracker(uri, experiment="long", notice=told.append).run("run") as run:
        run.params({"text": "x" * 7000, "a[0]": 1, **{f"p{i}": i for i in range(150)}})
        run.metrics({"loss(train)": 1.0})
    from mlflow import MlflowClient

    found = MlflowClient(uri, uri).get_run(run.id)
    assert told == []
    assert len(found.data.params["text"]) == 6000
    assert found.data.params["text"].endswith("(whole in the artefact params/text.txt)")
    assert (Path(found.info.artifact_uri) / "params/text.txt").read_text() == "x" * 7000
    assert found.data.params["a_0_"] == "1"
    assert len(found.data.params) == 152
    assert found.data.metrics == {"loss_train_": 1.0}


def test_mlflow_shows_the_commit_where_its_pages_look_for_it(uri):
    """The tag of ours is given a second time under MLflow's own name; without it there is none."""
    tracker = MlflowTracker(uri, experiment="commits", notice=print)
    with tracker.run("run", {"git_commit": "abc"}) as run, run.child("below") as child:
        pass
    from mlflow import MlflowClient

    told, below = (MlflowClient(uri, uri).get_run(r.id).data.tags for r in (run, child))
    assert told["mlflow.source.git.commit"] == told["git_commit"] == "abc"
    assert "mlflow.source.git.commit" not in below


def test_importing_the_tracker_imports_no_mlflow():
    """The adapter's module is light: MLflow is imported when a run is opened."""
    code = (
        "import sys, heddle.infrastructure.mlflow_tracking, heddle.infrastructure.wandb_tracking,"
        " heddle.infrastructure.mlflow_registry as r;"
        "print({'mlflow', 'wandb', 'sqlalchemy', 'pandas', 'sklearn'} & set(sys.modules))"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "set()", done.stdout + done.stderr


def test_mlflow_phones_nobody(uri):
    """Telemetry is off unless the user switched it on."""
    with MlflowTracker(uri, experiment="x", notice=print).run("run"):
        assert os.environ["MLFLOW_DISABLE_TELEMETRY"] == "true"
        from mlflow.telemetry.utils import is_telemetry_disabled

        assert is_telemetry_disabled()
