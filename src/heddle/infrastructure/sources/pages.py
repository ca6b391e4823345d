"""Pages of a table that comes piece by piece: what a page holds, and those that are kept."""

from __future__ import annotations

import csv
import json
import shutil
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from hashlib import sha256
from io import StringIO
from pathlib import Path
from typing import Any

from heddle.domain.errors import ConfigError
from heddle.frames.atomic import publish

__all__ = ["KeptPages", "Page", "csv_page", "csv_text", "json_page"]

_STATE = "read.json"


@dataclass(frozen=True, slots=True)
class Page:
    """Some rows of a table; every cell is text, "" stands for what is not known."""

    fields: tuple[str, ...]
    rows: Sequence[Sequence[str]]
    told: bool = True  # whether all fields of the table are named, also those that are null here


def csv_text(rows: Sequence[Sequence[str]]) -> str:
    """Return the rows as CSV lines that end in a line feed.

    >>> csv_text([["a", "b"], ["1", "x, y"]]).splitlines()
    ['a,b', '1,"x, y"']
    """
    text = _written(rows)
    if "\r" in text:  # which the writer of Python 3.11 leaves unquoted
        return "".join(_written([row], all_quoted="\r" in "".join(row)) for row in rows)
    return text


def _written(rows: Sequence[Sequence[str]], *, all_quoted: bool = False) -> str:
    text = StringIO()
    if all_quoted:
        csv.writer(text, lineterminator="\n", quoting=csv.QUOTE_ALL).writerows(rows)
    else:
        csv.writer(text, lineterminator="\n").writerows(rows)
    return text.getvalue()


def csv_page(body: bytes) -> Page:
    """Read a page of CSV with a header.

    Raises:
        ValueError: it is not a whole one.
    """
    try:
        lines = list(csv.reader(StringIO(body.decode("utf-8-sig"), newline=""), strict=True))
    except csv.Error as fault:
        raise ValueError(f"is no whole CSV ({fault})") from None
    except UnicodeDecodeError:
        raise ValueError("is not UTF-8") from None
    if not lines or not lines[0]:
        raise ValueError("has no header")
    header, rows = tuple(lines[0]), lines[1:]
    if len(set(header)) < len(header):
        raise ValueError("names a field twice")
    if len(header) == 1:
        rows = [row or [""] for row in rows]
    short = next((n for n, row in enumerate(rows, start=1) if len(row) != len(header)), None)
    if short is not None:
        raise ValueError(f"row {short} has {len(rows[short - 1])} cells, the header {len(header)}")
    return Page(header, rows)


def json_page(body: bytes, fields: Sequence[str] = ()) -> Page:
    """Read a page of JSON, an array of flat objects; a key that is absent stands for null.

    Args:
        body: the array.
        fields: all names, where the server tells them; any others follow as they appear.

    Raises:
        ValueError: it is not a whole array of objects.
        ConfigError: a cell holds more than one value.
    """
    try:
        found = json.loads(body, parse_float=str, parse_int=str, parse_constant=str)
    except (ValueError, RecursionError) as fault:
        raise ValueError(f"is no whole JSON ({type(fault).__name__})") from None
    if not isinstance(found, list) or not all(isinstance(row, dict) for row in found):
        raise ValueError("is no JSON array of objects")
    names = dict.fromkeys(fields)
    for row in found:
        names.update(dict.fromkeys(row))
    return Page(
        tuple(names), [[_cell(row.get(n), n) for n in names] for row in found], bool(fields)
    )


def _cell(value: Any, name: str) -> str:
    if value is None:
        return ""
    if isinstance(value, str):
        return value
    if isinstance(value, bool):
        return "true" if value else "false"
    raise ConfigError(
        f"holds {'an object' if isinstance(value, dict) else 'an array'}, a cell holds one value",
        where=f"field {name!r}",
        todo="Name the wanted fields in ingestion.select, without this one.",
    )


class KeptPages:
    """Finished pages in a folder of their own, for a download that goes on where it ended.

    Args:
        folder: made when the first page is kept.
    """

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    def begin(self, state: Mapping[str, Any]) -> bool:
        """Say of what state of the data the pages are; False: others were there, now dropped."""
        same, there = self._state() == state, self.folder.exists()
        if not same:
            self.drop()
            publish(self.folder / _STATE, json.dumps(state, sort_keys=True).encode())
        return same or not there

    def keep(self, number: int, page: Page) -> None:
        """Keep a page; it is there wholly or not at all."""
        content = csv_text([page.fields, *page.rows]).encode()
        publish(self.folder / f"{number:06d}-{sha256(content).hexdigest()[:32]}.csv", content)

    def page(self, number: int) -> Page | None:
        """Return a page that was kept, None when it is not there or not what was kept."""
        for path in sorted(self.folder.glob(f"{number:06d}-*.csv")):
            content = path.read_bytes()
            if path.stem == f"{number:06d}-{sha256(content).hexdigest()[:32]}":
                return csv_page(content)
            path.unlink()
        return None

    @property
    def size(self) -> int:
        """Bytes that are kept."""
        return sum(path.stat().st_size for path in self.folder.glob("*.csv"))

    def drop(self) -> None:
        """Forget all of them."""
        shutil.rmtree(self.folder, ignore_errors=True)

    def _state(self) -> Any:
        try:
            return json.loads((self.folder / _STATE).read_text(encoding="utf-8"))
        except (OSError, ValueError):
            return None
