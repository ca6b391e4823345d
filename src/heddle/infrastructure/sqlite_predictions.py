"""Predictions in one SQLite file of the project: nothing to start, nothing to lose in a crash."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator, Sequence
from contextlib import closing, contextmanager
from dataclasses import fields
from datetime import date, datetime
from pathlib import Path
from typing import Any

from heddle.domain.entities import Outcome, Prediction
from heddle.domain.errors import BusyError, IntegrityError, ResourceError
from heddle.infrastructure.memory_predictions import in_order, unknown_prediction

__all__ = ["SqlitePredictions"]

_FORMAT = 1
_DATES, _TIMES = {"as_of", "target_session"}, {"generated_at", "realised_at"}
_WHOLE = {"horizon"}
_WORDS = {"series", "direction", "model_name", "model_version", "model_digest", "data_hash"}
_COLUMNS = tuple(field.name for field in fields(Prediction))
_OPEN = {"lower_return", "upper_return", "lower_price", "upper_price"}
_OPEN |= {"realised_return", "realised_price", "realised_at"}
_PATIENCE = 20  # seconds that another writer is waited for


class SqlitePredictions:
    """PredictionLog in a file, which the first prediction makes. Every method opens and closes.

    Each call is one transaction, on the disk when it returns.

    Args:
        file: of the database; its folder is made with it.
    """

    def __init__(self, file: Path) -> None:
        self._file = file

    def add(self, predictions: Sequence[Prediction]) -> int:
        """Keep those that are new, all of them or none."""
        if not predictions:
            return 0
        names, marks = ", ".join(("id", *_COLUMNS)), ", ".join("?" * (len(_COLUMNS) + 1))
        insert = f"insert or ignore into predictions ({names}) values ({marks})"  # noqa: S608 our names
        with self._open(make=True) as rows, rows:
            before = rows.total_changes
            rows.executemany(insert, [(one.id, *_cells(one)) for one in predictions])
            return rows.total_changes - before

    def find(self, id: str) -> Prediction | None:  # noqa: A002 the port calls it so
        """The prediction of this id."""
        found = self._read("where id = ?", id)
        return found[0] if found else None

    def all(self) -> Sequence[Prediction]:
        """Every prediction in order."""
        return in_order(self._read(""))

    def fill(self, outcomes: Sequence[Outcome]) -> int:
        """Write down what really came, all of it or nothing; what was written first stays."""
        if not outcomes:
            return 0
        if not self._file.is_file():
            raise unknown_prediction(outcomes[0].id)
        with self._open() as rows, rows:
            before = rows.total_changes
            for one in outcomes:
                if not rows.execute("select 1 from predictions where id = ?", (one.id,)).fetchone():
                    raise unknown_prediction(one.id)
                rows.execute(
                    "update predictions set realised_return = ?, realised_price = ?,"
                    " realised_at = ? where id = ? and realised_at is null",
                    (one.realised_return, one.realised_price, one.realised_at.isoformat(), one.id),
                )
            return rows.total_changes - before

    def _read(self, where: str, *values: str) -> list[Prediction]:
        if not self._file.is_file():
            return []
        query = f"select {', '.join(_COLUMNS)} from predictions {where}"  # noqa: S608 our names
        with self._open() as rows:
            return [_prediction(row) for row in rows.execute(query, values)]

    @contextmanager
    def _open(self, *, make: bool = False) -> Iterator[sqlite3.Connection]:
        """Give the database of this format. Raises ResourceError, IntegrityError, BusyError."""
        try:
            if make:
                self._file.parent.mkdir(parents=True, exist_ok=True)
            mode = "rwc" if make else "rw"
            address = f"{self._file.resolve().as_uri()}?mode={mode}"
            with closing(sqlite3.connect(address, timeout=_PATIENCE, uri=True)) as rows:
                self._check(rows, make=make)
                yield rows
        except sqlite3.OperationalError as fault:
            if "locked" in str(fault):
                raise BusyError(
                    "somebody else writes predictions", where=str(self._file), todo="Ask again."
                ) from fault
            raise self._unusable(fault) from fault
        except sqlite3.DatabaseError as fault:
            raise self._foreign(str(fault)) from fault
        except OSError as fault:
            raise self._unusable(fault) from fault

    def _check(self, rows: sqlite3.Connection, *, make: bool) -> None:
        (found,) = rows.execute("pragma user_version").fetchone()
        if found == 0 and make:
            with rows:
                rows.execute("begin immediate")
                rows.execute(f"create table if not exists predictions ({_schema()})")
                rows.execute(f"pragma user_version = {_FORMAT}")
        elif found != _FORMAT:
            raise self._foreign(f"format {found}, expected {_FORMAT}")

    def _unusable(self, fault: Exception) -> ResourceError:
        return ResourceError(
            f"predictions cannot be kept: {fault}",
            where=str(self._file),
            todo="What was kept is as it was; free space or permissions, then ask again.",
        )

    def _foreign(self, what: str) -> IntegrityError:
        return IntegrityError(
            f"is not a file of predictions: {what}",
            where=str(self._file),
            todo="Nothing was written. Move it away, and predict again.",
        )


def _schema() -> str:
    kinds = dict.fromkeys(_WORDS | _DATES | _TIMES, "text") | dict.fromkeys(_WHOLE, "integer")
    told = [
        f"{name} {kinds.get(name, 'real')}{'' if name in _OPEN else ' not null'}"
        for name in _COLUMNS
    ]
    return ", ".join(("id text primary key", *told))


def _cells(one: Prediction) -> list[Any]:
    values = [getattr(one, name) for name in _COLUMNS]
    return [value.isoformat() if isinstance(value, date) else value for value in values]


def _prediction(row: Sequence[Any]) -> Prediction:
    values = dict(zip(_COLUMNS, row, strict=True))
    read = {**dict.fromkeys(_DATES, date.fromisoformat), **dict.fromkeys(_TIMES, _time)}
    typed: dict[str, Any] = {k: read[k](v) if k in read and v else v for k, v in values.items()}
    return Prediction(**typed)


def _time(text: str) -> datetime:
    return datetime.fromisoformat(text)
