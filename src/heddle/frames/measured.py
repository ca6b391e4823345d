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

__all__ = ["Known", "Measured", "encoded_columns", "measured", "settled", "unchanged"]

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


@dataclass(frozen=True, slots=True, eq=False)
class Known:
    """A column of a table that was measured."""

    table: Measured
    name: str

    @property
    def facts(self) -> Mapping[str, Any]:
        """What `describe` tells of it."""
        return self.table.facts[self.name]

    @property
    def encoded(self) -> EncodedColumn | None:
        """It as Parquet, if that was asked for."""
        return self.table.encoded.get(self.name)


def unchanged(frame: pl.DataFrame, tables: Sequence[Measured]) -> dict[str, Known]:
    """Return, for each column that is in one of the tables, the same bit for bit, that column.

    It is looked for under its name, and in its place, where it may have another name.

    >>> old = measured(settled(pl.DataFrame({"a": [1, 2], "b": [0.0, 0.5]})))
    >>> list(unchanged(pl.DataFrame({"c": [1, 2], "b": [-0.0, 0.5]}), [old]))
    ['c']
    """
    found = {
        series.name: _known(series, place, tables)
        for place, series in enumerate(frame.get_columns())
    }
    return {name: one for name, one in found.items() if one}


def encoded_columns(
    frame: pl.DataFrame, same: Mapping[str, Known] = _NOTHING, *, cores: int = 1
) -> dict[str, EncodedColumn]:
    """Return each column of a settled table as Parquet.

    Args:
        frame: the table.
        same: what `unchanged` found: encoded already.
        cores: threads.
    """

    def work(series: pl.Series) -> EncodedColumn:
        found = same[series.name].encoded if series.name in same else None
        return found or encode_column(series)

    return dict(zip(frame.columns, _each(work, frame, cores), strict=True))


def measured(
    frame: pl.DataFrame,
    same: Mapping[str, Known] = _NOTHING,
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
            return same[series.name].facts
        return column_facts(series, hashes.columns[series.name])

    rest = frame.get_columns()[begun:]
    told = zip(rest, _each(work, rest, cores), strict=True)
    first = dict(zip(frame.columns, start.facts.values(), strict=False))
    facts = {**first, **{series.name: found for series, found in told}}
    return Measured(frame, facts, hashes.rows, encoded)


def _each(work: Callable[[_Given], _Made], given: Iterable[_Given], cores: int) -> Iterator[_Made]:
    """Map in threads: numpy, Polars and hashing let the others run meanwhile."""
    if cores == 1:
        yield from map(work, given)
        return
    with ThreadPoolExecutor(cores) as pool:
        yield from pool.map(work, given)


def _known(series: pl.Series, place: int, tables: Sequence[Measured]) -> Known | None:
    for table in tables:
        names = table.frame.columns
        for name in (series.name, *names[place : place + 1]):
            if name in names and _equal(series, table.frame[name]):
                return Known(table, name)
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


def _begun(frame: pl.DataFrame, same: Mapping[str, Known]) -> Measured:
    """Return the known table, if there is one, whose columns are the first ones of this one."""
    for table in {id(one.table): one.table for one in same.values()}.values():
        names = table.frame.columns
        found = [same.get(name) for name in frame.columns[: len(names)]]
        first = [one.name for one in found if one and one.table is table]
        if first == names:
            return table
    return Measured(frame.clear(), {}, np.empty(0, np.uint64), {})
