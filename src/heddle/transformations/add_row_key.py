"""A key for tables that have none: it names a row by what it says, not by where it stands."""

from __future__ import annotations

from dataclasses import dataclass

import polars as pl

from heddle.domain.errors import ConfigError
from heddle.frames.content import row_hashes

__all__ = ["AddRowKey", "add_row_key"]


@dataclass(frozen=True, slots=True, kw_only=True)
class AddRowKey:
    """Name of the new column, and the columns that make a row what it is (none: all)."""

    new: str
    columns: tuple[str, ...] = ()


def add_row_key(frame: pl.DataFrame, cfg: AddRowKey) -> pl.DataFrame:
    """Add a text column of 16 hex digits, unique, the same wherever the row stands.

    The second of two equal rows gets the suffix `-1`, the third `-2`, and so on.

    >>> table = pl.DataFrame({"x": [7, 8, 7]})
    >>> keys = add_row_key(table, AddRowKey(new="row")).get_column("row").to_list()
    >>> keys[2] == keys[0] + "-1"
    True

    Raises:
        ConfigError: a named column does not exist, or the new name is taken.
    """
    for name in cfg.columns:
        if name not in frame.columns:
            raise ConfigError(f"no column {name!r}", wanted=name, known=frame.columns)
    if cfg.new in frame.columns:
        raise ConfigError(f"column {cfg.new!r} exists already", todo="Choose another `new`.")
    content = frame.select(cfg.columns) if cfg.columns else frame
    keys = pl.Series(cfg.new, [f"{value:016x}" for value in row_hashes(content).tolist()])
    again = pl.int_range(pl.len()).over(cfg.new)
    suffix = pl.when(again > 0).then(pl.format("-{}", again)).otherwise(pl.lit(""))
    unique = pl.DataFrame([keys]).select(pl.col(cfg.new) + suffix)
    return frame.with_columns(unique.get_column(cfg.new))
