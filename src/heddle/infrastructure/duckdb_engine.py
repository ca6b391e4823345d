"""DuckDB at work on the tables of a stage, with a bound on its memory and a folder to spill to."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from glob import escape
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING, Any

import narwhals as nw
import polars as pl

from heddle.domain.errors import ConfigError, DataContractError, ResourceError
from heddle.frames.engines import fetched

if TYPE_CHECKING:
    import duckdb

__all__ = ["check_duckdb", "duckdb_at_work"]

_RESULT = "heddle_result"
_CELLS = 20_000_000  # that are brought at a time


def check_duckdb() -> None:
    """Raise ConfigError if DuckDB is not installed."""
    if find_spec("duckdb") is None:
        raise ConfigError(
            "DuckDB is not installed", where="engine=duckdb", todo="pip install 'heddle-ml[duckdb]'"
        )


@contextmanager
def duckdb_at_work(spill: Path, memory_gb: float) -> Iterator[_Duckdb]:
    """Open a DuckDB in memory; inside, its faults are raised as our errors.

    It works in one thread: with more, rows that were looked up or that went through a window come
    in an order of chance, and the file of a data version would be another each time.

    Args:
        spill: a folder that is its own, removed afterwards.
        memory_gb: what it holds before it works on disk there.

    Raises:
        ConfigError: DuckDB is not installed.
        ResourceError: memory or disk did not suffice.
        DataContractError: a table cannot be worked on as a step wants it.
    """
    check_duckdb()
    import duckdb

    settings: dict[str, Any] = {
        "threads": 1,
        "memory_limit": f"{round(memory_gb * 1000)}MB",
        "temp_directory": str(spill),
        "autoinstall_known_extensions": False,
    }
    shutil.rmtree(spill, ignore_errors=True)  # what a killed run left
    try:
        with duckdb.connect(config=settings) as door:
            yield _Duckdb(door)
    except duckdb.OutOfMemoryException:
        raise ResourceError(
            f"{memory_gb:g} GB are too little for DuckDB, or the disk is full",
            where=str(spill),
            todo="Raise engine.memory_gb, or free space; then run again.",
        ) from None
    except duckdb.IOException as fault:
        raise ResourceError(
            f"DuckDB cannot read or write a file ({_first_line(fault)})",
            where=str(spill),
            todo="Free space there; then run again.",
        ) from fault
    except duckdb.Error as fault:
        raise DataContractError(
            f"DuckDB cannot do this ({_first_line(fault)})",
            todo="engine=polars may, or tell more.",
        ) from fault
    finally:
        shutil.rmtree(spill, ignore_errors=True)


def _first_line(fault: Exception) -> str:
    return str(fault).strip().split("\n", maxsplit=1)[0]


class _Duckdb:
    """TableEngine on a connection."""

    name = "duckdb"

    def __init__(self, door: duckdb.DuckDBPyConnection) -> None:
        self._door = door

    def of_file(self, path: Path) -> nw.LazyFrame[Any]:
        table: nw.LazyFrame[Any] = nw.from_native(self._door.read_parquet(escape(str(path))))
        return table

    def of_frame(self, frame: pl.DataFrame) -> nw.LazyFrame[Any]:
        table: nw.LazyFrame[Any] = nw.from_native(self._door.from_arrow(frame.to_arrow()))
        return table

    def fetch(self, table: nw.LazyFrame[Any]) -> pl.DataFrame:
        """Bring some columns at a time: a table in pieces is as large again when they are joined.

        Meanwhile the whole lies in DuckDB, within its bounds.
        """
        names = table.collect_schema().names()
        table.to_native().create(_RESULT)
        made = nw.from_native(self._door.table(_RESULT))
        rows = int(fetched(made.select(nw.len())).item())
        some = max(1, _CELLS // max(1, rows))
        parts = [
            fetched(made.select(names[at : at + some])).rechunk()
            for at in range(0, len(names), some)
        ]
        self._door.execute(f"DROP TABLE {_RESULT}")
        return pl.concat(parts, how="horizontal")
