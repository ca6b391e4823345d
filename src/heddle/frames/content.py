"""Hashes of what a table says, whatever its row order, file format or the library's version."""

from __future__ import annotations

from hashlib import blake2b
from typing import TYPE_CHECKING

import numpy as np
import polars as pl

from heddle.domain.errors import DataContractError

if TYPE_CHECKING:
    from numpy.typing import NDArray

__all__ = [
    "begun_rows",
    "cell_hashes",
    "column_hash",
    "content_hash",
    "hash_of_cells",
    "hash_of_rows",
    "row_hashes",
    "rows_with",
]

_NULL = np.uint64(0x9E3779B97F4A7C15)
_LANE = np.uint64(0xD1B54A32D192ED03)


def content_hash(frame: pl.DataFrame) -> str:
    """Return 32 hex digits that name schema and rows: equal tables give equal hashes.

    Rows are hashed one by one and the hashes added up, so that row order does not matter while
    every duplicate counts. It finds accidents, not forgeries: those the file's sha256 finds.

    >>> a = pl.DataFrame({"x": [1, 2], "y": ["a", None]})
    >>> content_hash(a) == content_hash(a.reverse())
    True
    >>> content_hash(a) == content_hash(a.with_columns(pl.col("x") + 1))
    False
    """
    return hash_of_rows(row_hashes(frame), frame)


def column_hash(series: pl.Series) -> str:
    """Return 16 hex digits that name the values of a column, whatever their order."""
    return hash_of_cells(cell_hashes(series), series)


def row_hashes(frame: pl.DataFrame) -> NDArray[np.uint64]:
    """Return one hash per row, shape (rows,), from the values in column order."""
    rows = begun_rows(frame.height)
    for series in frame:
        rows = rows_with(rows, cell_hashes(series))
    return rows


def begun_rows(height: int) -> NDArray[np.uint64]:
    """Return the row hashes of a table that has no column yet."""
    return np.full(height, _LANE, dtype=np.uint64)


def rows_with(rows: NDArray[np.uint64], cells: NDArray[np.uint64]) -> NDArray[np.uint64]:
    """Return the row hashes of a table with one more column at its end."""
    return _mix(rows * np.uint64(31) + cells)


def hash_of_rows(rows: NDArray[np.uint64], frame: pl.DataFrame) -> str:
    """Return the content hash of a table whose row hashes are known."""
    schema = [f"{name}:{dtype}" for name, dtype in frame.schema.items()]
    return _digest(rows, f"{frame.height};{';'.join(schema)}")


def hash_of_cells(cells: NDArray[np.uint64], series: pl.Series) -> str:
    """Return the column hash of a series whose cell hashes are known."""
    return _digest(cells, f"{len(series)};{series.dtype}")[:16]


def cell_hashes(series: pl.Series) -> NDArray[np.uint64]:
    """Return one hash per value, shape (rows,); all nulls share one, 0.0 equals -0.0.

    Raises:
        DataContractError: a nested or binary column, which a data version cannot hold.
    """
    hashes = _text(series) if series.dtype == pl.String else _mix(_bits(series))
    if series.null_count():
        hashes = np.where(series.is_null().to_numpy(), _NULL, hashes)
    return hashes


def _bits(series: pl.Series) -> NDArray[np.uint64]:
    dtype = series.dtype
    if dtype.is_float():
        values = series.cast(pl.Float64).fill_null(0.0).to_numpy().copy()
        values[values == 0.0] = 0.0  # minus zero
        values[np.isnan(values)] = np.nan  # one bit pattern
        return values.view(np.uint64)
    if dtype == pl.UInt64:
        return series.fill_null(0).to_numpy().astype(np.uint64)
    wide = dtype in (pl.Int128, pl.UInt128)
    if (dtype.is_integer() and not wide) or dtype.is_temporal() or dtype == pl.Boolean:
        whole = series.to_physical().cast(pl.Int64).fill_null(0)
        return whole.to_numpy().astype(np.int64).view(np.uint64)
    raise DataContractError(
        f"type {dtype} cannot be stored", where=f"column {series.name!r}", todo="Cast it first."
    )


def _text(series: pl.Series) -> NDArray[np.uint64]:
    text = series.fill_null("")
    distinct = text.unique(maintain_order=True)
    words = [
        int.from_bytes(blake2b(word.encode(), digest_size=8).digest(), "little")
        for word in distinct
    ]
    table = np.array(words, dtype=np.uint64)
    codes = text.cast(pl.Enum(distinct)).to_physical().to_numpy()
    return np.take(table, codes)


def _mix(values: NDArray[np.uint64]) -> NDArray[np.uint64]:
    """Scramble 64 bits: the finaliser of splitmix64 (Steele, Lea and Flood 2014)."""
    z = values + np.uint64(0x9E3779B97F4A7C15)
    z = (z ^ (z >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
    z = (z ^ (z >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
    return z ^ (z >> np.uint64(31))


def _digest(hashes: NDArray[np.uint64], head: str) -> str:
    lanes = (hashes.sum(dtype=np.uint64), _mix(hashes ^ _LANE).sum(dtype=np.uint64))
    text = f"{head};{int(lanes[0]):016x}{int(lanes[1]):016x}"
    return blake2b(text.encode(), digest_size=16).hexdigest()
