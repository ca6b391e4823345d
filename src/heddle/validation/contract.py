"""What a data version promises: its columns, types, ranges, categories, key and size."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Literal

from heddle.domain.typed import build

__all__ = ["Column", "Contract", "RowRange", "read_contract"]


@dataclass(frozen=True, slots=True, kw_only=True)
class RowRange:
    """How many rows there may be, both ends included."""

    min: int = 1
    max: int | None = None

    def __post_init__(self) -> None:
        if self.min < 0 or (self.max is not None and self.max < self.min):
            raise ValueError(f"0 <= min <= max must hold, but got min={self.min}, max={self.max}")


@dataclass(frozen=True, slots=True, kw_only=True)
class Column:
    """What one column holds. NaN and infinity are never allowed; a null only if `nullable`."""

    type: Literal["float", "int", "string", "bool", "date"]
    nullable: bool = False
    min: float | None = None  # included, in the column's unit
    max: float | None = None  # included
    above: float | None = None  # excluded: every value is greater
    categories: tuple[str, ...] = ()  # of a string column; () allows any text
    target: bool = False  # what models predict: not an input, and known in every row
    description: str = ""

    def __post_init__(self) -> None:
        numeric = self.type in ("float", "int")
        if not numeric and not (self.min is self.max is self.above is None):
            raise ValueError(f"min, max and above are for numbers, not for a {self.type} column")
        if self.categories and self.type != "string":
            raise ValueError(f"categories are for a string column, not for {self.type}")
        if self.min is not None and self.max is not None and self.min > self.max:
            raise ValueError(f"min <= max must hold, but got min={self.min}, max={self.max}")
        if self.target and self.nullable:
            raise ValueError("a target cannot be nullable")


@dataclass(frozen=True, slots=True, kw_only=True)
class Contract:
    """A data version's declared promise; `findings` tells where a table breaks it."""

    columns: Mapping[str, Column]
    description: str = ""
    rows: RowRange | None = None
    key: tuple[str, ...] = ()  # columns that together are unique in every row
    extra: Literal["refuse", "keep"] = "refuse"  # columns that are not declared
    constant: Literal["refuse", "notice"] = "notice"  # columns with one value in all rows

    def __post_init__(self) -> None:
        if not self.columns:
            raise ValueError("no column is declared")
        if unknown := [name for name in self.key if name not in self.columns]:
            raise ValueError(f"key names {unknown}, columns are {list(self.columns)}")


def read_contract(values: Mapping[str, Any], version: str) -> Contract:
    """Return a version's contract from its YAML. Raises ConfigError naming file and key."""
    return build(Contract, values, where=f"data_versions.{version}")
