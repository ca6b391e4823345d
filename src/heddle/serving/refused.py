"""Bad rows of a file, counted and the first of them named."""

from __future__ import annotations

from dataclasses import dataclass, field

import polars as pl

from heddle.domain.errors import DataContractError
from heddle.ingestion.pieces import Streamed

__all__ = ["Refused"]

_SHOWN = 5  # bad rows named in an error


@dataclass(slots=True)
class Refused:
    """What is wrong with the rows seen so far."""

    lines: int = 0  # that are bad
    faults: int = 0  # some lines have several
    first: list[tuple[int, str, str]] = field(default_factory=list)

    def add(self, faults: pl.DataFrame) -> None:
        """Add faults by line: columns row, column, reason."""
        self.lines += faults["row"].n_unique()
        self.faults += faults.height
        self.first += faults.head(_SHOWN - len(self.first)).rows()

    def error(self, table: Streamed, where: str, *, skipped: bool) -> DataContractError:
        """Say how many rows cannot be predicted, and why the first of them cannot."""
        shown = "; ".join(
            f"{table.unit} {line}, column {column!r}: {reason}"
            for line, column, reason in self.first
        )
        more = f"; and {self.faults - len(self.first)} more" if self.faults > _SHOWN else ""
        rows = "row" if self.lines == 1 else "rows"
        todo = "Mend them, or leave them out with --on-error skip. Nothing was written."
        if skipped:
            todo = "No row is left to predict. Nothing was written."
        return DataContractError(
            f"{self.lines:,} of {table.rows:,} {rows} cannot be predicted: {shown}{more}",
            where=where,
            todo=todo,
        )
