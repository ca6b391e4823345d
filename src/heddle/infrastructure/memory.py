"""Test doubles of the small ports, shipped: they pass the same contracts as the real ones."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import polars as pl

from heddle.domain.entities import TableInfo
from heddle.domain.errors import ConfigError
from heddle.domain.names import checked_name, natural
from heddle.frames.content import content_hash
from heddle.frames.describe import describe

__all__ = ["MemoryTables", "SilentProgress"]


class MemoryTables:
    """TableStore in a dictionary."""

    def __init__(self) -> None:
        self._tables: dict[str, tuple[TableInfo, pl.DataFrame]] = {}

    def versions(self) -> Sequence[str]:
        return natural(self._tables)

    def info(self, version: str) -> TableInfo:
        return self._found(version)[0]

    def read(self, version: str, columns: Sequence[str] | None = None) -> pl.DataFrame:
        frame = self._found(version)[1]
        return frame.select(columns) if columns is not None else frame

    def file(self, version: str) -> Path | None:
        self._found(version)
        return None

    def write(self, version: str, frame: pl.DataFrame, made_by: Mapping[str, Any]) -> TableInfo:
        checked_name(version, what="data version")
        digest = content_hash(frame)
        info = TableInfo(
            version=version,
            rows=frame.height,
            columns=describe(frame),
            content_hash=digest,
            sha256=digest,
            size_bytes=int(frame.estimated_size()),
            made_by=dict(made_by),
        )
        self._tables[version] = (info, frame)
        return info

    def _found(self, version: str) -> tuple[TableInfo, pl.DataFrame]:
        if version not in self._tables:
            raise ConfigError(f"no data version {version!r}", wanted=version, known=self.versions())
        return self._tables[version]


class SilentProgress:
    """Progress that keeps notices and shows nothing."""

    def __init__(self) -> None:
        self.notices: list[str] = []

    @contextmanager
    def task(
        self, title: str, total: float | None = None, *, even: bool = True
    ) -> Iterator[SilentProgress]:
        del title, total, even
        yield self

    def advance(self, steps: float = 1, note: str = "") -> None:
        del steps, note

    def notice(self, text: str) -> None:
        self.notices.append(text)
