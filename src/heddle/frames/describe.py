"""What is worth knowing of a table without opening it."""

from __future__ import annotations

import math
from collections.abc import Mapping
from datetime import date, datetime, time, timedelta
from typing import Any

import polars as pl

from heddle.domain.errors import DataContractError
from heddle.frames.content import column_hash

__all__ = ["describe"]

_QUANTILES = {"p05": 0.05, "p25": 0.25, "p50": 0.5, "p75": 0.75, "p95": 0.95}


def describe(frame: pl.DataFrame) -> Mapping[str, Mapping[str, Any]]:
    """Return, for each column, type, nulls, distinct, min, max, hash; quantiles of numbers.

    Values are plain JSON: dates and times as ISO text, NaN, infinity and durations as text.

    >>> describe(pl.DataFrame({"x": [1, 2, None]}))["x"]["nulls"]
    1

    Raises:
        DataContractError: a column of a type that a data version cannot hold.
    """
    for name, dtype in frame.schema.items():
        if dtype.is_nested() or dtype == pl.Object:
            raise DataContractError(
                f"type {dtype} cannot be stored", where=f"column {name!r}", todo="Cast it first."
            )
    if not frame.width:
        return {}
    facts = frame.lazy().select(_expressions(frame)).collect().row(0, named=True)
    found: dict[str, dict[str, Any]] = {name: {} for name in frame.columns}
    for i, (name, dtype) in enumerate(frame.schema.items()):
        told = {key: facts[f"{i}.{key}"] for key in _keys(dtype)}
        found[name] = {
            "type": _word(dtype),
            **{key: _plain(value) for key, value in told.items()},
            "hash": column_hash(frame[name]),
        }
    return found


def _keys(dtype: pl.DataType) -> list[str]:
    keys = ["nulls", "distinct", "min", "max"]
    return [*keys, "mean", *_QUANTILES] if dtype.is_numeric() else keys


def _expressions(frame: pl.DataFrame) -> list[pl.Expr]:
    made: list[pl.Expr] = []
    for i, (name, dtype) in enumerate(frame.schema.items()):
        column = pl.col(name)
        by_key = {
            "nulls": column.null_count(),
            "distinct": column.drop_nulls().n_unique(),
            "min": column.min(),
            "max": column.max(),
            "mean": column.mean(),
            **{key: column.quantile(at, "lower") for key, at in _QUANTILES.items()},
        }
        made += [by_key[key].alias(f"{i}.{key}") for key in _keys(dtype)]
    return made


def _word(dtype: pl.DataType) -> str:
    return str(dtype).lower()


def _plain(value: Any) -> Any:
    if isinstance(value, float) and not math.isfinite(value):
        return str(value)
    if isinstance(value, (date, datetime, time)):
        return value.isoformat()
    if isinstance(value, timedelta):
        return str(value)
    return value
