"""From the text of a cell to a value of the declared type: one column at a time, vectorised.

A cell that cannot be read becomes null and its row is reported, so that a caller may refuse the
file (`cast`) or the row (`rows`).
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from math import isinf
from typing import Literal

import numpy as np
import polars as pl
from numpy.typing import NDArray

from heddle.validation.contract import Column
from heddle.validation.days import days_of_moments, days_of_text, fault_of_moment

__all__ = ["DTYPES", "Parsed", "TextRules", "fault_words", "parse"]

DTYPES: dict[str, pl.DataType] = {
    "float": pl.Float64(),
    "int": pl.Int64(),
    "string": pl.String(),
    "bool": pl.Boolean(),
    "date": pl.Date(),
}
_EXACT = 2**53  # beyond it, not every whole number is a float
_TRUE, _FALSE = ("true", "1", "yes"), ("false", "0", "no")
_WHOLE = re.compile(r"[+-]?\d{1,400}", re.ASCII)
_NUMBER = re.compile(r"[+-]?(\d+\.?\d*|\.\d+)([eE][+-]?\d+)?", re.ASCII)
_ENDLESS = {"inf", "infinity", "nan"}


@dataclass(frozen=True, slots=True, kw_only=True)
class TextRules:
    """How numbers and unknown values are written."""

    nulls: tuple[str, ...] = ("",)  # texts that mean "not known"; anything else is a value
    decimal: Literal[".", ","] = "."
    thousands: Literal["", ",", ".", " ", "'"] = ""


@dataclass(frozen=True, slots=True)
class Parsed:
    """A typed column, and the rows (from 0) whose cell could not be read and is null here."""

    values: pl.Series
    bad: NDArray[np.int64]


def parse(cells: pl.Series, column: Column, rules: TextRules) -> Parsed:
    """Return the column's values under the declared type.

    Text is read by `rules`; a column that is typed already (Parquet, JSON over HTTP) keeps its
    values where the declared type can hold them exactly.
    """
    if cells.dtype != pl.String:
        return _convert(cells, column)
    if column.type == "string":
        return Parsed(_nulled(cells, rules.nulls), _NONE)
    if column.type in ("float", "int"):
        return _numbers(cells, column, rules)
    text = _nulled(cells.str.strip_chars(), rules.nulls)
    if column.type == "bool":
        low = text.str.to_lowercase()
        known = low.is_in([*_TRUE, *_FALSE])
        values = low.is_in(_TRUE).zip_with(known.fill_null(value=False), _empty(text, "bool"))
    else:
        values = days_of_text(text, column.zone)
    return Parsed(values.alias(cells.name), _where(values.is_null() & text.is_not_null()))


def fault_words(cell: object, column: Column) -> str:
    """Say why a cell is no value of its column.

    >>> fault_words("abc", Column(type="float")), fault_words("1e400", Column(type="float"))
    ("'abc' is no number", "'1e400' is infinite")
    """
    text = str(cell).strip()
    shown = repr(cell if len(text) <= 40 else text[:40] + "…")
    if column.type == "string":
        return f"{shown} is no text"
    if column.type == "bool":
        return f"{shown} is neither true nor false"
    if column.type == "date" and (moment := fault_of_moment(text, column.zone)):
        return f"{text!r} {moment}"
    if column.type == "date":
        return f"{shown} is no date (year-month-day, as 2024-02-29)"
    if text.lower().lstrip("+-") in _ENDLESS:
        return f"{shown} is not finite"
    if _WHOLE.fullmatch(text):
        room = "64 bits" if column.type == "int" else "a float without loss (2^53)"
        return f"{shown} is too large for {room}"
    if _NUMBER.fullmatch(text) and column.type == "int":
        return f"{shown} is no whole number"
    if _NUMBER.fullmatch(text) and isinf(float(text)):
        return f"{shown} is infinite"
    return f"{shown} is no number"


_NONE: NDArray[np.int64] = np.empty(0, np.int64)


def _where(mask: pl.Series) -> NDArray[np.int64]:
    return mask.arg_true().to_numpy().astype(np.int64)


def _empty(like: pl.Series, kind: str) -> pl.Series:
    return pl.Series(like.name, [None], dtype=DTYPES[kind]).new_from_index(0, len(like))


def _nulled(text: pl.Series, nulls: tuple[str, ...]) -> pl.Series:
    is_null = text.is_in(nulls) if nulls else None
    if is_null is None or not is_null.any():
        return text
    return text.set(is_null.fill_null(value=False), None)


def _numbers(cells: pl.Series, column: Column, rules: TextRules) -> Parsed:
    """Read all cells at once; only those that come out null or odd are looked at again."""
    numeric_nulls = tuple(n for n in rules.nulls if _NUMBER.fullmatch(n.strip()))
    text = _nulled(cells, numeric_nulls)
    plain_text = _points(text, rules) if rules.thousands or rules.decimal != "." else text
    dtype = DTYPES[column.type]
    values = plain_text.cast(dtype, strict=False)
    odd = values.is_null() & text.is_not_null()
    if column.type == "float":
        odd |= (~values.is_finite()).fill_null(value=False)
        odd |= (values.abs() >= _EXACT).fill_null(value=False)
    rows = _where(odd)
    if not rows.size:
        return Parsed(values, _NONE)
    again = [_number(t, o, column, rules) for t, o in _pairs(plain_text, cells, rows)]
    bad = rows[[value is _BAD for value in again]]
    mended = pl.Series([None if v is _BAD else v for v in again], dtype=dtype, strict=True)
    return Parsed(values.scatter(rows, mended), bad)


def _points(text: pl.Series, rules: TextRules) -> pl.Series:
    """Rewrite 1.234,5 as 1234.5; a separator of thousands must stand before three digits."""
    if rules.thousands:
        mark = re.escape(rules.thousands)
        point = re.escape(rules.decimal)
        grouped = text.str.contains(rf"^\s*[+-]?\d{{1,3}}({mark}\d{{3}})+({point}\d*)?\s*$")
        bare = text.str.replace_all(rules.thousands, "", literal=True)
        text = bare.zip_with(grouped.fill_null(value=False), text)
    if rules.decimal == ",":
        foreign = text.str.contains(".", literal=True).fill_null(value=False)
        text = text.str.replace(",", ".", literal=True).zip_with(~foreign, text + "?")
    return text


def _pairs(text: pl.Series, cells: pl.Series, rows: NDArray[np.int64]) -> zip[tuple[str, str]]:
    return zip(text.gather(rows), cells.gather(rows), strict=True)


class _Bad:
    """Marks a cell that is no number."""


_BAD = _Bad()


def _number(
    text: str, original: str, column: Column, rules: TextRules
) -> float | int | _Bad | None:
    """The slow path for one odd cell: padded, unknown, written as 41.0, huge, or wrong."""
    stripped = text.strip()
    if original in rules.nulls or original.strip() in rules.nulls:
        return None
    if not _NUMBER.fullmatch(stripped):
        return _BAD
    value = float(stripped)
    if column.type == "int":
        whole = int(stripped) if _WHOLE.fullmatch(stripped) else None
        if whole is None and value.is_integer() and abs(value) <= _EXACT:
            whole = int(value)
        return whole if whole is not None and -(2**63) <= whole < 2**63 else _BAD
    if isinf(value) or (_WHOLE.fullmatch(stripped) and int(value) != int(stripped)):
        return _BAD
    return value


def _convert(cells: pl.Series, column: Column) -> Parsed:
    """Take values that have a type already; what does not survive the way back is bad."""
    wanted = DTYPES[column.type]
    if cells.dtype == pl.Null:
        return Parsed(cells.cast(wanted), _NONE)
    if cells.dtype == wanted:
        return _finite(cells) if column.type == "float" else Parsed(cells, _NONE)
    if column.type == "string" and cells.dtype in (pl.Categorical, pl.Enum):
        return Parsed(cells.cast(pl.String), _NONE)
    if column.zone and isinstance(cells.dtype, pl.Datetime):
        days = days_of_moments(cells, column.zone)
        return Parsed(days, _where(days.is_null() & cells.is_not_null()))
    if column.type not in ("float", "int") or not cells.dtype.is_numeric():
        return Parsed(_empty(cells, column.type), _where(cells.is_not_null()))
    if cells.dtype.is_float():
        cells = cells.fill_nan(None)
    values = cells.cast(wanted, strict=False)
    if column.type == "float" and cells.dtype.is_float():
        return _finite(values)
    same = (values.cast(cells.dtype, strict=False) == cells).fill_null(value=False)
    if column.type == "float":
        same &= (values.abs() <= _EXACT).fill_null(value=False)
    bad = _where(cells.is_not_null() & ~same)
    return Parsed(values.scatter(bad, None) if bad.size else values, bad)


def _finite(values: pl.Series) -> Parsed:
    """Numbers in memory write "not known" as NaN: it becomes null. Infinity is bad."""
    if values.is_finite().all():
        return Parsed(values, _NONE)
    values = values.fill_nan(None)
    bad = _where(values.is_infinite().fill_null(value=False))
    return Parsed(values.scatter(bad, None) if bad.size else values, bad)
