"""The rows that were known on a day, and the words for a day on which there is none."""

from __future__ import annotations

import re
from datetime import date

import polars as pl

from heddle.domain.errors import ConfigError

__all__ = ["read_day", "rows_known_on"]

_WHERE = "ingestion.asof"


def read_day(text: str, key: str) -> date:
    """Return a day that is written year-month-day.

    >>> read_day("2024-02-29", "asof")
    datetime.date(2024, 2, 29)

    Raises:
        ValueError: it is none; `key` is named.
    """
    if re.fullmatch(r"\d{4}-\d{2}-\d{2}", text):
        try:
            return date.fromisoformat(text)
        except ValueError:
            pass
    raise ValueError(f"{key} must be a date as 2024-02-29, not {text!r}")


def rows_known_on(
    frame: pl.DataFrame, asof: date, *, time: str | None, today: date
) -> tuple[pl.Series, str]:
    """Return which rows are of that day or of one before it, and what a person should be told.

    A row without a date counts as known: the contract has its own word about it.

    Args:
        frame: the table.
        asof: the day.
        time: the column of days.
        today: a later day than this one is no day on which anything was known.

    Returns:
        One truth value for each row; and words if no row is of that day, else "".

    Raises:
        ConfigError: no such column of dates; the day lies in the future or before the first row.
    """
    days = _days(frame, time)
    known = days.drop_nulls()
    if known.is_empty():
        return pl.repeat(value=True, n=frame.height, dtype=pl.Boolean, eager=True), ""
    known = known.sort()
    told = f"rows reach from {known[0]} to {known[-1]}"
    if asof > today:
        raise ConfigError(f"{asof} is in the future (today is {today}); {told}", where=_WHERE)
    mask = (days <= asof).fill_null(value=True)
    before = known.filter(known <= asof)
    if before.is_empty():
        raise ConfigError(f"{asof} is before the first row; {told}", where=_WHERE)
    last: date = before[-1]
    if last == asof:
        return mask, ""
    words = f"asof {asof}: there is no row of that day; the last one before it is of {last}"
    return mask, f"{words}, {(asof - last).days} days earlier" if (asof - last).days > 5 else words


def _days(frame: pl.DataFrame, time: str | None) -> pl.Series:
    if not time:
        todo = "Set it to the column that holds the day of a row."
        raise ConfigError("is not set, and asof needs it", where="ingestion.time", todo=todo)
    if time not in frame.columns:
        what = f"no column {time!r}"
        raise ConfigError(what, where="ingestion.time", wanted=time, known=frame.columns)
    column = frame[time]
    if column.dtype != pl.Date:
        what = f"column {time!r} holds no dates ({column.dtype})"
        raise ConfigError(what, where="ingestion.time", todo="Declare its type as date.")
    return column
