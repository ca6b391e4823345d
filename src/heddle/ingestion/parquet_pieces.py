"""Parquet larger than memory: some rows of the wanted columns at a time."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import polars as pl

from heddle.frames.headers import column_names
from heddle.ingestion.options import ReadOptions
from heddle.ingestion.pieces import Piece, Streamed
from heddle.ingestion.read import parquet_fault

__all__ = ["stream_parquet"]

_BUFFER = 1 << 20  # bytes of a column that are read at a time; without it, a whole row group is


def stream_parquet(path: Path, options: ReadOptions, where: str) -> Streamed:
    """Return a Parquet file of any size, and with row groups of any size.

    Args:
        path: the file.
        options: headers and unnamed are used.
        where: what to call the file in an error.

    Raises:
        DataContractError: it is not whole, has no rows, or headers that are blank or clash.
    """
    try:
        lazy = pl.scan_parquet(path)
        headers = tuple(lazy.collect_schema().names())
        rows = int(lazy.select(pl.len()).collect().item())
    except pl.exceptions.PolarsError as fault:
        raise parquet_fault(where, fault) from None
    names = column_names(headers, options.headers, options.unnamed, where=where)
    if not rows:
        raise parquet_fault(where)
    file = _File(path, dict(zip(names, headers, strict=True)), where)
    return Streamed(columns=names, rows=rows, format="parquet", pieces=file.pieces, unit="row")


@dataclass(frozen=True, slots=True)
class _File:
    path: Path
    headers: dict[str, str]  # name -> as in the file
    where: str

    def pieces(self, columns: Sequence[str], skip: int, size: int) -> Iterator[Piece]:
        """Give the rows after the first `skip`, `size` of them at a time."""
        import pyarrow as pa
        import pyarrow.parquet as pq

        wanted = [self.headers[name] for name in columns]
        try:
            with pq.ParquetFile(self.path, buffer_size=_BUFFER, pre_buffer=False) as file:
                groups, row = _after(file.metadata, skip)
                batches = file.iter_batches(
                    size, row_groups=groups, columns=wanted, use_threads=False
                )
                for batch in batches:
                    end = row + batch.num_rows
                    if end > skip:
                        frame = pl.DataFrame(pl.from_arrow(pa.Table.from_batches([batch])))
                        frame = frame.select(wanted)  # Arrow keeps the file's order
                        frame.columns = list(columns)
                        start = max(0, skip - row)
                        lines = np.arange(row + start, end, dtype=np.int64) + 1
                        yield Piece(frame[start:], lines)
                    row = end
        except (pa.ArrowException, OSError) as fault:
            raise parquet_fault(self.where, fault) from None


def _after(metadata: object, skip: int) -> tuple[list[int], int]:
    """Return the row groups that hold rows after the first `skip`, and the rows before them."""
    row, count = 0, metadata.num_row_groups  # type: ignore[attr-defined]
    for group in range(count):
        here = metadata.row_group(group).num_rows  # type: ignore[attr-defined]
        if row + here > skip:
            return list(range(group, count)), row
        row += here
    return [], row
