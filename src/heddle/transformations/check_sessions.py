"""A table of sessions held against the exchange's calendar: refused, remarked on, never changed."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime
from typing import TYPE_CHECKING, Any

import narwhals as nw
import numpy as np
import polars as pl

from heddle.domain.errors import DataContractError
from heddle.domain.ports import Progress
from heddle.frames.columns import require
from heddle.frames.engines import engine_of, fetched, settled
from heddle.frames.sessions import last_session, sessions

if TYPE_CHECKING:
    from numpy.typing import NDArray

__all__ = ["CheckSessions", "check_sessions"]

_STEP = "check_sessions"
_SHOWN = 5
_RATIOS = (2, 3, 4, 5, 6, 7, 8, 10, 15, 20, 25, 30, 50, 100, 1.5)  # shares for one, likeliest first


@dataclass(frozen=True, slots=True, kw_only=True)
class CheckSessions:
    """Where the days are, whose calendar they keep, and what is too much of a gap or a jump."""

    time: str  # dates
    calendar: str  # of the exchange, e.g. XNYS
    by: tuple[str, ...] = ()  # tells the series apart, if there are several
    price: str | None = None  # a close that no split should make jump: it is looked at for one
    largest_gap: int = 5  # sessions in a row that may be missing
    jump: float = 0.5  # of the log price from one row to the next, above which it is remarked on
    asof: str | None = None  # the last day that may be there; by default what has closed by now

    def __post_init__(self) -> None:
        if self.largest_gap < 0:
            raise ValueError(f"`largest_gap` must be at least 0, not {self.largest_gap}")
        if not self.jump > 0:
            raise ValueError(f"`jump` must be above 0, not {self.jump:g}")
        if self.asof is not None and not _is_day(self.asof):
            raise ValueError(f"`asof` must be a date, as 2024-02-29, not {self.asof!r}")


def check_sessions(
    frame: nw.LazyFrame[Any], cfg: CheckSessions, progress: Progress
) -> nw.LazyFrame[Any]:
    """Return the table as it came, once it is known that its days are sessions.

    Told, and let through: sessions without a row, if no more than `largest_gap` in a row (features
    and targets count rows, so that they span more sessions there, while a prediction counts
    sessions); and a price that jumps as at a split that is not adjusted, with the likely ratio.

    Raises:
        DataContractError: a day stands twice, or before the row before it (where rows have an
            order: on Polars); is no session, or has not closed yet; or a gap is too large.
        ConfigError: an unknown calendar, a day that it does not know, or the extra is missing.
    """
    require(frame, [*cfg.by, cfg.time, *([cfg.price] if cfg.price else [])], where=_STEP)
    frame = settled(frame)
    wanted = [*cfg.by, cfg.time, *([cfg.price] if cfg.price else [])]
    rows = fetched(frame.select(dict.fromkeys(wanted)))
    if rows.schema[cfg.time] != pl.Date:
        what = f"column {cfg.time!r} is {rows.schema[cfg.time]}, not a date"
        raise DataContractError(what, where=_STEP)
    if rows[cfg.time].null_count():
        raise DataContractError(f"column {cfg.time!r} is null in some rows", where=_STEP)
    ordered = rows.sort(*cfg.by, cfg.time)
    _refuse_twice(ordered, cfg)
    if not cfg.by and engine_of(frame) == "polars" and not rows[cfg.time].is_sorted():
        _refuse_disorder(rows[cfg.time])
    if rows.height:
        held = np.array(_refuse_others(ordered[cfg.time], cfg), "datetime64[D]")
        for series in ordered.partition_by(cfg.by) if cfg.by else [ordered]:
            for words in (*_gaps(series, held, cfg), *_jumps(series, cfg)):
                progress.notice(f"{_STEP}: {words}")
    return frame


def _is_day(text: str) -> bool:
    try:
        return date.fromisoformat(text).isoformat() == text
    except ValueError:
        return False


def _refuse_twice(ordered: pl.DataFrame, cfg: CheckSessions) -> None:
    again = [pl.col(name).eq_missing(pl.col(name).shift(1)) for name in (*cfg.by, cfg.time)]
    twice = ordered.filter(pl.all_horizontal(again))[cfg.time].unique().sort().to_list()
    if twice:
        todo = "Keep one row of each day."
        raise DataContractError(f"twice or more: {_listed(twice)}", where=_STEP, todo=todo)


def _refuse_disorder(days: pl.Series) -> None:
    row = int((days < days.shift(1)).fill_null(value=False).arg_max() or 0)
    raise DataContractError(
        f"{days[row]} in row {row + 1:,} stands after {days[row - 1]}",
        where=_STEP,
        todo="Sort the rows by day.",
    )


def _refuse_others(days: pl.Series, cfg: CheckSessions) -> list[date]:
    """Return the sessions from the first day to the last, once no other day is among them."""
    last = date.fromisoformat(cfg.asof) if cfg.asof else None
    last = last or last_session(cfg.calendar, datetime.now(UTC))
    first, final = days.min(), days.max()
    assert isinstance(first, date)
    assert isinstance(final, date)
    if final > last:
        late = days.filter(days > last).unique().sort().to_list()
        known = "asof" if cfg.asof else f"the last session of {cfg.calendar} that has closed"
        what = f"later than {last}, {known}: {_listed(late)}"
        raise DataContractError(what, where=_STEP, todo="Drop the rows that cannot be known yet.")
    held = sessions(cfg.calendar, first, final)
    if closed := sorted(set(days.unique().to_list()) - set(held)):
        what = f"no sessions of {cfg.calendar}: {_listed(closed)}"
        raise DataContractError(
            what, where=_STEP, todo="Mend the dates, or name the exchange's own calendar."
        )
    return held


def _gaps(series: pl.DataFrame, held: NDArray[Any], cfg: CheckSessions) -> Iterator[str]:
    """Say which sessions have no row, once no gap among them is too large."""
    place = np.searchsorted(held, series[cfg.time].to_numpy())
    gone = np.diff(place) - 1
    if not gone.any():
        return
    worst = int(gone.argmax())
    missing = np.setdiff1d(held[place[0] : place[-1]], held[place]).tolist()
    if gone[worst] > cfg.largest_gap:
        before, after = series[cfg.time][worst], series[cfg.time][worst + 1]
        unit = "session" if gone[worst] == 1 else "sessions"
        raise DataContractError(
            f"{_of(series, cfg)}a gap of {gone[worst]:,} {unit} between {before} and {after},"
            f" at most {cfg.largest_gap} may be missing in a row",
            where=_STEP,
            todo="Fill the gap from the source, or begin after it.",
        )
    yield (
        f"{_of(series, cfg)}sessions without a row: {_listed(missing)}; what counts rows, as the "
        "targets do, spans more sessions there"
    )


def _jumps(series: pl.DataFrame, cfg: CheckSessions) -> Iterator[str]:
    """Say where the price jumps, and which split would explain it."""
    if cfg.price is None:
        return
    price = series[cfg.price].cast(pl.Float64)
    moved = (price / price.shift(1)).log()
    for row in (moved.abs() > cfg.jump).fill_null(value=False).arg_true().head(_SHOWN):
        ratio = math.exp(moved[row])
        yield (
            f"{_of(series, cfg)}{cfg.price} at {series[cfg.time][row]} is {ratio:.3g} times that of"
            f" the row before: {_explained(ratio)}"
        )


def _explained(ratio: float) -> str:
    size = max(ratio, 1 / ratio)
    near = min(_RATIOS, key=lambda known: abs(math.log(size / known)))
    if abs(math.log(size / near)) > 0.12:  # nobody would take a day's move for this
        return "a split that is not adjusted? No usual ratio is near"
    shares = f"{near:g} for 1" if ratio < 1 else f"1 for {near:g}"
    return f"a split of {shares} that is not adjusted?"


def _of(series: pl.DataFrame, cfg: CheckSessions) -> str:
    values = [f"{name}={series[name][0]!r}" for name in cfg.by]
    return f"{', '.join(values)}: " if values else ""


def _listed(days: Sequence[date]) -> str:
    """Return the first few days and how many there are.

    >>> _listed([date(2024, 1, 1)])
    '2024-01-01'
    """
    shown = ", ".join(map(str, days[:_SHOWN]))
    return f"{shown} and {len(days) - _SHOWN:,} more" if len(days) > _SHOWN else shown
