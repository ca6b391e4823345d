"""Requests in one SQLite file of the project, which several servers may write at the same time."""

from __future__ import annotations

import json
import math
import os
from collections.abc import Iterable, Iterator, Sequence
from contextlib import closing, contextmanager, suppress
from dataclasses import fields
from pathlib import Path
from sqlite3 import Connection, DatabaseError
from threading import Lock
from typing import Any

from heddle.domain.entities import JoinedOutcomes, RequestRecord
from heddle.domain.errors import ConfigError
from heddle.infrastructure.memory_requests import Tally, finite, moment
from heddle.infrastructure.request_file import open_requests, transaction, worded

__all__ = ["SqliteRequests"]

_COLUMNS = tuple(field.name for field in fields(RequestRecord) if field.name != "outcome")
_WORDS = ("id", "model", "digest", "flags", "redacted", "beside")
_NUMBERS = ("prediction", "lower", "upper", "latency_ms")
_OUTCOME = (  # what stands beside a request shares its outcome
    "(select outcome from outcomes where outcomes.id ="
    " case requests.beside when '' then requests.id else requests.beside end) as outcome"
)
_FAR = 2**62  # microseconds after every moment
_SWEPT = 5_000  # requests that are forgotten in one transaction, so that writers wait for little


class SqliteRequests:
    """RequestLog in a file, which the first request makes.

    A call is one transaction: a process that is killed leaves all of it or nothing, and nothing of
    what was there is lost. A loss of power may take the last few calls with it, not the file. The
    connection that writes is kept open, by each process its own; `close` gives it back.

    Args:
        file: of the database; its folder is made with it.
    """

    def __init__(self, file: Path) -> None:
        self._file = file
        self._lock = Lock()
        self._writer: tuple[tuple[int, ...], Connection] | None = None

    def append(self, records: Sequence[RequestRecord]) -> int:
        """Keep those that are new, all of them or none."""
        if not records:
            return 0
        cells = [_cells(one) for one in records]
        names, marks = ", ".join(("moment", *_COLUMNS)), ", ".join("?" * (len(_COLUMNS) + 1))
        insert = f"insert into requests ({names}) values ({marks}) on conflict (id) do nothing"  # noqa: S608
        with self._writing() as rows, transaction(rows):
            before = rows.total_changes
            rows.executemany(insert, cells)
            return rows.total_changes - before

    def find(self, id: str) -> RequestRecord | None:  # noqa: A002 the port calls it so
        """The request of this id."""
        return next(self._read("where id = ?", id), None)

    def rows(
        self,
        *,
        model: str | None = None,
        since: str | None = None,
        until: str | None = None,
        limit: int | None = None,
    ) -> Iterator[RequestRecord]:
        """Requests, the earliest first; those that come in meanwhile are not among them."""
        asked: list[tuple[str, Any]] = []
        if model is not None:
            named = "(model = ? or (model >= ? || '/' and model < ? || '0'))"  # 0 comes after /
            asked.append((named, (model, model, model)))
            if "/" in model:
                asked[-1] = ("model = ?", (model,))
        if since is not None:
            asked.append(("moment >= ?", (moment(since),)))
        if until is not None:
            asked.append(("moment < ?", (moment(until),)))
        where = f"where {' and '.join(text for text, _ in asked)}" if asked else ""
        values = [value for _, told in asked for value in told]
        if limit is not None:
            where += " order by moment desc, seq desc limit ?"
            values.append(max(limit, 0))
        return self._read(where, *values)

    def pairs(
        self, *, since: str | None = None, until: str | None = None
    ) -> Iterator[tuple[RequestRecord, RequestRecord]]:
        """Requests, each with what stands beside it."""
        if not self._file.exists():
            return
        sides = [f"{side}.{name}" for side in ("asked", "other") for name in _COLUMNS]
        query = (
            f"select outcome, {', '.join(sides)} from requests other"  # noqa: S608 our names
            " join requests asked on asked.id = other.beside"
            " left join outcomes on outcomes.id = asked.id"
            " where other.beside <> '' and other.moment >= ? and other.moment < ?"
            " order by other.moment, other.seq"
        )
        told = (moment(since) if since else -_FAR, moment(until) if until else _FAR)
        with self._reading() as rows:
            for row in rows.execute(query, told):
                half = 1 + len(_COLUMNS)
                yield _record(row[0], row[1:half]), _record(row[0], row[half:])

    def count(self) -> int:
        """How many requests are held."""
        if not self._file.exists():
            return 0
        with self._reading() as rows:
            count = "select count(*) from requests where beside = ''"
            (found,) = rows.execute(count).fetchone()
        return int(found)

    def add_outcomes(
        self, pairs: Iterable[tuple[str, float]], *, replace: bool = False
    ) -> JoinedOutcomes:
        """Write down what really came, all of it or nothing."""
        told, tally = (
            [(id_, finite(id_, outcome)) for id_, outcome in pairs],
            Tally(replace=replace),
        )
        if not self._file.exists():
            tally.unknown += [id_ for id_, _ in told]
            return tally.result
        look = (
            "select outcome from requests left join outcomes using (id)"
            " where id = ? and beside = ''"
        )
        write = "insert or replace into outcomes (id, outcome) values (?, ?)"
        with self._writing() as rows, transaction(rows):
            for id_, outcome in told:
                found = rows.execute(look, (id_,)).fetchone()
                if found is None:
                    tally.unknown.append(id_)
                elif tally.takes(id_, found[0], outcome):
                    rows.execute(write, (id_, outcome))
        return tally.result

    def sweep(self, before: str) -> int:
        """Forget requests older than this moment; their bytes are overwritten, the file shrinks."""
        last, gone = moment(before), 0
        if not self._file.exists():
            return 0
        old = "from requests where moment < ? order by moment, seq limit ?"
        with self._writing() as rows:
            rows.execute("pragma secure_delete = on")
            while True:
                with transaction(rows):
                    told = (last, _SWEPT)
                    rows.execute(f"delete from outcomes where id in (select id {old})", told)  # noqa: S608 our words
                    delete = f"delete from requests where seq in (select seq {old})"  # noqa: S608 our words
                    found = rows.execute(delete, told).rowcount
                gone += found
                if found < _SWEPT:
                    break
            if gone:
                rows.executescript("pragma incremental_vacuum")  # `execute` frees a single page
                rows.execute("pragma wal_checkpoint(truncate)").fetchall()
        return gone

    def close(self) -> None:
        """Give back the connection that writes; the next call opens another."""
        with self._lock:
            self._drop()

    def _read(self, where: str, *values: Any) -> Iterator[RequestRecord]:
        if not self._file.exists():
            return
        told = f"seq, moment, {_OUTCOME}, {', '.join(_COLUMNS)}"
        query = f"select * from (select {told} from requests {where}) order by moment, seq"  # noqa: S608 our names
        with self._reading() as rows:
            for row in rows.execute(query, values):
                yield _record(row[2], row[3:])

    @contextmanager
    def _reading(self) -> Iterator[Connection]:
        with worded(self._file), closing(open_requests(self._file)) as rows:
            yield rows

    @contextmanager
    def _writing(self) -> Iterator[Connection]:
        """Give the connection that writes, to one thread at a time; a fault closes it."""
        with self._lock, worded(self._file):
            identity = self._identity()
            if self._writer is None or self._writer[0] != identity:
                self._drop()
                rows = open_requests(self._file, make=True)
                self._writer = (self._identity(), rows)
            try:
                yield self._writer[1]
            except BaseException:
                self._drop()
                raise

    def _identity(self) -> tuple[int, ...]:
        """Return what changes when the file is another one, or this process."""
        try:
            found = self._file.stat()
        except FileNotFoundError:
            return ()
        return found.st_dev, found.st_ino, os.getpid()

    def _drop(self) -> None:
        if self._writer is not None:
            identity, rows = self._writer
            self._writer = None
            if identity[-1:] == (os.getpid(),):  # else it is that of the process we come from
                with suppress(Exception):
                    rows.close()


