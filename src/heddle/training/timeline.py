"""All rows in the order of time, those of training and of test alike, with the prices around them.

A walk through time is told what was known when, session by session, so it needs every row; a search
gets a `heddle.training.dataset.Dataset`, in which the test rows stay closed.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import date, datetime
from types import MappingProxyType
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd
import polars as pl

from heddle.domain.errors import ConfigError, DataContractError, IntegrityError
from heddle.domain.ports import TableStore
from heddle.features.columns import as_pandas
from heddle.models.features import Features
from heddle.training.computed import read_rows, with_features

__all__ = ["TimedRows", "timed_rows"]

Values = npt.NDArray[np.float64]

_READ: Mapping[type, Callable[[str], Any]] = MappingProxyType(
    {int: int, date: date.fromisoformat, datetime: datetime.fromisoformat}
)


@dataclass(frozen=True, slots=True, kw_only=True)
class TimedRows:
    """Rows by session, and the sessions of the prices, in which every row has its place."""

    rows: pd.DataFrame  # what models see
    target: Values  # shape (n_rows,); NaN in the last ones, where it is not known yet
    sessions: tuple[Any, ...]  # of the rows
    places: npt.NDArray[np.int64]  # of the rows among `days`
    days: tuple[Any, ...]  # every session that has a price
    opens: Values  # shape (n_days,)
    closes: Values  # shape (n_days,)
    features: Features
    test_from: Any | None  # first session of the test rows; None where there are none

    def before(self, first: str) -> int:
        """Return how many rows lie before a session that is written as text.

        Raises:
            ConfigError: no row lies there or after it, or it is not written as sessions are.
        """
        kind = type(self.sessions[0])
        try:
            named = _READ.get(kind, str)(first)
            count = int(sum(session < named for session in self.sessions))
        except ValueError:
            count = 0
        if not 0 < count < len(self.sessions):
            raise ConfigError(
                f"{first!r} is no session with rows before it",
                where="first",
                todo=f"Rows run from {self.sessions[0]} to {self.sessions[-1]}.",
            )
        return count


def timed_rows(
    tables: TableStore,
    reads: Mapping[str, str],
    *,
    target: str,
    session: str,
    features: Features,
    prices: tuple[str, str],
    horizon: int = 0,
) -> TimedRows:
    """Read rows and split, the first two data versions among `reads`, in the order of time.

    Where features are made of a history alone, the sessions after the last row follow, as many as
    the target looks ahead: their features are known, and what is foretold of them is traded.

    Args:
        tables: the data versions.
        reads: what the stage reads.
        target: name of a number column.
        session: name of the column that names a row and its time.
        features: columns that models use.
        prices: columns of the open and the close, where features are made of no history.
        horizon: sessions that the target looks ahead.

    Raises:
        ConfigError: fewer than two data versions, a column that does not exist, a panel.
        IntegrityError: rows, split and prices are not of the same sessions.
        DataContractError: a target or a price that is missing, or as `read_rows`.
    """
    versions = [name for name in reads.values() if "/" not in name]
    if len(versions) < 2:
        raise ConfigError(
            f"reads {len(versions)} data versions; it needs the rows and the split, in this order",
            where="reads",
            todo="Name both among the stage's reads, and the history after them.",
        )
    _one_series(features)
    rows, features = read_rows(tables, reads, features, own=(target, session))
    split = tables.read(versions[1])
    _columns(rows, [session, target, *features.raw], versions[0])
    _columns(split, [session, "part"], versions[1])
    rows = _by_time(rows, session, "rows")
    _same(rows, split, session)
    quoted = _quoted(tables, rows, features, session, prices)
    known = _finite(rows, target)
    rows = _gone_on(rows.drop(target), tables, features, session, horizon)
    return TimedRows(
        rows=as_pandas(rows.drop(session)),
        target=np.append(known, np.full(rows.height - len(known), np.nan)),
        sessions=tuple(rows[session].to_list()),
        places=_places(rows[session], quoted[session]),
        days=tuple(quoted[session].to_list()),
        opens=_finite(quoted, "open"),
        closes=_finite(quoted, "close"),
        features=features,
        test_from=split.filter(pl.col("part") == "test")[session].min(),
    )


def _gone_on(
    rows: pl.DataFrame, tables: TableStore, features: Features, session: str, horizon: int
) -> pl.DataFrame:
    """Return the rows with those after them whose features a history tells, `horizon` at most."""
    history = features.history
    if history is None or horizon < 1 or not set(features.raw) <= set(history.names):
        return rows
    past = tables.read(history.reads).sort(history.time)
    fresh = past.filter(pl.col(history.time) > rows[session].max()).head(horizon)
    if fresh.is_empty():
        return rows
    last = past.filter(pl.col(history.time) <= fresh[history.time].max())
    needed = last.tail(history.lookback + fresh.height)
    made = with_features(fresh.select(pl.col(history.time)), needed, features)
    named = made.rename({history.time: session}) if history.time != session else made
    return pl.concat([rows, named], how="diagonal")


def _quoted(
    tables: TableStore,
    rows: pl.DataFrame,
    features: Features,
    session: str,
    prices: tuple[str, str],
) -> pl.DataFrame:
    """Return session, open and close of every session: of the history, or of the rows."""
    source, columns, where = rows, (session, *prices), "the rows"
    if (history := features.history) is not None:
        source, where = tables.read(history.reads), history.reads
        columns = (history.time, history.open, history.close)
    _columns(source, list(columns), where)
    renamed = [pl.col(c).alias(n) for c, n in zip(columns, (session, "open", "close"), strict=True)]
    return _by_time(source.select(renamed), session, "prices")


def _one_series(features: Features) -> None:
    if features.history is not None and features.history.by is not None:
        raise ConfigError(
            "a walk through time follows one series, not a panel",
            where="features.history.by",
            todo="Keep the rows of one series in a stage before.",
        )


def _places(sessions: pl.Series, days: pl.Series) -> npt.NDArray[np.int64]:
    place = {day: at for at, day in enumerate(days.to_list())}
    if lost := [session for session in sessions.to_list() if session not in place]:
        raise IntegrityError(
            f"{len(lost)} sessions have no price, {lost[0]} first",
            where=sessions.name,
            todo="Make the rows from these prices: run the stages from the prices on again.",
        )
    return np.array([place[session] for session in sessions.to_list()], dtype=np.int64)


def _columns(frame: pl.DataFrame, wanted: list[str], where: str) -> None:
    for name in wanted:
        if name not in frame.columns:
            raise ConfigError(f"no column {name!r}", where=where, wanted=name, known=frame.columns)


def _by_time(frame: pl.DataFrame, session: str, what: str) -> pl.DataFrame:
    """Return a table in the order of its sessions, each of which it has once."""
    if repeated := frame.height - frame[session].n_unique():
        raise IntegrityError(
            f"{repeated} sessions of the {what} are repeated",
            where=session,
            todo="Keep one row of each in the stage that makes them.",
        )
    return frame.sort(session)


def _same(rows: pl.DataFrame, split: pl.DataFrame, session: str) -> None:
    if set(rows[session].to_list()) != set(split[session].to_list()):
        raise IntegrityError(
            "rows and split are not of the same sessions",
            where=session,
            todo="Run the split stage again on these rows.",
        )


def _finite(frame: pl.DataFrame, column: str) -> Values:
    if not frame[column].dtype.is_numeric():
        raise DataContractError(
            f"must be numbers, not {frame[column].dtype}",
            where=column,
            todo="Declare and cast it in the data version that is read.",
        )
    values = frame[column].cast(pl.Float64).to_numpy()
    if bad := int((~np.isfinite(values)).sum()):
        raise DataContractError(
            f"is missing or infinite in {bad} of {len(values)} sessions",
            where=column,
            todo="Leave those sessions out, or mend them, in the stage that makes the data.",
        )
    return np.array(values, dtype=np.float64)
