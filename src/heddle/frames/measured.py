"""All that a data version tells of its table, computed once for each column and kept for the next.

A step that adds a column leaves the others as they were. A column that has the same values, bit
for bit, as in a table that was measured before takes over what was found then.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from types import MappingProxyType
from typing import TYPE_CHECKING, Any, TypeVar

import numpy as np
import polars as pl

from heddle.frames.column_chunks import EncodedColumn, encode_column
from heddle.frames.content import content_hash, table_hashes
from heddle.frames.describe import column_facts, refuse_nested

if TYPE_CHECKING:
    from numpy.typing import NDArray

__all__ = ["Measured", "encoded_columns", "measured", "settled", "unchanged"]

_Given = TypeVar("_Given")
_Made = TypeVar("_Made")
_NOTHING: Mapping[str, Any] = MappingProxyType({})


@dataclass(frozen=True, slots=True)
class Measured:
    """A settled table, what is told of its columns, and the hashes of its rows."""

    frame: pl.DataFrame
    facts: Mapping[str, Mapping[str, Any]]  # as `describe` tells them
    rows: NDArray[np.uint64]
    encoded: Mapping[str, EncodedColumn]  # as far as it was asked for

    @property
    def content_hash(self) -> str:
        """The content hash of the table."""
        return content_hash(self.frame, self.rows)


def settled(frame: pl.DataFrame) -> pl.DataFrame:
    """Return the table as it is after it was read: each column in one piece, none known as sorted.

    Polars may order rows or add numbers up in another way when a column is cut into pieces or
    marked as sorted. A step gives the same table, to the last bit, when its input has neither.

    Raises:
        DataContractError: as `describe`.
    """
    refuse_nested(frame)
    newest = pl.CompatLevel.newest()  # nothing is copied
    return pl.DataFrame(pl.from_arrow(frame.rechunk().to_arrow(compat_level=newest)))


def unchanged(frame: pl.DataFrame, known: Sequence[Measured]) -> dict[str, Measured]:
    """Return, for each column that is the same bit for bit in a known table, that table.

    >>> old = measured(settled(pl.DataFrame({"a": [1, 2], "b": [0.0, 0.5]})))
    >>> list(unchanged(pl.DataFrame({"a": [1, 2], "b": [-0.0, 0.5]}), [old]))
    ['a']
    """
    found = {series.name: _holder(series, known) for series in frame}
    return {name: one for name, one in found.items() if one}


def encoded_columns(
    frame: pl.DataFrame, same: Mapping[str, Measured] = _NOTHING, *, cores: int = 1
) -> dict[str, EncodedColumn]:
    """Return each column of a settled table as Parquet.

    Args:
        frame: the table.
        same: what `unchanged` found: encoded already.
        cores: threads.
    """

    def work(series: pl.Series) -> EncodedColumn:
        if series.name in same and series.name in same[series.name].encoded:
            return same[series.name].encoded[series.name]
        return encode_column(series)

    return dict(zip(frame.columns, _each(work, frame, cores), strict=True))


def measured(
    frame: pl.DataFrame,
    same: Mapping[str, Measured] = _NOTHING,
    *,
    encoded: Mapping[str, EncodedColumn] = _NOTHING,
    cores: int = 1,
) -> Measured:
    """Return what a data version tells of a settled table.

    Args:
        frame: the table.
        same: what `unchanged` found: measured already.
        encoded: the columns as Parquet, to be kept beside.
        cores: threads.

    Raises:
        DataContractError: as `describe`.
    """
    start = _begun(frame, same)
    begun = len(start.facts)
    hashes = table_hashes(frame, start.rows if begun else None, begun, cores=cores)

    def work(series: pl.Series) -> Mapping[str, Any]:
        if series.name in same:
            return same[series.name].facts[series.name]
        return column_facts(series, hashes.columns[series.name])

    rest = frame.get_columns()[begun:]
    told = zip(rest, _each(work, rest, cores), strict=True)
    facts = {**start.facts, **{series.name: found for series, found in told}}
    return Measured(frame, facts, hashes.rows, encoded)


def _each(work: Callable[[_Given], _Made], given: Iterable[_Given], cores: int) -> Iterator[_Made]:
    """Map in threads: numpy, Polars and hashing let the others run meanwhile."""
    if cores == 1:
        yield from map(work, given)
        return
    with ThreadPoolExecutor(cores) as pool:
        yield from pool.map(work, given)


def _holder(series: pl.Series, known: Sequence[Measured]) -> Measured | None:
    for one in known:
        if series.name in one.frame.columns and _equal(series, one.frame[series.name]):
            return one
    return None


def _equal(one: pl.Series, other: pl.Series) -> bool:
    if one.dtype != other.dtype or not one.equals(other):
        return False
    if not one.dtype.is_float():
        return True
    # to `equals` minus zero is zero and every NaN the same
    a, b = (series.fill_null(0.0).to_numpy() for series in (one, other))
    whole = np.uint32 if one.dtype == pl.Float32 else np.uint64
    return bool(np.array_equal(a.view(whole), b.view(whole)))


def _begun(frame: pl.DataFrame, same: Mapping[str, Measured]) -> Measured:
    """Return the known table, if there is one, whose columns are the first ones of this one."""
    for one in same.values():
        names = one.frame.columns
        if frame.columns[: len(names)] == names and all(same.get(name) is one for name in names):
            return one
    return Measured(frame.clear(), {}, np.empty(0, np.uint64), {})
