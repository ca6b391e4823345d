"""Groups put into bins of equal number by their size."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import pairwise
from typing import Any

import narwhals as nw

from heddle.frames.columns import as_number, refuse_taken, require
from heddle.frames.engines import settled
from heddle.frames.groups import aggregated
from heddle.frames.matching import look_up

__all__ = ["QuantileBins", "quantile_bins"]

_STEP = "quantile_bins"
_TOTAL, _PLACE, _GROUPS = "the total", "its place", "the groups"  # no sanitised name has a space


@dataclass(frozen=True, slots=True, kw_only=True)
class QuantileBins:
    """What is summed over which groups, among which of them bins are made, how many."""

    value: str
    total_by: tuple[str, ...]
    within: tuple[str, ...]  # of `total_by`, e.g. the year; () means among all groups
    bins: int = 5
    new: str

    def __post_init__(self) -> None:
        if not self.total_by:
            raise ValueError("`total_by` must name at least one column")
        if outside := [name for name in self.within if name not in self.total_by]:
            raise ValueError(f"`within` names {outside[0]!r}, which is not in `total_by`")
        if self.bins < 1:
            raise ValueError(f"`bins` must be at least 1, not {self.bins}")


def quantile_bins(frame: nw.LazyFrame[Any], cfg: QuantileBins) -> nw.LazyFrame[Any]:
    """Add `cfg.new`, the bin 0, 1, … of each row's group; the rows keep their order.

    >>> import polars as pl
    >>> sales = nw.from_native(pl.LazyFrame({"shop": ["a", "b", "a", "c"], "sum": [1, 9, 2, 4]}))
    >>> cfg = QuantileBins(value="sum", total_by=("shop",), within=(), bins=2, new="size")
    >>> quantile_bins(sales, cfg).collect()["size"].to_list()
    [0, 1, 0, 0]

    The edges are the quantiles 0, 1/bins, …, 1 of the groups' totals, linearly interpolated;
    a total that equals an edge belongs to the bin below it, the lowest to bin 0. Equal edges
    are one edge, so that there may be fewer bins; if all totals are equal, the only bin is 0.
    A row with a null in `total_by` is in no group: its bin is null.

    Raises:
        DataContractError: a column is not there, or the values are not numbers.
        ConfigError: the new column exists already.
    """
    require(frame, [cfg.value, *cfg.total_by], where=_STEP)
    refuse_taken(frame, [cfg.new], where=_STEP)
    value = as_number(frame, cfg.value, where=_STEP)
    rows = frame.select(*cfg.total_by, value.alias(_TOTAL)).drop_nulls(list(cfg.total_by))
    totals = aggregated(settled(rows), cfg.total_by, {_TOTAL: _TOTAL})
    return look_up(frame, _labelled(totals, cfg), cfg.total_by)


def _labelled(totals: nw.LazyFrame[Any], cfg: QuantileBins) -> nw.LazyFrame[Any]:
    """Return the groups with their label: how many different edges lie below the total."""
    total = nw.col(_TOTAL).cast(nw.Float64())
    placed = totals.with_columns(
        _among(nw.col(_TOTAL).rank("ordinal"), cfg).cast(nw.Int64()).alias(_PLACE),
        _among(nw.col(_TOTAL).count(), cfg).cast(nw.Int64()).alias(_GROUPS),
    )
    inner = range(1, cfg.bins)
    bounded = placed.with_columns(
        *(_among(end, cfg).alias(name) for i in (0, *inner) for name, end in _ends(i, cfg, total))
    )
    edged = bounded.with_columns(*(_edge(i, cfg).alias(f"edge {i}") for i in (0, *inner)))
    edges = [nw.col(f"edge {i}") for i in (0, *inner)]
    below = [
        nw.when((edge < total) & (edge > lower)).then(1).otherwise(0)
        for lower, edge in pairwise(edges)
    ]
    label = nw.sum_horizontal(*below) if below else nw.lit(0)
    return edged.select(*cfg.total_by, label.cast(nw.Int64()).alias(cfg.new))


def _among(value: nw.Expr, cfg: QuantileBins) -> nw.Expr:
    return value.over(*cfg.within) if cfg.within else value


def _ends(i: int, cfg: QuantileBins, total: nw.Expr) -> list[tuple[str, nw.Expr]]:
    """Return the totals next to quantile i/bins: whole-number arithmetic, so never one beside."""
    reach = (nw.col(_GROUPS) - 1) * i
    down, up = reach // cfg.bins, (reach + cfg.bins - 1) // cfg.bins
    place = nw.col(_PLACE) - 1
    return [
        (f"below {i}", nw.when(place == down).then(total).max()),
        (f"above {i}", nw.when(place == up).then(total).max()),
    ]


def _edge(i: int, cfg: QuantileBins) -> nw.Expr:
    part = ((nw.col(_GROUPS) - 1) * i % cfg.bins).cast(nw.Float64()) / cfg.bins
    low, high = nw.col(f"below {i}"), nw.col(f"above {i}")
    return low + (high - low) * part
