"""A table of any size, given piece by piece."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass

import numpy as np
import polars as pl
from numpy.typing import NDArray

__all__ = ["Piece", "Streamed", "blocks"]


@dataclass(frozen=True, slots=True)
class Piece:
    """Some rows, and where each of them stands in the file."""

    frame: pl.DataFrame
    lines: NDArray[np.int64]


Pieces = Callable[[Sequence[str], int, int], Iterable[Piece]]


@dataclass(frozen=True, slots=True, kw_only=True)
class Streamed:
    """A table that was looked at as a whole and is not held in memory."""

    columns: tuple[str, ...]  # under the names that they get
    rows: int
    format: str
    pieces: Pieces  # columns that are wanted, rows to pass over, bytes or rows at a time
    unit: str = "line"  # what `lines` counts
    notes: tuple[str, ...] = ()  # guesses that were made, for a person to see
    whole: bool = False  # it is held in memory after all


def blocks(pieces: Iterable[Piece], rows: int) -> Iterator[Piece]:
    """Yield the rows of all pieces in blocks of `rows`, the last as it comes.

    >>> two = Piece(pl.DataFrame({"x": [1, 2]}), np.array([2, 3]))
    >>> [block.lines.tolist() for block in blocks([two, two, two], 4)]
    [[2, 3, 2, 3], [2, 3]]
    """
    held: list[Piece] = []
    here = 0
    for piece in pieces:
        start = 0
        while piece.frame.height - start >= rows - here:
            end = start + rows - here
            held.append(Piece(piece.frame[start:end], piece.lines[start:end]))
            yield _one(held)
            held, here, start = [], 0, end
        if start < piece.frame.height:
            held.append(Piece(piece.frame[start:], piece.lines[start:]))
            here += piece.frame.height - start
    if held:
        yield _one(held)


def _one(held: Sequence[Piece]) -> Piece:
    if len(held) == 1:
        return held[0]
    frame = pl.concat([piece.frame for piece in held], rechunk=True)
    return Piece(frame, np.concatenate([piece.lines for piece in held]))
