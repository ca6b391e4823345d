"""What was known on a day: the rows up to it, and the words where the day has none."""

from datetime import date

import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st

from heddle.domain.errors import ConfigError
from heddle.ingestion.asof import read_day, rows_known_on

TODAY = date(2024, 2, 1)
DAYS = [date(2024, 1, 11), date(2024, 1, 12), date(2024, 1, 16)]  # the 15th was a holiday
TABLE = pl.DataFrame({"day": DAYS, "v": [1, 2, 3]})


def known(asof, table=TABLE, time="day"):
    return rows_known_on(table, asof, time=time, today=TODAY)


@given(st.lists(st.dates(date(2024, 1, 1), TODAY), min_size=1), st.dates(date(2024, 1, 1), TODAY))
def test_it_is_every_row_up_to_the_day(days, asof):
    """In whatever order they stand."""
    table = pl.DataFrame({"day": days}, schema={"day": pl.Date})
    if asof < min(days):
        with pytest.raises(ConfigError, match="is before the first row"):
            known(asof, table)
    else:
        assert known(asof, table)[0].to_list() == [day <= asof for day in days]


def test_a_day_with_a_row_needs_no_words():
    """It is the last one of them."""
    mask, words = known(DAYS[1])
    assert (mask.to_list(), words) == ([True, True, False], "")


def test_a_holiday_is_told():
    """The last session before it is used."""
    mask, words = known(date(2024, 1, 15))
    assert mask.to_list() == [True, True, False]
    assert words == (
        "asof 2024-01-15: there is no row of that day; the last one before it is of 2024-01-12"
    )


def test_a_day_long_after_the_last_row_is_told():
    """The table may be an old one."""
    words = known(date(2024, 1, 30))[1]
    assert words.endswith("the last one before it is of 2024-01-16, 14 days earlier")


def test_a_row_without_a_day_is_left_to_the_contract():
    """It is neither dropped in silence nor known to be later."""
    table = pl.DataFrame({"day": [DAYS[0], None, DAYS[2]]})
    assert known(DAYS[0], table)[0].to_list() == [True, True, False]
    assert known(DAYS[0], table.clear())[0].to_list() == []


@pytest.mark.parametrize(
    ("asof", "words"),
    [
        (date(2024, 2, 2), r"2024-02-02 is in the future \(today is 2024-02-01\); rows reach from"),
        (date(2024, 1, 10), "2024-01-10 is before the first row; rows reach from 2024-01-11 to"),
    ],
)
def test_a_day_on_which_nothing_was_known_is_refused(asof, words):
    """The range is named."""
    with pytest.raises(ConfigError, match=f"ingestion.asof: {words} .*2024-01-16") as caught:
        known(asof)
    assert caught.value.exit_code == 2


@pytest.mark.parametrize(
    ("time", "words"),
    [
        (None, "ingestion.time: is not set, and asof needs it"),
        ("date", "no column 'date'. Known: day, v"),
        ("v", r"column 'v' holds no dates \(Int64\)"),
    ],
)
def test_a_table_without_a_column_of_days_is_refused(time, words):
    """What is to be compared must be said."""
    with pytest.raises(ConfigError, match=words):
        known(DAYS[0], time=time)


@pytest.mark.parametrize("text", ["2024-2-9", "2024-02-30", "20240229", "today", "", "2024-W01-1"])
def test_a_date_is_written_in_one_way(text):
    """Year-month-day, and a day that exists."""
    assert read_day("2024-02-29", "asof") == date(2024, 2, 29)
    with pytest.raises(ValueError, match="asof must be a date as 2024-02-29, not "):
        read_day(text, "asof")
