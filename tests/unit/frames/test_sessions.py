"""When an exchange trades: holidays, storms, half days, and the close of today."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from heddle.domain.errors import ConfigError
from heddle.frames.sessions import (
    half_days,
    is_session,
    last_session,
    opening,
    session_after,
    session_before,
    sessions,
)

pytest.importorskip("exchange_calendars", reason="the extra `calendars` is not installed")

NEW_YORK = ZoneInfo("America/New_York")
DAYS = st.dates(date(1990, 1, 1), date(2030, 12, 31))


@pytest.mark.parametrize(
    "day",
    [
        "2012-10-29",  # Sandy
        "2012-10-30",
        "2001-09-11",
        "2022-06-20",  # Juneteenth, on the Monday after
        "2023-06-19",
        "2025-01-09",  # mourning for a president
        "2023-11-23",  # Thanksgiving
        "2021-12-24",  # Christmas on a Saturday
        "2023-11-25",  # a Saturday
    ],
)
def test_new_york_did_not_trade(day):
    """By rule, by storm, by mourning."""
    assert not is_session("XNYS", date.fromisoformat(day))


@pytest.mark.parametrize("day", ["2021-06-18", "2012-10-31", "2021-12-31", "2020-03-18"])
def test_new_york_traded(day):
    """Juneteenth was no holiday of the exchange in 2021; nor is New Year's Eve one."""
    assert is_session("XNYS", date.fromisoformat(day))


def test_sessions_are_those_between_two_days_both_included():
    """The week of Thanksgiving 2023."""
    found = sessions("XNYS", date(2023, 11, 18), date(2023, 11, 26))
    assert [day.day for day in found] == [20, 21, 22, 24]
    assert sessions("XNYS", date(2023, 11, 23), date(2023, 11, 23)) == []
    assert len(sessions("XNYS", date(2003, 8, 25), date(2023, 8, 24))) == 5035
    assert sessions("XNYS", date(2023, 11, 24), date(2023, 11, 20)) == []


def test_half_days_are_told():
    """The day after Thanksgiving, the eve of Independence Day, of Christmas."""
    found = half_days("XNYS", date(2012, 1, 1), date(2012, 12, 31))
    assert list(map(str, found)) == ["2012-07-03", "2012-11-23", "2012-12-24"]


def test_a_session_so_many_after_or_before_a_day():
    """The day itself does not count, whether it is a session or not."""
    wednesday, thanksgiving = date(2023, 11, 22), date(2023, 11, 23)
    assert session_after("XNYS", wednesday) == date(2023, 11, 24)
    assert session_after("XNYS", thanksgiving, 5) == date(2023, 11, 30)
    assert session_before("XNYS", thanksgiving) == wednesday
    assert session_before("XNYS", wednesday, 2) == date(2023, 11, 20)
    for step in (session_after, session_before):
        with pytest.raises(ValueError, match="`n` must be at least 1, not 0"):
            step("XNYS", wednesday, 0)


@given(DAYS, st.integers(1, 300))
def test_there_and_back_is_where_one_began(day, n):
    """From a session, n on and n back; and n sessions lie between."""
    there = session_after("XNYS", day, n)
    assert len(sessions("XNYS", day + timedelta(days=1), there)) == n
    if is_session("XNYS", day):
        assert session_before("XNYS", there, n) == day


@pytest.mark.parametrize(
    ("moment", "last"),
    [
        ("2023-11-22 15:59", "2023-11-21"),  # the running day has no close yet
        ("2023-11-22 16:00", "2023-11-22"),
        ("2023-11-23 20:00", "2023-11-22"),  # Thanksgiving
        ("2023-11-24 12:59", "2023-11-22"),
        ("2023-11-24 13:00", "2023-11-24"),  # a half day
        ("2023-11-26 12:00", "2023-11-24"),  # a Sunday
        ("2024-07-05 15:00", "2024-07-03"),
    ],
)
def test_the_last_session_is_the_last_that_has_closed(moment, last):
    """In any time zone the same moment gives the same session."""
    now = datetime.fromisoformat(moment).replace(tzinfo=NEW_YORK)
    assert str(last_session("XNYS", now)) == last
    assert str(last_session("XNYS", now.astimezone(UTC))) == last
    assert str(last_session("XNYS", now.astimezone(ZoneInfo("Asia/Tokyo")))) == last


def test_a_session_opens_in_the_morning_of_the_exchange():
    """Summer or winter; a day without one is refused."""
    for day in (date(2024, 1, 16), date(2024, 7, 16)):
        assert opening("XNYS", day).astimezone(NEW_YORK) == datetime(
            day.year, day.month, day.day, 9, 30, tzinfo=NEW_YORK
        )
    with pytest.raises(ConfigError, match="calendar: 2024-01-15 is no session of XNYS"):
        opening("XNYS", date(2024, 1, 15))


def test_a_moment_without_zone_is_no_moment():
    """It would be another one on each machine."""
    with pytest.raises(ValueError, match="`now` must have a time zone"):
        last_session("XNYS", datetime(2023, 11, 24, 12))  # noqa: DTZ001


def test_an_unknown_calendar_is_told_with_the_nearest():
    """However it is written; a name that is known for an exchange will do."""
    with pytest.raises(ConfigError, match="no calendar 'XNYSE'; did you mean 'XNYS'"):
        is_session("XNYSE", date(2020, 1, 2))
    with pytest.raises(ConfigError, match="no calendar 'nyse'; did you mean 'NYSE'"):
        is_session("nyse", date(2020, 1, 2))
    assert is_session("NASDAQ", date(2020, 1, 2))


def test_a_date_that_the_calendar_does_not_know_is_refused():
    """With the dates that it knows."""
    with pytest.raises(ConfigError, match="2200-01-01 is outside of what calendar XNYS knows"):
        sessions("XNYS", date(2020, 1, 1), date(2200, 1, 1))
    with pytest.raises(ConfigError, match="It knows 1927-01-03 to 2050-12-30"):
        is_session("XNYS", date(1800, 1, 1))
    with pytest.raises(ConfigError, match="from 2050-12-01 on, calendar XNYS ends before that"):
        session_after("XNYS", date(2050, 12, 1), 300)
    with pytest.raises(ConfigError, match="is outside of what calendar XNYS knows"):
        last_session("XNYS", datetime(2100, 1, 1, tzinfo=UTC))


def test_a_calendar_with_bounds_of_its_own_tells_what_lies_within():
    """Shanghai's holidays are announced year by year."""
    assert is_session("XSHG", date(1995, 1, 3))
    with pytest.raises(ConfigError, match=r"outside of what calendar XSHG knows.*1990-12-03"):
        is_session("XSHG", date(1985, 1, 3))


def test_without_the_extra_the_words_say_what_to_install(monkeypatch):
    """Nothing else of the house needs it."""
    monkeypatch.setattr("heddle.frames.sessions.find_spec", lambda name: None)
    with pytest.raises(ConfigError, match=r"pip install 'heddle-ml\[calendars\]'"):
        is_session("XETR", date(2020, 1, 2))
