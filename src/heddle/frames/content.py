"""Hashes of what a table says, whatever its row order, file format or the library's version."""

from __future__ import annotations

from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from functools import partial
from hashlib import blake2b
from typing import TYPE_CHECKING, Any

import numpy as np
import polars as pl

from heddle.domain.errors import DataContractError

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Hashes = NDArray[np.uint64]

__all__ = ["TableHashes", "column_hash", "content_hash", "row_hashes", "table_hashes"]

_NULL = np.uint64(0x9E3779B97F4A7C15)
_LANE = np.uint64(0xD1B54A32D192ED03)
_STEP, _ROW_STEP = np.uint64(0x9E3779B97F4A7C15), np.uint64(31)
_SCRAMBLE = (
    (np.uint64(30), np.uint64(0xBF58476D1CE4E5B9)),
    (np.uint64(27), np.uint64(0x94D049BB133111EB)),
)
_LAST_SHIFT = np.uint64(31)
_BLOCK = 1 << 15  # rows whose hashes stay in the processor's cache


@dataclass(frozen=True, slots=True)
class TableHashes:
    """The hashes of a table's rows, and of its columns by name."""

    rows: Hashes  # one per row
    columns: dict[str, str]


def content_hash(frame: pl.DataFrame, rows: Hashes | None = None) -> str:
    """Return 32 hex digits that name schema and rows: equal tables give equal hashes.

    Rows are hashed one by one and the hashes added up, so that row order does not matter while
    every duplicate counts. It finds accidents, not forgeries: those the file's sha256 finds.

    >>> a = pl.DataFrame({"x": [1, 2], "y": ["a", None]})
    >>> content_hash(a) == content_hash(a.reverse())
    True
    >>> content_hash(a) == content_hash(a.with_columns(pl.col("x") + 1))
    False

    Args:
        frame: the table.
        rows: its row hashes, if they are known.
    """
    found = row_hashes(frame) if rows is None else rows
    lanes = np.zeros(2, np.uint64)
    for low in range(0, frame.height, _BLOCK):
        part = found[low : low + _BLOCK]
        _add(lanes, part, np.empty_like(part), np.empty_like(part))
    schema = [f"{name}:{dtype}" for name, dtype in frame.schema.items()]
    return _digest(lanes, f"{frame.height};{';'.join(schema)}")


def column_hash(series: pl.Series) -> str:
    """Return 16 hex digits that name the values of a column, whatever their order."""
    return table_hashes(series.to_frame()).columns[series.name]


def row_hashes(frame: pl.DataFrame) -> Hashes:
    """Return one hash per row, shape (rows,), from the values in column order."""
    return table_hashes(frame).rows


