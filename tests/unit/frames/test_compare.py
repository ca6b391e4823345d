import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st

from heddle.frames.compare import compare
from heddle.infrastructure.memory import MemoryTables

TABLE = pl.DataFrame({"key": range(100), "x": [float(i) for i in range(100)], "word": ["a"] * 100})


def told(before, after):
    tables = MemoryTables()
    return compare(tables.write("v1", before, {}), tables.write("v2", after, {}))


def test_a_version_equals_itself_in_another_order_of_rows_and_columns():
    """Only that columns stand elsewhere is said."""
    found = told(TABLE, TABLE.reverse().select("word", "x", "key"))
    assert found.equal
    assert found.reordered
    assert found.same == ("word", "x", "key")


def test_what_came_went_and_became_something_else():
    """In the order of the later version; what was removed comes last."""
    found = told(
        TABLE,
        TABLE.drop("word").with_columns(pl.col("key").cast(pl.String), new=pl.lit(1)),
    )
    assert [(c.name, c.change) for c in found.changes] == [
        ("key", "retyped"),
        ("new", "added"),
        ("word", "removed"),
    ]
    assert not found.equal
    assert found.rows == (100, 100)


def test_a_column_with_the_same_values_under_another_name_is_renamed():
    """Unless two of them could be it."""
    found = told(TABLE, TABLE.rename({"x": "y"}))
    assert [(c.was, c.name, c.change, c.shift) for c in found.changes] == [
        ("x", "y", "renamed", 0.0)
    ]
    found = told(TABLE, TABLE.rename({"x": "y"}).with_columns(z="y"))
    assert [c.change for c in found.changes] == ["added", "added", "removed"]


@given(st.floats(-1e6, 1e6))
def test_a_shift_is_told_in_widths_of_the_middle_ninety_per_cent(by):
    """Moving every value by `by` moves every quantile by `by`."""
    found = told(TABLE, TABLE.with_columns(pl.col("x") + by))
    if by == 0 or (TABLE["x"] + by).equals(TABLE["x"]):
        assert found.equal
        return
    (change,) = found.changes
    assert change.shift == pytest.approx(abs(by) / 90, rel=1e-6, abs=1e-9)


def test_a_constant_or_a_text_column_has_no_shift():
    """There is no width to measure it by."""
    flat = TABLE.with_columns(x=pl.lit(1.0))
    found = told(flat, flat.with_columns(x=pl.lit(2.0), word=pl.lit("b")))
    assert [c.shift for c in found.changes] == [None, None]


def test_fewer_rows_change_every_column_that_lost_values():
    """The numbers say how little that moved them."""
    found = told(TABLE, TABLE.head(99))
    assert found.rows == (100, 99)
    assert [c.change for c in found.changes] == ["changed"] * 3
    assert found.changes[1].shift == pytest.approx(1 / 90, abs=0.01)
