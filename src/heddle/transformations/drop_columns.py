"""Columns taken out, by name or by the ending of their name."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import narwhals as nw

from heddle.domain.errors import DataContractError
from heddle.frames.columns import ending_with, require

__all__ = ["DropColumns", "drop_columns"]


@dataclass(frozen=True, slots=True, kw_only=True)
class DropColumns:
    """Which columns go: those named, and those whose name ends with `ending`."""

    names: tuple[str, ...] = ()
    ending: str | None = None

    def __post_init__(self) -> None:
        if not self.names and not self.ending:
            raise ValueError("give `names` or `ending`, or nothing is dropped")


def drop_columns(frame: nw.LazyFrame[Any], cfg: DropColumns) -> nw.LazyFrame[Any]:
    """Drop the columns; the others keep their order.

    >>> import polars as pl
    >>> table = nw.from_native(pl.LazyFrame({"code": [1], "code_text": ["a"], "cost": [2]}))
    >>> drop_columns(table, DropColumns(ending="_text")).collect_schema().names()
    ['code', 'cost']

    Raises:
        DataContractError: a named column is not there, no column has the ending, or none would
            remain.
    """
    require(frame, cfg.names, where="drop_columns")
    dropped = set(cfg.names)
    if cfg.ending:
        dropped |= set(ending_with(frame, cfg.ending, where="drop_columns"))
    known = frame.collect_schema().names()
    if dropped.issuperset(known):
        raise DataContractError("no column would remain", where="drop_columns", known=known)
    return frame.drop([name for name in known if name in dropped])
