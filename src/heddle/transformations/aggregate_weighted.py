"""Many rows to one: weighted means, lower weighted medians, portions of the weight, true totals."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Literal

import narwhals as nw

from heddle.domain.errors import DataContractError
from heddle.frames.columns import as_number, require, require_whole
from heddle.frames.engines import fetched, settled
from heddle.frames.groups import WeightedMedian, aggregated

__all__ = ["AggregateWeighted", "Portions", "aggregate_weighted"]

_STEP = "aggregate_weighted"
_WEIGHT = "the weight"  # columns between have names with spaces, which no sanitised name has


@dataclass(frozen=True, slots=True, kw_only=True)
class Portions:
    """Which part of a group's weight lies on rows where `column` has which value."""

    column: str  # whole numbers
    values: tuple[int, ...]
    name: str  # of the new columns, {} stands for the value

    def __post_init__(self) -> None:
        if "{}" not in self.name:
            raise ValueError("`portions.name` needs {} where the value belongs")

    @property
    def made(self) -> dict[str, int]:
        """New column -> value."""
        return {self.name.replace("{}", str(value)): value for value in self.values}


@dataclass(frozen=True, slots=True, kw_only=True)
class AggregateWeighted:
    """The key, the weight (>= 0; null counts as 0), and what becomes of the other columns."""

    by: tuple[str, ...]
    weight: str
    total: str  # name of the summed weight
    portions: Portions | None = None
    means: tuple[str, ...] = ()
    medians: tuple[str, ...] = ()
    sums: Mapping[str, str] = field(default_factory=dict)  # new name -> column, unweighted
    prefix: str = "w_"  # of the means and medians
    null_weight: Literal["skip", "count"] = "skip"  # does the weight of a null value count?
    index: str | None = None  # name of a first column 0, 1, … in key order

    def __post_init__(self) -> None:
        if not self.by:
            raise ValueError("`by` must name at least one column")
        for name in self.made:
            if self.made.count(name) > 1:
                raise ValueError(f"two columns would be called {name!r}")

    @property
    def made(self) -> list[str]:
        """Every column that comes out, in order."""
        weighted = [self.prefix + name for name in (*self.means, *self.medians)]
        first = [self.index] if self.index else []
        portions = self.portions.made if self.portions else ()
        return [*first, *self.by, self.total, *portions, *weighted, *self.sums]


def aggregate_weighted(frame: nw.LazyFrame[Any], cfg: AggregateWeighted) -> nw.LazyFrame[Any]:
    """Return one row per value of `cfg.by`, sorted by it; null is a value too.

    >>> import polars as pl
    >>> rows = {"shop": ["a", "a", "b"], "cases": [3, 1, 0], "cost": [10.0, 30.0, 7.0]}
    >>> cfg = AggregateWeighted(by=("shop",), weight="cases", total="all", means=("cost",))
    >>> aggregate_weighted(nw.from_native(pl.LazyFrame(rows)), cfg).collect().rows()
    [('a', 4.0, 15.0), ('b', 0.0, None)]

    Let W be the sum of the weights. A portion is the weight at its value over W, 0 where W is 0.
    A mean is the sum of value times weight over W, null where W is 0. A median is the lower one:
    the smallest value at which the running weight reaches W / 2, the smallest of all where W is 0.
    Weights that are fractions reach it when they miss it by less than a part in 10^9.

    With `null_weight="skip"` a null value takes its weight out of its column's W; with "count"
    it stays in, as if the value were 0 for a mean and larger than all others for a median, which
    may then be null.

    Raises:
        DataContractError: a column is not there or not of numbers, or a weight is negative.
    """
    frame = settled(frame)
    _check(frame, cfg)
    weighted = sorted({*cfg.means, *cfg.medians})
    counted = {name: f"weight of {name}" for name in weighted}
    whole = _WEIGHT if cfg.null_weight == "count" else None
    medians = [
        WeightedMedian(
            new=f"median of {name}",
            value=f"value of {name}",
            weight=counted[name],
            total=whole or counted[name],
        )
        for name in cfg.medians
    ]
    products = [f"weighted {name}" for name in cfg.means]
    portions = [f"weight at {new}" for new in (cfg.portions.made if cfg.portions else ())]
    plain = [f"plain {new}" for new in cfg.sums]
    summed = [_WEIGHT, *counted.values(), *products, *portions, *plain]
    made = aggregated(_prepared(frame, cfg), cfg.by, {name: name for name in summed}, medians)
    if cfg.index:
        made = made.with_row_index(cfg.index, order_by=cfg.by)
        made = made.with_columns(nw.col(cfg.index).cast(nw.Int64()))
    return made.select(*_results(cfg, whole))


def _check(frame: nw.LazyFrame[Any], cfg: AggregateWeighted) -> None:
    needed = [*cfg.by, cfg.weight, *cfg.means, *cfg.medians, *cfg.sums.values()]
    require(frame, needed, where=_STEP)
    if cfg.portions:
        require(frame, [cfg.portions.column], where=_STEP)
        require_whole(frame, cfg.portions.column, where=_STEP)
    weight = as_number(frame, cfg.weight, where=_STEP)
    least = fetched(frame.select(weight.min().alias("least")))["least"].item()
    if least is not None and least < 0:
        raise DataContractError(
            f"column {cfg.weight!r} is a weight but goes down to {least}",
            where=_STEP,
            todo="Drop or mend the rows with negative weights.",
        )


def _prepared(frame: nw.LazyFrame[Any], cfg: AggregateWeighted) -> nw.LazyFrame[Any]:
    """Return key and summands: whatever a group's numbers are sums of, row by row."""
    weight = as_number(frame, cfg.weight, where=_STEP).fill_null(0)
    made = {_WEIGHT: weight}
    for name in {*cfg.means, *cfg.medians}:
        made[f"weight of {name}"] = nw.when(~nw.col(name).is_null()).then(weight).otherwise(0)
    for name in cfg.means:
        value = as_number(frame, name, where=_STEP).cast(nw.Float64())
        made[f"weighted {name}"] = value * weight.cast(nw.Float64())
    for name in cfg.medians:
        made[f"value of {name}"] = nw.col(name)
    if cfg.portions:
        for new, value_at in cfg.portions.made.items():
            here = nw.col(cfg.portions.column) == value_at
            made[f"weight at {new}"] = nw.when(here).then(weight).otherwise(0)
    for new, name in cfg.sums.items():
        made[f"plain {new}"] = as_number(frame, name, where=_STEP)
    return frame.select(*cfg.by, *(value.alias(name) for name, value in made.items()))


def _results(cfg: AggregateWeighted, whole: str | None) -> list[nw.Expr]:
    """Return the columns that come out, from the sums and medians."""
    total = nw.col(_WEIGHT)
    made = [nw.col(cfg.index)] if cfg.index else []
    made += [*map(nw.col, cfg.by), total.cast(nw.Float64()).alias(cfg.total)]
    for new in cfg.portions.made if cfg.portions else ():
        portion = nw.when(total > 0).then(nw.col(f"weight at {new}") / total).otherwise(0.0)
        made.append(portion.alias(new))
    for name in cfg.means:
        under = nw.col(whole or f"weight of {name}")
        mean = nw.when(under > 0).then(nw.col(f"weighted {name}") / under)
        made.append(mean.alias(cfg.prefix + name))
    made += [nw.col(f"median of {name}").alias(cfg.prefix + name) for name in cfg.medians]
    return made + [nw.col(f"plain {new}").alias(new) for new in cfg.sums]
