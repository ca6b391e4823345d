"""What is told of a table."""

# ruff: noqa: DTZ001 - naive time stamps are a type of their own
from __future__ import annotations

import datetime as dt
import json

import polars as pl
import pytest

from heddle.domain.errors import DataContractError
from heddle.frames.describe import describe


def test_numbers_are_told_as_python_counts_them():
    """Against the standard library."""
    facts = describe(pl.DataFrame({"x": [3.0, 1.0, None, 2.0, 2.0]}))["x"]
    assert (facts["nulls"], facts["distinct"]) == (1, 3)
    assert (facts["min"], facts["max"], facts["mean"], facts["p50"]) == (1.0, 3.0, 2.0, 2.0)
    assert facts["type"] == "float64"


def test_every_type_that_can_be_stored_is_plain_json():
    """Dates, times, durations, NaN and infinity included; so is a table without rows."""
    frame = pl.DataFrame(
        {
            "b": [True, None],
            "s": ["", None],
            "d": [dt.date(2020, 1, 1), None],
            "t": [dt.time(1, 2), None],
            "w": [dt.datetime(2020, 1, 1), None],
            "u": [dt.timedelta(1), None],
            "n": [float("nan"), float("inf")],
            "z": pl.Series([dt.datetime(2020, 1, 1), None]).dt.replace_time_zone("UTC"),
        }
    )
    for table in (frame, frame.clear()):
        assert json.loads(json.dumps(describe(table), allow_nan=False)) == describe(table)
    assert describe(pl.DataFrame()) == {}


@pytest.mark.parametrize("cell", [[1], {"a": 1}, object()])
def test_nested_columns_are_refused_by_name(cell):
    """Before anything is written."""
    with pytest.raises(DataContractError, match=r"column 'odd'.* cannot be stored"):
        describe(pl.DataFrame({"odd": pl.Series([cell])}))
