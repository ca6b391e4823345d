"""Data versions as files: `<version>/<version>.parquet` (or .csv) and its metadata beside it."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from hashlib import file_digest, sha256
from pathlib import Path
from typing import Any, Literal

import polars as pl

from heddle.domain.entities import TableInfo
from heddle.domain.errors import ConfigError, DataContractError, IntegrityError
from heddle.domain.names import checked_name, natural
from heddle.domain.typed import plain
from heddle.frames.atomic import beside, flush, publish
from heddle.frames.column_chunks import EncodedColumn, join_columns
from heddle.frames.content import content_hash
from heddle.frames.measured import Measured, encoded_columns, measured, settled, unchanged
from heddle.frames.pandas_csv import pandas_csv
from heddle.infrastructure.kept_tables import KeptTables, file_state

__all__ = ["FileTables", "sha256_of"]


def sha256_of(path: Path) -> str:
    """Return the sha256 of a file's bytes, as 64 hex digits."""
    with path.open("rb") as file:
        return file_digest(file, "sha256").hexdigest()


class FileTables:
    """TableStore on a folder.

    The metadata file is published last and holds the sha256 of the table's file, so that a table
    without it, or with other bytes, is never taken for a finished one.

    Args:
        folder: where the versions lie.
        kind: how tables are written.
        cores: threads that may work on the columns of a table.
        kept: the tables that this process wrote last, which are then not read back.
        written_as: whose bytes a csv holds.
    """

    def __init__(
        self,
        folder: Path,
        kind: Literal["parquet", "csv"] = "parquet",
        *,
        cores: int = 1,
        kept: KeptTables | None = None,
        written_as: Literal["heddle", "pandas"] = "heddle",
    ) -> None:
        self.folder = folder
        self.written_as = written_as
        self.kind = kind
        self.cores = cores
        self.kept = kept
        self._read: dict[Path, tuple[int, ...]] = {}

    def versions(self) -> Sequence[str]:
        found = self.folder.glob("*/*_metadata.json")
        return natural(p.parent.name for p in found if p.stem == f"{p.parent.name}_metadata")

    def path(self, version: str) -> Path:
        """Return where the table of a version lies."""
        checked_name(version, what="data version")
        return self.folder / version / f"{version}.{self.kind}"

    def metadata_path(self, version: str) -> Path:
        """Return where its description lies."""
        return self.path(version).with_name(f"{version}_metadata.json")

    def info(self, version: str) -> TableInfo:
        path = self.metadata_path(version)
        if not path.exists():
            raise ConfigError(
                f"no data version {version!r}",
                where=str(self.folder),
                wanted=version,
                known=self.versions(),
                todo="`heddle run` makes the versions that the pipeline declares.",
            )
        try:
            return TableInfo(**json.loads(path.read_text(encoding="utf-8")))
        except (ValueError, TypeError) as fault:
            raise IntegrityError(
                "metadata cannot be read", where=str(path), todo="Run its stage again."
            ) from fault

    def read(self, version: str, columns: Sequence[str] | None = None) -> pl.DataFrame:
        info, path, kept = self._checked(version)
        for name in columns or ():
            if name not in info.columns:
                raise ConfigError(
                    f"data version {version!r} has no column {name!r}",
                    wanted=name,
                    known=info.columns,
                )
        wanted = list(columns) if columns is not None else None
        if kept:
            return kept.frame.clone() if wanted is None else kept.frame.select(wanted)
        if self.kind == "csv":
            return settled(_read_csv(path, info, wanted))
        return settled(pl.read_parquet(path, columns=wanted))

    def file(self, version: str) -> Path | None:
        _, path, _ = self._checked(version)
        return path if self.kind == "parquet" else None

    def _checked(self, version: str) -> tuple[TableInfo, Path, Measured | None]:
        """Return a version whose file is the one that was recorded, and its table if it is kept."""
        info, path = self.info(version), self.path(version)
        self._read[path] = file_state(path, with_change=False)
        kept = self.kept.find(path, info) if self.kept else None
        found = info.sha256 if kept else sha256_of(path) if path.exists() else "nothing"
        if found != info.sha256:
            raise IntegrityError(
                f"holds {found[:12]}, recorded was {info.sha256[:12]}",
                where=str(path),
                todo=f"Run the stage that makes {version} again with --force.",
            )
        kept = kept or (self.kept.confirm(path, info) if self.kept else None)
        return info, path, kept

    def write(self, version: str, frame: pl.DataFrame, made_by: Mapping[str, Any]) -> TableInfo:
        path = self.path(version)
        frame = settled(frame)
        self._refuse_types(version, frame)
        same = unchanged(frame, self.kept.known) if self.kept else {}
        with beside(path) as part, ThreadPoolExecutor(1) as aside:
            columns: dict[str, EncodedColumn] = {}
            if self.kind == "csv":
                self._write_csv(part, frame, version)
                digest = sha256_of(part)
            else:
                columns = encoded_columns(frame, same, cores=self.cores)
                digest = _write(part, join_columns(frame.schema, list(columns.values())))
            flushed = aside.submit(flush, part)  # the disk works while we count
            table = measured(frame, same, encoded=columns, cores=self.cores)
            flushed.result()
            info = TableInfo(
                version=version,
                rows=frame.height,
                columns=table.facts,
                content_hash=table.content_hash,
                sha256=digest,
                size_bytes=part.stat().st_size,
                made_by=plain(made_by),
            )
            if self.kept and self.kept.gate:
                self.kept.gate(self._as_read)
        publish(self.metadata_path(version), metadata_text(info).encode())
        if self.kept and self.kind == "parquet":
            self.kept.keep(path, info, table)
        return info

    def _write_csv(self, path: Path, frame: pl.DataFrame, version: str) -> None:
        if self.written_as == "pandas":
            pandas_csv(frame, where=version).write_csv(path, quote_style="necessary")
        else:
            frame.write_csv(path, quote_style="non_numeric")

    def _as_read(self) -> bool:
        """Tell whether the files that were read are those that DVC finds: it looks no closer."""
        now = {path: file_state(path, with_change=False) for path in self._read}
        return now == self._read

    def _refuse_types(self, version: str, frame: pl.DataFrame) -> None:
        if not frame.width:
            raise DataContractError("a table without columns", where=version)
        content_hash(frame.clear())  # it names a column that has no bit pattern
        for name, dtype in frame.schema.items():
            if self.kind == "csv" and str(dtype).lower() not in _TYPES:
                raise DataContractError(
                    f"csv cannot keep the type {str(dtype).lower()}",
                    where=f"{version}, column {name!r}",
                    todo="Use data_storage=parquet, or cast it to text.",
                )


