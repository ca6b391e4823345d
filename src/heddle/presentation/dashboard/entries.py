"""What a form asks for each column of a model: which kind of field, and what stands in it."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from typing import Any, Literal

import polars as pl

from heddle.validation.contract import Column

__all__ = ["Entry", "as_json", "entries", "example", "typical"]

_DECIMALS = 6  # most that a field shows
_STEPS = 100  # about so many lie between the ends of what was seen


@dataclass(frozen=True, slots=True, kw_only=True)
class Entry:
    """One field of a form."""

    name: str
    kind: Literal["number", "whole", "choice", "text", "flag", "date"]
    hint: str = ""  # what the column is, and what training rows held
    choices: tuple[str, ...] = ()
    unseen: frozenset[str] = frozenset()  # choices that no training row had
    others: bool = False  # any other text is taken, too
    may_lack: bool = False  # a row may have no value
    may_miss: bool = False  # a row may not have the column
    step: float = 1.0
    decimals: int = 0


def entries(
    columns: Mapping[str, Column],
    seen: Mapping[str, Mapping[str, Any]],
    reference: pl.DataFrame | None = None,
) -> list[Entry]:
    """Return the fields of a form, in the order of the model's columns.

    >>> (size,) = entries({"size": Column(type="float")}, {"size": {"min": 20.0, "max": 250.0}})
    >>> size.kind, size.step, size.hint
    ('number', 2.0, 'Training rows: 20 to 250.')

    Args:
        columns: what a row has to bring.
        seen: what training rows held.
        reference: training rows, which show how finely numbers are written; None if there are none.
    """
    return [_entry(name, column, seen.get(name, {}), reference) for name, column in columns.items()]


def typical(
    columns: Mapping[str, Column],
    seen: Mapping[str, Mapping[str, Any]],
    reference: pl.DataFrame | None,
) -> dict[str, Any]:
    """Return a row in the middle: medians of numbers and days, the most frequent of words."""
    return {
        name: _middle(column, seen.get(name, {}), _values(reference, name))
        for name, column in columns.items()
    }


def example(columns: Mapping[str, Column], reference: pl.DataFrame, number: int) -> dict[str, Any]:
    """Return the training row of a number; after the last comes the first."""
    row = reference.row(number % reference.height, named=True)
    return {name: row.get(name) for name in columns}


def as_json(row: Mapping[str, Any], columns: Mapping[str, Column]) -> dict[str, Any]:
    """Return a row as it is sent: days as text; an optional column that is empty is left out.

    >>> as_json({"day": date(2024, 2, 29)}, {"day": Column(type="date")})
    {'day': '2024-02-29'}
    """
    told: dict[str, Any] = {}
    for name, column in columns.items():
        value = row.get(name)
        if value is None and column.optional:
            continue
        told[name] = value.isoformat() if isinstance(value, date) else value
    return told


def _entry(
    name: str, column: Column, seen: Mapping[str, Any], reference: pl.DataFrame | None
) -> Entry:
    shared: dict[str, Any] = {
        "name": name,
        "hint": _hint(column, seen),
        "may_lack": column.nullable or column.optional,
        "may_miss": column.optional,
    }
    kind: Literal["number", "whole", "flag", "date"]
    if column.type in {"float", "int"}:
        step = _step(column, seen)
        decimals = 0 if column.type == "int" else _decimals(_values(reference, name), step)
        kind = "number" if column.type == "float" else "whole"
        return Entry(kind=kind, step=step, decimals=decimals, **shared)
    if column.type == "string":
        known = [str(one) for one in seen.get("categories", ())]
        choices = tuple(dict.fromkeys([*column.categories, *known]))
        unseen = frozenset(choices) - frozenset(known) if known else frozenset()
        if not choices:
            return Entry(kind="text", **shared)
        others = not column.categories
        return Entry(kind="choice", choices=choices, unseen=unseen, others=others, **shared)
    kind = "flag" if column.type == "bool" else "date"
    return Entry(kind=kind, **shared)


def _hint(column: Column, seen: Mapping[str, Any]) -> str:
    words = [f"{column.description[:1].upper()}{column.description[1:]}."] * bool(
        column.description
    )
    if "min" in seen:
        words.append(f"Training rows: {_short(seen['min'])} to {_short(seen['max'])}.")
    elif "categories" in seen and column.type == "string":
        words.append(f"Training rows had {len(seen['categories']):,} of these.")
    if column.nullable:
        words.append("May be empty.")
    return " ".join(words)


def _short(value: Any) -> str:
    if isinstance(value, (int, float)):
        return f"{value:,.6g}" if abs(value) < 1e6 else f"{value:,.0f}"
    return str(value)


def _step(column: Column, seen: Mapping[str, Any]) -> float:
    """Return 1, 2 or 5 times a power of ten: about a hundredth of what was seen."""
    spread = float(seen["max"]) - float(seen["min"]) if "min" in seen else 0.0
    if spread <= 0 or not math.isfinite(spread):
        return 1.0 if column.type == "int" else 0.1
    rough = spread / _STEPS
    power = 10.0 ** math.floor(math.log10(rough))
    step = power * min((1, 2, 5, 10), key=lambda factor: abs(factor - rough / power))
    return max(1.0, step) if column.type == "int" else float(f"{step:.1g}")


def _decimals(values: pl.Series | None, step: float) -> int:
    """Return how many digits after the point are written, as training rows have them."""
    least = max(0, -math.floor(math.log10(step)))
    if values is None or values.is_empty():
        return min(_DECIMALS, max(2, least))
    told = (f"{value:.{_DECIMALS}f}".rstrip("0") for value in values.head(200).to_list())
    return max(least, *(len(text.partition(".")[2]) for text in told), 0)


def _values(reference: pl.DataFrame | None, name: str) -> pl.Series | None:
    if reference is None or name not in reference.columns:
        return None
    return reference[name].drop_nulls()


def _middle(column: Column, seen: Mapping[str, Any], values: pl.Series | None) -> Any:
    if values is not None and not values.is_empty():
        if column.type in {"string", "bool"}:
            return values.mode().sort()[0]
        middle = values.sort()[(len(values) - 1) // 2]  # one that there was
        return float(middle) if column.type == "float" else middle
    if column.type == "string":
        known = [*seen.get("categories", ()), *column.categories]
        return str(known[0]) if known else ""
    if column.type == "bool":
        return False
    if column.type == "date":
        return date(2024, 1, 1)
    middle = (seen["min"] + seen["max"]) / 2 if "min" in seen else column.min or 0.0
    return round(middle) if column.type == "int" else float(f"{middle:.4g}")
