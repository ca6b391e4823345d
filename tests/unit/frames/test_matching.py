"""Rows that find their partner, in the order that they had."""

from __future__ import annotations

import narwhals as nw
import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st

from heddle.domain.errors import DataContractError
from heddle.frames.matching import keep_matching, look_up

KEYS = st.lists(st.none() | st.integers(0, 5), max_size=12)


@given(KEYS, st.dictionaries(st.integers(0, 5), st.integers(0, 9)))
def test_rows_look_up_what_a_dict_would(keys, names):
    """A null finds nothing, not even when the table has one."""
    rows = nw.from_native(pl.LazyFrame({"k": keys}, {"k": pl.Int64}))
    pairs = [*names.items(), (None, 99)]
    table = nw.from_native(pl.LazyFrame(pairs, {"k": pl.Int64, "name": pl.Int64}, orient="row"))
    found = look_up(rows, table, ["k"]).collect().to_native()
    assert found.rows() == [(key, names.get(key)) for key in keys]
    kept = keep_matching(rows, table, ["k"], where="step").collect().to_native()
    assert kept["k"].to_list() == [key for key in keys if key in names]


def test_keys_of_two_types_are_refused():
    """1 and "1" are never equal, and no engine should be asked to guess."""
    rows, table = pl.LazyFrame({"k": [1]}), pl.LazyFrame({"k": ["1"]})
    with pytest.raises(DataContractError, match="step: column 'k' is Int64 in the table and Str"):
        keep_matching(nw.from_native(rows), nw.from_native(table), ["k"], where="step")
