"""Does every record of a delimited text have as many fields as the header? Exactly, and fast.

A CSV parser fills short rows up in silence. Here the separators and line ends outside quotes are
found in one vectorised pass, and each record's fields counted: about 0.1 s for 100 MB.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from heddle.domain.errors import DataContractError

__all__ = ["Structure", "examine", "first_record"]

_NEWLINE, _QUOTE = 10, 34
_CHUNK = 1 << 22

Bytes = NDArray[np.uint8]
Places = NDArray[np.int64]


@dataclass(frozen=True, slots=True)
class Structure:
    """What was found: every record has the header's number of fields."""

    rows: int  # records after the header, blank lines not counted
    quoted: bool  # a quote stands somewhere
    blank: Places  # offsets of the newlines that end blank lines
    starts: Places | None  # line of each row, when it is not row + 2 and what was skipped


def first_record(data: bytes) -> bytes:
    r"""Return the header's bytes without its line end; a newline inside quotes does not end it.

    >>> first_record(b'a,"b\nc",d\n1,2,3\n')
    b'a,"b\nc",d'
    """
    end = data.find(b"\n")
    while end >= 0 and data.count(b'"', 0, end) % 2:
        end = data.find(b"\n", end + 1)
    return data if end < 0 else data[:end]


def examine(
    data: bytes, delimiter: str, fields: int, where: str, *, skipped: int = 0, last: bool = True
) -> Structure:
    """Check a text that ends with a newline and begins with its header.

    Args:
        data: the whole file, newlines normalised.
        delimiter: one character.
        fields: how many the header has.
        where: what to call the file in an error.
        skipped: lines of the file between the header and the rest of `data`, a piece of it.
        last: the file ends where `data` does.

    Raises:
        DataContractError: a record with another number of fields, a quote that is never closed or
            stands inside a field, with its line.
    """
    separator = ord(delimiter)
    text = np.frombuffer(data, np.uint8)
    quoted = b'"' in data
    if rows := _all_equal(data, text, separator, fields):
        return Structure(rows - 1, quoted, np.empty(0, np.int64), None)
    outside = _outside_quotes(text, separator, where, skipped) if quoted else None
    ends, counts = _records(text, outside, separator)
    starts = np.concatenate([np.zeros(1, np.int64), ends[:-1] + 1])
    blank = (ends == starts) & (fields > 1)
    wrong = np.flatnonzero((counts != fields) & ~blank)
    if wrong.size:
        line = int(_lines(text, starts[wrong[:1]])[0]) + skipped
        raise _ragged(line, counts, wrong, fields, where, last=last)
    kept = starts[~blank]
    lines = _lines(text, kept[1:]) + skipped if blank.any() or quoted else None
    return Structure(int(kept.size) - 1, quoted, ends[blank], lines)


def _all_equal(data: bytes, text: Bytes, separator: int, fields: int) -> int:
    """Return the number of records if each is a line of `fields` fields, else 0: a closer look."""
    low = rows = 0
    while low < len(data):
        high = data.rfind(b"\n", low, low + _CHUNK) + 1 or data.find(b"\n", low) + 1
        part = text[low:high]
        is_end = part == _NEWLINE
        edge = is_end | (part == separator)
        is_quote = part == _QUOTE
        if is_quote.any():
            inside = _inside(is_quote, edge)
            if inside is None or inside[is_end].any():
                return 0
            edge &= ~inside
        marks = is_end[np.flatnonzero(edge)]
        if marks.size % fields or not marks[fields - 1 :: fields].all():
            return 0
        here = marks.size // fields
        if int(np.count_nonzero(marks)) != here:
            return 0
        low, rows = high, rows + here
    return rows


def _inside(is_quote: NDArray[np.bool_], edge: NDArray[np.bool_]) -> NDArray[np.bool_] | None:
    """Tell which bytes of whole lines stand inside quotes; None if a quote is out of place."""
    places = np.flatnonzero(is_quote)
    if places.size % 2:
        return None
    opening, closing = places[0::2], places[1::2]
    doubled = opening[1:] == closing[:-1] + 1  # "" inside quotes
    before = edge[opening - 1]
    before[:1] |= opening[:1] == 0
    before[1:] |= doubled
    after = edge[closing + 1]
    after[:-1] |= doubled
    if not (before.all() and after.all()):
        return None
    inside: NDArray[np.bool_] = np.bitwise_xor.accumulate(is_quote)
    return inside


def _records(
    text: Bytes, outside: NDArray[np.bool_] | None, separator: int
) -> tuple[Places, Places]:
    """Return where each record ends, and how many fields it has."""
    is_end = text == _NEWLINE
    mask = is_end | (text == separator)
    if outside is not None:
        mask &= outside
    marks = np.flatnonzero(mask)
    last = np.flatnonzero(is_end[marks])
    return marks[last], np.diff(last, prepend=-1)


def _outside_quotes(text: Bytes, separator: int, where: str, skipped: int) -> NDArray[np.bool_]:
    """Tell for each byte whether it stands outside quotes; refuse quotes in wrong places."""
    is_quote = text == _QUOTE
    places = np.flatnonzero(is_quote)
    opening, closing = places[0::2], places[1::2]
    edge = (text == separator) | (text == _NEWLINE)
    before = np.concatenate([[True], edge])[opening]  # the file's start is an edge too
    before[1:] |= opening[1:] == closing[: opening.size - 1] + 1  # "" inside quotes
    after = np.concatenate([edge, [True]])[closing + 1]
    after[: opening.size - 1] |= opening[1:] == closing[: opening.size - 1] + 1
    faults = np.concatenate([opening[~before], closing[~after]])
    if faults.size:
        line = _lines(text, faults.min()[None])[0] + skipped
        raise DataContractError(
            f"line {line} has a quote inside a field",
            where=where,
            todo='Put the whole field in quotes and double the inner one, as in "6"" pipe".',
        )
    if opening.size > closing.size:
        line = _lines(text, opening[-1:])[0] + skipped
        raise DataContractError(
            f"line {line} opens a quote that is never closed",
            where=where,
            todo="Close it, or export the file again: it may be cut short.",
        )
    parity: Bytes = np.bitwise_xor.accumulate(is_quote.view(np.uint8))
    outside: NDArray[np.bool_] = parity == 0
    return outside


def _lines(text: Bytes, places: Places) -> Places:
    """Return the line, from 1, on which each offset (ascending) lies."""
    newlines = np.flatnonzero(text == _NEWLINE)
    return np.searchsorted(newlines, places) + 1


def _ragged(
    line: int, counts: Places, wrong: Places, fields: int, where: str, *, last: bool
) -> DataContractError:
    row = int(wrong[0])
    if last and row == counts.size - 1 and counts[row] < fields:
        return DataContractError(
            f"line {line}, the last, has {counts[row]} of {fields} fields: half a line",
            where=where,
            todo="The file is cut short; fetch or export it again.",
        )
    more = f"; so have {wrong.size - 1} more" if wrong.size > 1 else ""
    kind = "too few" if counts[row] < fields else "too many"
    return DataContractError(
        f"line {line} has {counts[row]} fields, the header has {fields} ({kind}{more})",
        where=where,
        todo="Mend the line, or set ingestion.options.delimiter.",
    )
