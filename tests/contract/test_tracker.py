"""What every tracker does, asked of each: MLflow, W&B, several at once, memory, none."""

import json
import struct
import time
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest

from heddle.domain.entities import TrialRecord
from heddle.infrastructure.memory_tracking import MemoryRun, MemoryTracker
from heddle.infrastructure.mlflow_tracking import MlflowTracker
from heddle.infrastructure.several_trackers import SeveralTrackers
from heddle.infrastructure.wandb_tracking import WandbTracker

TRIALS = (
    TrialRecord(
        number=0, state="complete", params={"a": 1}, value=2.5, folds=(2.0, 3.0), scores={"r2": 0.5}
    ),
    TrialRecord(number=1, state="pruned", params={"a": 2}, value=9.0, folds=(9.0,)),
    TrialRecord(number=2, state="failed", params={"a": 3}, value=None, note="did not converge"),
)


@dataclass
class Written:
    """A run as it lies in the tracker's store."""

    parent: str = ""
    status: str = ""
    params: dict[str, str] = field(default_factory=dict)
    metrics: dict[str, list[tuple[int, float]]] = field(default_factory=dict)
    tags: dict[str, str] = field(default_factory=dict)
    files: dict[str, bytes] = field(default_factory=dict)
    trials: dict[int, tuple[str, float | None]] = field(default_factory=dict)


class TrackerContract:
    """The contract; a subclass gives a tracker and how to read what it wrote."""

    @pytest.fixture
    def notices(self) -> list[str]:
        return []

    @pytest.fixture
    def tracker(self, tmp_path, notices) -> Any:
        raise NotImplementedError

    def read(self, tracker, tmp_path) -> dict[str, Written]:
        raise NotImplementedError

    def test_everything_said_to_a_run_is_written(self, tracker, notices, tmp_path):
        """Parameters flattened, metrics by step, tags, a file and a folder: all are read back."""
        folder = tmp_path / "plots"
        folder.mkdir()
        (folder / "a.txt").write_text("plot")
        (tmp_path / "one.txt").write_text("one")
        with tracker.run("parent", {"stage": "tune"}) as run:
            run.params({"model": {"depth": 3, "leaf": None}, "seed": 42})
            run.metrics({"wmape": 13.0}, step=0)
            run.metrics({"wmape": 12.0}, step=1)
            run.tags({"best": "ridge"})
            run.artifact(tmp_path / "one.txt", "config")
            run.artifact(folder)
        found = self.read(tracker, tmp_path)["parent"]
        assert notices == []
        assert found.params == {"model.depth": "3", "model.leaf": "None", "seed": "42"}
        assert found.metrics["wmape"] == [(0, 13.0), (1, 12.0)]
        assert found.tags.items() >= {"stage": "tune", "best": "ridge"}.items()
        assert found.files == {"config/one.txt": b"one", "plots/a.txt": b"plot"}
        assert found.status == "FINISHED"

    def test_nan_and_infinity_are_kept_as_tags(self, tracker, notices, tmp_path):
        """A metric that is no finite number becomes a tag; the others stay metrics."""
        with tracker.run("run") as run:
            run.metrics({"r2": float("nan"), "rmse": float("-inf"), "mae": 1.0})
        found = self.read(tracker, tmp_path)["run"]
        assert notices == []
        assert found.tags.items() >= {"metric.r2": "nan", "metric.rmse": "-inf"}.items()
        assert set(found.metrics) == {"mae"}

    def test_children_lie_below_their_parent(self, tracker, notices, tmp_path):
        """A run below a run knows its parent and ends with its own block."""
        with (
            tracker.run("parent") as run,
            run.child("candidate", {"name": "ridge"}) as child,
        ):
            child.metrics({"wmape": 1.0})
        found = self.read(tracker, tmp_path)
        assert notices == []
        assert found["candidate"].parent == "parent"
        assert found["candidate"].tags["name"] == "ridge"
        assert found["candidate"].status == found["parent"].status == "FINISHED"

    def test_trials_are_written_once_each(self, tracker, notices, tmp_path):
        """A number that is known already is skipped, whatever it brings."""
        with tracker.run("parent") as run, run.child("candidate") as child:
            child.trials(TRIALS[:2])
            child.trials(TRIALS)
        expected = {0: ("complete", 2.5), 1: ("pruned", 9.0), 2: ("failed", None)}
        assert self.read(tracker, tmp_path)["candidate"].trials == expected
        assert notices == []

    @pytest.mark.parametrize(
        ("fault", "status"), [(ValueError("bad"), "FAILED"), (KeyboardInterrupt(), "KILLED")]
    )
    def test_an_exception_ends_the_run_and_goes_on_up(self, tracker, fault, status, tmp_path):
        """A run that raises is failed, one that was stopped is killed; the caller sees why."""
        with pytest.raises(type(fault)), tracker.run("run"):
            raise fault
        assert self.read(tracker, tmp_path)["run"].status == status

    def test_the_first_value_of_a_parameter_stays(self, tracker, tmp_path):
        """Saying a parameter twice is no fault; what was chosen first is what is kept."""
        with tracker.run("run") as run:
            run.params({"seed": 1})
            run.params({"seed": 2, "cores": 2})
        assert self.read(tracker, tmp_path)["run"].params == {"seed": "1", "cores": "2"}

    def test_a_missing_artefact_is_a_notice(self, tracker, notices, tmp_path):
        """A file that is not there costs that file only, and says so."""
        with tracker.run("run") as run:
            run.artifact(tmp_path / "absent.txt")
            run.tags({"after": "yes"})
        found = self.read(tracker, tmp_path)["run"]
        assert (found.status, found.tags["after"], found.files) == ("FINISHED", "yes", {})
        assert all("artefact 'absent.txt' was not recorded: no such file" in n for n in notices)
        assert notices


