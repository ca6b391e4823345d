"""What a series said some periods ago, as columns of today's row."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import narwhals as nw

from heddle.frames.columns import refuse_taken, require, require_whole
from heddle.frames.windows import Order, Past, in_order, with_time_since, with_value_of

__all__ = ["LagColumns", "lag_columns"]

_STEP = "lag_columns"


@dataclass(frozen=True, slots=True, kw_only=True)
class LagColumns:
    """Which columns, of which series, how long ago."""

    columns: tuple[str, ...]
    by: tuple[str, ...]  # tells the series apart; with `time` it identifies a row
    time: str  # whole number, e.g. a year
    periods: int = 1  # >= 1, so that the present never leaks
    order: Order = "calendar"  # row: the row that many rows before, however long ago that was
    suffix: str = "_lag{}"  # {} stands for `periods`
    since: str | None = None  # name of a column: time passed since the row before

    def __post_init__(self) -> None:
        if not self.columns:
            raise ValueError("`columns` must name at least one")
        if self.periods < 1:
            raise ValueError(f"`periods` must be at least 1, not {self.periods}")


def lag_columns(frame: nw.LazyFrame[Any], cfg: LagColumns) -> nw.LazyFrame[Any]:
    """Add each column as it was at `time - periods`; sorted by series and time.

    >>> import polars as pl
    >>> table = nw.from_native(pl.LazyFrame({"shop": 1, "year": [1, 2, 4], "cost": [5, 6, 7]}))
    >>> cfg = LagColumns(columns=("cost",), by=("shop",), time="year", since="years_since")
    >>> lag_columns(table, cfg).select("cost_lag1", "years_since").collect().rows()
    [(None, None), (5, 1), (None, 2)]

    Null where the series has no row then, and where that row has a null. With `order="row"` it
    is the row before: in a series with holes a value of any age, which `since` tells.

    Raises:
        DataContractError: a column is not there, `time` is not whole or null somewhere, or two
            rows share series and time.
        ConfigError: a new column exists already.
    """
    suffix = cfg.suffix.replace("{}", str(cfg.periods))
    names = {name + suffix: name for name in cfg.columns}
    require(frame, [*cfg.by, cfg.time, *cfg.columns], where=_STEP)
    require_whole(frame, cfg.time, where=_STEP)
    refuse_taken(frame, [*(c + suffix for c in cfg.columns), *_named(cfg.since)], where=_STEP)
    past = Past(
        by=cfg.by, time=cfg.time, nearest=cfg.periods, farthest=cfg.periods, order=cfg.order
    )
    lagged = with_value_of(in_order(frame, cfg.by, cfg.time, where=_STEP), names, past)
    return with_time_since(lagged, cfg.since, cfg.by, cfg.time) if cfg.since else lagged


def _named(name: str | None) -> list[str]:
    return [name] if name else []
