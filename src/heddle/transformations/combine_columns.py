"""One new column out of two: plus, minus, times, over."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Literal

import narwhals as nw

__all__ = ["CombineColumns", "combine_columns"]


@dataclass(frozen=True, slots=True, kw_only=True)
class CombineColumns:
    """`new = left how right`, row by row."""

    new: str
    left: str
    how: Literal["plus", "minus", "times", "over"]
    right: str


def combine_columns(frame: nw.LazyFrame[Any], cfg: CombineColumns) -> nw.LazyFrame[Any]:
    """Add column `cfg.new`; null where either side is null, and where `over` divides by zero.

    >>> import polars as pl
    >>> table = nw.from_native(pl.LazyFrame({"cost": [6, 3], "cases": [2, 0]}))
    >>> each = CombineColumns(new="each", left="cost", how="over", right="cases")
    >>> combine_columns(table, each).collect()["each"].to_list()
    [3.0, None]
    """
    left, right = nw.col(cfg.left), nw.col(cfg.right)
    made: nw.Expr
    if cfg.how == "over":
        made = nw.when(right != 0).then(left / right)
    elif cfg.how == "plus":
        made = left + right
    elif cfg.how == "minus":
        made = left - right
    else:
        made = left * right
    return frame.with_columns(made.alias(cfg.new))
