"""The same contract, row by row: what is right is used, what is wrong is told with its line."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
import polars as pl
from numpy.typing import NDArray

from heddle.domain.errors import DataContractError
from heddle.validation.cast import after_header, column_faults
from heddle.validation.contract import Column, Contract
from heddle.validation.parse import TextRules, fault_words, parse

__all__ = ["Checked", "RowFault", "checked_rows", "row_findings"]

Rows = NDArray[np.int64]


@dataclass(frozen=True, slots=True, kw_only=True, order=True)
class RowFault:
    """Why a row is not used, or, when not fatal, what is unusual about one that is."""

    line: int
    column: str
    reason: str
    fatal: bool = True


def row_findings(
    frame: pl.DataFrame,
    contract: Contract,
    *,
    where: str = "input",
    rules: TextRules | None = None,
    line: Callable[[int], int] = after_header,
) -> tuple[pl.DataFrame, list[RowFault]]:
    """Return the rows that keep the contract, typed, and a word on every row that is remarkable.

    Args:
        frame: text or typed columns; columns that are not declared are left out.
        contract: what is declared of one row; its key and number of rows are not looked at.
        where: what to call the input in an error.
        rules: how unknown values and numbers are written.
        line: where in the input a row begins.

    Returns:
        The good rows in their order, columns in the contract's order; and the faults by line. A
        row with a fatal fault is not among the good ones. An unknown category is no fatal fault:
        the row is kept and flagged.

    Raises:
        DataContractError: a declared column is missing: then no row can be used.
    """
    here = _declared(frame.columns, contract, where)
    bad = np.zeros(frame.height, dtype=np.bool_)
    faults: list[RowFault] = []
    typed: list[pl.Series] = []
    for name, column in here.items():
        cells = frame[name]
        parsed = parse(cells, column, rules or TextRules())
        typed.append(parsed.values.alias(name))
        for rows, words, fatal in _wrong(parsed.values, parsed.bad, column):
            bad[rows] |= fatal
            faults += [
                RowFault(line=line(int(r)), column=name, reason=words(cells[int(r)]), fatal=fatal)
                for r in rows
            ]
    return pl.DataFrame(typed).filter(pl.Series(~bad)), sorted(faults)


@dataclass(frozen=True, slots=True)
class Checked:
    """Many rows, the good and the bad."""

    good: pl.DataFrame  # typed, in the contract's order
    kept: NDArray[np.bool_]  # of each row, whether it is good
    faults: pl.DataFrame  # row (from 0), column, reason; by row


def checked_rows(
    frame: pl.DataFrame,
    contract: Contract,
    *,
    where: str = "input",
    rules: TextRules | None = None,
) -> Checked:
    """Return what `row_findings` does for many rows: columns at a time, fatal faults only.

    Args:
        frame: as there.
        contract: as there.
        where: what to call the input in an error.
        rules: how unknown values and numbers are written.

    Raises:
        DataContractError: a declared column is missing: then no row can be used.
    """
    bad = np.zeros(frame.height, dtype=np.bool_)
    faults = [pl.DataFrame(schema=_FAULT)]
    typed: list[pl.Series] = []
    for name, column in _declared(frame.columns, contract, where).items():
        cells = frame[name]
        parsed = parse(cells, column, rules or TextRules())
        typed.append(parsed.values.alias(name))
        for rows, words, fatal in _wrong(parsed.values, parsed.bad, column):
            if fatal and rows.size:
                bad[rows] = True
                faults.append(_told(name, rows, cells, words))
    good = pl.DataFrame(typed, height=frame.height)
    return Checked(
        good.filter(pl.Series(~bad)) if bad.any() else good,
        ~bad,
        pl.concat(faults).sort("row", "column", "reason"),
    )


_FAULT = {"row": pl.Int64, "column": pl.String, "reason": pl.String}


def _told(name: str, rows: Rows, cells: pl.Series, words: Callable[[object], str]) -> pl.DataFrame:
    reasons = [words(cell) for cell in cells.gather(rows)]
    return pl.DataFrame({"row": rows, "column": name, "reason": reasons}, schema=_FAULT)


def _declared(columns: Sequence[str], contract: Contract, where: str) -> dict[str, Column]:
    """Return the declared columns that are there; without one that must be, no row is used."""
    here = {name: column for name, column in contract.columns.items() if name in columns}
    if any(not c.optional for n, c in contract.columns.items() if n not in here):
        raise DataContractError("; ".join(column_faults(columns, contract)), where=where)
    return here


Wrong = tuple[Rows, Callable[[object], str], bool]


def _wrong(values: pl.Series, unread: Rows, column: Column) -> list[Wrong]:
    """Which rows of a column are wrong, how to say so, and whether that rules them out."""
    found: list[Wrong] = [(unread, lambda cell: fault_words(cell, column), True)]
    if not column.nullable:
        lost = np.setdiff1d(_rows(values.is_null()), unread)
        found.append((lost, lambda _: "is missing", True))
    if column.min is not None:
        least = f"is below {column.min:g}"
        found.append((_rows(values < column.min), lambda cell: f"{cell} {least}", True))
    if column.above is not None:
        floor = f"is not above {column.above:g}"
        found.append((_rows(values <= column.above), lambda cell: f"{cell} {floor}", True))
    if column.max is not None:
        most = f"is above {column.max:g}"
        found.append((_rows(values > column.max), lambda cell: f"{cell} {most}", True))
    if column.categories:
        known = ", ".join(map(repr, column.categories))
        strange = _rows(values.is_not_null() & ~values.is_in(column.categories))
        found.append((strange, lambda cell: f"{cell!r} is none of {known}", False))
    return found


def _rows(mask: pl.Series) -> Rows:
    return mask.fill_null(value=False).arg_true().to_numpy().astype(np.int64)
