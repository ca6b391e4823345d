"""What was known of other series on the day of each row: from when it was published on."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import narwhals as nw

from heddle.domain.errors import DataContractError
from heddle.frames.columns import refuse_taken, require
from heddle.frames.windows import in_order

__all__ = ["JoinPublished", "join_published"]

_STEP = "join_published"
_DAY, _ASKED, _SINCE = "the day", "is asked", "{} since"  # no sanitised name has a space


@dataclass(frozen=True, slots=True, kw_only=True)
class JoinPublished:
    """Which columns of the second table, how late they are known, and for how long they count."""

    time: str  # dates of the first table
    by: tuple[str, ...] = ()  # with `time`, the order in which rows come out
    observed: str  # dates of the second table: the days that its values are about
    columns: tuple[str, ...]
    lag: int  # days from the day a value is about to the day on which it is known
    largest_age: int  # days since it was known, after which a value is no longer one

    def __post_init__(self) -> None:
        if not self.columns:
            raise ValueError("`columns` must name at least one")
        if self.lag < 0 or self.largest_age < 0:
            raise ValueError("`lag` and `largest_age` are days, at least 0")


def join_published(
    frame: nw.LazyFrame[Any], published: nw.LazyFrame[Any], cfg: JoinPublished
) -> nw.LazyFrame[Any]:
    """Add to each row the last value of each column that was known on its day; sorted by key.

    A value about a day is known `lag` days later, at the end of that day. It stands until the next
    one is known, but no longer than `largest_age` days: then it is null, as it is before the first.
    Nothing is ever filled backwards.

    >>> import polars as pl
    >>> from datetime import date
    >>> days = nw.from_native(pl.LazyFrame({"day": [date(2024, 1, d) for d in (2, 3, 9)]}))
    >>> rates = nw.from_native(pl.LazyFrame({"on": [date(2024, 1, 2)], "rate": [5.25]}))
    >>> cfg = JoinPublished(time="day", observed="on", columns=("rate",), lag=1, largest_age=5)
    >>> join_published(days, rates, cfg).collect()["rate"].to_list()
    [None, 5.25, None]

    Raises:
        DataContractError: a column is not there or holds no dates; or the second table has a day
            twice.
        ConfigError: the first table has a column of that name already.
    """
    require(frame, [*cfg.by, cfg.time], where=_STEP)
    require(published, [cfg.observed, *cfg.columns], where=_STEP)
    refuse_taken(frame, cfg.columns, where=_STEP)
    for table, name in ((frame, cfg.time), (published, cfg.observed)):
        if (kind := table.collect_schema()[name]) != nw.Date:
            raise DataContractError(f"column {name!r} is {kind}, not a date", where=_STEP)
    told = in_order(published, (), cfg.observed, where=f"{_STEP}, second table")
    known = _last_known(frame.select(cfg.time).unique(), told, cfg)
    return frame.join(known, on=cfg.time, how="left").sort(*cfg.by, cfg.time)


def _last_known(
    days: nw.LazyFrame[Any], told: nw.LazyFrame[Any], cfg: JoinPublished
) -> nw.LazyFrame[Any]:
    """Return what was known on each of the days: both put into one order, values carried on."""
    kinds = told.collect_schema()
    asked = days.select(
        nw.col(cfg.time).alias(_DAY),
        nw.lit(1).cast(nw.Int64()).alias(_ASKED),
        *(nw.lit(None, kinds[name]).alias(name) for name in cfg.columns),
        *(nw.lit(None, nw.Date()).alias(_SINCE.format(name)) for name in cfg.columns),
    )
    values = told.select(
        _later(cfg.observed, cfg.lag).alias(_DAY),
        nw.lit(0).cast(nw.Int64()).alias(_ASKED),
        *cfg.columns,
        *_since(cfg),
    )
    carried = nw.concat([values, asked], how="vertical").with_columns(
        nw.col(name).fill_null(strategy="forward").over(order_by=[_DAY, _ASKED])
        for column in cfg.columns
        for name in (column, _SINCE.format(column))
    )
    fresh = {c: _later(_SINCE.format(c), cfg.largest_age) >= nw.col(_DAY) for c in cfg.columns}
    return carried.filter(nw.col(_ASKED) == 1).select(
        nw.col(_DAY).alias(cfg.time),
        *(nw.when(is_fresh).then(nw.col(c)).alias(c) for c, is_fresh in fresh.items()),
    )


def _since(cfg: JoinPublished) -> Iterator[nw.Expr]:
    """Return for each column the day on which its value was known, null where it has none."""
    for name in cfg.columns:
        known = nw.when(~nw.col(name).is_null()).then(_later(cfg.observed, cfg.lag))
        yield known.alias(_SINCE.format(name))


def _later(column: str, days: int) -> nw.Expr:
    return nw.col(column).dt.offset_by(f"{days}d").cast(nw.Date())
