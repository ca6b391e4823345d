"""Columns that are copied from the input to the output, to join the two again."""

from __future__ import annotations

from collections.abc import Sequence

import polars as pl

from heddle.domain.errors import ConfigError
from heddle.frames.headers import slug
from heddle.serving.predicted import SCHEMA

__all__ = ["copied_keys", "key_columns"]


def key_columns(told: Sequence[str], columns: Sequence[str], where: str) -> tuple[str, ...]:
    """Return the columns that are meant, which may be told as they stand in the file.

    >>> key_columns(["Shop No.", "day"], ["day", "shop_no", "size"], "x.csv")
    ('shop_no', 'day')

    Args:
        told: names, sanitised or not.
        columns: of the file, sanitised.
        where: what to call the file in an error.

    Raises:
        ConfigError: no such column, or one that the output has already.
    """
    found: dict[str, str] = {}
    for key in told:
        name = key if key in columns else slug(key)
        if name not in columns:
            raise ConfigError(f"no column {key!r}", where=where, wanted=name, known=columns)
        if name in SCHEMA:
            raise ConfigError(
                f"a key cannot be called {name!r}: the output has a column of that name",
                where=where,
                todo="Rename it in the file.",
            )
        found[name] = key
    return tuple(found)


def copied_keys(keys: pl.DataFrame) -> pl.DataFrame:
    """Return key columns of types that any file can hold. Raises ConfigError: lists."""
    for name, dtype in keys.schema.items():
        if dtype.is_nested() or dtype == pl.Object:
            raise ConfigError(f"column {name!r} cannot be a key: it holds {dtype}")
    return keys.with_columns(pl.selectors.by_dtype(pl.Categorical, pl.Enum).cast(pl.String))
