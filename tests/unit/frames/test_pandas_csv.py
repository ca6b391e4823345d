"""The same bytes as pandas writes, whatever the numbers."""

from __future__ import annotations

import datetime as dt
from hashlib import md5
from io import BytesIO, StringIO

import pandas as pd
import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from heddle.domain.errors import DataContractError
from heddle.frames.pandas_csv import pandas_csv

TEXT = st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\r"), min_size=1)


def ours(frame: pl.DataFrame) -> bytes:
    file = BytesIO()
    pandas_csv(frame, where="v1").write_csv(file, quote_style="necessary")
    return file.getvalue()


@settings(max_examples=150)
@given(
    st.lists(
        st.tuples(
            st.none() | st.floats(allow_nan=False),
            st.none() | TEXT,
            st.integers(-(2**63), 2**63 - 1),
            st.booleans(),
            st.floats(-1e-3, 1e-3),
            st.none() | st.integers(-(2**53) + 1, 2**53 - 1),
            st.none() | st.integers(0, 255),
            st.none() | st.dates(dt.date(1000, 1, 1)),
        ),
        max_size=6,
    )
)
def test_any_table_is_written_as_pandas_writes_it(rows):
    """Property: floats, texts that need quotes or none, whole numbers, truths, dates, gaps."""
    types = {"x": pl.Float64, "s, t": pl.String, "n": pl.Int64, "b": pl.Boolean, "y": pl.Float64}
    types |= {"m": pl.Int64, "small": pl.UInt8, "day": pl.Date}
    frame = pl.DataFrame(rows, schema=types, orient="row")
    texts = pd.Series(frame["s, t"].to_list(), dtype=object)
    theirs = frame.to_pandas().assign(**{"s, t": texts}).to_csv(index=False, lineterminator="\n")
    assert ours(frame) == theirs.encode()


def test_what_pandas_reads_and_writes_again_has_the_same_md5():
    """And so has the file that one of us made and the other reads."""
    frame = pl.DataFrame(
        {
            "name": ['Saint "B", Troy', "Ü", None],
            "profit": [0.1 + 0.2, -1e-7, None],
            "cost": [1e16, 123456789.0, 5e-324],
            "year": [2009, 2010, 2017],
            "since": [dt.date(2009, 1, 2)] * 3,
        }
    )
    text = ours(frame)
    again = pd.read_csv(BytesIO(text)).to_csv(index=False)
    assert md5(again.encode()).digest() == md5(text).digest()
    assert pl.read_csv(StringIO(again), schema=frame.schema).equals(frame)


@pytest.mark.parametrize(
    ("column", "said"),
    [
        ([1.0, float("nan")], "NaN, which would be a missing value"),
        (["a", ""], "an empty text"),
        (["a\rb"], "a carriage return"),
        ([2**53, None], r"a whole number of 2\*\*53 or more beside a missing one"),
        ([dt.datetime(2020, 1, 1, 3, tzinfo=dt.UTC)], "the type datetime"),
        ([dt.time(3)], "the type time"),
    ],
)
def test_what_would_be_another_value_is_refused(column, said):
    """With the column, and what to do."""
    frame = pl.DataFrame({"n": range(len(column)), "c": column})
    with pytest.raises(DataContractError, match=f"v1, column 'c': pandas' csv cannot keep {said}"):
        pandas_csv(frame, where="v1")
    with pytest.raises(DataContractError, match="an empty line"):
        pandas_csv(pl.DataFrame({"c": [1, None]}), where="v1")
