"""Cells become values of the declared type, exactly, or are reported."""

import datetime as dt
import math

import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st

from heddle.validation.contract import Column
from heddle.validation.parse import DTYPES, TextRules, fault_words, parse

FLOAT, INT = Column(type="float", nullable=True), Column(type="int", nullable=True)
BOOL, DATE = Column(type="bool", nullable=True), Column(type="date", nullable=True)


def read(cells, column, **rules):
    parsed = parse(pl.Series("x", cells, dtype=pl.String), column, TextRules(**rules))
    assert parsed.values.dtype == DTYPES[column.type]
    assert parsed.values.name == "x"
    return parsed.values.to_list(), parsed.bad.tolist()


def test_numbers_are_read_padded_or_not():
    """Spaces around, signs, exponents and bare points are numbers; empty text is null."""
    cells = ["1", " 2 ", "+3", "-.5", "1e3", "4.", "", None]
    assert read(cells, FLOAT) == ([1.0, 2.0, 3.0, -0.5, 1000.0, 4.0, None, None], [])


@pytest.mark.parametrize(
    ("cell", "column", "words"),
    [
        ("abc", FLOAT, "'abc' is no number"),
        ("NA", FLOAT, "'NA' is no number"),
        ("1,5", FLOAT, "'1,5' is no number"),
        ("0x10", FLOAT, "'0x10' is no number"),
        ("1_000", FLOAT, "'1_000' is no number"),
        ("\uff11", FLOAT, "'\uff11' is no number"),
        ("inf", FLOAT, "'inf' is not finite"),
        ("-Infinity", FLOAT, "'-Infinity' is not finite"),
        ("NaN", FLOAT, "'NaN' is not finite"),
        ("1e400", FLOAT, "'1e400' is infinite"),
        ("9007199254740993", FLOAT, "'9007199254740993' is too large for a float without loss"),
        ("9" * 5000, FLOAT, "is infinite"),
        ("1.5", INT, "'1.5' is no whole number"),
        ("9223372036854775808", INT, "'9223372036854775808' is too large for 64 bits"),
        ("x" * 99, INT, f"'{'x' * 40}…' is no number"),
        ("maybe", BOOL, "'maybe' is neither true nor false"),
        ("2024-02-30", DATE, "'2024-02-30' is no date"),
        ("2024-2-1", DATE, "'2024-2-1' is no date"),
        ("01/02/2024", DATE, "'01/02/2024' is no date"),
    ],
)
def test_what_is_no_value_is_null_and_reported_with_a_reason(cell, column, words):
    """Every wrong cell is found, alone and among right ones, and said in words."""
    good = {"float": "1", "int": "1", "bool": "true", "date": "2024-01-01"}[column.type]
    values, bad = read([good, cell, ""], column)
    assert (values[1:], bad) == ([None, None], [1])
    assert words in fault_words(cell, column)


def test_whole_numbers_keep_all_64_bits():
    """No detour through floats; 41.0 is 41."""
    cells = ["9223372036854775807", "-9223372036854775808", "9007199254740993", "41.0", " 7"]
    wanted = [9223372036854775807, -9223372036854775808, 9007199254740993, 41, 7]
    assert read(cells, INT) == (wanted, [])


def test_booleans_and_dates_are_read():
    """True and false in the usual spellings, dates year first."""
    assert read(["True", "0", " yes ", ""], BOOL) == ([True, False, True, None], [])
    assert read(["2024-02-29", ""], DATE) == ([dt.date(2024, 2, 29), None], [])


def test_only_declared_words_mean_null():
    """NA is a fault until it is declared; a declared number is no number any more."""
    assert read(["NA", "-999", "1"], FLOAT, nulls=("NA", "-999")) == ([None, None, 1.0], [])
    assert read(["", "1"], FLOAT, nulls=()) == ([None, 1.0], [0])
    assert read(["NaN", "1"], FLOAT, nulls=("NaN",)) == ([None, 1.0], [])
    string = Column(type="string", nullable=True)
    assert read(["", "NA", "x"], string) == ([None, "NA", "x"], [])
    assert read(["", "NA", "x"], string, nulls=("NA",)) == (["", None, "x"], [])


def test_declared_marks_of_thousands_and_decimals_are_read():
    """1.234,5 is a number where it is declared so, and badly grouped text is not."""
    cells = ["1.234,5", "-1.234.567", "12,5", "1.23,4", "1.5"]
    values, bad = read(cells, FLOAT, decimal=",", thousands=".")
    assert (values, bad) == ([1234.5, -1234567.0, 12.5, None, None], [3, 4])
    assert read(["1,234", "12"], INT, thousands=",") == ([1234, 12], [])
    assert read(["1,5", "1.5"], FLOAT, decimal=",") == ([1.5, None], [1])


@given(st.lists(st.floats(allow_nan=False, allow_infinity=False), min_size=1))
def test_floats_survive_their_text(numbers):
    """repr and back gives the same bits."""
    values, bad = read([repr(x) for x in numbers], FLOAT)
    assert not bad
    assert [math.copysign(1, v) for v in values] == [math.copysign(1, x) for x in numbers]
    assert values == numbers


@given(st.lists(st.text(alphabet="0123456789.eE+- ", max_size=8), min_size=1))
def test_numbers_are_those_that_python_reads(cells):
    """A slow reading, one cell at a time, agrees on value and verdict."""
    values, bad = read(cells, FLOAT, nulls=())
    for row, cell in enumerate(cells):
        try:
            slow = float(cell)
        except ValueError:
            slow = None
        if slow is None or math.isinf(slow):
            assert row in bad
        elif row not in bad:
            assert values[row] == slow
        else:
            assert abs(slow) > 2**53


@pytest.mark.parametrize(
    ("cells", "column", "values", "bad"),
    [
        (pl.Series([1, 2]), FLOAT, [1.0, 2.0], []),
        (pl.Series([2**53 + 1, 1]), FLOAT, [None, 1.0], [0]),
        (pl.Series([1.0, math.nan, math.inf]), FLOAT, [1.0, None, None], [2]),
        (pl.Series([1.0, math.nan, 2.5]), INT, [1, None, None], [2]),
        (pl.Series([1, 2], dtype=pl.Int8), INT, [1, 2], []),
        (pl.Series([2**64 - 1], dtype=pl.UInt64), INT, [None], [0]),
        (pl.Series([1.5], dtype=pl.Float32), FLOAT, [1.5], []),
        (pl.Series([None, None]), FLOAT, [None, None], []),
        (pl.Series([True]), FLOAT, [None], [0]),
        (pl.Series([True]), BOOL, [True], []),
        (pl.Series([1]), Column(type="string"), [None], [0]),
        (pl.Series(["a"], dtype=pl.Categorical), Column(type="string"), ["a"], []),
        (pl.Series([dt.date(2024, 1, 1)]), DATE, [dt.date(2024, 1, 1)], []),
        (pl.Series([1]), DATE, [None], [0]),
    ],
)
def test_typed_columns_are_converted_where_nothing_is_lost(cells, column, values, bad):
    """NaN in memory means not known; what the declared type cannot hold exactly is bad."""
    parsed = parse(cells, column, TextRules())
    assert (parsed.values.to_list(), parsed.bad.tolist()) == (values, bad)
    assert parsed.values.dtype == DTYPES[column.type]
