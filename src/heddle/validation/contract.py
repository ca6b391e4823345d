"""What a data version promises: its columns, types, ranges, categories, key, order and size."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Literal
from zoneinfo import ZoneInfo

from heddle.domain.typed import build

__all__ = ["Column", "Contract", "Order", "RowRange", "read_contract"]


@dataclass(frozen=True, slots=True, kw_only=True)
class RowRange:
    """How many rows there may be: a range, both ends included, and what versions read say of it.

    The versions named are those that the stage reads, so that DVC knows of the dependence.
    """

    min: int = 1
    max: int | None = None
    same_as: str = ""  # a version: as many rows as it has
    at_most: str = ""  # a version: no more rows than it has
    keeps: float = 0.0  # with at_most: at least this share of its rows
    groups_of: str = ""  # a version: as many rows as it has distinct values of `by`
    by: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        if self.min < 0 or (self.max is not None and self.max < self.min):
            raise ValueError(f"0 <= min <= max must hold, but got min={self.min}, max={self.max}")
        if not 0 <= self.keeps <= 1 or (self.keeps and not self.at_most):
            raise ValueError("keeps is a share from 0 to 1 of the rows of at_most")
        if bool(self.groups_of) != bool(self.by):
            raise ValueError("groups_of, a version, and by, its columns, go together")

    @property
    def versions(self) -> tuple[str, ...]:
        """The versions whose rows decide, each once."""
        return tuple(dict.fromkeys(filter(None, (self.same_as, self.at_most, self.groups_of))))


@dataclass(frozen=True, slots=True, kw_only=True)
class Order:
    """Two columns of numbers: `lower` is not above `upper` in at least `share` of the rows.

    Rows that break it while enough others keep it are noticed, not refused.
    """

    lower: str
    upper: str
    share: float = 1.0

    def __post_init__(self) -> None:
        if not 0 < self.share <= 1:
            raise ValueError(f"share must be above 0 and at most 1, not {self.share:g}")


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
    optional: bool = False  # the column may be missing altogether
    zone: str = ""  # of a date column whose file may write midnight there for a day
    gaps: Literal["ignore", "notice", "refuse"] = "ignore"  # whole numbers between that no row has
    description: str = ""

    def __post_init__(self) -> None:
        numeric = self.type in ("float", "int")
        if not numeric and not (self.min is self.max is self.above is None):
            raise ValueError(f"min, max and above are for numbers, not for a {self.type} column")
        if self.categories and self.type != "string":
            raise ValueError(f"categories are for a string column, not for {self.type}")
        if self.min is not None and self.max is not None and self.min > self.max:
            raise ValueError(f"min <= max must hold, but got min={self.min}, max={self.max}")
        if self.target and (self.nullable or self.optional):
            raise ValueError(f"a target cannot be {'nullable' if self.nullable else 'optional'}")
        if self.gaps != "ignore" and self.type != "int":
            raise ValueError(f"gaps are those of an int column, not of a {self.type} column")
        if self.zone and self.type != "date":
            raise ValueError(f"zone is that of a date column, not of a {self.type} column")
        if self.zone and not _is_zone(self.zone):
            raise ValueError(f"no time zone {self.zone!r} is known, such as America/New_York")


def _is_zone(name: str) -> bool:
    try:
        ZoneInfo(name)
    except (KeyError, ValueError, OSError):
        return False
    return True


@dataclass(frozen=True, slots=True, kw_only=True)
class Contract:
    """A data version's declared promise; `findings` tells where a table breaks it."""

    columns: Mapping[str, Column]
    description: str = ""
    rows: RowRange | None = None
    width: int | None = None  # how many columns
    key: tuple[str, ...] = ()  # columns that together are unique in every row
    duplicates: Literal["refuse", "notice"] = "refuse"  # rows whose key stands already
    sorted_by: tuple[str, ...] = ()  # columns in whose ascending order the rows stand
    orders: tuple[Order, ...] = ()
    extra: Literal["refuse", "keep"] = "refuse"  # columns that are not declared
    constant: Literal["refuse", "notice"] = "notice"  # columns with one value in all rows

    def __post_init__(self) -> None:
        if not self.columns:
            raise ValueError("no column is declared")
        ordered = [name for order in self.orders for name in (order.lower, order.upper)]
        named = {"key": self.key, "sorted_by": self.sorted_by, "orders": ordered}
        for what, names in named.items():
            if unknown := [name for name in names if name not in self.columns]:
                raise ValueError(f"{what} names {unknown}, columns are {list(self.columns)}")


def read_contract(values: Mapping[str, Any], version: str) -> Contract:
    """Return a version's contract from its YAML. Raises ConfigError naming file and key."""
    return build(Contract, values, where=f"data_versions.{version}")
