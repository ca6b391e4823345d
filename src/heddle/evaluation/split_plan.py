"""How a project says which rows train and which test."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Literal

from heddle.domain.names import key_columns

__all__ = ["Cells", "Split", "Strata", "Timeline"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Strata:
    """Bins of a number column; each is spread evenly over parts and folds."""

    column: str
    edges: tuple[float, ...]  # ascending; bin i is (edges[i], edges[i + 1]]

    def __post_init__(self) -> None:
        if len(self.edges) < 2 or any(
            a >= b for a, b in zip(self.edges, self.edges[1:], strict=False)
        ):
            raise ValueError(f"edges must be two or more, ascending: {list(self.edges)}")


@dataclass(frozen=True, slots=True, kw_only=True)
class Cells:
    """Groups of rows that stay together: equal values, or squares of a grid."""

    columns: tuple[str, ...]
    size: float | None = None  # side of a square, in the columns' unit; null: the values themselves

    def __post_init__(self) -> None:
        if not self.columns:
            raise ValueError("columns must name at least one column")
        if self.size is not None and not self.size > 0:
            raise ValueError(f"size > 0 must hold, but got {self.size}")


@dataclass(frozen=True, slots=True, kw_only=True)
class Timeline:
    """Order in time. A period is one distinct value of the column; gaps are counted in periods."""

    column: str
    test_from: Any = None  # first test period; null: the last `test_share` of the periods
    purge: int = 0  # periods before a held-out one whose target reaches into it
    embargo: int = 0  # further periods left out before it, because neighbours resemble each other
    train_periods: int | None = None  # walk_forward: longest training window; null: all the past
    valid_periods: int = 1  # walk_forward: periods per fold

    def __post_init__(self) -> None:
        if self.purge < 0 or self.embargo < 0:
            raise ValueError("purge and embargo are 0 or more")
        if self.valid_periods < 1 or (self.train_periods is not None and self.train_periods < 1):
            raise ValueError("train_periods and valid_periods are 1 or more")


_NEEDS = {
    "stratified": ("strata",),
    "group": ("groups",),
    "time": ("time",),
    "walk_forward": ("time",),
    "walk_groups": ("time", "groups"),
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Split:
    """How rows are dealt out."""

    strategy: Literal["random", "stratified", "group", "time", "walk_forward", "walk_groups"]
    row_key: str | tuple[str, ...] = "row_id"  # one column, or several that name a row together
    test_share: float = 0.2  # of the rows (of the periods, for time)
    folds: int = 5
    seed: int = 42
    strata: Strata | None = None  # for stratified
    groups: Cells | None = None  # for group and walk_groups
    time: Timeline | None = None  # for time, walk_forward and walk_groups (which rows test)
    blocks: Cells | None = None  # a second set of folds, of whole cells

    def __post_init__(self) -> None:
        if not 0 < self.test_share < 1:
            raise ValueError(f"0 < test_share < 1 must hold, but got {self.test_share}")
        if not 2 <= self.folds <= 127:
            raise ValueError(f"2 <= folds <= 127 must hold, but got {self.folds}")
        for need in _NEEDS.get(self.strategy, ()):
            if getattr(self, need) is None:
                raise ValueError(f"strategy {self.strategy} needs {need}")

    @property
    def key(self) -> tuple[str, ...]:
        """The columns that name a row."""
        return key_columns(self.row_key)

    @property
    def columns(self) -> tuple[str, ...]:
        """Columns that `assign` reads, the row key first."""
        used = list(self.key)
        if self.strategy == "stratified" and self.strata:
            used.append(self.strata.column)
        needs = _NEEDS.get(self.strategy, ())
        if "groups" in needs and self.groups:
            used.extend(self.groups.columns)
        if "time" in needs and self.time:
            used.append(self.time.column)
        used.extend(self.blocks.columns if self.blocks else ())
        return tuple(dict.fromkeys(used))
