"""Ordered windows: what a series said before each of its rows.

On Polars the rows are sorted once and put on one clock that runs through all series: it ticks
with the periods, and leaps at the start of each series farther than any window looks. A window
is then a slice that two searches in the clock find, however many series there are. On SQL
engines it is a window expression. Both add up each window anew, so that nothing of a value
stays in the sums after it has left the window; both give the rows sorted.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal

import narwhals as nw
import numpy as np
import polars as pl

from heddle.domain.errors import DataContractError
from heddle.frames.engines import engine_of, fetched, quoted, settled, with_sql
from heddle.frames.sorting import sorted_rows

if TYPE_CHECKING:
    from numpy.typing import NDArray

__all__ = ["Order", "Past", "in_order", "with_means_of", "with_time_since", "with_value_of"]

Order = Literal["calendar", "row"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Past:
    """The rows of the same series from `farthest` to `nearest` periods (or rows) back."""

    by: Sequence[str]  # tells the series apart; none: the table is one series
    time: str  # whole number, unique in its series
    nearest: int  # >= 1, so that the present cannot be seen
    farthest: int
    order: Order = "calendar"


def in_order(
    frame: nw.LazyFrame[Any], by: Sequence[str], time: str, *, where: str
) -> nw.LazyFrame[Any]:
    """Return the rows sorted by series and time, once it is known that this names each row.

    On SQL engines it is the windows that sort.

    Raises:
        DataContractError: a key stands twice, or a time is null.
    """
    frame = settled(frame)
    keys = [*by, time]
    wrong = (nw.col("rows of the key") > 1) | nw.col(time).is_null()
    counted = frame.group_by(*keys).agg(nw.len().alias("rows of the key"))
    found = fetched(counted.filter(wrong).sort(*keys).head(1))
    if found.is_empty():
        return _sorted(frame, keys)
    *series, when, rows = found.row(0)
    if when is None:
        raise DataContractError(
            f"column {time!r} is null in {rows:,} {'row' if rows == 1 else 'rows'}",
            where=where,
            todo="Drop the rows without a time, or give them one.",
        )
    named = ", ".join(f"{k}={v!r}" for k, v in zip(keys, (*series, when), strict=True))
    raise DataContractError(
        f"key ({named}) stands in {rows:,} rows",
        where=where,
        todo="Aggregate or drop the duplicates, or name in `by` every column of the key but time.",
    )


def with_value_of(
    frame: nw.LazyFrame[Any], names: Mapping[str, str], past: Past
) -> nw.LazyFrame[Any]:
    """Add the value that each column had `past.farthest` periods back, null if there is no row.

    >>> table = nw.from_native(pl.LazyFrame({"year": [1, 2, 4], "cost": [5, 6, 7]}))
    >>> year_before = Past(by=(), time="year", nearest=1, farthest=1)
    >>> with_value_of(table, {"before": "cost"}, year_before).collect()["before"].to_list()
    [None, 5, None]

    Args:
        frame: as `in_order` returns it.
        names: new column -> column.
        past: one period or row, `nearest` equal to `farthest`.
    """
    if engine_of(frame) != "polars":
        sql = _Sql.of(frame, past)
        made = {n: f"first_value({sql.name(c)}) OVER {sql.window}" for n, c in names.items()}
        return with_sql(frame, made).sort(*past.by, past.time)
    rows = fetched(frame)
    start, end = _slices(rows, past)
    at = pl.Series(start)
    at = at.set(pl.Series(start == end), None)
    return _wider(rows, (rows[column].gather(at).alias(new) for new, column in names.items()))


def with_means_of(
    frame: nw.LazyFrame[Any], names: Mapping[str, str], past: Past, *, min_values: int
) -> nw.LazyFrame[Any]:
    """Add the mean of the non-null values that each column had then; null if fewer than wanted.

    Args:
        frame: as `in_order` returns it.
        names: new column -> column of numbers.
        past: from when to when.
        min_values: how many values a mean needs, at least 1.
    """
    if engine_of(frame) != "polars":
        sql = _Sql.of(frame, past)
        made = {n: sql.mean(c, min_values) for n, c in names.items()}
        return with_sql(frame, made).sort(*past.by, past.time)
    rows = fetched(frame)
    start, end = _slices(rows, past)
    bounds = np.column_stack((start, end)).ravel()
    means = []
    for new, column in names.items():
        values = rows[column].cast(pl.Float64)
        there = np.append(0, np.cumsum(values.is_not_null().to_numpy()))
        count = there[end] - there[start]
        sums = np.add.reduceat(np.append(values.fill_null(0.0).to_numpy(), 0.0), bounds)[::2]
        mean = pl.Series(new, np.divide(sums, count, where=count > 0, out=sums))
        means.append(mean.set(pl.Series(count < min_values), None))
    return _wider(rows, means)


def with_time_since(
    frame: nw.LazyFrame[Any], new: str, by: Sequence[str], time: str
) -> nw.LazyFrame[Any]:
    """Add the time that has passed since the row before in the series; null for the first.

    Args:
        frame: as `in_order` returns it.
        new: name of the Int64 column.
        by: tells the series apart.
        time: whole number.
    """
    if engine_of(frame) != "polars":
        row_before = Past(by=by, time=time, nearest=1, farthest=1, order="row")
        sql = _Sql.of(frame, row_before)
        passed = f"{sql.time} - first_value({sql.time}) OVER {sql.window}"
        return with_sql(frame, {new: passed}).sort(*by, time)
    rows = fetched(frame)
    since = rows[time].cast(pl.Int64).diff().set(pl.Series(_first_rows(rows, by)), None)
    return _wider(rows, [since.alias(new)])


def _sorted(frame: nw.LazyFrame[Any], keys: Sequence[str]) -> nw.LazyFrame[Any]:
    if engine_of(frame) != "polars":
        return frame  # a window expression leaves its rows in an order of its own
    return nw.from_native(sorted_rows(fetched(frame), keys).lazy())


def _slices(rows: pl.DataFrame, past: Past) -> tuple[NDArray[np.intp], NDArray[np.intp]]:
    """Return for each row where its window starts and ends among the sorted rows."""
    leap = past.farthest + 1
    ticks = np.ones(rows.height, dtype=np.int64)
    if past.order == "calendar" and rows.height:
        times = rows[past.time].cast(pl.Int64).to_numpy()
        ticks = np.minimum(np.diff(times, prepend=times[:1]), leap)
    ticks[_first_rows(rows, past.by)] = leap
    clock = np.cumsum(ticks)
    start = np.searchsorted(clock, clock - past.farthest, side="left")
    return start, np.searchsorted(clock, clock - past.nearest, side="right")


def _first_rows(rows: pl.DataFrame, by: Sequence[str]) -> NDArray[np.bool_]:
    """Return which rows begin a series; the rows are sorted by it."""
    first = np.zeros(rows.height, dtype=np.bool_)
    for name in by:
        first |= rows[name].ne_missing(rows[name].shift(1)).to_numpy()
    first[:1] = True
    return first


def _wider(rows: pl.DataFrame, made: Iterable[pl.Series]) -> nw.LazyFrame[Any]:
    return nw.from_native(rows.with_columns(*made).lazy())


@dataclass(frozen=True, slots=True)
class _Sql:
    """The words of a window in one engine's SQL."""

    engine: Literal["duckdb", "spark"]
    time: str
    window: str

    @classmethod
    def of(cls, frame: nw.LazyFrame[Any], past: Past) -> _Sql:
        engine = engine_of(frame)
        assert engine != "polars"
        time = f"CAST({quoted(past.time, engine)} AS BIGINT)"
        series = ", ".join(quoted(name, engine) for name in past.by)
        frame_unit = "RANGE" if past.order == "calendar" else "ROWS"
        reach = f"{frame_unit} BETWEEN {past.farthest} PRECEDING AND {past.nearest} PRECEDING"
        parts = f"PARTITION BY {series} " if series else ""
        return cls(engine, time, f"({parts}ORDER BY {time} {reach})")

    def name(self, column: str) -> str:
        return quoted(column, self.engine)

    def mean(self, column: str, min_values: int) -> str:
        value = f"CAST({self.name(column)} AS DOUBLE)"
        enough = f"count({value}) OVER {self.window} >= {min_values}"
        return f"CASE WHEN {enough} THEN avg({value}) OVER {self.window} END"
