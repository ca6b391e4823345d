"""One row for each group of rows: how many there were, their sums, means and medians."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import narwhals as nw

from heddle.frames.columns import as_number, require
from heddle.frames.engines import settled
from heddle.frames.groups import aggregated

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
    frame = settled(frame)
    used = [*dict.fromkeys([*cfg.sums.values(), *cfg.means.values(), *cfg.medians.values()])]
    require(frame, [*cfg.by.values(), *used], where="aggregate")
    keys = {new: f"key {place}" for place, new in enumerate(cfg.by)}
    values = {name: f"value {place}" for place, name in enumerate(used)}
    known = {name: f"number of {values[name]}" for name in set(cfg.means.values())}
    rows = frame.select(
        *(nw.col(old).alias(keys[new]) for new, old in cfg.by.items()),
        *(as_number(frame, old, where="aggregate").alias(v) for old, v in values.items()),
        *((~nw.col(old).is_null()).cast(nw.Int64()).alias(n) for old, n in known.items()),
        nw.lit(1, nw.Int64()).alias("row"),
    )
    summed = ["row", *known.values(), *(values[name] for name in used)]
    middles = {f"median of {values[old]}": values[old] for old in cfg.medians.values()}
    groups = aggregated(rows, [*keys.values()], {n: n for n in summed}, middles=middles)
    made = {new: nw.col(key) for new, key in keys.items()}
    made |= {cfg.rows: nw.col("row")} if cfg.rows else {}
    made |= {new: nw.col(values[old]) for new, old in cfg.sums.items()}
    for new, old in cfg.means.items():
        number = nw.col(known[old])
        made[new] = nw.when(number > 0).then(nw.col(values[old]) / number)
    made |= {n: nw.col(f"median of {values[old]}") for n, old in cfg.medians.items()}
    return groups.select(*(value.alias(name) for name, value in made.items()))
