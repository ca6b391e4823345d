"""What is told of a table, with and without what is known of an earlier one."""

from __future__ import annotations

import math

import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from heddle.domain.errors import DataContractError
from heddle.frames.column_chunks import encode_column, join_columns
from heddle.frames.content import content_hash
from heddle.frames.describe import describe
from heddle.frames.measured import encoded_columns, measured, settled, unchanged

ODD = [0.0, -0.0, math.nan, -math.nan, math.inf, 1.0]
CELLS = {
    pl.Float64: st.none() | st.sampled_from(ODD) | st.floats(),
    pl.Float32: st.none() | st.sampled_from(ODD),
    pl.Int64: st.none() | st.integers(-3, 3),
    pl.String: st.none() | st.sampled_from(["", "a", "b"]),
    pl.Boolean: st.none() | st.booleans(),
}


@st.composite
def pairs(draw: st.DrawFn) -> tuple[pl.DataFrame, pl.DataFrame]:
    """Two tables that share columns, in names, places, types or cells."""
    rows = draw(st.integers(0, 4))
    made = []
    for _ in range(2):
        names = draw(st.lists(st.sampled_from("abcd"), unique=True, min_size=1))
        kinds = {name: draw(st.sampled_from(list(CELLS))) for name in names}
        cells = {
            n: draw(st.lists(CELLS[k], min_size=rows, max_size=rows)) for n, k in kinds.items()
        }
        made.append(pl.DataFrame(cells, schema=kinds))
    first, second = made
    kept = draw(st.lists(st.sampled_from(first.columns), unique=True))
    second = second.with_columns(first[name] for name in kept)
    names = draw(st.permutations("abcdefgh"))[: second.width] if draw(st.booleans()) else None
    return first, second.rename(dict(zip(second.columns, names, strict=True))) if names else second


@settings(max_examples=300)
@given(pairs(), st.integers(1, 2))
def test_what_is_taken_over_is_what_would_be_found(tables, cores):
    """Property: facts, hashes and bytes are those of a table of which nothing was known."""
    first, second = (settled(table) for table in tables)
    known = measured(first, encoded=encoded_columns(first))
    same = unchanged(second, [known])
    told = measured(second, same, encoded=encoded_columns(second, same, cores=cores), cores=cores)
    assert told.facts == describe(second)
    assert list(told.facts) == second.columns
    assert told.content_hash == content_hash(second)
    parts = join_columns(second.schema, list(told.encoded.values()))
    anew = join_columns(second.schema, [encode_column(series) for series in second])
    assert b"".join(parts) == b"".join(anew)


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ([0.0], [-0.0]),
        ([1, 2], [1.0, 2.0]),
        ([1, 2], [2, 1]),
        ([None, 1], [0, 1]),
        ([1], [1, 1]),
        (pl.Series(["1"]), pl.Series([1])),
    ],
)
def test_a_column_that_differs_is_not_taken_over(old, new):
    """In sign of zero, type, order, nulls or length."""
    known = measured(settled(pl.DataFrame({"a": old})))
    assert unchanged(pl.DataFrame({"a": new}), [known]) == {}
    (found,) = unchanged(pl.DataFrame({"b": old}), [known]).values()
    assert (found.table, found.name) == (known, "a")


def test_a_settled_table_has_whole_columns_and_no_marks():
    """Also one that was put together from pieces, or sorted."""
    frame = pl.concat([pl.DataFrame({"a": [3, 1]}), pl.DataFrame({"a": [2]})], rechunk=False)
    for table in (frame, frame.sort("a")):
        quiet = settled(table)
        assert quiet.equals(table)
        assert quiet.n_chunks() == 1
        assert not any(quiet["a"].flags.values())


def test_a_nested_column_is_refused():
    """Before anything is computed."""
    with pytest.raises(DataContractError, match="cannot be stored"):
        settled(pl.DataFrame({"a": [[1]]}))
