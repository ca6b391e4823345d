"""The mean of what a series said over some periods, all of them past."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import narwhals as nw

from heddle.frames.columns import as_number, refuse_taken, require, require_whole
from heddle.frames.windows import Order, Past, in_order, with_means_of

__all__ = ["RollingColumns", "rolling_columns"]

_STEP = "rolling_columns"


@dataclass(frozen=True, slots=True, kw_only=True)
class RollingColumns:
    """Which columns, of which series, over how many periods that end how long ago."""

    columns: tuple[str, ...]
    by: tuple[str, ...]  # tells the series apart; with `time` it identifies a row
    time: str  # whole number, e.g. a year
    window: int = 2
    periods: int = 1  # the last period of the window is `time - periods`
    min_periods: int = 1  # a mean of fewer values is null
    order: Order = "calendar"  # row: so many rows, however long ago they were
    suffix: str = "_rolling{}"  # {} stands for `window`

    def __post_init__(self) -> None:
        if not self.columns:
            raise ValueError("`columns` must name at least one")
        for name in ("window", "periods", "min_periods"):
            if getattr(self, name) < 1:
                raise ValueError(f"`{name}` must be at least 1, not {getattr(self, name)}")
        if self.min_periods > self.window:
            raise ValueError(
                f"`min_periods` ({self.min_periods}) is more than `window` ({self.window})"
            )


def rolling_columns(frame: nw.LazyFrame[Any], cfg: RollingColumns) -> nw.LazyFrame[Any]:
    """Add the mean of each column over the window before each row; sorted by series and time.

    >>> import polars as pl
    >>> table = nw.from_native(pl.LazyFrame({"shop": 1, "year": [1, 2, 4], "cost": [5, 6, 7]}))
    >>> cfg = RollingColumns(columns=("cost",), by=("shop",), time="year")
    >>> rolling_columns(table, cfg).collect()["cost_rolling2"].to_list()
    [None, 5.0, 6.0]

    The window is `time - periods - window + 1` to `time - periods`; of it count the periods that
    the series has, and of these the values that are not null. With `order="row"` it is as many
    rows as `window` says, of any age. No row is dropped.

    Raises:
        DataContractError: a column is not there or not of numbers, `time` is not whole or null
            somewhere, or two rows share series and time.
        ConfigError: a new column exists already.
    """
    suffix = cfg.suffix.replace("{}", str(cfg.window))
    require(frame, [*cfg.by, cfg.time, *cfg.columns], where=_STEP)
    require_whole(frame, cfg.time, where=_STEP)
    for name in cfg.columns:
        as_number(frame, name, where=_STEP)
    refuse_taken(frame, [name + suffix for name in cfg.columns], where=_STEP)
    past = Past(
        by=cfg.by,
        time=cfg.time,
        nearest=cfg.periods,
        farthest=cfg.periods + cfg.window - 1,
        order=cfg.order,
    )
    ordered = in_order(frame, cfg.by, cfg.time, where=_STEP)
    names = {name + suffix: name for name in cfg.columns}
    return with_means_of(ordered, names, past, min_values=cfg.min_periods)
