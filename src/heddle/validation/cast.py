"""From text columns to the types of a contract, or one error that names every column at fault."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import polars as pl

from heddle.domain.errors import DataContractError, closest
from heddle.validation.contract import Contract
from heddle.validation.parse import Parsed, TextRules, fault_words, parse

__all__ = ["after_header", "cast", "column_faults"]


def after_header(row: int) -> int:
    """Return the line of row `row` (from 0) of a plain CSV: its header is line 1."""
    return row + 2


def cast(
    frame: pl.DataFrame,
    contract: Contract,
    *,
    where: str,
    rules: TextRules | None = None,
    line: Callable[[int], int] = after_header,
    unit: str = "line",
) -> pl.DataFrame:
    """Return the frame with the contract's types, its columns in the contract's order.

    Args:
        frame: columns of text (or of types already), under the contract's names.
        contract: what is declared.
        where: what to call the file in an error.
        rules: how unknown values and numbers are written.
        line: where in the file a row begins; `unit` is what it counts.
        unit: "line", "row" or "object".

    Returns:
        The typed frame; undeclared columns, where they are kept, stand last as they came.

    Raises:
        DataContractError: missing or extra columns, or cells that are no value of their type; all
            in one line, each with its column, first line, value and count.
    """
    if faults := column_faults(frame.columns, contract):
        todo = "Mend the file, or its contract in configs/data_versions."
        raise DataContractError("; ".join(faults), where=where, todo=todo)
    rules = rules or TextRules()
    there = {name: column for name, column in contract.columns.items() if name in frame.columns}
    read = {name: parse(frame[name], column, rules) for name, column in there.items()}
    faults = [
        _worded(frame[name], contract, parsed, f"{unit} {line(int(parsed.bad[0]))}")
        for name, parsed in read.items()
        if parsed.bad.size
    ]
    if faults:
        todo = "Mend the file, or declare the type, ingestion.options.nulls or decimal that it has."
        raise DataContractError("; ".join(faults), where=where, todo=todo)
    extra = [frame[name] for name in frame.columns if name not in contract.columns]
    return pl.DataFrame([*(p.values.alias(n) for n, p in read.items()), *extra])


def column_faults(columns: Sequence[str], contract: Contract) -> list[str]:
    """Say which declared columns are missing and which are there that were not declared."""
    declared = contract.columns
    missing = [n for n, c in declared.items() if n not in columns and not c.optional]
    extra = [name for name in columns if name not in declared]
    if len(extra) == len(columns):
        words = ", ".join(map(repr, list(declared)[:4])) + (" …" if len(declared) > 4 else "")
        seen = ", ".join(map(repr, columns[:4])) + (" …" if len(columns) > 4 else "")
        return [f"none of the declared columns ({words}) is there, only {seen}; is a header there?"]
    faults = []
    for name in missing:
        meant = closest(name, extra)
        hint = f" (is it {meant!r}?)" if meant else ""
        faults.append(f"column {name!r} is missing{hint}")
    if missing:
        more = f" and {len(columns) - 15} more" if len(columns) > 15 else ""
        faults[-1] += f", there are {', '.join(columns[:15])}{more}"
    if extra and contract.extra == "refuse":
        word = "column" if len(extra) == 1 else "columns"
        names = ", ".join(map(repr, extra))
        faults.append(f"{word} {names} not declared (drop or declare it, or set extra: keep)")
    return faults


def _worded(cells: pl.Series, contract: Contract, parsed: Parsed, place: str) -> str:
    column = contract.columns[cells.name]
    words = fault_words(cells[int(parsed.bad[0])], column)
    many = f" ({parsed.bad.size:,} such cells)" if parsed.bad.size > 1 else ""
    kind = "target" if column.target else "column"
    return f"{kind} {cells.name!r}, {place}: {words}{many}"