def table_hashes(
    frame: pl.DataFrame, begun: Hashes | None = None, known: int = 0, *, cores: int = 1
) -> TableHashes:
    """Return the hashes of rows and columns; nulls of all types share one, 0.0 equals -0.0.

    Args:
        frame: the table.
        begun: the row hashes of the first columns alone.
        known: how many columns these are; their column hashes are left out.
        cores: threads.

    Raises:
        DataContractError: a nested or binary column, which a data version cannot hold.
    """
    columns = frame.get_columns()[known:]
    cells = [_cells_of(series) for series in columns]
    rows = np.full(frame.height, _LANE) if begun is None else begun.copy()
    work = partial(_hash_part, cells, rows)
    blocks = max(1, -(-frame.height // _BLOCK))
    starts = [blocks * part // cores * _BLOCK for part in range(cores + 1)]
    if cores == 1:
        sums = [work(*starts)]
    else:
        with ThreadPoolExecutor(cores) as pool:
            sums = list(pool.map(work, starts[:-1], starts[1:]))
    lanes: Hashes = np.add.reduce(sums)
    told = zip(columns, lanes, strict=True)
    return TableHashes(
        rows, {s.name: _digest(pair, f"{len(s)};{s.dtype}")[:16] for s, pair in told}
    )


@dataclass(frozen=True, slots=True)
class _Cells:
    """A column, ready to be hashed piece by piece."""

    values: NDArray[Any]  # floats, bits of whole numbers, or the place of each text in `words`
    nulls: NDArray[np.bool_] | None
    words: Hashes | None = None  # the hashes of the distinct texts

    def hash(self, low: int, high: int, out: Hashes, spare: Hashes) -> None:
        """Write the hashes of rows `low` to `high` to `out`."""
        values = self.values[low:high]
        if self.words is not None:
            np.take(self.words, values, out=out)
        elif values.dtype == np.float64:
            floats = out.view(np.float64)
            np.add(values, 0.0, out=floats)  # minus zero becomes zero
            floats[np.isnan(floats)] = np.nan  # one bit pattern
            _mix(out, spare)
        else:
            out[:] = values
            _mix(out, spare)
        if self.nulls is not None:
            out[self.nulls[low:high]] = _NULL


def _hash_part(cells: Sequence[_Cells], rows: Hashes, low: int, high: int) -> Hashes:
    """Mix the cells of some rows into `rows`; return for each column the two sums of its cells."""
    lanes = np.zeros((len(cells), 2), np.uint64)
    buffers = np.empty((3, _BLOCK), np.uint64)
    for start in range(low, min(high, rows.size), _BLOCK):
        part = rows[start : start + _BLOCK]
        made, spare, again = (buffer[: part.size] for buffer in buffers)
        for sums, column in zip(lanes, cells, strict=True):
            column.hash(start, start + part.size, made, spare)
            _add(sums, made, spare, again)
            np.multiply(part, _ROW_STEP, out=part)
            np.add(part, made, out=part)
            _mix(part, spare)
    return lanes


def _add(lanes: Hashes, hashes: Hashes, spare: Hashes, again: Hashes) -> None:
    """Add hashes to their two sums; the second keeps two tables apart whose first is equal."""
    np.bitwise_xor(hashes, _LANE, out=again)
    _mix(again, spare)
    lanes += (hashes.sum(dtype=np.uint64), again.sum(dtype=np.uint64))


def _cells_of(series: pl.Series) -> _Cells:
    nulls = series.is_null().to_numpy() if series.null_count() else None
    if series.dtype == pl.String:
        words, places = _words_and_places(series)
        return _Cells(places, nulls, words)
    if series.dtype.is_float():
        return _Cells(series.cast(pl.Float64).fill_null(0.0).to_numpy(), nulls)
    return _Cells(_whole(series), nulls)


def _whole(series: pl.Series) -> Hashes:
    dtype = series.dtype
    if dtype == pl.UInt64:
        return series.fill_null(0).to_numpy().astype(np.uint64, copy=False)
    wide = dtype in (pl.Int128, pl.UInt128)
    if (dtype.is_integer() and not wide) or dtype.is_temporal() or dtype == pl.Boolean:
        whole = series.to_physical().cast(pl.Int64).fill_null(0)
        return whole.to_numpy().astype(np.int64, copy=False).view(np.uint64)
    raise DataContractError(
        f"type {dtype} cannot be stored", where=f"column {series.name!r}", todo="Cast it first."
    )


def _words_and_places(series: pl.Series) -> tuple[Hashes, NDArray[Any]]:
    """Return the hashes of the distinct texts, and for each row which one is its own."""
    text = series.fill_null("")
    distinct = text.unique(maintain_order=True)
    words = [
        int.from_bytes(blake2b(word.encode(), digest_size=8).digest(), "little")
        for word in distinct
    ]
    places = text.cast(pl.Enum(distinct)).to_physical().to_numpy()
    return np.array(words, dtype=np.uint64), places


def _mix(z: Hashes, spare: Hashes) -> None:
    """Scramble 64 bits: the finaliser of splitmix64 (Steele, Lea and Flood 2014)."""
    np.add(z, _STEP, out=z)
    for shift, factor in _SCRAMBLE:
        np.right_shift(z, shift, out=spare)
        np.bitwise_xor(z, spare, out=z)
        np.multiply(z, factor, out=z)
    np.right_shift(z, _LAST_SHIFT, out=spare)
    np.bitwise_xor(z, spare, out=z)


def _digest(lanes: Hashes, head: str) -> str:
    text = f"{head};{int(lanes[0]):016x}{int(lanes[1]):016x}"
    return blake2b(text.encode(), digest_size=16).hexdigest()
