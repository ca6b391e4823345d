"""What a price does next: the one column that looks ahead, because it is what is predicted."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import narwhals as nw
import polars as pl

from heddle.domain.errors import DataContractError
from heddle.frames.columns import refuse_taken, require
from heddle.frames.engines import engine_of, fetched, quoted, with_sql
from heddle.frames.windows import in_order

__all__ = ["ForwardReturn", "forward_return"]

_STEP = "forward_return"
_WARM, _RATIO = "is warm", "the ratio"  # no sanitised name has a space


@dataclass(frozen=True, slots=True, kw_only=True)
class ForwardReturn:
    """From which price, how far ahead, and how much of the past a row needs."""

    price: str
    time: str
    horizon: int  # rows ahead: sessions
    new: str
    by: tuple[str, ...] = ()  # tells the series apart, if there are several
    warm_up: int = 0  # rows at the start of a series that go: no window is full there yet
    least: int = 1  # rows that have to come out
    keep: tuple[str, ...] = ()  # columns that stay beside series, time, price and the new one

    def __post_init__(self) -> None:
        for name, least in (("horizon", 1), ("warm_up", 0), ("least", 0)):
            if getattr(self, name) < least:
                value = getattr(self, name)
                raise ValueError(f"`{name}` must be at least {least}, not {value}")


def forward_return(frame: nw.LazyFrame[Any], cfg: ForwardReturn) -> nw.LazyFrame[Any]:
    """Give each row log(price `horizon` rows later / price); sorted by series and time.

    >>> import polars as pl
    >>> table = nw.from_native(pl.LazyFrame({"day": [1, 2, 3], "price": [2.0, 4.0, 2.0]}))
    >>> cfg = ForwardReturn(price="price", time="day", horizon=1, new="next")
    >>> forward_return(table, cfg).collect()["next"].round(3).to_list()
    [0.693, -0.693]

    It is rows that are counted: where a session has no row, a target spans more sessions than
    `horizon`, while a prediction names the session that many ahead by the calendar.
    `check_sessions` tells such gaps, and refuses large ones.

    A row whose target is not known yet goes, as do the first `warm_up` rows; nothing is filled. A
    price that is null or not above 0 gives no target, neither to its own row nor to an earlier one.

    Raises:
        DataContractError: a column is not there; two rows share series and time; or fewer rows
            than `least` would come out: how many are needed for that, and how many there are.
        ConfigError: the new name is taken.
    """
    columns = [*cfg.by, cfg.time, cfg.price, *cfg.keep]
    require(frame, columns, where=_STEP)
    refuse_taken(frame, [cfg.new], where=_STEP)
    frame = in_order(frame, cfg.by, cfg.time, where=_STEP)
    known = _on_polars(frame, cfg) if engine_of(frame) == "polars" else _on_sql(frame, cfg)
    made = known.select([*dict.fromkeys(columns), cfg.new]).sort(*cfg.by, cfg.time)
    _refuse_few(frame, made, cfg)
    return made


def _on_polars(frame: nw.LazyFrame[Any], cfg: ForwardReturn) -> nw.LazyFrame[Any]:
    """Look ahead among all sorted rows at once, and see whether that is the same series still."""
    price, row = pl.col(cfg.price), pl.int_range(pl.len())
    ahead = [pl.col(name).eq_missing(pl.col(name).shift(-cfg.horizon)) for name in cfg.by]
    behind = [pl.col(name).eq_missing(pl.col(name).shift(cfg.warm_up)) for name in cfg.by]
    later = price.shift(-cfg.horizon)
    told = pl.all_horizontal(*ahead, price > 0, later > 0)
    warm = pl.all_horizontal(*behind, row >= cfg.warm_up)
    moved = pl.when(told).then((later / price).log()).cast(pl.Float64).alias(cfg.new)
    rows = fetched(frame).with_columns(moved, warm.alias(_WARM))
    known = rows.filter(pl.col(_WARM) & pl.col(cfg.new).is_not_null())
    return nw.from_native(known.drop(_WARM).lazy())


def _on_sql(frame: nw.LazyFrame[Any], cfg: ForwardReturn) -> nw.LazyFrame[Any]:
    """Look ahead by a window; the logarithm is the engine's own, which has the same last digit."""
    order = {"order_by": cfg.time}
    price = nw.col(cfg.price)
    later = price.shift(-cfg.horizon).over(*cfg.by, **order)
    place = nw.col(cfg.time).cum_count().over(*cfg.by, **order)
    ratio = nw.when((price > 0) & (later > 0)).then(later / price)
    wider = frame.with_columns(ratio.alias(_RATIO), place.alias(_WARM))
    known = wider.filter((nw.col(_WARM) > cfg.warm_up) & ~nw.col(_RATIO).is_null())
    return with_sql(known, {cfg.new: f"ln({quoted(_RATIO, engine_of(frame))})"})


def _refuse_few(frame: nw.LazyFrame[Any], made: nw.LazyFrame[Any], cfg: ForwardReturn) -> None:
    found = int(fetched(made.select(nw.len())).item())
    rows = int(fetched(frame.select(nw.len())).item())
    if found >= cfg.least or not rows:
        return
    needed = cfg.warm_up + cfg.horizon + cfg.least
    kind = "" if not cfg.by else " in one series"
    raise DataContractError(
        f"{needed:,} rows are needed{kind}, there are {rows:,}: {cfg.warm_up:,} for the longest"
        f" window, {cfg.horizon:,} ahead for the target, {cfg.least:,} to learn from",
        where=_STEP,
        todo="Fetch more history, or shorten the windows or the horizon.",
    )
