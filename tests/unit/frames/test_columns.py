"""Questions to a table's columns, and the words of the refusals."""

from __future__ import annotations

from decimal import Decimal

import narwhals as nw
import polars as pl
import pytest

from heddle.domain.errors import ConfigError, DataContractError
from heddle.frames.columns import (
    as_number,
    ending_with,
    refuse_taken,
    require,
    require_whole,
)

NATIVE = pl.LazyFrame(
    {"n": [100, 27], "part": [0.5, 1.5], "word": ["a", "b"], "flag": [True, False]},
    {"n": pl.Int8, "part": pl.Float32, "word": pl.String, "flag": pl.Boolean},
)
TABLE = nw.from_native(NATIVE)


def test_what_is_there_is_not_refused():
    """Nor is a new name that is free."""
    require(TABLE, ["word", "n"], where="step")
    refuse_taken(TABLE, ["m", "o"], where="step")
    require_whole(TABLE, "n", where="step")
    assert ending_with(TABLE, "t", where="step") == ["part"]


def test_numbers_are_widened():
    """So that a sum of small integers cannot overflow, nor one of short floats be coarse."""
    wide = TABLE.select(as_number(TABLE, "n", where="step"), as_number(TABLE, "part", where="step"))
    assert dict(wide.collect_schema()) == {"n": nw.Int64(), "part": nw.Float64()}
    money = nw.from_native(pl.LazyFrame({"x": [Decimal("1.5")]}))
    assert money.select(as_number(money, "x", where="step")).collect()["x"].to_list() == [1.5]


@pytest.mark.parametrize(
    ("ask", "words"),
    [
        (
            lambda: require(TABLE, ["n", "wrd"], where="step"),
            "step: input has no column 'wrd'; did you mean 'word'? Known: n, part, word, flag",
        ),
        (
            lambda: ending_with(TABLE, "_x", where="step"),
            "step: no column ends with '_x'. Known: n, part, word, flag",
        ),
        (
            lambda: as_number(TABLE, "flag", where="step"),
            "step: column 'flag' is Boolean, not a number",
        ),
        (
            lambda: require_whole(TABLE, "part", where="step"),
            "step: column 'part' is Float32, not a whole number",
        ),
    ],
)
def test_a_table_that_does_not_fit_is_refused(ask, words):
    """One line, with what there is."""
    with pytest.raises(DataContractError) as told:
        ask()
    assert str(told.value) == words


@pytest.mark.parametrize("names", [["new", "word"], ["word2", "word2"]])
def test_a_name_can_be_given_once(names):
    """By the table or by one new column."""
    with pytest.raises(ConfigError, match=r"step: column 'word2?' exists already\. Give the new"):
        refuse_taken(TABLE, names, where="step")
