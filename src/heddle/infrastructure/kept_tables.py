"""The tables that a process wrote last, so that the stage after need not read them back."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from heddle.domain.entities import TableInfo
from heddle.frames.measured import Measured

__all__ = ["KeptTables"]


@dataclass(frozen=True, slots=True)
class _Kept:
    path: Path
    state: tuple[int, ...]
    info: TableInfo
    table: Measured


class KeptTables:
    """A few tables in memory, each as long as its file is the one that was written.

    Args:
        tables: how many at most.
        most_bytes: how large they may be together; a larger one is not kept at all.
    """

    def __init__(self, tables: int = 2, most_bytes: int = 600_000_000) -> None:
        self._tables = tables
        self._most_bytes = most_bytes
        self._kept: list[_Kept] = []

    @property
    def known(self) -> list[Measured]:
        """The tables, the latest first."""
        return [kept.table for kept in reversed(self._kept)]

    def keep(self, path: Path, info: TableInfo, table: Measured) -> None:
        """Keep what was just written to `path`, and let older ones go."""
        self._kept = [kept for kept in self._kept if kept.path != path]
        self._kept.append(_Kept(path, _state(path), info, table))
        while len(self._kept) > self._tables or self._bytes() > self._most_bytes:
            self._kept.pop(0)

    def find(self, path: Path, info: TableInfo) -> Measured | None:
        """Return the table at `path` if it is kept, and file and metadata are still those."""
        for kept in self._kept:
            if kept.path == path and kept.info == info and kept.state == _state(path):
                return kept.table
        return None

    def _bytes(self) -> float:
        return sum(kept.table.frame.estimated_size() + kept.info.size_bytes for kept in self._kept)


def _state(path: Path) -> tuple[int, ...]:
    """Return what changes when a file is replaced or written to, without reading it."""
    try:
        stat = path.stat()
    except OSError:
        return ()
    return (stat.st_dev, stat.st_ino, stat.st_size, stat.st_mtime_ns, stat.st_ctime_ns)
