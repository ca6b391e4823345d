"""Rows looked up in another table: the rows of the first keep their order where there is one.

A null equals nothing, as everywhere in SQL: a row without a key finds no partner.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import narwhals as nw
import polars as pl

from heddle.domain.errors import DataContractError

__all__ = ["keep_matching", "look_up"]


def look_up(
    frame: nw.LazyFrame[Any], table: nw.LazyFrame[Any], on: Sequence[str]
) -> nw.LazyFrame[Any]:
    """Add the other columns of `table`, which has one row per key; null where it has none.

    >>> rows = nw.from_native(pl.LazyFrame({"k": [2, 1, 2]}))
    >>> names = nw.from_native(pl.LazyFrame({"k": [1, 2], "name": ["one", "two"]}))
    >>> look_up(rows, names, ["k"]).collect()["name"].to_list()
    ['two', 'one', 'two']
    """
    if frame.implementation.is_polars():
        left, right = _polars(frame), _polars(table)
        return nw.from_native(left.join(right, on=list(on), how="left", maintain_order="left"))
    return frame.join(table, on=list(on), how="left")


def keep_matching(
    frame: nw.LazyFrame[Any], listed: nw.LazyFrame[Any], on: Sequence[str], *, where: str
) -> nw.LazyFrame[Any]:
    """Keep the rows whose key stands in `listed`, which may have more columns and rows per key.

    Raises:
        DataContractError: a key column has one type here and another there.
    """
    here, there = frame.collect_schema(), listed.collect_schema()
    for name in on:
        if here[name] != there[name]:
            raise DataContractError(
                f"column {name!r} is {here[name]} in the table and {there[name]} in the list",
                where=where,
                todo="Give both one type.",
            )
    if frame.implementation.is_polars():
        left, right = _polars(frame), _polars(listed)
        return nw.from_native(left.join(right, on=list(on), how="semi", maintain_order="left"))
    return frame.join(listed, on=list(on), how="semi")


def _polars(frame: nw.LazyFrame[Any]) -> pl.LazyFrame:
    native: pl.LazyFrame = frame.to_native()
    return native
