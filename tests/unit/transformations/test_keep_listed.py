"""Rows stay if a second table lists them."""

from __future__ import annotations

import narwhals as nw
import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st

from heddle.domain.errors import DataContractError
from heddle.transformations.keep_listed import KeepListed, keep_listed

SCHEMA = {"ware": pl.Int64, "size": pl.String}
KEYS = st.lists(
    st.tuples(st.none() | st.integers(0, 3), st.none() | st.sampled_from("sml")), max_size=9
)


def kept(rows: pl.DataFrame, listed: pl.DataFrame, *columns: str) -> pl.DataFrame:
    frame, other = nw.from_native(rows.lazy()), nw.from_native(listed.lazy())
    return keep_listed(frame, other, KeepListed(columns=columns)).collect().to_native()


@given(KEYS, KEYS)
def test_rows_are_kept_in_their_order(rows, listed):
    """Once each however often they are listed; a null is never listed."""
    table = pl.DataFrame(rows, schema=SCHEMA, orient="row").with_row_index("place")
    other = pl.DataFrame(listed, schema=SCHEMA, orient="row").with_columns(total=1)
    before = table.clone()
    wanted = [i for i, row in enumerate(rows) if None not in row and row in listed]
    assert kept(table, other, "ware", "size")["place"].to_list() == wanted
    one = [i for i, row in enumerate(rows) if row[0] is not None and row[0] in dict(listed)]
    found = kept(table, other, "ware")
    assert found["place"].to_list() == one
    assert found.schema == table.schema
    assert table.equals(before)


def test_tables_that_do_not_fit_are_refused():
    """Which of the two lacks what, and types that would never be equal."""
    table, other = pl.DataFrame({"ware": [1]}), pl.DataFrame({"wares": [1]})
    with pytest.raises(DataContractError, match="keep_listed: list: input has no column 'ware'"):
        kept(table, other, "ware")
    with pytest.raises(DataContractError, match="keep_listed: input has no column 'wares'"):
        kept(table, other, "wares")
    words = "'ware' is Int64 in the table and String in the list. Give both one type"
    with pytest.raises(DataContractError, match=words):
        kept(table, pl.DataFrame({"ware": ["1"]}), "ware")
    with pytest.raises(ValueError, match="`columns` must name at least one"):
        KeepListed(columns=())
