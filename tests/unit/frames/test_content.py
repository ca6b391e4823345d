"""Hashes of tables, against a slow and obvious second way to name them."""

# ruff: noqa: DTZ001 - naive time stamps are a type of their own
from __future__ import annotations

import datetime as dt
import math
import random
from collections import Counter

import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from heddle.domain.errors import DataContractError
from heddle.frames.content import column_hash, content_hash, row_hashes, table_hashes

VALUES = {
    pl.Int8: st.integers(-128, 127),
    pl.Int64: st.integers(-(2**63), 2**63 - 1) | st.integers(-2, 2),
    pl.UInt64: st.integers(0, 2**64 - 1),
    pl.Float64: st.floats() | st.sampled_from([0.0, -0.0, 1.0]),
    pl.Boolean: st.booleans(),
    pl.String: st.text(max_size=3),
    pl.Date: st.dates(),
    pl.Datetime: st.datetimes(dt.datetime(1900, 1, 1), dt.datetime(2100, 1, 1)),
}


@st.composite
def tables(draw: st.DrawFn) -> pl.DataFrame:
    rows = draw(st.integers(0, 5))
    kinds = draw(st.lists(st.sampled_from(list(VALUES)), min_size=1, max_size=4))
    columns = {}
    for i, kind in enumerate(kinds):
        cells = draw(st.lists(st.none() | VALUES[kind], min_size=rows, max_size=rows))
        columns[f"c{i}"] = pl.Series(cells, dtype=kind, strict=False)
    return pl.DataFrame(columns)


def slow(frame: pl.DataFrame) -> object:
    """Schema and the bag of rows; NaN is one value, minus zero is zero."""

    def cell(value: object) -> object:
        if isinstance(value, float):
            return "NaN" if math.isnan(value) else value + 0.0
        return value

    return (list(frame.schema.items()), Counter(tuple(map(cell, r)) for r in frame.rows()))


@settings(max_examples=300)
@given(tables(), tables(), st.randoms(use_true_random=False))
def test_hashes_are_equal_just_when_schema_and_bag_of_rows_are(one, other, chance):
    """Shuffling changes nothing; two tables agree when the slow way says so."""
    order = list(range(one.height))
    chance.shuffle(order)
    assert content_hash(one[order] if order else one) == content_hash(one)
    assert (content_hash(one) == content_hash(other)) == (slow(one) == slow(other))


@settings(max_examples=300)
@given(tables(), st.data())
def test_any_change_of_one_cell_changes_the_hash(frame, data):
    """Also between null, NaN, zero and the empty text."""
    if not frame.height:
        return
    name = data.draw(st.sampled_from(frame.columns))
    row = data.draw(st.integers(0, frame.height - 1))
    kind = frame.schema[name].base_type()
    cells = frame[name].to_list()
    cells[row] = data.draw(st.none() | VALUES[kind])
    changed = frame.with_columns(pl.Series(name, cells, dtype=frame.schema[name], strict=False))
    assert (content_hash(changed) == content_hash(frame)) == (slow(changed) == slow(frame))
    same = slow(changed.select(name)) == slow(frame.select(name))
    assert (column_hash(changed[name]) == column_hash(frame[name])) == same


def test_distinctions_that_matter():
    """Null is not NaN, not zero, not empty; minus zero is zero; a type is part of a table."""
    floats = [
        content_hash(pl.DataFrame({"a": [v]}, schema={"a": pl.Float64}))
        for v in (None, float("nan"), 0.0, float("inf"), -float("inf"))
    ]
    assert len(set(floats)) == 5
    assert content_hash(pl.DataFrame({"a": [-0.0]})) == content_hash(pl.DataFrame({"a": [0.0]}))
    assert content_hash(pl.DataFrame({"a": [""]})) != content_hash(
        pl.DataFrame({"a": [None]}, schema={"a": pl.String})
    )
    empty = [content_hash(pl.DataFrame(schema={"a": t})) for t in (pl.Int64, pl.Int32, pl.String)]
    assert len(set(empty)) == 3
    assert content_hash(pl.DataFrame({"a": [1, 1]})) != content_hash(pl.DataFrame({"a": [1]}))


def test_swapped_cells_of_a_row_and_of_a_column_are_seen():
    """A row is more than the bag of its cells, a table more than its columns."""
    one = pl.DataFrame({"a": [1, 2], "b": [3, 4]})
    assert content_hash(one) != content_hash(pl.DataFrame({"a": [1, 2], "b": [4, 3]}))
    assert content_hash(one) != content_hash(pl.DataFrame({"a": [3, 2], "b": [1, 4]}))


def test_a_large_table_is_hashed_alike_in_parts_by_threads_and_column_by_column():
    """Whatever the block in which a row stands, and what was known of the first columns."""
    number = pl.int_range(70_001, eager=True).alias("n")
    text = pl.Series("s", ["a", "b", None] * 23_333 + ["a", "b"])
    frame = pl.DataFrame([number, number.sqrt().alias("x"), text])
    whole = table_hashes(frame)
    assert whole.columns == {name: column_hash(frame[name]) for name in frame.columns}
    assert len(set(whole.rows[[0, 32_767, 32_768, 70_000]].tolist())) == 4
    for cores in (2, 5):
        assert (table_hashes(frame, cores=cores).rows == whole.rows).all()
        assert table_hashes(frame, cores=cores).columns == whole.columns
    begun = row_hashes(frame.select("n", "x"))
    more = table_hashes(frame, begun, 2)
    assert (more.rows == whole.rows).all()
    assert more.columns == {"s": whole.columns["s"]}
    assert (begun == row_hashes(frame.select("n", "x"))).all()


def test_many_rows_do_not_collide():
    """A hundred thousand near-equal rows have as many hashes."""
    chance = random.Random(1)
    frame = pl.DataFrame({"a": range(100_000), "b": [chance.choice("xy") for _ in range(100_000)]})
    assert len(set(row_hashes(frame).tolist())) == 100_000


@pytest.mark.parametrize(
    "series",
    [
        pl.Series([b"x"]),
        pl.Series([[1]]),
        pl.Series([{"a": 1}]),
        pl.Series(["a"], dtype=pl.Categorical),
        pl.Series([1], dtype=pl.Int128),
        pl.Series([None, None]),
        pl.Series(["1.5"]).cast(pl.Decimal(10, 2)),
    ],
)
def test_types_without_a_bit_pattern_are_refused(series):
    """They cannot be stored, and the way out is told."""
    with pytest.raises(DataContractError, match="cannot be stored"):
        column_hash(series)
