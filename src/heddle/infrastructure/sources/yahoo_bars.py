"""Which of the bars that came are those of whole sessions, one each."""

from __future__ import annotations

from datetime import date

import polars as pl

from heddle.domain.errors import DataContractError
from heddle.infrastructure.sources.yahoo_chart import PRICES

__all__ = ["closed_bars"]

_SHOWN = 3


def closed_bars(bars: pl.DataFrame, closed: date, where: str) -> tuple[pl.DataFrame, list[str]]:
    """Return the bars of sessions that have closed, sorted, and words for what was left out.

    Args:
        bars: by `session`, as they came.
        closed: the last session that has closed.
        where: what to call the table in an error.

    Raises:
        DataContractError: two bars of a session say different things.
    """
    notes = []
    running = bars.filter(pl.col("session") > closed)
    if running.height:
        notes.append(f"{_days(running)} had not closed when asked, left out")
    bars = bars.filter(pl.col("session") <= closed)
    blank = bars.filter(pl.all_horizontal(pl.col(*PRICES, "adj_close").is_null()))
    if blank.height:
        notes.append(f"{_days(blank)} came without any price, left out")
        bars = bars.filter(~pl.all_horizontal(pl.col(*PRICES, "adj_close").is_null()))
    bars, twice = _once(bars)
    if twice.height:
        raise DataContractError(
            f"{_days(twice)} came more than once, and they differ",
            where=where,
            todo="Nothing was taken. Ask again later, or write a file by other means and use "
            "ingestion=file ingestion.path=….",
        )
    return bars.sort("session"), notes


def _once(bars: pl.DataFrame) -> tuple[pl.DataFrame, pl.DataFrame]:
    """Return one bar for each session, and those of which there are several.

    The newest session may come twice, as a daily bar and as the running one, which is the fuller.
    """
    bars = bars.unique(maintain_order=True)
    newest = pl.col("session") == pl.col("session").max()
    bars = pl.concat([bars.filter(~newest), bars.filter(newest).tail(1)])
    return bars, bars.filter(pl.col("session").is_duplicated())


def _days(bars: pl.DataFrame) -> str:
    days = bars["session"].unique().sort().to_list()
    shown = ", ".join(str(day) for day in days[:_SHOWN])
    more = f" and {len(days) - _SHOWN} more" if len(days) > _SHOWN else ""
    return f"the bar{'s' * (len(days) > 1)} of {shown}{more}"
