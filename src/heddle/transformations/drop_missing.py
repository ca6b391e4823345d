"""Rows with nothing where something should be, taken out."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Literal

import narwhals as nw

from heddle.frames.columns import ending_with, require

__all__ = ["DropMissing", "drop_missing"]


@dataclass(frozen=True, slots=True, kw_only=True)
class DropMissing:
    """Where to look: the columns named and those with the ending; neither given: everywhere."""

    columns: tuple[str, ...] = ()
    ending: str | None = None
    how: Literal["any", "all"] = "any"  # drop a row if any is null, or only if all are


def drop_missing(frame: nw.LazyFrame[Any], cfg: DropMissing) -> nw.LazyFrame[Any]:
    """Keep the rows that are complete enough, in their order. NaN is a value, not a null.

    >>> import polars as pl
    >>> table = nw.from_native(pl.LazyFrame({"a": [1, None, None], "b": [1, 2, None]}))
    >>> drop_missing(table, DropMissing()).collect()["b"].to_list()
    [1]
    >>> drop_missing(table, DropMissing(how="all")).collect()["b"].to_list()
    [1, 2]

    Raises:
        DataContractError: a named column is not there, or no column has the ending.
    """
    require(frame, cfg.columns, where="drop_missing")
    looked = list(cfg.columns)
    if cfg.ending:
        looked += ending_with(frame, cfg.ending, where="drop_missing")
    nulls = [nw.col(name).is_null() for name in looked or frame.collect_schema().names()]
    together = nw.any_horizontal if cfg.how == "any" else nw.all_horizontal
    return frame.filter(~together(*nulls, ignore_nulls=True))
