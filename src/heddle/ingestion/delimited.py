"""CSV and its relatives: which delimiter, is every line whole, then one fast parse to text."""

from __future__ import annotations

import csv
from dataclasses import dataclass
from io import StringIO

import numpy as np
import polars as pl

from heddle.domain.errors import DataContractError
from heddle.frames.headers import column_names
from heddle.ingestion.options import DELIMITERS, ReadOptions
from heddle.ingestion.structure import Structure, examine, first_record
from heddle.ingestion.table import RawTable
from heddle.ingestion.text import decode

__all__ = ["Shape", "detect_delimiter", "no_rows", "parsed", "read_delimited", "shape_of"]

_WORDS = {",": "','", ";": "';'", "\t": "a tab", "|": "'|'"}
_LOOKED_AT = 20  # lines
_MAX_COLUMNS = 10_000


def read_delimited(raw: bytes, kind: str, options: ReadOptions, where: str) -> RawTable:
    """Return the table of a delimited text, every cell as text, an empty one as "".

    Args:
        raw: the whole file.
        kind: "csv" or "tsv": the delimiter that is expected, others are noticed.
        options: encoding and delimiter are used.
        where: what to call the file in an error.

    Raises:
        DataContractError: empty, header only, wrong delimiter, ragged or half lines, open quotes,
            headers that are blank or clash; each with its line.
    """
    text = decode(raw, options.encoding, where)
    data = text.data if text.data.endswith(b"\n") else text.data + b"\n"
    notes = [text.note] if text.note else []
    shape = shape_of(data, kind, options, where)
    delimiter, names = shape.delimiter, shape.names
    notes += shape.notes
    found = examine(data, delimiter, len(names), where)
    if not found.rows:
        raise no_rows(where)
    notes += _blank_note(found, data, where)
    return RawTable(
        frame=parsed(data, delimiter, names, found, where),
        headers=shape.headers,
        format=kind,
        encoding=text.encoding,
        delimiter=delimiter,
        notes=tuple(notes),
        starts=found.starts,
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class Shape:
    """What the first lines of a delimited text tell."""

    delimiter: str
    headers: tuple[str, ...]
    names: tuple[str, ...]  # sanitised
    notes: tuple[str, ...] = ()


def shape_of(data: bytes, kind: str, options: ReadOptions, where: str) -> Shape:
    """Return what cuts the fields of a text, and what they are called.

    Args:
        data: the text, or its first 65,536 bytes and the whole of its header.
        kind: "csv" or "tsv".
        options: delimiter, headers and unnamed are used.
        where: what to call the file in an error.

    Raises:
        DataContractError: a blank first line, headers that are blank or clash, another delimiter.
    """
    data = _without_leading_blank(data, where)
    notes: list[str] = []
    delimiter = options.delimiter
    if delimiter == "auto":
        usual = "\t" if kind == "tsv" else ","
        delimiter = detect_delimiter(data, usual)
        if delimiter != usual:
            notes.append(f"{where}: read with {_WORDS[delimiter]} between fields")
    headers = _headers(data, delimiter, where)
    names = column_names(headers, options.headers, options.unnamed, where=f"{where}, line 1")
    return Shape(delimiter=delimiter, headers=headers, names=names, notes=tuple(notes))


def no_rows(where: str) -> DataContractError:
    """Word a file that is a header only."""
    todo = "Fetch or export the file again."
    return DataContractError("has a header and no rows", where=where, todo=todo)


def detect_delimiter(data: bytes, usual: str = ",") -> str:
    r"""Return the delimiter that cuts the first lines most evenly, `usual` if none cuts any.

    >>> detect_delimiter(b"a;b;c\n1,5;2,5;3,5\n")
    ';'
    """
    lines = _first_lines(data)
    scores = {d: _score(lines, d) for d in (usual, *DELIMITERS)}
    best = max(scores, key=lambda d: scores[d])  # of equals the first: the usual one
    return best if scores[best] > (0, 0) else usual


def _score(lines: list[str], delimiter: str) -> tuple[int, int]:
    """How many of the lines agree with the header on the number of fields, and that number."""
    counts = [len(fields) for fields in csv.reader(lines, delimiter=delimiter) if fields]
    if not counts or counts[0] < 2:
        return (0, 0)
    return (sum(c == counts[0] for c in counts), counts[0])


def _first_lines(data: bytes) -> list[str]:
    head = data[: 1 << 16].split(b"\n")[: _LOOKED_AT + 1]
    return [line.decode("utf-8", "replace") + "\n" for line in head[:-1]]


def _without_leading_blank(data: bytes, where: str) -> bytes:
    if data.startswith(b"\n"):
        raise DataContractError(
            "the first line is blank, it must hold the headers",
            where=where,
            todo="Remove it from the file.",
        )
    return data


def _headers(data: bytes, delimiter: str, where: str) -> tuple[str, ...]:
    line = first_record(data).decode("utf-8")
    try:
        fields = next(csv.reader(StringIO(line, newline=""), delimiter=delimiter, strict=True))
    except csv.Error as fault:
        raise DataContractError(
            f"line 1 cannot be read: {fault}", where=where, todo="Check the quotes of the header."
        ) from None
    if len(fields) == 1:
        _refuse_other_delimiter(data, line, delimiter, where)
    if len(fields) > _MAX_COLUMNS:
        raise DataContractError(
            f"has {len(fields):,} columns, more than {_MAX_COLUMNS:,}", where=where
        )
    return tuple(fields)


def _refuse_other_delimiter(data: bytes, line: str, delimiter: str, where: str) -> None:
    other = detect_delimiter(data, delimiter)
    fields = line.count(other) + 1
    if other != delimiter and fields > 1:
        word = _WORDS.get(delimiter, repr(delimiter))
        raise DataContractError(
            f"has one column when cut at {word}; {_WORDS[other]} would give {fields}",
            where=where,
            todo=f'Set ingestion.options.delimiter="{other}" or auto.'.replace("\t", "\\t"),
        )


def _blank_note(found: Structure, data: bytes, where: str) -> list[str]:
    inner = found.blank[found.blank < len(data.rstrip(b"\n"))]
    if not inner.size:
        return []
    line = data.count(b"\n", 0, int(inner[0])) + 1
    return [f"{where}: skipped {inner.size} blank line(s), the first is line {line}"]


def parsed(
    data: bytes, delimiter: str, names: tuple[str, ...], found: Structure, where: str
) -> pl.DataFrame:
    """Return the cells of a text that `examine` has looked at, its header first.

    Raises:
        DataContractError: the parser counts other rows.
    """
    if found.blank.size:
        data = np.delete(np.frombuffer(data, np.uint8), found.blank).tobytes()
    try:
        frame = pl.read_csv(
            data,
            separator=delimiter,
            quote_char='"' if found.quoted else None,
            infer_schema=False,
            empty_string_is_null=False,
        )
    except pl.exceptions.PolarsError as fault:
        first = str(fault).splitlines()[0]
        raise DataContractError(f"cannot be parsed: {first}", where=where) from None
    if frame.height != found.rows or frame.width != len(names):
        raise DataContractError(
            f"was parsed to {frame.height:,} rows, {found.rows:,} were counted",
            where=where,
            todo="Please report this file: the parser and the count should agree.",
        )
    frame.columns = list(names)
    return frame
