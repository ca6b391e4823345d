"""The reader's door for files larger than memory: csv, tsv and parquet are read piece by piece."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from hashlib import file_digest
from pathlib import Path

import numpy as np

from heddle.domain.entities import RawFile
from heddle.ingestion.delimited_pieces import stream_delimited
from heddle.ingestion.options import ReadOptions
from heddle.ingestion.parquet_pieces import stream_parquet
from heddle.ingestion.pieces import Piece, Streamed
from heddle.ingestion.read import format_of, read, renamed
from heddle.ingestion.table import RawTable
from heddle.ingestion.unpack import Payload

__all__ = ["held_whole", "sha256_of", "stream"]

_HEAD = 1024
_PACKED = (b"\x1f\x8b", b"PK\x03\x04", b"PK\x05\x06")


def stream(path: Path, options: ReadOptions | None = None, *, sha256: str = "") -> Streamed:
    """Return the table that a file holds, to be read piece by piece, under sanitised names.

    The same table and the same refusals as of `heddle.ingestion.read.read`; `max_bytes` is only
    for what has to be held in memory: json, json lines and archives.

    Args:
        path: the file.
        options: what is known of it.
        sha256: of the file, if it is known.

    Raises:
        ConfigError: as `read`.
        DataContractError: as `read`.
    """
    options = options or ReadOptions()
    where = path.name
    kind = _kind(path, options)
    if not kind:
        return _whole(path, options, sha256)
    if kind == "parquet":
        return _renamed(stream_parquet(path, options, where), options, where)
    return _renamed(stream_delimited(path, kind, options, where), options, where)


def held_whole(path: Path, options: ReadOptions) -> bool:
    """Tell whether `stream` has to hold the file in memory as a whole."""
    return not _kind(path, options)


def _kind(path: Path, options: ReadOptions) -> str:
    """Return csv, tsv or parquet; "" of what cannot be read piece by piece."""
    with path.open("rb") as file:
        head = file.read(_HEAD)
    packed = head.startswith(_PACKED) or head[257:262] == b"ustar" or path.name.endswith(".tar")
    if packed or options.member or options.member_sha256 or not head:
        return ""
    kind = format_of(Payload(head, path.name), options)
    return "" if kind in ("json", "jsonl") else kind


def sha256_of(path: Path) -> str:
    """Return the sha256 of a file of any size, 64 hex digits."""
    with path.open("rb") as file:
        return file_digest(file, "sha256").hexdigest()


def _renamed(table: Streamed, options: ReadOptions, where: str) -> Streamed:
    names = renamed(table.columns, options, where)
    if names == table.columns:
        return table
    before = dict(zip(names, table.columns, strict=True))

    def pieces(columns: Sequence[str], skip: int, size: int) -> Iterator[Piece]:
        for piece in table.pieces([before[name] for name in columns], skip, size):
            yield Piece(
                piece.frame.rename(dict(zip(piece.frame.columns, columns, strict=True))),
                piece.lines,
            )

    return replace(table, columns=names, pieces=pieces)


def _whole(path: Path, options: ReadOptions, sha256: str) -> Streamed:
    size = path.stat().st_size
    raw = RawFile(path=path, origin=str(path), sha256=sha256 or sha256_of(path), size_bytes=size)
    table = read(raw, options)
    return Streamed(
        columns=tuple(table.frame.columns),
        rows=table.frame.height,
        format=table.format,
        pieces=_Held(table).pieces,
        unit=table.unit,
        notes=table.notes,
        whole=True,
    )


@dataclass(frozen=True, slots=True)
class _Held:
    table: RawTable

    def pieces(self, columns: Sequence[str], skip: int, size: int) -> Iterator[Piece]:
        frame, table = self.table.frame.select(columns), self.table
        for start in range(skip, frame.height, size):
            here = frame.slice(start, size)
            rows = np.arange(start, start + here.height, dtype=np.int64)
            lines = rows + table.first if table.starts is None else table.starts[rows]
            yield Piece(here, lines)
