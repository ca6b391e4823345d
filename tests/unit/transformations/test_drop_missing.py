"""Rows with nulls go; which nulls count is said."""

from __future__ import annotations

import narwhals as nw
import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st

from heddle.domain.errors import DataContractError
from heddle.transformations.drop_missing import DropMissing, drop_missing

SCHEMA = {"a_then": pl.Int64, "b_then": pl.Float64, "c": pl.String}
ROWS = st.lists(
    st.tuples(
        st.none() | st.integers(0, 2),
        st.none() | st.sampled_from([1.0, float("nan")]),
        st.none() | st.just("x"),
    ),
    max_size=8,
)
LOOKED = [
    (DropMissing(), (0, 1, 2)),
    (DropMissing(how="all"), (0, 1, 2)),
    (DropMissing(columns=("c",)), (2,)),
    (DropMissing(ending="_then"), (0, 1)),
    (DropMissing(ending="_then", how="all"), (0, 1)),
    (DropMissing(columns=("c",), ending="b_then", how="all"), (1, 2)),
]


def made(table: pl.DataFrame, cfg: DropMissing) -> pl.DataFrame:
    return drop_missing(nw.from_native(table.lazy()), cfg).collect().to_native()


@given(ROWS, st.sampled_from(LOOKED))
def test_the_rows_kept_are_those_that_plain_python_keeps(rows, looked):
    """In their order; NaN is a value; the input stays as it was."""
    cfg, places = looked
    table = pl.DataFrame(rows, schema=SCHEMA, orient="row")
    gone = any if cfg.how == "any" else all
    kept = [row for row in rows if not gone(row[i] is None for i in places)]
    assert made(table, cfg).equals(pl.DataFrame(kept, schema=SCHEMA, orient="row"))
    assert table.equals(pl.DataFrame(rows, schema=SCHEMA, orient="row"))


@pytest.mark.parametrize(
    ("cfg", "words"),
    [
        (DropMissing(columns=("a_than",)), "no column 'a_than'; did you mean 'a_then'"),
        (DropMissing(ending="_than"), "drop_missing: no column ends with '_than'"),
    ],
)
def test_unknown_columns_are_refused(cfg, words):
    """Rather than looking nowhere."""
    with pytest.raises(DataContractError, match=words):
        made(pl.DataFrame(schema=SCHEMA), cfg)
