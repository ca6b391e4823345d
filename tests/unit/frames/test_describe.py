"""What is told of a table."""

# ruff: noqa: DTZ001 - naive time stamps are a type of their own
from __future__ import annotations

import datetime as dt
import json
import math

import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

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


NUMBERS = {
    pl.Int64: st.integers(-(2**63), 2**63 - 1) | st.integers(-2, 2),
    pl.UInt8: st.integers(0, 255),
    pl.Float32: st.floats(width=32),
    pl.Float64: st.floats() | st.sampled_from([0.0, -0.0, 1.0]),
}
QUANTILES = {"p05": 0.05, "p25": 0.25, "p50": 0.5, "p75": 0.75, "p95": 0.95}


@settings(max_examples=300)
@given(st.sampled_from(list(NUMBERS)), st.data())
def test_numbers_are_told_as_polars_counts_them(kind, data):
    """Property: what one sort gives is what Polars finds, NaN last and counted once."""
    cells = data.draw(st.lists(st.none() | NUMBERS[kind], max_size=12))
    series = pl.Series("x", cells, dtype=kind)
    facts = describe(series.to_frame())["x"]
    found = {"distinct": series.drop_nulls().n_unique(), "min": series.min(), "max": series.max()}
    found |= {key: series.quantile(at, "lower") for key, at in QUANTILES.items()}
    for key, value in found.items():
        odd = isinstance(value, float) and not math.isfinite(value)
        assert facts[key] == (str(value) if odd else value)
    assert not any(isinstance(v, float) and str(v) == "-0.0" for v in facts.values())


def test_the_mean_of_many_rows_is_the_same_each_time():
    """A sum that threads share out would differ in its last digits from run to run."""
    frame = pl.DataFrame({"x": pl.int_range(600_000, eager=True).sqrt() * 1e6})
    assert len({describe(frame)["x"]["mean"] for _ in range(5)}) == 1
    assert describe(frame)["x"]["mean"] == frame["x"].mean()


@pytest.mark.parametrize("cell", [[1], {"a": 1}, object()])
def test_nested_columns_are_refused_by_name(cell):
    """Before anything is written."""
    with pytest.raises(DataContractError, match=r"column 'odd'.* cannot be stored"):
        describe(pl.DataFrame({"odd": pl.Series([cell])}))