def _read_csv(path: Path, info: TableInfo, wanted: list[str] | None) -> pl.DataFrame:
    """Return the columns as they were: pandas writes 1.0 for 1 where a column has gaps."""
    types = {name: _TYPES[str(facts["type"])] for name, facts in info.columns.items()}
    gaps = [n for n, facts in info.columns.items() if types[n].is_integer() and facts["nulls"]]
    told = {**types, **dict.fromkeys(gaps, pl.String())}
    frame = pl.read_csv(path, schema=told, columns=wanted)
    again = [name for name in gaps if name in frame.columns]
    return frame.with_columns(pl.col(n).str.strip_suffix(".0").cast(types[n]) for n in again)


def _write(path: Path, parts: Iterable[bytes]) -> str:
    """Write parts one after the other; return the sha256 of them all."""
    digest = sha256()
    with path.open("wb") as file:
        for part in parts:
            file.write(part)
            digest.update(part)
    return digest.hexdigest()


def metadata_text(info: TableInfo) -> str:
    """Return the metadata file's text: it changes only when the data or its making does."""
    return json.dumps(plain(info), indent=2, ensure_ascii=False, allow_nan=False) + "\n"


_TYPES: dict[str, pl.DataType] = {
    str(dtype).lower(): dtype
    for dtype in (
        *(pl.Int8(), pl.Int16(), pl.Int32(), pl.Int64()),
        *(pl.UInt8(), pl.UInt16(), pl.UInt32(), pl.UInt64()),
        *(pl.Float32(), pl.Float64(), pl.Boolean(), pl.String(), pl.Date()),
    )
}
