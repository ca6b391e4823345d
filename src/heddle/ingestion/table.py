"""What the reader gives: a table whose cells are still as they stood in the file."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import polars as pl

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

__all__ = ["RawTable"]


@dataclass(frozen=True, slots=True, kw_only=True)
class RawTable:
    """A table of text cells (Parquet: of the types it was stored with), not yet believed."""

    frame: pl.DataFrame
    headers: tuple[str, ...]  # as in the file; the frame's columns are named after them
    format: str  # csv | tsv | parquet | json | jsonl
    member: str = ""  # of an archive
    encoding: str = ""
    delimiter: str = ""
    notes: tuple[str, ...] = ()  # guesses that were made, for a person to see
    unit: str = "line"  # what `line` counts: lines of a text file, objects or rows of another
    first: int = 2  # where row 0 is: line 2, after the header
    starts: NDArray[np.int64] | None = None  # line of each row, when it is not first + row

    def line(self, row: int) -> int:
        """Return the line of the file on which row `row` (from 0) begins."""
        return int(self.starts[row]) if self.starts is not None else row + self.first
