"""What Yahoo's chart service answers, taken apart: bars by session, and splits."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime
from math import isfinite
from typing import Any
from zoneinfo import ZoneInfo

import polars as pl

from heddle.domain.errors import ConfigError, DataContractError

__all__ = ["PRICES", "Chart", "Split", "read_chart"]

PRICES = ("open", "high", "low", "close")
_TODO = (
    "Nothing was taken. If it stays so, the service has changed: write a file by other means and "
    "use ingestion=file ingestion.path=…."
)


@dataclass(frozen=True, slots=True)
class Split:
    """One share became `ratio` shares; prices of earlier days are told divided by it."""

    day: date
    ratio: float


@dataclass(frozen=True, slots=True)
class Chart:
    """Bars as they were told: adjusted for splits, and in `adj_close` for dividends, too."""

    bars: pl.DataFrame  # session, open, high, low, close, adj_close, volume
    zone: str  # the exchange's time zone, as Europe/Paris
    splits: tuple[Split, ...]


def read_chart(body: bytes, *, where: str) -> Chart | None:
    """Return what an answer holds; None: it is whole, and has no bar.

    Args:
        body: the answer, a JSON object.
        where: what to call the answer in an error.

    Raises:
        ValueError: it is no whole JSON object of that service.
        ConfigError: it says that there is no such ticker, or no such range.
        DataContractError: its parts do not go together.
    """
    found = _chart(body)
    if fault := found.get("error"):
        told = fault if isinstance(fault, Mapping) else {"description": fault}
        said = str(told.get("description") or told.get("code"))[:200]
        raise ConfigError(f"answered: {said}", where=where, todo="Check ingestion.prices.")
    results = found.get("result") or [{}]
    try:
        return _told(results[0])
    except (KeyError, IndexError, TypeError, OverflowError, AttributeError) as fault:
        what = f"the answer is not as it was ({type(fault).__name__}: {fault})"
        raise DataContractError(what, where=where, todo=_TODO) from None
    except (ValueError, pl.exceptions.PolarsError) as fault:
        raise DataContractError(str(fault), where=where, todo=_TODO) from None


def _chart(body: bytes) -> Mapping[str, Any]:
    try:
        found = json.loads(body)
    except (ValueError, RecursionError) as fault:
        raise ValueError(f"the answer is no whole JSON ({type(fault).__name__})") from None
    chart = found.get("chart") if isinstance(found, Mapping) else None
    if not isinstance(chart, Mapping):
        raise ValueError("the answer is JSON, but no chart")  # noqa: TRY004  as broken JSON is
    return chart


def _told(result: Mapping[str, Any]) -> Chart | None:
    stamps = result.get("timestamp")
    if not stamps:
        return None
    zone = ZoneInfo(result["meta"]["exchangeTimezoneName"])
    (quote,) = result["indicators"]["quote"]
    (adjusted,) = result["indicators"]["adjclose"]
    columns = {
        "session": _sessions(stamps, zone),
        **{name: _numbers(quote[name], name) for name in PRICES},
        "adj_close": _numbers(adjusted["adjclose"], "adj_close"),
        "volume": _numbers(quote["volume"], "volume").cast(pl.Int64),
    }
    for name, values in columns.items():
        if len(values) != len(stamps):
            raise ValueError(f"there are {len(values)} values of {name!r} for {len(stamps)} bars")
    splits = (result.get("events") or {}).get("splits") or {}
    return Chart(pl.DataFrame(columns), zone.key, _splits(splits, zone))


def _sessions(stamps: Sequence[Any], zone: ZoneInfo) -> pl.Series:
    """Return the day at the exchange on which each bar began, from seconds since 1970 in UTC."""
    days = [_day(stamp, zone) for stamp in stamps]
    return pl.Series("session", days, dtype=pl.Date)


def _day(stamp: Any, zone: ZoneInfo) -> date:
    if isinstance(stamp, bool) or not isinstance(stamp, int):
        raise ValueError(f"{stamp!r} is no time in seconds")  # noqa: TRY004  as a wrong zone is
    return datetime.fromtimestamp(stamp, UTC).astimezone(zone).date()


def _numbers(values: Sequence[Any], name: str) -> pl.Series:
    for value in values:
        if value is not None and not _is_number(value):
            raise ValueError(f"{name!r} holds {value!r}, which is no number")
    numbers = [None if value is None else float(value) for value in values]
    return pl.Series(name, numbers, dtype=pl.Float64)


def _is_number(value: Any) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool) and isfinite(value)


def _splits(told: Mapping[str, Mapping[str, Any]], zone: ZoneInfo) -> tuple[Split, ...]:
    made = [
        Split(_day(one["date"], zone), float(one["numerator"]) / float(one["denominator"]))
        for one in told.values()
        if one["denominator"]
    ]
    return tuple(sorted(made, key=lambda split: split.day))
