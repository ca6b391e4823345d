"""Where a typed table breaks its contract: every place, counted, with the first row."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import polars as pl

from heddle.domain.errors import DataContractError
from heddle.validation.between import disorder, gaps, key, orders
from heddle.validation.cast import column_faults
from heddle.validation.contract import Column, Contract
from heddle.validation.finding import Finding
from heddle.validation.parse import DTYPES
from heddle.validation.row_counts import row_counts

__all__ = ["check", "findings", "refuse"]


def check(
    frame: pl.DataFrame,
    contract: Contract,
    where: str,
    *,
    place: Callable[[int], str] | None = None,
    others: Mapping[str, pl.DataFrame] | None = None,
) -> None:
    """Refuse a table that breaks its contract.

    Args:
        frame: the table, typed.
        contract: what is declared.
        where: the data version or file, for the error.
        place: words for a row (from 0); by default "row 1" for the first.
        others: the versions that the number of rows is declared by.

    Raises:
        DataContractError: every finding, in one line.
        ConfigError: a version that the rows are declared by is not among the others.
    """
    refuse(findings(frame, contract, place=place, others=others), where)


def refuse(found: Sequence[Finding], where: str) -> None:
    """Raise what `check` raises if one of the findings is more than a notice."""
    faults = [f for f in found if f.severity == "refuse"]
    if faults:
        raise DataContractError(
            "; ".join(f.words for f in faults),
            where=where,
            todo="Mend the data, or its contract in configs/data_versions.",
        )


def findings(
    frame: pl.DataFrame,
    contract: Contract,
    *,
    place: Callable[[int], str] | None = None,
    others: Mapping[str, pl.DataFrame] | None = None,
) -> list[Finding]:
    """Return every way in which a table breaks its contract, worst first; [] if it keeps it."""
    place = place or _row
    faults = [
        Finding(column="", rule="columns", words=words)
        for words in column_faults(frame.columns, contract)
    ]
    faults += _width(frame, contract)
    faults += row_counts(frame, contract.rows, others or {}) if contract.rows else []
    present = {n: c for n, c in contract.columns.items() if n in frame.columns}
    facts = _facts(frame, present)
    for name, column in present.items():
        faults += _column(frame, _Seen(name, column, facts, place))
        faults += _constant(frame, name, facts, contract)
        faults += gaps(frame[name], column)
    faults += key(frame, contract, place)
    faults += disorder(frame, contract, place)
    faults += orders(frame, contract, place)
    return sorted(faults, key=lambda f: f.severity == "notice")


def _row(row: int) -> str:
    return f"row {row + 1:,}"


@dataclass(frozen=True, slots=True)
class _Seen:
    name: str
    column: Column
    facts: Mapping[str, Any]
    place: Callable[[int], str]

    @property
    def label(self) -> str:
        return f"{'target' if self.column.target else 'column'} {self.name!r}"

    def finding(self, rule: str, wrong: pl.Series, words: str) -> Finding:
        count, first = int(wrong.sum()), int(wrong.arg_max() or 0)
        rows = "row" if count == 1 else "rows"
        where = f"{count:,} {rows}, first in {self.place(first)}"
        return Finding(
            column=self.name,
            rule=rule,
            words=f"{self.label} {words} ({where})",
            count=count,
            first_row=first,
        )


def _width(frame: pl.DataFrame, contract: Contract) -> list[Finding]:
    if contract.width in (None, frame.width):
        return []
    words = f"has {frame.width} columns, declared are {contract.width}"
    return [Finding(column="", rule="columns", words=words)]


def _facts(frame: pl.DataFrame, columns: Mapping[str, Column]) -> Mapping[str, Any]:
    """One pass for the figures that tell whether a column needs a closer look."""
    wanted: list[pl.Expr] = []
    for name, column in columns.items():
        dtype, c = frame.schema[name], pl.col(name)
        wanted.append(c.null_count().alias(f"{name}\0nulls"))
        if dtype.is_numeric() or dtype == pl.Date:
            wanted += [c.min().alias(f"{name}\0min"), c.max().alias(f"{name}\0max")]
        if dtype.is_float():
            wanted.append((~c.is_finite()).sum().alias(f"{name}\0endless"))
        if dtype == pl.String and column.categories:
            unknown = c.is_not_null() & ~c.is_in(column.categories)
            wanted.append(unknown.sum().alias(f"{name}\0unknown"))
    return frame.select(wanted).row(0, named=True) if wanted else {}


def _column(frame: pl.DataFrame, seen: _Seen) -> list[Finding]:
    series, column = frame[seen.name], seen.column
    if series.dtype != DTYPES[column.type]:
        words = f"{seen.label} has the type {series.dtype}, declared is {column.type}"
        return [Finding(column=seen.name, rule="type", words=words, count=len(series))]
    found = []
    nulls = seen.facts[f"{seen.name}\0nulls"]
    if nulls and not column.nullable:
        found.append(_nulls(series, seen, int(nulls)))
    if seen.facts.get(f"{seen.name}\0endless"):
        found.append(seen.finding("finite", ~series.is_finite(), "is NaN or infinite"))
    found += _range(series, seen)
    if seen.facts.get(f"{seen.name}\0unknown"):
        wrong = series.is_not_null() & ~series.is_in(column.categories)
        value = series[int(wrong.arg_max() or 0)]
        known = ", ".join(map(repr, column.categories))
        words = f"holds {value!r}, which is none of {known}"
        found.append(seen.finding("categories", wrong, words))
    return found


def _nulls(series: pl.Series, seen: _Seen, nulls: int) -> Finding:
    if nulls == len(series):
        words = f"{seen.label} is missing in all {nulls:,} rows"
        return Finding(column=seen.name, rule="nulls", words=words, count=nulls, first_row=0)
    if seen.column.target:
        return seen.finding("nulls", series.is_null(), "must be known in every row, is missing")
    return seen.finding("nulls", series.is_null(), "is missing and not nullable")


def _range(series: pl.Series, seen: _Seen) -> list[Finding]:
    column, low = seen.column, seen.facts.get(f"{seen.name}\0min")
    high = seen.facts.get(f"{seen.name}\0max")
    if low is None:
        return []
    found = []
    if column.min is not None and low < column.min:
        words = f"goes down to {low:g}, least is {column.min:g}"
        found.append(seen.finding("range", _true(series < column.min), words))
    if column.above is not None and low <= column.above:
        words = f"goes down to {low:g}, must be above {column.above:g}"
        found.append(seen.finding("range", _true(series <= column.above), words))
    if column.max is not None and high is not None and high > column.max:
        words = f"goes up to {high:g}, most is {column.max:g}"
        wrong = _true((series > column.max) & series.is_finite())
        if wrong.any():
            found.append(seen.finding("range", wrong, words))
    return found


def _true(mask: pl.Series) -> pl.Series:
    return mask.fill_null(value=False)


def _constant(
    frame: pl.DataFrame, name: str, facts: Mapping[str, Any], contract: Contract
) -> list[Finding]:
    if frame.height < 2 or facts[f"{name}\0nulls"] == frame.height:
        return []
    if facts[f"{name}\0nulls"]:
        return []
    if f"{name}\0min" in facts:
        low, high = facts[f"{name}\0min"], facts[f"{name}\0max"]
        constant = low == high
    else:
        series = frame[name]
        constant = series[0] == series[-1] and series.n_unique() == 1
    if not constant:
        return []
    words = f"column {name!r} holds {frame[name][0]!r} in all {frame.height:,} rows"
    severity = contract.constant
    return [
        Finding(column=name, rule="constant", words=words, count=frame.height, severity=severity)
    ]
