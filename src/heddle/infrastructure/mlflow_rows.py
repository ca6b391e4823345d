"""The registry's rows in an SQLite store, read and written without importing MLflow.

Importing MLflow's own store takes seconds (`import mlflow` alone 1.8 s here, its store class 3 s),
longer than a roll-back may last as a whole. So where the store is a file whose schema revision is
one that was tested, the few rows that name versions, tags and aliases are reached directly, in the
same tables, keys and workspace that `mlflow.store.model_registry.SqlAlchemyStore` uses; a
contract test reads them back through MLflow. Any other revision goes through MLflow's client.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator, Mapping, Sequence
from contextlib import AbstractContextManager, closing, contextmanager
from datetime import UTC, datetime
from pathlib import Path

from heddle.domain.entities import ModelVersion
from heddle.domain.errors import ResourceError

__all__ = ["TESTED_REVISIONS", "MlflowRows", "since_1970"]

TESTED_REVISIONS = frozenset({"dc11669786a5"})  # mlflow 3.17.2
_WORKSPACE = "default"
_DELETED = "Deleted_Internal"


class MlflowRows:
    """Rows of one SQLite file. Every method opens, acts and closes."""

    def __init__(self, file: Path) -> None:
        self._file = file

    def known(self) -> bool:
        """Say whether the file is there and has a schema that was tested."""
        if not self._file.is_file():
            return False
        try:
            with self._read() as rows:
                found = rows.execute("select version_num from alembic_version").fetchall()
        except (sqlite3.Error, ResourceError):
            return False
        return len(found) == 1 and found[0][0] in TESTED_REVISIONS

    def models(self) -> Sequence[str]:
        """Names of registered models, sorted; prompts, which share the table, are none."""
        query = (
            "select name from registered_models m where workspace = ? and not exists"
            " (select 1 from registered_model_tags t where t.workspace = m.workspace"
            " and t.name = m.name and t.key = 'mlflow.prompt.is_prompt' and t.value = 'true')"
        )
        with self._read() as rows:
            return sorted(name for (name,) in rows.execute(query, (_WORKSPACE,)))

    def versions(self, name: str) -> Sequence[ModelVersion]:
        """Versions of a model, newest first; none when there is no such model."""
        key = (_WORKSPACE, name)
        with self._read() as rows:
            made = rows.execute(
                "select version, description, run_id, source, creation_time from model_versions"
                " where workspace = ? and name = ? and current_stage <> ? order by version desc",
                (*key, _DELETED),
            ).fetchall()
            words = rows.execute(
                "select version, key, value from model_version_tags"
                " where workspace = ? and name = ?",
                key,
            ).fetchall()
            aliases = rows.execute(
                "select version, alias from registered_model_aliases"
                " where workspace = ? and name = ? order by alias",
                key,
            ).fetchall()
        return [
            ModelVersion(
                name=name,
                number=number,
                aliases=tuple(alias for version, alias in aliases if version == number),
                tags={k: v for version, k, v in words if version == number},
                description=description or "",
                run_id=run_id or "",
                uri=source,
                registered_at=since_1970(made_at),
            )
            for number, description, run_id, source, made_at in made
        ]

    def location(self, name: str, number: int) -> str:
        """Where a version's files lie."""
        with self._read() as rows:
            found = rows.execute(
                "select coalesce(storage_location, source) from model_versions"
                " where workspace = ? and name = ? and version = ?",
                (_WORKSPACE, name, number),
            ).fetchone()
        return str(found[0])

    def run_status(self, run_id: str) -> str | None:
        """What became of a run, in MLflow's word; None when there is no such run."""
        with self._read() as rows:
            found = rows.execute(
                "select status, lifecycle_stage from runs where run_uuid = ?", (run_id,)
            ).fetchone()
        return None if found is None else str(found[0] if found[1] == "active" else found[1])

    def point(self, name: str, alias: str, number: int) -> None:
        """Let an alias mean this version."""
        with self._open() as rows, rows:
            rows.execute(
                "insert into registered_model_aliases (workspace, name, alias, version)"
                " values (?, ?, ?, ?)"
                " on conflict (workspace, name, alias) do update set version = excluded.version",
                (_WORKSPACE, name, alias, number),
            )

    def tag(self, name: str, number: int, tags: Mapping[str, str]) -> None:
        """Add or replace tags of a version, all of them or none."""
        with self._open() as rows, rows:
            rows.executemany(
                "insert into model_version_tags (workspace, name, version, key, value)"
                " values (?, ?, ?, ?, ?)"
                " on conflict (workspace, key, name, version) do update set value = excluded.value",
                [(_WORKSPACE, name, number, key, value) for key, value in tags.items()],
            )

    def _read(self) -> AbstractContextManager[sqlite3.Connection]:
        """Open for reading alone: a registry may lie where nothing can be written."""
        return self._open("?mode=ro")

    @contextmanager
    def _open(self, mode: str = "?mode=rw") -> Iterator[sqlite3.Connection]:
        address = self._file.resolve().as_uri() + mode
        try:
            with closing(sqlite3.connect(address, timeout=20, uri=True)) as rows:
                rows.execute("PRAGMA foreign_keys = ON")
                yield rows
        except sqlite3.OperationalError as fault:
            raise ResourceError(
                f"the model registry cannot be used: {fault}",
                where=str(self._file),
                todo="Nothing was changed; end what holds the file, or free space, and repeat.",
            ) from fault


def since_1970(milliseconds: int | None) -> str:
    """Return a time as MLflow keeps it in ISO 8601, "" for none.

    >>> since_1970(1_500)
    '1970-01-01T00:00:01.500+00:00'
    """
    if milliseconds is None:
        return ""
    return datetime.fromtimestamp(milliseconds / 1000, UTC).isoformat(timespec="milliseconds")
