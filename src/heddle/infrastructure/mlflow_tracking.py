"""Runs in MLflow: parent run -> candidate run -> trial runs."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager, suppress
from functools import partial
from pathlib import Path
from typing import Any

from heddle.domain.entities import TrialRecord
from heddle.infrastructure.mlflow_liveness import Liveness
from heddle.infrastructure.mlflow_store import MlflowStore
from heddle.infrastructure.mlflow_values import batches, fitting_params, key
from heddle.infrastructure.tracked_values import Faults, GuardedRun, ended, flat, split_metrics

__all__ = ["MlflowTracker"]

_PARENT = "mlflow.parentRunId"
_COMMIT = "mlflow.source.git.commit"  # what its pages show
_PROCESS = "heddle.process"
_TRIAL_STATES = {"complete": "FINISHED", "pruned": "FINISHED", "failed": "FAILED"}


class MlflowTracker:
    """Writes runs to an MLflow store; its own faults become notices.

    Runs that a killed process left open are ended as KILLED when the next run is opened.

    Args:
        uri: `sqlite:///FILE` (artefacts beside it), or a server's address.
        experiment: name of the experiment.
        notice: where a fault of the tracker is told.
        state: folder of process marks; beside the file of an SQLite store when None. Without
            one (a server and no folder) nobody's open runs are ended.
        patience: seconds to wait at the opening for another writer of an SQLite file.
    """

    def __init__(
        self,
        uri: str,
        *,
        experiment: str,
        notice: Callable[[str], None],
        state: Path | None = None,
        patience: float = 20.0,
    ) -> None:
        self._store = MlflowStore(uri, experiment, patience=patience)
        self._notice = notice
        if state is None and self._store.file is not None:
            state = self._store.file.parent / ".alive"
        self._alive = None if state is None else Liveness(state)
        self._open_runs = 0

    @contextmanager
    def run(self, name: str, tags: Mapping[str, str] | None = None) -> Iterator[_Run]:
        """Open a run; an exception inside ends it as failed and goes on up."""
        faults = Faults("mlflow", self._notice)
        self._open_runs += 1
        mark = faults.guard("start", self._begin, "")
        try:
            with _opened(self._store, faults, name, {**(tags or {}), _PROCESS: mark}, "") as run:
                yield run
        finally:
            self._open_runs -= 1
            if self._alive is not None and self._open_runs == 0:
                with suppress(OSError):
                    self._alive.stop(keep=faults.ended)

    def _begin(self) -> str:
        experiment = self._store.experiment_id
        if self._alive is None:
            return ""
        mark = self._alive.start()
        if self._open_runs == 1:
            self._end_the_dead(experiment, self._alive)
        return mark

    def _end_the_dead(self, experiment: str, alive: Liveness) -> None:
        client = self._store.client
        running = client.search_runs([experiment], "attributes.status = 'RUNNING'")
        marks = {run.info.run_id: run.data.tags.get(_PROCESS, "") for run in running}
        dead = {mark for mark in marks.values() if mark and alive.died(mark)}
        for run_id, mark in marks.items():
            if mark in dead:
                client.set_terminated(run_id, "KILLED")
        for mark in dead:
            alive.forget(mark)


@contextmanager
def _opened(
    store: MlflowStore, faults: Faults, name: str, tags: Mapping[str, str], parent: str
) -> Iterator[_Run]:
    made = faults.guard(f"run {name!r}", partial(_create, store, name, tags, parent), "")
    run = _Run(store, faults, made, tags.get(_PROCESS, ""))
    with ended(run.end):
        yield run


def _create(store: MlflowStore, name: str, tags: Mapping[str, str], parent: str) -> str:
    marks = {key(k): str(v) for k, v in tags.items() if v != ""}
    if parent:
        marks[_PARENT] = parent
    if commit := marks.get("git_commit"):
        marks[_COMMIT] = commit
    made = store.client.create_run(store.experiment_id, run_name=name, tags=marks)
    return str(made.info.run_id)


class _Run(GuardedRun):
    """One open run."""

    def __init__(self, store: MlflowStore, faults: Faults, run_id: str, mark: str) -> None:
        super().__init__(faults, run_id)
        self._store = store
        self._mark = mark
        self._params: dict[str, str] = {}

    def params(self, values: Mapping[str, Any]) -> None:
        """Record what was chosen; nested mappings become dotted names."""
        new = {key(name): value for name, value in flat(values).items()}
        changed = sorted(k for k, v in new.items() if self._params.get(k, v) != v)
        if changed:
            self._faults.say(f"the first value of a parameter stays: {', '.join(changed)}")
        new = {k: v for k, v in new.items() if k not in self._params}
        self._params |= new
        self._try("parameters", lambda: self._log_params(new))

    @contextmanager
    def child(self, name: str, tags: Mapping[str, str] | None = None) -> Iterator[_Run]:
        """Open a run below this one."""
        marks = {**(tags or {}), _PROCESS: self._mark}
        with _opened(self._store, self._faults, name, marks, self.id) as run:
            yield run

    def _log_params(self, values: Mapping[str, str]) -> None:
        from mlflow.entities import Param

        short, long = fitting_params(values)
        params = [Param(name, value) for name, value in short.items()]
        for part in batches(params, 100):
            self._store.client.log_batch(self.id, params=part)
        for name, text in long.items():
            self._store.client.log_text(self.id, text, name)

    def _log_metrics(self, values: Mapping[str, float], step: int) -> None:
        from mlflow.entities import Metric

        now = _now()
        rows = [Metric(key(name), value, now, step) for name, value in values.items()]
        for part in batches(rows, 1000):
            self._store.client.log_batch(self.id, metrics=part)

    def _log_tags(self, values: Mapping[str, str]) -> None:
        from mlflow.entities import RunTag

        rows = [RunTag(key(name), str(value)) for name, value in values.items()]
        for part in batches(rows, 100):
            self._store.client.log_batch(self.id, tags=part)

    def _log_artifact(self, path: Path, folder: str) -> None:
        client = self._store.client
        if path.is_dir():
            inner = f"{folder}/{path.name}" if folder else path.name
            client.log_artifacts(self.id, str(path), inner)
        else:
            client.log_artifact(self.id, str(path), folder or None)

    def _log_trial(self, record: TrialRecord) -> None:
        """One run in three calls: made with its tags, filled in one batch, ended."""
        from mlflow.entities import Metric, Param, RunTag

        client, now = self._store.client, _now()
        tags = {"state": record.state, "trial": str(record.number), _PARENT: self.id}
        tags |= {_PROCESS: self._mark} if self._mark else {}
        tags |= {"note": record.note[:5000]} if record.note else {}
        began = now - round(record.seconds * 1000)
        run_id = client.create_run(
            self._store.experiment_id, began, tags, run_name=f"trial {record.number}"
        ).info.run_id
        measured = {**record.scores, "seconds": record.seconds}
        measured |= {} if record.value is None else {"value": record.value}
        finite, words = split_metrics(measured)
        folds = [split_metrics({"fold": value})[0] for value in record.folds]
        metrics = [Metric(name, value, now, 0) for name, value in finite.items()]
        metrics += [Metric("fold", f["fold"], now, i) for i, f in enumerate(folds) if f]
        short, _ = fitting_params({key(k): v for k, v in flat(record.params).items()})
        params = [Param(name, value) for name, value in short.items()]
        client.log_batch(run_id, metrics, params, [RunTag(k, v) for k, v in words.items()])
        client.set_terminated(run_id, _TRIAL_STATES.get(record.state, "FAILED"))

    def _end(self, status: str) -> None:
        self._store.client.set_terminated(self.id, status)


def _now() -> int:
    return round(time.time() * 1000)
