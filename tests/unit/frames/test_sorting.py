"""One sort, two ways."""

from __future__ import annotations

import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st

from heddle.frames.sorting import sorted_rows

SMALL = st.none() | st.integers(-2, 2)
WIDE = st.none() | st.integers(-(2**63), 2**63 - 1)
ROWS = st.lists(st.tuples(st.one_of(SMALL, WIDE), SMALL), max_size=12)


@given(ROWS, st.sampled_from([pl.Int64, pl.String]))
def test_rows_are_sorted_as_polars_sorts_them(rows, kind):
    """Whether the keys fit into one number, do not, or are no numbers; equal keys keep order."""
    table = pl.DataFrame(rows, {"a": pl.Int64, "b": pl.Int64}, orient="row").with_row_index("place")
    table = table.with_columns(pl.col("b").cast(kind))
    assert sorted_rows(table, ["a", "b"]).equals(table.sort("a", "b", maintain_order=True))
    assert sorted_rows(table, ["b"]).equals(table.sort("b", maintain_order=True))


EXTREMES = {
    pl.Int8: (-128, 127),
    pl.UInt8: (0, 255),
    pl.UInt64: (0, 2**64 - 1),
    pl.Int64: (-(2**63), 2**63 - 1),
    pl.Int128: (-(2**100), 2**100),
}


@pytest.mark.parametrize("kind", EXTREMES)
def test_no_whole_number_is_too_large(kind):
    """The span of a type is wider than the type itself can say."""
    low, high = EXTREMES[kind]
    table = pl.DataFrame(
        {"a": [high, low, None, high], "b": [3, 2, 1, None]}, dict.fromkeys("ab", kind)
    )
    assert sorted_rows(table, ["a", "b"]).rows() == [(None, 1), (low, 2), (high, None), (high, 3)]
