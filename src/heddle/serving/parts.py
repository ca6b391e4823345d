"""Predictions on their way to a file: written part by part, then put together as one."""

from __future__ import annotations

import shutil
from collections.abc import Iterable, Sequence
from pathlib import Path

import polars as pl

from heddle.frames.atomic import beside

__all__ = ["assemble", "write_part"]


def write_part(path: Path, frame: pl.DataFrame, suffix: str) -> None:
    """Write some rows of a file that will have this suffix: lines, or columns to copy."""
    with beside(path, lasting=False) as part:
        if suffix == ".csv":
            frame.write_csv(part, include_header=False)
        else:
            level = pl.CompatLevel.oldest()  # the strings of which Parquet is written
            frame.write_ipc(part, compression="lz4", compat_level=level)


def assemble(out: Path, parts: Sequence[Path], columns: Sequence[str]) -> None:
    """Publish the parts as one file, a row group of Parquet for each."""
    with beside(out) as whole:
        if out.suffix == ".csv":
            _lines(whole, parts, columns)
        else:
            _row_groups(whole, parts)


def _lines(whole: Path, parts: Iterable[Path], columns: Sequence[str]) -> None:
    with whole.open("wb") as file:
        header = pl.DataFrame(schema=dict.fromkeys(columns, pl.String))
        file.write(header.write_csv().encode())
        for part in parts:
            with part.open("rb") as lines:
                shutil.copyfileobj(lines, file, 1 << 20)


def _row_groups(whole: Path, parts: Sequence[Path]) -> None:
    import pyarrow as pa
    import pyarrow.parquet as pq

    with pa.OSFile(str(parts[0])) as file:
        schema = pa.ipc.open_file(file).schema
    words = [field.name for field in schema if pa.types.is_large_string(field.type)]
    with pq.ParquetWriter(whole, schema, compression="zstd", use_dictionary=words) as writer:
        for part in parts:
            with pa.OSFile(str(part)) as file:
                rows = pa.ipc.open_file(file).read_all().combine_chunks()
            if rows.num_rows:
                writer.write_table(rows, rows.num_rows)
