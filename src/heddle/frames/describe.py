"""What is worth knowing of a table without opening it."""

from __future__ import annotations

import math
from collections.abc import Mapping
from datetime import date, datetime, time, timedelta
from typing import TYPE_CHECKING, Any

import numpy as np
import polars as pl

from heddle.domain.errors import DataContractError
from heddle.frames.content import column_hash

if TYPE_CHECKING:
    from numpy.typing import NDArray

__all__ = ["column_facts", "describe", "refuse_nested"]

_QUANTILES = {"p05": 0.05, "p25": 0.25, "p50": 0.5, "p75": 0.75, "p95": 0.95}


def describe(frame: pl.DataFrame) -> Mapping[str, Mapping[str, Any]]:
    """Return, for each column, type, nulls, distinct, min, max, hash; quantiles of numbers.

    Values are plain JSON: dates and times as ISO text, NaN, infinity and durations as text.

    >>> describe(pl.DataFrame({"x": [1, 2, None]}))["x"]["nulls"]
    1

    Raises:
        DataContractError: a column of a type that a data version cannot hold.
    """
    refuse_nested(frame)
    return {series.name: column_facts(series, column_hash(series)) for series in frame}


def refuse_nested(frame: pl.DataFrame) -> None:
    """Refuse a table with a column that holds lists, structs or objects. Raises as `describe`."""
    for name, dtype in frame.schema.items():
        if dtype.is_nested() or dtype == pl.Object:
            raise DataContractError(
                f"type {dtype} cannot be stored", where=f"column {name!r}", todo="Cast it first."
            )


def column_facts(series: pl.Series, digest: str) -> dict[str, Any]:
    """Return what `describe` tells of one column, whose hash is known."""
    dtype, column = series.dtype, pl.first()
    wanted = {"min": column.min(), "max": column.max()}
    if dtype.is_numeric():
        wanted["mean"] = column.mean()
    told = series.to_frame().select(**wanted).row(0, named=True)
    if dtype.is_numeric() or dtype.is_temporal():
        ordered = np.sort(series.drop_nulls().to_physical().to_numpy())
        distinct = _distinct(ordered)
    else:
        distinct = series.drop_nulls().n_unique()
    if dtype.is_numeric():
        told |= {key: _lower_quantile(ordered, at) for key, at in _QUANTILES.items()}
    return {
        "type": str(dtype).lower(),
        "nulls": series.null_count(),
        "distinct": distinct,
        **{key: _plain(value) for key, value in told.items()},
        "hash": digest,
    }


def _distinct(ordered: NDArray[Any]) -> int:
    """Count the values of a sorted array: NaN, which stands last, is one, minus zero is zero."""
    if ordered.dtype.kind == "f":
        known = int(np.searchsorted(ordered, np.nan))
        return _distinct_known(ordered[:known]) + (known < ordered.size)
    return _distinct_known(ordered)


def _distinct_known(ordered: NDArray[Any]) -> int:
    return int(np.count_nonzero(ordered[1:] != ordered[:-1])) + 1 if ordered.size else 0


def _lower_quantile(ordered: NDArray[Any], at: float) -> float | None:
    """Return the value below which a share `at` lies, one that occurs; None if none is known."""
    return float(ordered[int((ordered.size - 1) * at)]) if ordered.size else None


def _plain(value: Any) -> Any:
    if isinstance(value, float):
        return value + 0.0 if math.isfinite(value) else str(value)  # no minus zero
    if isinstance(value, (date, datetime, time)):
        return value.isoformat()
    if isinstance(value, timedelta):
        return str(value)
    return value
