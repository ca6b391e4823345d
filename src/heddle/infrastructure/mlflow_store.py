"""Opening an MLflow store: quietly, offline, and by several processes at once."""

from __future__ import annotations

import fcntl
import os
import sqlite3
from collections.abc import Iterator
from contextlib import closing, contextmanager
from importlib.util import find_spec
from pathlib import Path
from typing import Any

from heddle.domain.errors import ConfigError
from heddle.infrastructure.mlflow_moving import follow

__all__ = ["MlflowStore", "database_file", "held"]

_QUIET = {
    "MLFLOW_DISABLE_TELEMETRY": "true",
    "MLFLOW_ENABLE_ARTIFACTS_PROGRESS_BAR": "false",
    "GIT_PYTHON_REFRESH": "quiet",
}
_SILENT_LOGGERS = {  # MLflow logs a fault and raises it too: we word it once
    "mlflow": "ERROR",
    "mlflow.store.db.utils": "CRITICAL",
    "alembic": "ERROR",
}


def database_file(uri: str) -> Path | None:
    """Return the file of an SQLite store, None for any other store.

    >>> database_file("sqlite:///mlruns/mlflow.db").as_posix()
    'mlruns/mlflow.db'
    >>> database_file("http://127.0.0.1:5000") is None
    True
    """
    prefix = "sqlite:///"
    return Path(uri.removeprefix(prefix)) if uri.startswith(prefix) else None


@contextmanager
def held(path: Path) -> Iterator[None]:
    """Hold the kernel's lock on `path` meanwhile; it falls when the process does."""
    path.parent.mkdir(parents=True, exist_ok=True)
    with path.open("ab") as handle:
        fcntl.flock(handle, fcntl.LOCK_EX)
        yield


class MlflowStore:
    """One MLflow store and one of its experiments, opened on first use.

    Args:
        uri: `sqlite:///FILE` (artefacts then lie beside the file) or what MLflow understands.
        experiment: name of the experiment that runs and models belong to.
        patience: seconds to wait at the opening for another writer of an SQLite file.
    """

    def __init__(self, uri: str, experiment: str, *, patience: float = 20.0) -> None:
        if uri.startswith("file:") or "://" not in uri:
            raise ConfigError(
                f"{uri!r} is a folder of files, which MLflow no longer writes",
                where="tracking uri",
                todo="Use sqlite:///mlruns/mlflow.db or the address of an MLflow server.",
            )
        self.uri = uri
        self.experiment = experiment
        self.file = database_file(uri)
        self._patience = patience
        self._client: Any = None
        self._experiment_id = ""

    @property
    def client(self) -> Any:
        """The MlflowClient of this store; tables are there when it is."""
        if self._client is None:
            self._client = self._open()
        return self._client

    @property
    def experiment_id(self) -> str:
        """The experiment, made when it is absent."""
        client = self.client
        if not self._experiment_id:
            self._experiment_id = self._find(client) or self._make(client)
        return self._experiment_id

    def _open(self) -> Any:
        if self.file is None:
            return _client(self.uri)
        _writable(self.file, self._patience)
        with held(self.file.with_name(f".{self.file.name}.lock")):
            client = _client(self.uri)
            client.search_experiments(max_results=1)  # creates or checks the tables
            follow(self.file, self.experiment)
        return client

    def _find(self, client: Any) -> str:
        found = client.get_experiment_by_name(self.experiment)
        if found is None:
            return ""
        if found.lifecycle_stage == "deleted":
            client.restore_experiment(found.experiment_id)
        return str(found.experiment_id)

    def _make(self, client: Any) -> str:
        if self.file is None:
            return str(client.create_experiment(self.experiment))
        beside = self.file.parent.resolve()
        with held(self.file.with_name(f".{self.file.name}.lock")):
            place = str(beside / "artifacts")
            return self._find(client) or str(
                client.create_experiment(self.experiment, artifact_location=place)
            )


def _writable(file: Path, patience: float) -> None:
    """Fail at once where MLflow would try for minutes. Raises OSError or sqlite3.Error."""
    file.parent.mkdir(parents=True, exist_ok=True)
    with closing(sqlite3.connect(file, timeout=patience)) as connection:
        connection.execute("BEGIN IMMEDIATE")
        connection.rollback()


def _client(uri: str) -> Any:
    import logging

    for name, value in _QUIET.items():
        os.environ.setdefault(name, value)
    try:
        from mlflow import MlflowClient
    except ModuleNotFoundError:
        if find_spec("mlflow") is not None:
            raise
        raise ConfigError(
            "this store is reached through MLflow, which is not installed here",
            where="tracking uri",
            todo="pip install 'heddle-ml[train]', or name a model's folder instead.",
        ) from None

    for name, level in _SILENT_LOGGERS.items():
        logging.getLogger(name).setLevel(level)
    return MlflowClient(tracking_uri=uri, registry_uri=uri)
