"""The engine under a table, and the few things that are said to it directly."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any, Literal, Protocol

import narwhals as nw
import polars as pl

from heddle.domain.errors import ConfigError

__all__ = ["Engine", "TableEngine", "engine_of", "fetched", "quoted", "settled", "with_sql"]

Engine = Literal["polars", "duckdb", "spark"]


class TableEngine(Protocol):
    """A SQL engine at work, into which tables are put."""

    name: str

    def of_file(self, path: Path) -> nw.LazyFrame[Any]:
        """Return the table in a Parquet file, rows in its order, read as far as it is needed."""

    def of_frame(self, frame: pl.DataFrame) -> nw.LazyFrame[Any]:
        """Return a table that is in memory."""

    def fetch(self, table: nw.LazyFrame[Any]) -> pl.DataFrame:
        """Compute a table, however large, and bring it here."""


def engine_of(frame: nw.LazyFrame[Any]) -> Engine:
    """Return the name of the engine that holds a table.

    >>> engine_of(nw.from_native(pl.LazyFrame({"x": [1]})))
    'polars'

    Raises:
        ConfigError: an engine for which the ordered windows are not written.
    """
    kind = frame.implementation
    if kind.is_polars():
        return "polars"
    if kind.is_duckdb():
        return "duckdb"
    if kind.is_pyspark() or kind.is_pyspark_connect():
        return "spark"
    raise ConfigError(
        f"no engine {kind.value!r} for this step",
        known=("polars", "duckdb", "spark"),
        todo="Convert the table first.",
    )


def fetched(frame: nw.LazyFrame[Any]) -> pl.DataFrame:
    """Compute a table and bring it here: for small answers to a question about a large table."""
    native: pl.DataFrame = frame.collect("polars").to_native()
    return native


def settled(frame: nw.LazyFrame[Any]) -> nw.LazyFrame[Any]:
    """Return the same table, on Polars computed once, so that two looks at it cost one."""
    if engine_of(frame) != "polars":
        return frame
    return nw.from_native(fetched(frame).lazy())


def quoted(name: str, engine: Engine) -> str:
    """Return a column's name as a SQL engine wants it.

    >>> quoted("a`b", "spark"), quoted("a`b", "duckdb")
    ('`a``b`', '"a`b"')
    """
    mark = "`" if engine == "spark" else '"'
    return mark + name.replace(mark, mark + mark) + mark


def with_sql(frame: nw.LazyFrame[Any], columns: Mapping[str, str]) -> nw.LazyFrame[Any]:
    """Add columns to a table of a SQL engine, each from its expression in that engine's SQL."""
    engine = engine_of(frame)
    made = ["*", *(f"{sql} AS {quoted(new, engine)}" for new, sql in columns.items())]
    native: Any = frame.to_native()
    wider = native.selectExpr(*made) if engine == "spark" else native.project(", ".join(made))
    table: nw.LazyFrame[Any] = nw.from_native(wider)
    return table
