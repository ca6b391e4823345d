"""An MLflow store whose folder was moved or copied: its artefacts are where it is."""

from __future__ import annotations

import sqlite3
from contextlib import closing
from pathlib import Path

__all__ = ["PLACES", "anchor", "follow"]

PLACES = (  # where MLflow keeps absolute paths of artefacts
    ("experiments", "artifact_location"),
    ("runs", "artifact_uri"),
    ("logged_models", "artifact_location"),
    ("model_versions", "storage_location"),
)


def follow(file: Path, experiment: str, *, beside: Path | None = None) -> Path | None:
    """Let the paths in an SQLite store point beside it again; return where they pointed to.

    MLflow writes absolute paths. Where the experiment's artefacts are recorded in a folder that is
    not the one beside the file, every path below that folder is moved over, in one transaction.

    Args:
        file: the store.
        experiment: name of the experiment, whose artefacts belong beside the file.
        beside: the folder to point to, where it is not the file's own.

    Returns:
        The folder recorded before; None when nothing had to be moved.

    Raises:
        sqlite3.Error: the file cannot be written.
    """
    here = (beside or file.parent).resolve()
    with closing(sqlite3.connect(file, timeout=20)) as rows, rows:
        before = anchor(rows, experiment)
        if before is None or before == here:
            return None
        for table, column in PLACES:
            rows.execute(
                f"update {table} set {column} = ? || substr({column}, ?)"  # noqa: S608 - own names
                f" where substr({column}, 1, ?) = ?",
                (str(here), len(str(before)) + 1, len(str(before)) + 1, f"{before}/"),
            )
    return before


def anchor(rows: sqlite3.Connection, experiment: str) -> Path | None:
    """Return the folder that an experiment's `artifacts` folder is recorded in, None if none is."""
    found = rows.execute(
        "select artifact_location from experiments where name = ?", (experiment,)
    ).fetchone()
    if found is None or not found[0] or "://" in found[0]:
        return None
    recorded = Path(found[0])
    return recorded.parent if recorded.name == "artifacts" else None