class TestMemory(TrackerContract):
    @pytest.fixture
    def tracker(self, notices):
        return MemoryTracker(notices.append)

    def read(self, tracker, tmp_path):
        found: dict[str, Written] = {}

        def add(run: MemoryRun, parent: str) -> None:
            trials = {n: (t.state, t.value) for n, t in run.finished_trials.items()}
            found[run.name] = Written(
                parent, run.status, run.values, run.measured, run.words, run.files, trials
            )
            for child in run.children:
                add(child, run.name)

        for run in tracker.runs:
            add(run, "")
        return found


class TestMlflow(TrackerContract):
    @pytest.fixture(scope="class")
    @classmethod
    def mlflow_uri(cls, tmp_path_factory):
        """One database for all: making its tables takes seconds."""
        return f"sqlite:///{tmp_path_factory.mktemp('mlruns')}/mlflow.db"

    @pytest.fixture
    def tracker(self, tmp_path, notices, mlflow_uri):
        return MlflowTracker(mlflow_uri, experiment=tmp_path.name, notice=notices.append)

    def read(self, tracker, tmp_path):
        from mlflow import MlflowClient

        client = MlflowClient(tracker._store.uri, tracker._store.uri)
        experiment = client.get_experiment_by_name(tmp_path.name).experiment_id
        runs = {r.info.run_id: r for r in client.search_runs([experiment])}
        found = {
            r.info.run_name: self._written(client, r, runs)
            for r in runs.values()
            if "trial" not in r.data.tags
        }
        for run in runs.values():
            if "trial" in run.data.tags:
                parent = runs[run.data.tags["mlflow.parentRunId"]].info.run_name
                state, value = run.data.tags["state"], run.data.metrics.get("value")
                found[parent].trials[int(run.data.tags["trial"])] = (state, value)
                assert run.info.status == ("FAILED" if state == "failed" else "FINISHED")
        return found

    @staticmethod
    def _written(client, run, runs):
        def history(name):
            rows = client.get_metric_history(run.info.run_id, name)
            return [(m.step, m.value) for m in rows]

        place = Path(run.info.artifact_uri)
        parent = run.data.tags.get("mlflow.parentRunId")
        return Written(
            parent=runs[parent].info.run_name if parent else "",
            status=run.info.status,
            params=run.data.params,
            metrics={name: history(name) for name in run.data.metrics},
            tags=run.data.tags,
            files=files_of(place),
        )


