"""Data versions whose reading and writing is logged."""

from __future__ import annotations

import logging
import time
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from pathlib import Path

    import polars as pl

    from heddle.domain.entities import TableInfo
    from heddle.domain.ports import TableStore

__all__ = ["LoggedTables"]

_LOG = logging.getLogger(__name__)


class LoggedTables:
    """A TableStore that logs what goes in and out of another: rows, columns, hash, seconds."""

    def __init__(self, tables: TableStore) -> None:
        self._tables = tables

    def versions(self) -> Sequence[str]:
        return self._tables.versions()

    def info(self, version: str) -> TableInfo:
        return self._tables.info(version)

    def read(self, version: str, columns: Sequence[str] | None = None) -> pl.DataFrame:
        start = time.perf_counter()
        frame = self._tables.read(version, columns)
        if _LOG.isEnabledFor(logging.INFO):
            _tell("read", self._tables.info(version), frame.width, time.perf_counter() - start)
        return frame

    def file(self, version: str) -> Path | None:
        return self._tables.file(version)

    def write(self, version: str, frame: pl.DataFrame, made_by: Mapping[str, Any]) -> TableInfo:
        start = time.perf_counter()
        info = self._tables.write(version, frame, made_by)
        _tell("wrote", info, len(info.columns), time.perf_counter() - start)
        return info


def _tell(event: str, info: TableInfo, columns: int, seconds: float) -> None:
    facts = {
        "version": info.version,
        "rows": info.rows,
        "columns": columns,
        "content_hash": info.content_hash,
        "bytes": info.size_bytes,
        "seconds": round(seconds, 3),
    }
    _LOG.info(event, extra={"facts": facts})
