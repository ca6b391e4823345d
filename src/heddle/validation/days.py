"""Days, and the moments that files write where they mean a day.

A moment with a time zone is another day elsewhere: midnight in London is yesterday evening in New
York. So a column of dates takes plain days alone, unless it declares its `zone`: then a moment that
is midnight there stands for the day that begins with it, and any other is a fault.
"""

from __future__ import annotations

from datetime import date, datetime, time
from zoneinfo import ZoneInfo

import polars as pl

__all__ = ["day_of", "days_of_moments", "days_of_text", "fault_of_moment"]

_PLAIN = 10  # characters of 2024-02-29


def days_of_text(text: pl.Series, zone: str) -> pl.Series:
    """Return the days that texts write, null where one writes none; 2020-1-1 is none.

    Args:
        text: trimmed.
        zone: of the column; "" if none is declared.
    """
    days = text.str.to_date("%Y-%m-%d", strict=False)
    plain = (text.str.len_bytes() == _PLAIN).fill_null(value=False)
    days = days.zip_with(plain, pl.Series([None], dtype=pl.Date).new_from_index(0, len(text)))
    odd = (days.is_null() & text.is_not_null()).arg_true()
    if not zone or odd.is_empty():
        return days.alias(text.name)
    found = [day_of(cell, zone) for cell in text.gather(odd)]
    return days.scatter(odd, pl.Series(found, dtype=pl.Date)).alias(text.name)


def days_of_moments(moments: pl.Series, zone: str) -> pl.Series:
    """Return the days that begin with these moments, null where none does.

    Args:
        moments: with a time zone, or without one, then as they are on a clock in `zone`.
        zone: of the column.
    """
    if isinstance(moments.dtype, pl.Datetime) and moments.dtype.time_zone:
        moments = moments.dt.convert_time_zone(zone)
    midnight = moments.dt.time() == time(0)
    days = moments.dt.date()
    return days.set(~midnight.fill_null(value=False), None)


def day_of(text: str, zone: str) -> date | None:
    """Return the day that begins with a moment, None if it is no moment or no midnight.

    >>> day_of("2024-07-01 00:00:00-04:00", "America/New_York")
    datetime.date(2024, 7, 1)
    >>> day_of("2024-07-01T00:00:00Z", "America/New_York")
    """
    moment = _moment(text, zone)
    return moment.date() if moment and moment.time() == time(0) else None


def fault_of_moment(text: str, zone: str) -> str:
    """Say why a moment is no day of the column; "" for what is no moment.

    >>> fault_of_moment("2024-07-01 00:00:00+00:00", "America/New_York")
    'is 2024-06-30 20:00 in America/New_York, not midnight: it is not clear which day is meant'
    """
    if not zone:
        if _moment(text, "UTC") is None:
            return ""
        return "is a moment, not a day (if midnight somewhere is meant, declare the column's zone)"
    if (moment := _moment(text, zone)) is None:
        return ""
    clock = f"{moment:%Y-%m-%d %H:%M} in {zone}"
    return f"is {clock}, not midnight: it is not clear which day is meant"


def _moment(text: str, zone: str) -> datetime | None:
    if len(text) <= _PLAIN:
        return None
    try:
        moment = datetime.fromisoformat(text)
        return moment.astimezone(ZoneInfo(zone)) if moment.tzinfo else moment
    except (ValueError, OverflowError):
        return None
