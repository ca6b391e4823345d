"""The days on which an exchange trades, over `exchange_calendars`: past ones as they were held.

A calendar is a rule for the days to come and a record of those that have been: holidays, days on
which the exchange was shut without warning, days on which it closed early.
"""

from __future__ import annotations

import warnings
from dataclasses import dataclass
from datetime import UTC, date, datetime
from functools import lru_cache
from importlib.util import find_spec
from typing import TYPE_CHECKING, Any

import numpy as np

from heddle.domain.errors import ConfigError

if TYPE_CHECKING:
    from numpy.typing import NDArray

__all__ = [
    "half_days",
    "is_session",
    "last_session",
    "opening",
    "session_after",
    "session_before",
    "sessions",
]

_FIRST, _LAST = "1927-01-01", "2050-12-31"  # asked of a calendar that has no bounds of its own


def sessions(calendar: str, first: date, last: date) -> list[date]:
    """Return the sessions from `first` to `last`, both included.

    >>> [str(day) for day in sessions("XNYS", date(2012, 10, 26), date(2012, 10, 31))]
    ['2012-10-26', '2012-10-31']

    Args:
        calendar: ISO 10383 code of the exchange, or a name that is known for it.
        first: need not be a session.
        last: need not be a session.

    Raises:
        ConfigError: no such calendar, dates that it does not know, or the extra is missing.
    """
    held = _held(calendar)
    start, end = held.place(first, "left"), held.place(last, "right")
    found: list[date] = held.days[start:end].tolist()
    return found


def is_session(calendar: str, day: date) -> bool:
    """Tell whether the exchange trades on a day. Raises as `sessions`."""
    return bool(sessions(calendar, day, day))


def session_after(calendar: str, day: date, n: int = 1) -> date:
    """Return the n-th session after a day, which need not be a session itself.

    >>> str(session_after("XNYS", date(2023, 11, 22), 2))  # Thanksgiving lies between
    '2023-11-27'

    Raises:
        ConfigError: as `sessions`; or that session is later than the calendar knows.
    """
    held = _held(calendar)
    return held.at(held.place(day, "right") + _positive(n) - 1, day)


def session_before(calendar: str, day: date, n: int = 1) -> date:
    """Return the n-th session before a day, which need not be a session itself.

    Raises:
        ConfigError: as `sessions`; or that session is earlier than the calendar knows.
    """
    held = _held(calendar)
    return held.at(held.place(day, "left") - _positive(n), day)


def last_session(calendar: str, now: datetime) -> date:
    """Return the last session that has closed; before the close of one it is the one before.

    >>> str(last_session("XNYS", datetime(2023, 11, 24, 18, 0, tzinfo=UTC)))  # closes at 13:00
    '2023-11-24'

    Args:
        calendar: as for `sessions`.
        now: with a time zone.

    Raises:
        ConfigError: as `sessions`; or no session that the calendar knows has closed by then.
    """
    if now.tzinfo is None:
        raise ValueError("`now` must have a time zone")
    held = _held(calendar)
    held.place(now.astimezone(UTC).date(), "left")
    moment = np.datetime64(now.astimezone(UTC).replace(tzinfo=None), "ns")
    return held.at(int(np.searchsorted(held.closes, moment, side="right")) - 1, now.date())


def opening(calendar: str, session: date) -> datetime:
    """Return when a session opens, or opened, in UTC.

    >>> str(opening("XNYS", date(2023, 11, 24)))
    '2023-11-24 14:30:00+00:00'

    Raises:
        ConfigError: as `sessions`; or there is no such session.
    """
    held = _held(calendar)
    place = held.place(session, "left")
    if held.days[place] != np.datetime64(session, "D"):
        raise ConfigError(f"{session} is no session of {held.name}", where="calendar")
    moment: datetime = held.opens[place].astype("datetime64[us]").item()
    return moment.replace(tzinfo=UTC)


def half_days(calendar: str, first: date, last: date) -> list[date]:
    """Return the sessions from `first` to `last` that closed, or will close, early.

    >>> [str(day) for day in half_days("XNYS", date(2023, 7, 1), date(2023, 12, 31))]
    ['2023-07-03', '2023-11-24']

    Raises:
        ConfigError: as `sessions`.
    """
    held = _held(calendar)
    held.place(first, "left")
    held.place(last, "right")
    return [day for day in held.early if first <= day <= last]


@dataclass(frozen=True, slots=True)
class _Held:
    """The sessions of one exchange, in order."""

    name: str
    days: NDArray[Any]  # datetime64[D]
    opens: NDArray[Any]  # datetime64[ns] in UTC
    closes: NDArray[Any]  # the same
    early: tuple[date, ...]

    def place(self, day: date, side: Any) -> int:
        """Return how many sessions lie before a day (right: and on it)."""
        if not self.days[0] <= np.datetime64(day, "D") <= self.days[-1]:
            raise self._unknown(f"{day:%Y-%m-%d} is outside of what calendar {self.name} knows")
        return int(np.searchsorted(self.days, np.datetime64(day, "D"), side=side))

    def at(self, place: int, day: date) -> date:
        """Return a session by its number from 0."""
        if not 0 <= place < self.days.size:
            raise self._unknown(f"from {day:%Y-%m-%d} on, calendar {self.name} ends before that")
        found: date = self.days[place].item()
        return found

    def _unknown(self, what: str) -> ConfigError:
        known = f"{self.days[0]} to {self.days[-1]}"
        todo = f"It knows {known}. Mend the date, or install a newer exchange-calendars."
        return ConfigError(what, where="calendar", todo=todo)


def _positive(n: int) -> int:
    if n < 1:
        raise ValueError(f"`n` must be at least 1, not {n}")
    return n


@lru_cache(maxsize=8)
def _held(name: str) -> _Held:
    """Return a calendar's sessions, computed once: a tenth of a second for most."""
    if find_spec("exchange_calendars") is None:
        raise ConfigError(
            "exchange_calendars is not installed, which knows when an exchange trades",
            where=f"calendar {name}",
            todo="pip install 'heddle-ml[calendars]'",
        )
    import exchange_calendars

    known = exchange_calendars.get_calendar_names()
    if name not in known:
        spelt = name.upper() if name.upper() in known else name
        raise ConfigError(f"no calendar {name!r}", wanted=spelt, known=known)
    found = _widest(name)
    early = tuple(day.date() for day in found.early_closes)
    opens, closes = (
        times.dt.tz_convert(None).to_numpy().astype("datetime64[ns]")
        for times in (found.opens, found.closes)
    )
    days = found.sessions.to_numpy().astype("datetime64[D]")
    return _Held(name, days, opens, closes, early)


def _widest(name: str) -> Any:
    """Return the calendar over all the years that it can tell; by itself it would tell 21."""
    import exchange_calendars
    import pandas as pd

    made = _made(name, _FIRST, _LAST)
    plain = made or _made(name)
    if plain is None:
        versions = f"exchange_calendars {exchange_calendars.__version__}, pandas {pd.__version__}"
        what, todo = f"cannot be made ({versions})", "Install other versions of them."
        raise ConfigError(what, where=f"calendar {name}", todo=todo)
    start, end = plain.bound_min() or pd.Timestamp(_FIRST), plain.bound_max() or pd.Timestamp(_LAST)
    return made or _made(name, str(start.date()), str(end.date())) or plain


def _made(name: str, *bounds: str) -> Any:
    """Return a calendar, or None if its rules do not reach so far."""
    import exchange_calendars

    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # of its ways with pandas
        try:
            return exchange_calendars.get_calendar(name, *bounds)
        except (ValueError, NotImplementedError):
            return None
