"""When a model is fitted anew as time goes on, and which rows it may have seen by then."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np
import numpy.typing as npt

from heddle.domain.errors import ConfigError, DataContractError

__all__ = ["Refit", "Schedule", "refits"]

Places = npt.NDArray[np.int64]


@dataclass(frozen=True, slots=True, kw_only=True)
class Schedule:
    """A walk through the rows in time order. Sessions are counted, not calendar days."""

    initial_rows: int = 756  # before the first forecast: three years of sessions
    refit_every: int = 21  # sessions: monthly
    window: Literal["expanding", "rolling"] = "expanding"
    window_rows: int | None = None  # rolling: rows of a fit; null: as many as the first fit has
    purge: int = 1  # sessions left out before a refit, whose targets reach into it; >= the horizon
    embargo: int = 0  # further sessions left out, because neighbours resemble each other

    def __post_init__(self) -> None:
        if self.refit_every < 1:
            raise ValueError(f"refit_every >= 1 must hold, but got {self.refit_every}")
        if self.purge < 1 or self.embargo < 0:
            raise ValueError("purge >= 1 and embargo >= 0 must hold")
        if self.initial_rows <= self.purge + self.embargo:
            raise ValueError(
                f"initial_rows > purge + embargo must hold, but got {self.initial_rows} and "
                f"{self.purge} + {self.embargo}"
            )
        if self.window_rows is not None and self.window_rows < 1:
            raise ValueError(f"window_rows >= 1 must hold, but got {self.window_rows}")
        if self.window_rows is not None and self.window == "expanding":
            raise ValueError("window_rows is for window: rolling")


@dataclass(frozen=True, slots=True, kw_only=True)
class Refit:
    """One fit, and the rows that it forecasts; both are positions in time order."""

    number: int  # from 1
    train: range
    predict: range  # its first row is the session of the refit


def refits(
    schedule: Schedule, rows: int, *, horizon: int, places: Sequence[int] | Places | None = None
) -> tuple[Refit, ...]:
    """Return the refits; every row from the first one on is forecast once.

    The target of a row at place p is known at the close of place p + horizon. A refit at place q
    learns from rows with p < q - purge - embargo, so that what it learned from was known before q.

    >>> plan = Schedule(initial_rows=6, refit_every=3, purge=2)
    >>> [(r.train, r.predict) for r in refits(plan, 10, horizon=2)]
    [(range(0, 4), range(6, 9)), (range(0, 7), range(9, 10))]

    Args:
        schedule: when, and how far back.
        rows: how many there are, in time order.
        horizon: sessions that a target looks ahead.
        places: session number of each row, ascending; None: the rows follow each other without a
            gap.

    Raises:
        ConfigError: purge is less than the horizon.
        DataContractError: no row is left to forecast.
    """
    if schedule.purge < horizon:
        raise ConfigError(
            f"purge {schedule.purge} is less than the horizon {horizon}: training targets would "
            "reach into what is forecast",
            where="schedule.purge",
            todo=f"Set it to {horizon} or more.",
        )
    if rows <= schedule.initial_rows:
        raise DataContractError(
            f"{rows} rows leave none to forecast after {schedule.initial_rows} to begin with",
            where="schedule.initial_rows",
            todo="Bring more rows or begin with fewer.",
        )
    at = np.arange(rows) if places is None else np.asarray(places, dtype=np.int64)
    if len(at) != rows or (np.diff(at) <= 0).any():
        raise ValueError("places must ascend, one per row")
    made = []
    for number, start in enumerate(range(schedule.initial_rows, rows, schedule.refit_every), 1):
        end = int(np.searchsorted(at, at[start] - schedule.purge - schedule.embargo, side="left"))
        first = 0
        if schedule.window == "rolling":
            first = max(end - (schedule.window_rows or _first_fit(schedule)), 0)
        stop = min(start + schedule.refit_every, rows)
        made.append(Refit(number=number, train=range(first, end), predict=range(start, stop)))
    return tuple(made)


def _first_fit(schedule: Schedule) -> int:
    return schedule.initial_rows - schedule.purge - schedule.embargo
