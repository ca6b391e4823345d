"""The tracking store as files: a snapshot of its database, and what its runs kept."""

from __future__ import annotations

import os
import shutil
import sqlite3
import time
from collections.abc import Iterable, Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass
from hashlib import sha256
from pathlib import Path

from heddle.domain.errors import BusyError, IntegrityError, ResourceError
from heddle.frames.atomic import beside, sweep
from heddle.infrastructure.mlflow_moving import PLACES, anchor, follow
from heddle.infrastructure.mlflow_store import held

__all__ = ["RunFiles"]

_PATIENCE_SECONDS = 20
_OCCUPIED = {sqlite3.SQLITE_BUSY, sqlite3.SQLITE_LOCKED}
_ANYTHING = ("runs", "registered_models", "logged_models")


@dataclass(frozen=True, slots=True)
class RunFiles:
    """An SQLite file of MLflow's, and the folder `artifacts` beside it."""

    database: Path
    experiment: str  # whose artefacts lie beside the database

    @property
    def folder(self) -> Path:
        """Where the database lies."""
        return self.database.parent

    def any(self) -> bool:
        """Say whether it holds a run or a model."""
        if not self.database.is_file():
            return False
        with _opened(self.database) as rows:
            tables = set(_tables(rows))
            asked = [f"select 1 from {t} limit 1" for t in _ANYTHING if t in tables]  # noqa: S608
            return any(rows.execute(ask).fetchone() for ask in asked)

    def snapshot(self, place: Path) -> None:
        """Copy the database as it is at one moment, whoever writes to it meanwhile."""
        place.parent.mkdir(parents=True, exist_ok=True)
        with _opened(self.database) as rows, closing(sqlite3.connect(place)) as copy:
            _copied(rows, copy)

    def rows_digest(self, snapshot: Path) -> str:
        """Return a digest of all rows of a copy; where artefacts lie does not count."""
        digest = sha256()
        with _opened(snapshot) as rows:
            before = anchor(rows, self.experiment)
            for table in _tables(rows):
                columns = [str(c[1]) for c in rows.execute(f'pragma table_info("{table}")')]
                moving = {column for name, column in PLACES if name == table and before}
                asked = [_bare(c, str(before)) if c in moving else f'"{c}"' for c in columns]
                order = ",".join(map(str, range(1, len(columns) + 1)))
                ask = f'select {",".join(asked)} from "{table}" order by {order}'  # noqa: S608
                digest.update(f"{table} {columns}\n".encode())
                for row in rows.execute(ask):
                    digest.update(f"{row!r}\n".encode())
        return digest.hexdigest()

    def artefacts(self) -> dict[str, Path]:
        """Return the files that runs and models kept, by their path beside the database."""
        sweep(self.folder / "artifacts")  # what a killed pull left
        found = sorted((self.folder / "artifacts").rglob("*"))
        files = [path for path in found if path.is_file() and not path.is_symlink()]
        return {path.relative_to(self.folder).as_posix(): path for path in files}

    def elsewhere(self, snapshot: Path) -> int:
        """Return how many runs keep their artefacts in another place than beside the database."""
        with _opened(snapshot) as rows:
            before = anchor(rows, self.experiment)
            head = f"{before}/artifacts/"
            ask = "select count(*) from runs where substr(artifact_uri, 1, ?) != ?"
            return int(rows.execute(ask, (len(head), head)).fetchone()[0])

    def keep_copy(self) -> Path:
        """Put a copy of the whole store beside it, and return its folder: files are linked."""
        numbers = (n for n in range(1, 10_000) if not self._copy_folder(n).exists())
        folder = self._copy_folder(next(numbers))
        folder.mkdir(parents=True)
        for name, path in self.artefacts().items():
            place = folder / name
            place.parent.mkdir(parents=True, exist_ok=True)
            try:
                os.link(path, place)
            except OSError:  # a file system without links
                shutil.copy2(path, place)
        self.snapshot(folder / self.database.name)
        follow(folder / self.database.name, self.experiment)
        return folder

    def become(self, snapshot: Path, arrivals: dict[str, Path], leavers: Iterable[str]) -> None:
        """Take over a copied database and its files: files first, then the rows as one change.

        Args:
            snapshot: a copy of a database; its paths are changed to this one's folder.
            arrivals: files by the path beside the database that each is wanted at.
            leavers: paths of files that the copy does not know; they are removed at the end.
        """
        with _worded(snapshot):
            follow(snapshot, self.experiment, beside=self.folder)
        with held(self.database.with_name(f".{self.database.name}.lock")):
            for name, path in arrivals.items():
                with beside(self.folder / name) as part:
                    shutil.copyfile(path, part)
            with _opened(snapshot) as rows, _opened(self.database, timeout=0.1) as here:
                _copied(rows, here)
            for name in leavers:
                (self.folder / name).unlink(missing_ok=True)

    def _copy_folder(self, number: int) -> Path:
        return self.folder / f"before-pull-{number}"


def _tables(rows: sqlite3.Connection) -> list[str]:
    ask = "select name from sqlite_master where type = 'table' and name not like 'sqlite_%'"
    return sorted(str(name) for (name,) in rows.execute(ask))


def _bare(column: str, before: str) -> str:
    """Return SQL for a path's part below the recorded folder, in a column of MLflow's."""
    head = f"{before}/".replace("'", "''")
    return (
        f"case when substr({column}, 1, {len(before) + 1}) = '{head}'"
        f" then substr({column}, {len(before) + 1}) else {column} end"
    )


def _copied(rows: sqlite3.Connection, copy: sqlite3.Connection) -> None:
    """Copy one database into another under SQLite's own locks: all of it, or nothing."""
    end = time.monotonic() + _PATIENCE_SECONDS

    def waited(status: int, _remaining: int, _total: int) -> None:
        if status in _OCCUPIED and time.monotonic() > end:
            raise sqlite3.OperationalError("database is locked")

    rows.backup(copy, progress=waited, sleep=0.1)


@contextmanager
def _opened(file: Path, timeout: float = _PATIENCE_SECONDS) -> Iterator[sqlite3.Connection]:
    with _worded(file), closing(sqlite3.connect(file, timeout=timeout)) as rows:
        yield rows


@contextmanager
def _worded(file: Path) -> Iterator[None]:
    """Raise BusyError, IntegrityError or ResourceError for what SQLite says of a file."""
    try:
        yield
    except sqlite3.DatabaseError as fault:
        said = str(fault)
        if "locked" in said:
            todo = "Wait for it to end, then run again."
            raise BusyError("another process writes to it", where=str(file), todo=todo) from None
        if "no such" in said or not isinstance(fault, sqlite3.OperationalError):
            todo = "Move it away, then run again."
            raise IntegrityError(
                f"is no store of runs: {said}", where=str(file), todo=todo
            ) from None
        raise ResourceError(f"cannot be read or written: {said}", where=str(file)) from None
