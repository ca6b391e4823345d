"""The SQLite file that holds requests: made as a whole, checked when it is opened."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from contextlib import closing, contextmanager, suppress
from pathlib import Path
from secrets import token_hex
from tempfile import TemporaryDirectory

from heddle.domain.errors import BusyError, IntegrityError, ResourceError

__all__ = ["open_requests", "redaction_key", "transaction", "worded"]

_FORMAT = 1
_PATIENCE = 20  # seconds that another writer is waited for
_TABLES = """
create table requests (
    seq integer primary key, moment integer not null, id text not null unique, at text not null,
    model text not null, digest text not null, row text not null, prediction real, lower real,
    upper real, flags text not null, latency_ms real, redacted text not null,
    beside text not null default ''
);
create index requests_by_moment on requests (moment);
create table outcomes (id text primary key, outcome real not null) without rowid;
"""


def open_requests(file: Path, *, make: bool = False) -> sqlite3.Connection:
    """Open a file of requests; `make` one where none is. Raises what `worded` puts into words."""
    if make and not file.exists():
        _make(file)
    rows = _connect(file)
    try:
        _check(rows, file)
        if not _whole(rows):
            _grow(rows, make=make)
        rows.execute("pragma synchronous = normal")
    except BaseException:
        rows.close()
        raise
    return rows


@contextmanager
def transaction(rows: sqlite3.Connection) -> Iterator[None]:
    """Do all of it or nothing; another writer is waited for first."""
    rows.execute("begin immediate")
    try:
        yield
        rows.execute("commit")
    except BaseException:
        with suppress(sqlite3.Error):
            rows.execute("rollback")
        raise


@contextmanager
def worded(file: Path) -> Iterator[None]:
    """Say faults of the file in our words. Raises ResourceError, IntegrityError, BusyError."""
    try:
        yield
    except sqlite3.OperationalError as fault:
        if "locked" in str(fault):
            raise BusyError(
                "somebody else writes requests", where=str(file), todo="Ask again."
            ) from fault
        raise _unusable(file, fault) from fault
    except sqlite3.DatabaseError as fault:
        raise _foreign(file, str(fault)) from fault
    except OSError as fault:
        raise _unusable(file, fault) from fault


def redaction_key(file: Path) -> bytes:
    """Return the secret of a log's hashes, which the first question makes, for its owner only.

    Raises:
        ResourceError: it can neither be read nor written.
    """
    with worded(file):
        if not file.exists():
            file.parent.mkdir(parents=True, exist_ok=True)
            with TemporaryDirectory(prefix=f".{file.name}.", dir=file.parent) as folder:
                new = Path(folder) / file.name
                new.touch(mode=0o600)
                new.write_text(token_hex(32), "ascii")
                with suppress(FileExistsError):
                    file.hardlink_to(new)
        return file.read_bytes().strip()


def _make(file: Path) -> None:
    """Put an empty log in place, as a whole; of two who do so at the same time one wins."""
    file.parent.mkdir(parents=True, exist_ok=True)
    with TemporaryDirectory(prefix=f".{file.name}.", dir=file.parent) as folder:
        new = Path(folder) / file.name
        new.touch()
        with closing(_connect(new)) as rows:
            rows.execute("pragma auto_vacuum = incremental")
            rows.execute("pragma journal_mode = wal")
            rows.executescript(_TABLES)
            rows.execute(f"pragma user_version = {_FORMAT}")
        with suppress(FileExistsError):
            file.hardlink_to(new)


def _check(rows: sqlite3.Connection, file: Path) -> None:
    (found,) = rows.execute("pragma user_version").fetchone()
    if found != _FORMAT:
        raise _foreign(file, f"format {found}, expected {_FORMAT}")


def _whole(rows: sqlite3.Connection) -> bool:
    found = rows.execute("select 1 from pragma_table_info('requests') where name = 'beside'")
    return found.fetchone() is not None


def _grow(rows: sqlite3.Connection, *, make: bool) -> None:
    """Give a file of before there was `beside` that column; a reader only sees it as if it had.

    No row is written: what is there has the default. A process of the earlier code reads and
    writes on, for it names its columns, so that the format is the same.
    """
    if not make:
        rows.execute("pragma temp_store = memory")
        rows.execute("create temp view requests as select *, '' as beside from main.requests")
        return
    with transaction(rows):
        if not _whole(rows):  # another may have done it meanwhile
            rows.execute("alter table requests add column beside text not null default ''")


def _connect(file: Path) -> sqlite3.Connection:
    return sqlite3.connect(
        f"{file.resolve().as_uri()}?mode=rw",
        timeout=_PATIENCE,
        uri=True,
        isolation_level=None,
        check_same_thread=False,
    )


def _unusable(file: Path, fault: Exception) -> ResourceError:
    return ResourceError(
        f"requests cannot be kept or read: {fault}",
        where=str(file),
        todo="What was kept is as it was; free space or permissions, then ask again.",
    )


def _foreign(file: Path, what: str) -> IntegrityError:
    return IntegrityError(
        f"is not a whole file of requests: {what}",
        where=str(file),
        todo="Nothing was written. Move it away, with its -wal and -shm; a new one will be made.",
    )
