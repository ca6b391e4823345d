"""How many kinds of a thing a group has, of all the kinds that there are around it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import narwhals as nw

from heddle.frames.columns import refuse_taken, require
from heddle.frames.matching import look_up

__all__ = ["DistinctRatio", "distinct_ratio"]

_STEP = "distinct_ratio"


@dataclass(frozen=True, slots=True, kw_only=True)
class DistinctRatio:
    """What is counted, in which group and in which larger one, and the names of what comes out."""

    count: str
    within: tuple[str, ...]
    against: tuple[str, ...]
    within_count: str
    against_count: str
    ratio: str

    def __post_init__(self) -> None:
        if not self.within or not self.against:
            raise ValueError("`within` and `against` must each name at least one column")


def distinct_ratio(frame: nw.LazyFrame[Any], cfg: DistinctRatio) -> nw.LazyFrame[Any]:
    """Add the two counts of distinct values and their ratio; the rows keep their order.

    >>> import polars as pl
    >>> sold = nw.from_native(pl.LazyFrame({"year": 1, "shop": ["a", "a", "b"], "ware": [1, 2, 3]}))
    >>> cfg = DistinctRatio(
    ...     count="ware", within=("year", "shop"), against=("year",),
    ...     within_count="here", against_count="anywhere", ratio="share",
    ... )
    >>> distinct_ratio(sold, cfg).select("here", "anywhere").collect().rows()
    [(2, 3), (2, 3), (1, 3)]

    A null is no value to count. A row with a null in a group's key is in no group: its count
    is null. The ratio is null where it would be divided by 0.

    Raises:
        DataContractError: a column is not there.
        ConfigError: a new column exists already.
    """
    made = [cfg.within_count, cfg.against_count, cfg.ratio]
    require(frame, [cfg.count, *cfg.within, *cfg.against], where=_STEP)
    refuse_taken(frame, made, where=_STEP)
    counts = [(cfg.within, cfg.within_count), (cfg.against, cfg.against_count)]
    counted = frame
    for key, new in counts:
        counted = look_up(counted, _distinct(frame, cfg.count, key, new), key)
    inner, outer = nw.col(cfg.within_count), nw.col(cfg.against_count)
    ratio = nw.when(outer > 0).then(inner / outer)
    return counted.with_columns(ratio.alias(cfg.ratio))


def _distinct(
    frame: nw.LazyFrame[Any], name: str, key: tuple[str, ...], new: str
) -> nw.LazyFrame[Any]:
    values = frame.select(*key, nw.col(name).alias(new)).unique()
    return values.group_by(*key).agg(nw.col(new).count().cast(nw.Int64()))
