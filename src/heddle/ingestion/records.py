"""JSON: an array of objects, or one object per line; numbers keep the text they were written in."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator
from typing import Any

import numpy as np
import polars as pl

from heddle.domain.errors import DataContractError
from heddle.frames.headers import column_names
from heddle.ingestion.options import ReadOptions
from heddle.ingestion.table import RawTable
from heddle.ingestion.text import Text, decode

__all__ = ["read_json", "read_json_lines"]

Record = tuple[int, dict[str, str | None]]  # its line (or number in the array), its cells


class _Twice(ValueError):
    """One key stands twice in an object."""


def read_json_lines(raw: bytes, options: ReadOptions, where: str) -> RawTable:
    """Return the table of a file with one JSON object per line; blank lines are skipped.

    Raises:
        DataContractError: as `read_json`, with the line.
    """
    text = decode(raw, options.encoding, where)
    lines = enumerate(text.data.decode("utf-8").split("\n"), start=1)
    objects = ((n, _parse(line, f"line {n}", where)) for n, line in lines if line.strip())
    cells = ((n, _cells(found, f"line {n}", where)) for n, found in objects)
    return _table(cells, "jsonl", text, options, where)


def read_json(raw: bytes, options: ReadOptions, where: str) -> RawTable:
    """Return the table of a file that holds one JSON array of objects.

    Raises:
        DataContractError: not JSON, not an array of flat objects, a key twice in an object, a key
            that the first object lacks.
    """
    text = decode(raw, options.encoding, where)
    found = _parse(text.data.decode("utf-8"), "", where)
    if not isinstance(found, list):
        raise DataContractError(
            f"holds {_word(found)}, wanted is an array of objects",
            where=where,
            todo='Write it as [{"a": 1}, {"a": 2}], or one object per line as .jsonl.',
        )
    cells = ((n, _cells(o, f"object {n}", where)) for n, o in enumerate(found, start=1))
    return _table(cells, "json", text, options, where)


def _parse(text: str, place: str, where: str) -> Any:
    try:
        return json.loads(
            text, parse_float=str, parse_int=str, parse_constant=str, object_pairs_hook=_unique
        )
    except json.JSONDecodeError as fault:
        at = place or f"line {fault.lineno}"
        what, todo = f"{at} is not JSON: {fault.msg}", "Export the file again."
        raise DataContractError(what, where=where, todo=todo) from None
    except _Twice as fault:
        what = f"{place}: {fault}" if place else str(fault)
        raise DataContractError(what, where=where) from None
    except RecursionError:
        raise DataContractError(f"{place} is nested too deeply".strip(), where=where) from None


def _unique(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found = dict(pairs)
    if len(found) < len(pairs):
        keys = [key for key, _ in pairs]
        twice = next(key for key in keys if keys.count(key) > 1)
        raise _Twice(f"key {twice!r} stands twice in one object")
    return found


def _cells(found: Any, place: str, where: str) -> dict[str, str | None]:
    if not isinstance(found, dict):
        what = f"{place} holds {_word(found)}, wanted is an object"
        raise DataContractError(what, where=where)
    for key, value in found.items():
        if isinstance(value, bool):
            found[key] = "true" if value else "false"
        elif isinstance(value, (dict, list)):
            what = f"{place}: {key!r} holds {_word(value)}, a cell holds one value"
            raise DataContractError(what, where=where)
    return found


def _table(
    records: Iterable[Record], kind: str, text: Text, options: ReadOptions, where: str
) -> RawTable:
    pairs = list(records)
    if not pairs:
        raise DataContractError("holds no rows", where=where, todo="Fetch the file again.")
    headers = tuple(pairs[0][1])
    at = f"{where}, {_at(kind, pairs[0][0])}"
    names = column_names(headers, options.headers, options.unnamed, where=at)
    known = set(headers)
    for place, cells in pairs:
        if extra := next((key for key in cells if key not in known), None):
            raise DataContractError(
                f"{_at(kind, place)} has the key {extra!r}, which the first object lacks",
                where=where,
                todo="Give every object the same keys; null stands for what is not known.",
            )
    columns = {
        name: pl.Series(name, _column(pairs, header), dtype=pl.String)
        for name, header in zip(names, headers, strict=True)
    }
    return RawTable(
        frame=pl.DataFrame(columns),
        headers=headers,
        format=kind,
        encoding=text.encoding,
        notes=(text.note,) if text.note else (),
        unit="line" if kind == "jsonl" else "object",
        starts=np.array([place for place, _ in pairs], dtype=np.int64),
    )


def _column(pairs: list[Record], header: str) -> Iterator[str | None]:
    return (cells.get(header) for _, cells in pairs)


def _at(kind: str, place: int) -> str:
    return f"line {place}" if kind == "jsonl" else f"object {place}"


def _word(value: Any) -> str:
    if value is None:
        return "null"
    words = {dict: "an object", list: "an array", bool: "true or false", str: "a single value"}
    return words[type(value)]
