"""The tables that a process wrote last, so that the stage after need not read them back."""

from __future__ import annotations

import os
from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path

from heddle.domain.entities import TableInfo
from heddle.frames.measured import Measured

__all__ = ["KeptTables", "file_state", "memory_bytes"]

_CONTAINER = Path("/sys/fs/cgroup/memory.max")


@dataclass(frozen=True, slots=True, eq=False)
class _Kept:
    path: Path
    state: tuple[int, ...]
    info: TableInfo
    table: Measured


class KeptTables:
    """A few tables in memory, each as long as its file is the one that was written.

    Args:
        tables: how many at most.
        most_bytes: how large they may be together, an eighth of the machine's memory by default;
            a larger one is not kept at all.

    Attributes:
        gate: called, if it is set, before a table is published, with what tells whether the
            tables that were read are still the same; it returns when the table may be published.
    """

    def __init__(self, tables: int = 2, most_bytes: int | None = None) -> None:
        self._tables = tables
        self._most_bytes = memory_bytes() // 8 if most_bytes is None else most_bytes
        self._kept: list[_Kept] = []
        self.gate: Callable[[Callable[[], bool]], None] | None = None

    @property
    def known(self) -> list[Measured]:
        """The tables, the latest first."""
        return [kept.table for kept in reversed(self._kept)]

    def keep(self, path: Path, info: TableInfo, table: Measured) -> None:
        """Keep what was just written to `path`, and let older ones go."""
        self._kept = [kept for kept in self._kept if kept.path != path]
        self._kept.append(_Kept(path, file_state(path), info, table))
        while len(self._kept) > self._tables or self._bytes() > self._most_bytes:
            self._kept.pop(0)

    def find(self, path: Path, info: TableInfo) -> Measured | None:
        """Return the table at `path` if it is kept, and nobody touched its file since."""
        kept = self._at(path, info)
        return kept.table if kept and kept.state == file_state(path) else None

    def confirm(self, path: Path, info: TableInfo) -> Measured | None:
        """Return the table at `path` if it is kept; the caller has just hashed the file."""
        kept = self._at(path, info)
        if kept is None:
            return None
        self._kept[self._kept.index(kept)] = replace(kept, state=file_state(path))
        return kept.table

    def _at(self, path: Path, info: TableInfo) -> _Kept | None:
        found = [kept for kept in self._kept if kept.path == path and kept.info == info]
        return found[0] if found else None

    def _bytes(self) -> float:
        return sum(kept.table.frame.estimated_size() + kept.info.size_bytes for kept in self._kept)


def memory_bytes() -> int:
    """Return how much memory there is: that of the machine, or of the container if it has less."""
    installed = os.sysconf("SC_PHYS_PAGES") * os.sysconf("SC_PAGE_SIZE")
    try:
        return min(installed, int(_CONTAINER.read_text(encoding="ascii")))
    except (OSError, ValueError):  # no container, or "max"
        return installed


def file_state(path: Path, *, with_change: bool = True) -> tuple[int, ...]:
    """Return what changes when a file is replaced or written to, without reading it.

    Args:
        path: the file.
        with_change: also the time of the last change of any kind, of its permissions too, which
            cannot be set back.
    """
    try:
        stat = path.stat()
    except OSError:
        return ()
    state = (stat.st_dev, stat.st_ino, stat.st_size, stat.st_mtime_ns)
    return (*state, stat.st_ctime_ns) if with_change else state