class TestWandb(TrackerContract):
    @pytest.fixture
    def tracker(self, tmp_path, notices):
        return WandbTracker("project", folder=tmp_path / "w", notice=notices.append)

    def read(self, tracker, tmp_path):
        logs = sorted((tmp_path / "w").glob("wandb/offline-run-*/run-*.wandb"))
        runs = {log.stem.removeprefix("run-"): (log, *wandb_run(log)) for log in logs}
        names = {run_id: made.display_name for run_id, (_, made, _) in runs.items()}
        return {
            names[run_id]: self._written(log, run_id, made, records, names)
            for run_id, (log, made, records) in runs.items()
        }

    @staticmethod
    def _written(log, run_id, made, records, names):
        group = made.run_group
        found = Written(parent="" if group == run_id else names[group])
        config = {i.key: json.loads(i.value_json) for i in made.config.update}
        for record in records:
            kind = record.WhichOneof("record_type")
            if kind == "config":
                config |= {i.key: json.loads(i.value_json) for i in record.config.update}
            elif kind == "history":
                items = record.history.item
                add_row(
                    found,
                    {i.key or ".".join(i.nested_key): json.loads(i.value_json) for i in items},
                )
            elif kind == "exit":
                codes = {0: "FINISHED", 1: "FAILED", 255: "KILLED"}
                found.status = codes[record.exit.exit_code]
        config.pop("_wandb", None)
        found.tags = {k[4:]: v for k, v in config.items() if k.startswith("tag.")}
        found.params = {k: v for k, v in config.items() if not k.startswith("tag.")}
        unrelated = {"requirements.txt", "wandb-metadata.json", "config.yaml", "wandb-summary.json"}
        written = files_of(log.parent / "files")
        found.files = {name: b for name, b in written.items() if name not in unrelated}
        return found


class TestSeveral(TestMemory):
    """Two trackers at once hold the same; one of them is read."""

    @pytest.fixture
    def tracker(self, notices):
        return SeveralTrackers(MemoryTracker(notices.append), MemoryTracker(notices.append))

    def read(self, tracker, tmp_path):
        one, two = (TestMemory.read(self, t, tmp_path) for t in tracker.trackers)
        assert one == two
        return one


def test_no_tracker_takes_everything_and_keeps_nothing(tmp_path):
    """With tracking off the same calls work and the id is empty."""
    with SeveralTrackers().run("run", {"a": "b"}) as run, run.child("below") as child:
        run.params({"a": 1})
        run.metrics({"m": 1.0})
        run.tags({"t": "x"})
        run.artifact(tmp_path)
        child.trials(TRIALS)
    assert run.id == child.id == ""


def files_of(folder: Path) -> dict[str, bytes]:
    found = [p for p in folder.rglob("*") if p.is_file()] if folder.is_dir() else []
    return {p.relative_to(folder).as_posix(): p.read_bytes() for p in found}


def add_row(found: Written, row: dict[str, Any]) -> None:
    """Sort one row of a W&B history into metrics or trials."""
    if "trial.number" in row:
        found.trials[row["trial.number"]] = (row["trial.state"], row.get("trial.value"))
        return
    for name, value in row.items():
        if not name.startswith("_") and name != "step":
            found.metrics.setdefault(name, []).append((row["step"], value))


def wandb_run(log: Path) -> tuple[Any, list[Any]]:
    """Return the run's record and all records of a transaction log, read with W&B's own schema."""
    from wandb.proto import wandb_internal_pb2

    for _ in range(200):  # another process writes: it has ended when the exit is written
        records = [wandb_internal_pb2.Record.FromString(blob) for blob in log_records(log)]
        kinds = {record.WhichOneof("record_type"): record for record in records}
        if {"run", "exit"} <= kinds.keys():
            return kinds["run"].run, records
        time.sleep(0.05)
    raise AssertionError(f"W&B did not end {log}: {sorted(kinds)}")


def log_records(log: Path) -> list[bytes]:
    """Return the records of a file in LevelDB's log format after W&B's header of seven bytes.

    Blocks of 32 KiB; a piece is crc32 (4), length (2), kind (1: whole, 2-4: first, middle, last).
    """
    content, at, records, parts = log.read_bytes(), 7, [], b""
    while at + 7 <= len(content):
        if 32768 - at % 32768 < 7:
            at += 32768 - at % 32768
            continue
        length, kind = struct.unpack_from("<HB", content, at + 4)
        parts += content[at + 7 : at + 7 + length]
        at += 7 + length
        if kind in {1, 4}:
            records.append(parts)
            parts = b""
    return records
