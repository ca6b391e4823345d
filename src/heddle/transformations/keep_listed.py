"""Rows whose values stand in a second table."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import narwhals as nw

from heddle.frames.columns import require
from heddle.frames.matching import keep_matching

__all__ = ["KeepListed", "keep_listed"]


@dataclass(frozen=True, slots=True, kw_only=True)
class KeepListed:
    """The columns that both tables have and that must agree."""

    columns: tuple[str, ...]

    def __post_init__(self) -> None:
        if not self.columns:
            raise ValueError("`columns` must name at least one")


def keep_listed(
    frame: nw.LazyFrame[Any], listed: nw.LazyFrame[Any], cfg: KeepListed
) -> nw.LazyFrame[Any]:
    """Keep the rows of `frame` whose `columns` stand together in `listed`, once or more.

    >>> import polars as pl
    >>> sales = nw.from_native(pl.LazyFrame({"shop": ["b", "a", "c"], "sum": [1, 2, 3]}))
    >>> shops = nw.from_native(pl.LazyFrame({"shop": ["a", "b"], "total": [2, 1]}))
    >>> keep_listed(sales, shops, KeepListed(columns=("shop",))).collect()["sum"].to_list()
    [1, 2]

    A null equals nothing, not even another null: such rows are not kept.

    Raises:
        DataContractError: a column is not in both tables, or not of one type in both.
    """
    require(frame, cfg.columns, where="keep_listed")
    require(listed, cfg.columns, where="keep_listed: list")
    return keep_matching(frame, listed, cfg.columns, where="keep_listed")
