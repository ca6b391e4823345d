"""A moment stands for a day only where it is clear for which."""

import datetime as dt

import polars as pl
import pytest

from heddle.validation.contract import Column
from heddle.validation.parse import TextRules, fault_words, parse

PLAIN = Column(type="date", nullable=True)
EXCHANGE = Column(type="date", nullable=True, zone="America/New_York")
WINTER, SUMMER = dt.date(2024, 1, 2), dt.date(2024, 7, 1)


def read(cells, column):
    parsed = parse(pl.Series("x", cells, dtype=pl.String), column, TextRules())
    assert parsed.values.dtype == pl.Date
    return parsed.values.to_list(), parsed.bad.tolist()


def test_midnights_of_the_declared_zone_are_days():
    """Summer time or not, with T or a blank, in whatever zone the same moment is written."""
    cells = [
        *("2024-01-02 00:00:00-05:00", "2024-07-01T00:00:00-04:00", "2024-01-02T05:00:00Z"),
        *("2024-07-01 00:00:00", " 2024-01-02 ", "", None),
    ]
    wanted = [WINTER, SUMMER, WINTER, SUMMER, WINTER, None, None]
    assert read(cells, EXCHANGE) == (wanted, [])


@pytest.mark.parametrize(
    ("cell", "words"),
    [
        ("2024-01-02 00:00:00+00:00", "is 2024-01-01 19:00 in America/New_York, not midnight"),
        ("2024-01-02 16:00:00", "is 2024-01-02 16:00 in America/New_York, not midnight"),
        ("2024-01-02 00:00:00+01:00", "it is not clear which day is meant"),
        ("2024-01-02 25:00:00", "is no date (year-month-day"),
        ("2024-1-2", "is no date (year-month-day"),
        ("0001-01-01 00:00:00+14:00", "is no date (year-month-day"),
    ],
)
def test_zones_that_are_mixed_are_found_row_by_row(cell, words):
    """A stamp of another zone among the right ones would be the day before, silently."""
    good = "2024-01-02 00:00:00-05:00"
    assert read([good, cell, good], EXCHANGE) == ([WINTER, None, WINTER], [1])
    assert words in fault_words(cell, EXCHANGE)


def test_without_a_declared_zone_no_moment_is_a_day():
    """Not even midnight, since nobody said where."""
    cells = ["2024-01-02", "2024-01-02 00:00:00", "2024-01-02T00:00:00Z"]
    assert read(cells, PLAIN) == ([WINTER, None, None], [1, 2])
    assert "is a moment, not a day (if midnight somewhere" in fault_words(cells[2], PLAIN)


@pytest.mark.parametrize("zone", [None, "UTC", "America/New_York"])
def test_typed_moments_are_read_by_the_same_rule(zone):
    """As Parquet files of prices have them."""
    clock = pl.Series("x", ["2024-01-02 00:00", "2024-07-01 09:30", None])
    moments = clock.str.to_datetime("%Y-%m-%d %H:%M").dt.replace_time_zone(zone)
    parsed = parse(moments, EXCHANGE, TextRules())
    wrong = [0, 1] if zone == "UTC" else [1]
    assert parsed.values.to_list() == [None if zone == "UTC" else WINTER, None, None]
    assert parsed.bad.tolist() == wrong
    assert fault_words(moments[1], EXCHANGE).startswith("'2024-07-01 09:30:00")
    assert "not midnight" in fault_words(moments[1], EXCHANGE)
    assert parse(moments, PLAIN, TextRules()).bad.tolist() == [0, 1]
    assert "is a moment, not a day" in fault_words(moments[0], PLAIN)
