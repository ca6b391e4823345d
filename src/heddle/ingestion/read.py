"""The one door of the reader: a raw file and options in, a table of text out."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from hashlib import sha256
from io import BytesIO
from pathlib import PurePosixPath

import polars as pl

from heddle.domain.entities import RawFile
from heddle.domain.errors import ConfigError, DataContractError
from heddle.frames.headers import column_names
from heddle.ingestion.delimited import read_delimited
from heddle.ingestion.options import ReadOptions
from heddle.ingestion.records import read_json, read_json_lines
from heddle.ingestion.table import RawTable
from heddle.ingestion.unpack import Payload, unpack

__all__ = ["format_of", "parquet_fault", "read", "renamed"]

_BY_EXTENSION = {
    ".csv": "csv",
    ".txt": "csv",
    ".tsv": "tsv",
    ".tab": "tsv",
    ".parquet": "parquet",
    ".pq": "parquet",
    ".json": "json",
    ".jsonl": "jsonl",
    ".ndjson": "jsonl",
}


def read(raw: RawFile, options: ReadOptions | None = None) -> RawTable:
    """Return the table that a raw file holds, its columns under sanitised names.

    Reads csv, tsv, parquet, json (an array of objects) and json lines, plain or within gz, tar,
    tar.gz or zip. No type is guessed: cells stay text until a contract gives them one.

    Args:
        raw: the file.
        options: what is known of it; by default all is decided from its bytes, and told in
            `notes`.

    Raises:
        ConfigError: an archive member that does not exist, a format that cannot be told.
        DataContractError: the file is not a whole table of that format; the line is named. Or it
            has another hash than the one that was declared.
    """
    options = options or ReadOptions()
    if raw.size_bytes > options.max_bytes:
        raise DataContractError(
            f"has {raw.size_bytes:,} bytes, more than {options.max_bytes:,}",
            where=raw.path.name,
            todo="Raise ingestion.options.max_bytes if it is meant to be.",
        )
    payload = unpack(raw.path.read_bytes(), raw.path.name, options)
    _refuse_other(payload, options)
    table = _table(payload, format_of(payload, options), options)
    names = renamed(table.frame.columns, options, payload.name)
    frame = table.frame.rename(dict(zip(table.frame.columns, names, strict=True)))
    return replace(table, frame=frame, member=payload.member, notes=payload.notes + table.notes)


def renamed(columns: Sequence[str], options: ReadOptions, where: str) -> tuple[str, ...]:
    """Return the names that are wanted of columns; one that is not there is passed over."""
    names = [options.names.get(name, name) for name in columns]
    if twice := next((name for name in names if names.count(name) > 1), None):
        todo = "Mend ingestion.options.names."
        raise DataContractError(f"two columns become {twice!r}", where=where, todo=todo)
    return tuple(names)


def _refuse_other(payload: Payload, options: ReadOptions) -> None:
    wanted = options.member_sha256
    if wanted and (found := sha256(payload.data).hexdigest()) != wanted.lower():
        raise DataContractError(
            f"sha256 is {found}, configured is {wanted}",
            where=payload.member or payload.name,
            todo="If the new table is meant, set ingestion.options.member_sha256 to its hash, "
            "or to null.",
        )


def format_of(payload: Payload, options: ReadOptions) -> str:
    """Return csv, tsv, parquet, json or jsonl; the first 1,024 bytes of the payload are enough."""
    head = payload.data[:1024].lstrip(b"\xef\xbb\xbf \t\r\n").lower()
    if head.startswith((b"<!doctype html", b"<html", b"<?xml")):
        raise DataContractError(
            "is a web page, no table", where=payload.name, todo="Check the address or the file."
        )
    if options.format != "auto":
        return options.format
    if payload.data.startswith(b"PAR1"):
        return "parquet"
    suffix = PurePosixPath(payload.name).suffix.lower()
    if suffix in _BY_EXTENSION:
        return _BY_EXTENSION[suffix]
    if head.startswith(b"["):
        return "json"
    if head.startswith(b"{"):
        return "jsonl"
    if suffix and not suffix[1:].isdigit():
        known = [s.removeprefix(".") for s in _BY_EXTENSION]
        raise ConfigError(
            f"{suffix!r} is no format that is known",
            where=payload.name,
            wanted=suffix.removeprefix("."),
            known=known,
            todo="Set ingestion.options.format.",
        )
    return "csv"


def _table(payload: Payload, kind: str, options: ReadOptions) -> RawTable:
    where = payload.name
    if not payload.data:
        raise DataContractError("the file is empty", where=where, todo="Fetch it again.")
    if kind == "parquet":
        return _parquet(payload.data, where, options)
    if kind == "json":
        return read_json(payload.data, options, where)
    if kind == "jsonl":
        return read_json_lines(payload.data, options, where)
    return read_delimited(payload.data, kind, options, where)


def _parquet(data: bytes, where: str, options: ReadOptions) -> RawTable:
    try:
        lazy = pl.scan_parquet(BytesIO(data))
        headers = tuple(lazy.collect_schema().names())
        rows = int(lazy.select(pl.len()).collect().item())
        cells = rows * max(1, len(headers))
        if cells * 8 > options.max_bytes:
            raise DataContractError(
                f"unpacks to {cells:,} cells, more than {options.max_bytes:,} bytes",
                where=where,
                todo="Raise ingestion.options.max_bytes if it is meant to be.",
            )
        names = column_names(headers, options.headers, options.unnamed, where=where)
        frame = lazy.collect()
    except pl.exceptions.PolarsError as fault:
        raise parquet_fault(where, fault) from None
    if not rows:
        raise parquet_fault(where)
    frame.columns = list(names)
    return RawTable(frame=frame, headers=headers, format="parquet", unit="row", first=1)


def parquet_fault(where: str, fault: Exception | None = None) -> DataContractError:
    """Word a Parquet file without rows, or one that its reader cannot read."""
    what = "has columns and no rows"
    if fault is not None:
        what = f"is not a whole Parquet file ({str(fault).splitlines()[0]})"
    return DataContractError(what, where=where, todo="Fetch it again.")
