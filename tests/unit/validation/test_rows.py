"""Prediction input: good rows are used, bad ones told with line and reason."""

import math

import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st

from heddle.domain.errors import DataContractError
from heddle.validation.contract import read_contract
from heddle.validation.rows import RowFault, checked_rows, row_findings

CONTRACT = read_contract(
    {
        "rows": {"min": 100},
        "extra": "keep",
        "columns": {
            "x": {"type": "float", "min": 0, "max": 10},
            "z": {"type": "float", "above": 0, "nullable": True},
            "kind": {"type": "string", "categories": ["a", "b"]},
        },
    },
    "v0",
)


def test_good_rows_are_typed_and_bad_ones_told():
    """Text that is no number, gaps and ranges cost the row; an unknown category flags it."""
    frame = pl.DataFrame({
        "kind": ["a", "b", "q", "a", "a", "b"],
        "x": ["1", "abc", "3", "", "99", "-1"],
        "z": ["", "1", "2", "3", "0", "1"],
        "unused": ["?"] * 6,
    })  # fmt: skip
    typed, faults = row_findings(frame, CONTRACT)
    assert typed.rows() == [(1.0, None, "a"), (3.0, 2.0, "q")]
    assert typed.columns == ["x", "z", "kind"]
    assert faults == [
        RowFault(line=3, column="x", reason="'abc' is no number"),
        RowFault(line=4, column="kind", reason="'q' is none of 'a', 'b'", fatal=False),
        RowFault(line=5, column="x", reason="is missing"),
        RowFault(line=6, column="x", reason="99 is above 10"),
        RowFault(line=6, column="z", reason="0 is not above 0"),
        RowFault(line=7, column="x", reason="-1 is below 0"),
    ]


def test_a_missing_column_rules_every_row_out():
    """Without a declared column nothing can be predicted; the nearest name is told."""
    with pytest.raises(DataContractError, match=r"input: column 'kind' is missing \(is it 'kinds'"):
        row_findings(pl.DataFrame({"kinds": ["a"], "x": ["1"], "z": ["1"]}), CONTRACT)


numbers = st.one_of(st.none(), st.floats(-20, 20), st.sampled_from([math.nan, math.inf]))


@given(st.lists(st.tuples(numbers, numbers, st.sampled_from(["a", "b", "q", None]))))
def test_the_good_rows_are_those_that_a_slow_reading_finds(rows):
    """Typed frames are judged the same way, one row at a time."""
    frame = pl.DataFrame(
        rows, schema={"x": pl.Float64, "z": pl.Float64, "kind": pl.String}, orient="row"
    )
    typed, faults = row_findings(frame, CONTRACT, line=lambda row: row)
    good = [
        i
        for i, (x, z, kind) in enumerate(rows)
        if x is not None and 0 <= x <= 10 and kind is not None
        and (z is None or math.isnan(z) or 0 < z < math.inf)
    ]  # fmt: skip
    assert typed.height == len(good)
    assert {f.line for f in faults if f.fatal} == set(range(len(rows))) - set(good)
    assert {f.line for f in faults if not f.fatal} == {
        i for i, row in enumerate(rows) if row[2] == "q"
    }
    assert typed["x"].to_list() == [rows[i][0] for i in good]


def test_an_optional_column_may_be_missing():
    """The rows are used without it; another missing column ends it all."""
    columns = {"x": {"type": "float"}, "y": {"type": "float", "optional": True}}
    contract = read_contract({"columns": columns}, "v0")
    typed, faults = row_findings(pl.DataFrame({"x": ["1", "2"]}), contract)
    assert (typed.columns, typed.height, faults) == (["x"], 2, [])
    with pytest.raises(DataContractError, match="column 'x' is missing"):
        row_findings(pl.DataFrame({"y": ["1"]}), contract)


@given(st.lists(st.tuples(numbers, numbers, st.sampled_from(["a", "b", "q", None, "0.5"]))))
def test_many_rows_at_a_time_are_judged_alike(rows):
    """The vectorised reading keeps and words what the reading row by row does."""
    schema = {"x": pl.Float64, "z": pl.Float64, "kind": pl.String}
    frame = pl.DataFrame(rows, schema=schema, orient="row")
    text = frame.with_columns(pl.col("x", "z").cast(pl.String), pl.lit("?").alias("unused"))
    for given_frame in (frame, text):
        typed, faults = row_findings(given_frame, CONTRACT)
        found = checked_rows(given_frame, CONTRACT)
        assert found.good.equals(typed)
        assert found.kept.sum() == typed.height
        assert found.faults.rows() == [(f.line - 2, f.column, f.reason) for f in faults if f.fatal]
