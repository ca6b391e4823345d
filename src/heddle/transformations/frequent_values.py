"""A small table of the values that carry weight enough, to be kept as a record."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import narwhals as nw

from heddle.frames.columns import as_number, refuse_taken, require
from heddle.frames.engines import settled
from heddle.frames.groups import aggregated

__all__ = ["FrequentValues", "frequent_values"]

_STEP = "frequent_values"


@dataclass(frozen=True, slots=True, kw_only=True)
class FrequentValues:
    """Whose values, weighed by what, how much is enough, and which periods count."""

    column: str
    weight: str
    more_than: float  # a value whose total equals it is not kept
    time: str | None = None
    until: int | None = None  # only rows with `time` <= this count: the future decides nothing

    def __post_init__(self) -> None:
        if (self.time is None) != (self.until is None):
            raise ValueError("`time` and `until` go together")


def frequent_values(frame: nw.LazyFrame[Any], cfg: FrequentValues) -> nw.LazyFrame[Any]:
    """Return `column` and `total`, one row per value kept, sorted by value; never a null.

    >>> import polars as pl
    >>> sales = nw.from_native(pl.LazyFrame({"shop": ["b", "a", "b"], "cases": [3, 5, 3]}))
    >>> kept = frequent_values(sales, FrequentValues(column="shop", weight="cases", more_than=5))
    >>> kept.collect().rows()
    [('b', 6)]

    The total is a whole number if the weights are; a null weight counts as 0.

    Raises:
        DataContractError: a column is not there, or the weights are not numbers.
    """
    timed = [cfg.time] if cfg.time else []
    require(frame, [cfg.column, cfg.weight, *timed], where=_STEP)
    weight = as_number(frame, cfg.weight, where=_STEP)
    rows = frame.filter(~nw.col(cfg.column).is_null())
    if cfg.time:
        rows = rows.filter(nw.col(cfg.time) <= cfg.until)
    weighed = rows.select(cfg.column)
    refuse_taken(weighed, ["total"], where=_STEP)
    weighed = settled(rows.select(cfg.column, weight.alias("total")))
    return aggregated(weighed, [cfg.column], {"total": "total"}).filter(
        nw.col("total") > cfg.more_than
    )
