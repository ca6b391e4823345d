"""Files put together from columns, against those that Polars writes in one go."""

# ruff: noqa: DTZ001 - naive time stamps are a type of their own
from __future__ import annotations

import datetime as dt
from io import BytesIO

import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from heddle.frames.column_chunks import encode_column, join_columns

GROUP = 1 << 18
VALUES = {
    pl.Int8: st.integers(-128, 127),
    pl.Int64: st.integers(-(2**63), 2**63 - 1),
    pl.UInt64: st.integers(0, 2**64 - 1),
    pl.Float32: st.floats(width=32),
    pl.Float64: st.floats(),
    pl.Boolean: st.booleans(),
    pl.String: st.text(st.characters(exclude_categories=["Cs"]), max_size=4),
    pl.Date: st.dates(),
    pl.Time: st.times(),
    pl.Datetime: st.datetimes(dt.datetime(1900, 1, 1), dt.datetime(2100, 1, 1)),
    pl.Duration: st.timedeltas(dt.timedelta(-9), dt.timedelta(9)),
}


@st.composite
def tables(draw: st.DrawFn) -> pl.DataFrame:
    rows = draw(st.integers(0, 9))
    kinds = draw(st.lists(st.sampled_from(list(VALUES)), min_size=1, max_size=20))
    columns = {}
    for i, kind in enumerate(kinds):
        cells = draw(st.lists(st.none() | VALUES[kind], min_size=rows, max_size=rows))
        columns[f"c{i}"] = pl.Series(cells, dtype=kind, strict=False)
    return pl.DataFrame(columns)


def in_one_go(frame: pl.DataFrame) -> bytes:
    out = BytesIO()
    frame.write_parquet(out, compression="zstd", statistics=True, row_group_size=GROUP)
    return out.getvalue()


def joined(frame: pl.DataFrame) -> bytes:
    return b"".join(join_columns(frame.schema, [encode_column(series) for series in frame]))


@settings(max_examples=200)
@given(tables())
def test_the_file_is_the_one_that_polars_writes(frame):
    """Property: byte for byte, for every type, with nulls and without rows."""
    assert joined(frame) == in_one_go(frame)


@settings(max_examples=200)
@given(tables())
def test_the_table_is_read_as_it_was(frame):
    """Property: values, nulls, NaN, types and names."""
    read = pl.read_parquet(BytesIO(joined(frame)))
    assert read.schema == frame.schema
    assert read.equals(frame)


@pytest.mark.parametrize("rows", [GROUP - 1, GROUP, GROUP + 1, 3 * GROUP + 7])
def test_large_tables_have_several_row_groups(rows):
    """Wherever the chunks of the table end, the bytes are the same."""
    number = pl.int_range(rows, eager=True).alias("n")
    text, root = (number % 97).cast(pl.String).alias("s"), number.sqrt().alias("x")
    frame = pl.DataFrame([number, text, root])
    content = joined(frame)
    assert content == in_one_go(frame)
    cut = pl.concat([frame[:10], frame[10:]], rechunk=False)
    assert cut.n_chunks() == 2
    assert joined(cut) == content
