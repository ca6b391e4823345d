"""One row for each group of rows: how many there were, their sums, means and medians."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import narwhals as nw

from heddle.frames.columns import as_number, require

__all__ = ["Aggregate", "aggregate"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Aggregate:
    """Each mapping goes from the name of a new column to the column that it is made of."""

    by: Mapping[str, str]  # what makes a group; may rename
    rows: str | None = None  # the name of the number of rows
    sums: Mapping[str, str] = field(default_factory=dict)
    means: Mapping[str, str] = field(default_factory=dict)
    medians: Mapping[str, str] = field(default_factory=dict)

    def __post_init__(self) -> None:
        if not self.by or len(self.made) == len(self.by):
            raise ValueError("give `by`, and `rows`, `sums`, `means` or `medians`")
        if len(set(self.by.values())) < len(self.by):
            raise ValueError("`by` names a column twice")
        if twice := {name for name in self.made if self.made.count(name) > 1}:
            raise ValueError(f"column {min(twice)!r} would be made twice")

    @property
    def made(self) -> tuple[str, ...]:
        """The columns that come out, in their order."""
        counted = (self.rows,) if self.rows else ()
        return (*self.by, *counted, *self.sums, *self.means, *self.medians)


def aggregate(frame: nw.LazyFrame[Any], cfg: Aggregate) -> nw.LazyFrame[Any]:
    """Put groups together, sorted by what makes them; null is a value of `by` like another.

    >>> import polars as pl
    >>> sales = nw.from_native(pl.LazyFrame({"Shop": ["b", "a", "b"], "cost": [1.0, 5.0, 2.0]}))
    >>> cfg = Aggregate(by={"shop": "Shop"}, rows="sales", means={"usual": "cost"})
    >>> aggregate(sales, cfg).collect().rows()
    [('a', 1, 5.0), ('b', 2, 1.5)]

    Nulls take no part in sums, means and medians; a group of nothing else has the sum 0, and null
    for the others.

    Raises:
        DataContractError: a column is not there, or holds no numbers where they are needed.
    """
    read = [*cfg.by.values(), *cfg.sums.values(), *cfg.means.values(), *cfg.medians.values()]
    require(frame, read, where="aggregate")
    numbers: dict[str, nw.Expr] = {cfg.rows: nw.len().cast(nw.Int64())} if cfg.rows else {}
    for how, made in (("sum", cfg.sums), ("mean", cfg.means), ("median", cfg.medians)):
        for new, old in made.items():
            numbers[new] = getattr(as_number(frame, old, where="aggregate"), how)()
    inside = {name: f"made {place}" for place, name in enumerate(numbers)}
    groups = frame.group_by(*cfg.by.values()).agg(
        *(number.alias(inside[name]) for name, number in numbers.items())
    )
    keys = [nw.col(old).alias(new) for new, old in cfg.by.items()]
    return groups.select(*keys, *(nw.col(x).alias(n) for n, x in inside.items())).sort(*cfg.by)