def _cells(one: RequestRecord) -> list[Any]:
    """Return a record as SQLite keeps it. Raises ConfigError naming what cannot be kept."""
    try:
        values = {name: getattr(one, name) for name in _COLUMNS}
        values["row"] = json.dumps(dict(one.row), default=_plain, separators=(",", ":"))
        values["redacted"] = "\n".join(one.redacted)
        for name in _WORDS:
            values[name].encode()
        for name in _NUMBERS:
            values[name] = None if values[name] is None else float(values[name])
    except (AttributeError, TypeError, ValueError) as fault:
        raise ConfigError(f"a request cannot be kept: {fault}") from None
    return [moment(one.at), *values.values()]


def _plain(value: Any) -> Any:
    """Return a value that JSON has no word for as one that it has."""
    if hasattr(value, "isoformat"):
        return value.isoformat()
    return value.item() if hasattr(value, "item") else str(value)


def _record(outcome: float | None, row: Sequence[Any]) -> RequestRecord:
    values: dict[str, Any] = dict(zip(_COLUMNS, row, strict=True))
    try:
        values["row"] = json.loads(values["row"])
    except ValueError as fault:
        raise DatabaseError(f"a row cannot be read: {fault}") from None
    values["redacted"] = tuple(values["redacted"].split("\n")) if values["redacted"] else ()
    if values["prediction"] is None:  # as SQLite keeps what is no number
        values["prediction"] = math.nan
    return RequestRecord(outcome=outcome, **values)
