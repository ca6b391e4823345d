"""CSV and its relatives, larger than memory: the same questions as of a small file, in passes."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from heddle.domain.errors import DataContractError
from heddle.ingestion.delimited import Shape, no_rows, parsed, shape_of
from heddle.ingestion.options import ReadOptions
from heddle.ingestion.pieces import Piece, Streamed
from heddle.ingestion.structure import Structure, examine, first_record
from heddle.ingestion.text_pieces import Told, tell_encoding, text_pieces

__all__ = ["stream_delimited"]

_HEAD = 1 << 16  # bytes that tell the delimiter
_LONGEST_HEAD = 1 << 24
_LONGEST = 1 << 26  # bytes of a record
_LOOK = 1 << 22

Places = NDArray[np.int64]


def stream_delimited(path: Path, kind: str, options: ReadOptions, where: str) -> Streamed:
    """Return a delimited text of any size as a table of text cells.

    The whole file is looked at first, so that what `heddle.ingestion.delimited.read_delimited`
    would refuse is refused before a piece of it is given.

    Args:
        path: the file.
        kind: "csv" or "tsv": the delimiter that is expected, others are noticed.
        options: encoding, delimiter, headers and unnamed are used.
        where: what to call the file in an error.

    Raises:
        DataContractError: as `read_delimited`. Of many ragged lines, those are counted that stand
            within some megabytes of the first; a record of more than 64 MiB is refused.
    """
    told = tell_encoding(path, options.encoding, where)
    head = _head(text_pieces(path, told, where, size=_HEAD))
    shape = shape_of(head, kind, options, where)
    file = _File(path, told, shape, first_record(head) + b"\n", where)
    rows, blank = _surveyed(file.looked_at(_LOOK))
    if not rows:
        raise no_rows(where)
    notes = [told.note] if told.note else []
    notes += [*shape.notes, *([f"{where}: {blank}"] if blank else [])]
    return Streamed(
        columns=shape.names,
        rows=rows,
        format=kind,
        pieces=file.pieces,
        notes=tuple(notes),
    )


@dataclass(frozen=True, slots=True)
class _Look:
    """Whole records of a text, the header before them."""

    text: bytes
    found: Structure
    skipped: int

    @property
    def lines(self) -> Places:
        """Where each row begins."""
        if self.found.starts is not None:
            return self.found.starts
        return np.arange(self.found.rows, dtype=np.int64) + 2 + self.skipped


@dataclass(frozen=True, slots=True)
class _File:
    path: Path
    told: Told
    shape: Shape
    head: bytes  # the header with its line end
    where: str

    def looked_at(self, size: int) -> Iterator[_Look]:
        """Give the text in pieces of whole records, each found to be sound."""
        skipped, fields = 0, len(self.shape.names)
        texts = text_pieces(self.path, self.told, self.where, size=size)
        for number, (text, last) in enumerate(_records(texts)):
            whole = text if number == 0 else self.head + text
            found = examine(
                whole, self.shape.delimiter, fields, self.where, skipped=skipped, last=last
            )
            if len(text) > _LONGEST and found.rows <= 1:
                raise DataContractError(
                    f"a record is longer than {_LONGEST:,} bytes", where=self.where
                )
            yield _Look(whole, found, skipped)
            skipped += text.count(b"\n") - (self.head.count(b"\n") if number == 0 else 0)

    def pieces(self, columns: Sequence[str], skip: int, size: int) -> Iterator[Piece]:
        """Give the rows after the first `skip`, `size` bytes of the file at a time."""
        names, delimiter = self.shape.names, self.shape.delimiter
        for look in self.looked_at(size):
            rows = look.found.rows
            if rows > skip:
                frame = parsed(look.text, delimiter, names, look.found, self.where)
                yield Piece(frame.select(columns)[skip:], look.lines[skip:])
            skip = max(0, skip - rows)


def _head(texts: Iterator[bytes]) -> bytes:
    """Return enough of a text to tell its shape, ending with a newline if it ends here."""
    held = b""
    for text in texts:
        held += text
        if len(held) > _LONGEST_HEAD:
            return held
        if len(held) >= _HEAD and len(first_record(held)) < len(held):
            return held
    return _closed(held)


def _closed(text: bytes) -> bytes:
    return text if text.endswith(b"\n") else text + b"\n"


def _records(texts: Iterable[bytes]) -> Iterator[tuple[bytes, bool]]:
    """Cut a text at ends of records; say with each piece whether it is the last."""
    ready: bytes | None = None
    held: list[bytes] = []
    size = 0
    for text in texts:
        held.append(text)
        size += len(text)
        if b"\n" not in text and size <= _LONGEST:
            continue
        whole = b"".join(held)
        end = _last_end(whole) or (len(whole) if size > _LONGEST else 0)
        held, size = [whole[end:]], len(whole) - end
        if end:
            if ready is not None:
                yield ready, False
            ready = _closed(whole[:end])
    whole = (ready or b"") + b"".join(held)
    if whole:
        yield _closed(whole), True


def _last_end(text: bytes) -> int:
    """Return where the last whole record ends, 0 if none does: newlines in quotes end none."""
    end = text.rfind(b"\n") + 1
    if b'"' not in text:
        return end
    quotes = text.count(b'"', 0, end)
    while end and quotes % 2:
        before = text.rfind(b"\n", 0, end - 1) + 1
        quotes -= text.count(b'"', before, end)
        end = before
    return end


def _surveyed(looks: Iterable[_Look]) -> tuple[int, str]:
    """Count rows, and say how many blank lines stand among them, those at the end apart."""
    rows = inner = waiting = first = 0
    for look in looks:
        blank = look.found.blank
        if look.found.rows:
            end = len(look.text.rstrip(b"\n"))
            among = int(np.searchsorted(blank, end))
            inner, waiting = inner + waiting + among, blank.size - among
        else:
            waiting += blank.size
        if blank.size and not first:
            first = look.skipped + look.text.count(b"\n", 0, int(blank[0])) + 1
        rows += look.found.rows
    return rows, f"skipped {inner} blank line(s), the first is line {first}" if inner else ""
