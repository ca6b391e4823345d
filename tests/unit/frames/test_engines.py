"""What is said to the engine under a table."""

from __future__ import annotations

import narwhals as nw
import pandas as pd
import polars as pl
import pytest

from heddle.domain.errors import ConfigError
from heddle.frames.engines import engine_of, fetched, settled, with_sql


def test_settled_tables_are_computed_once():
    """Two looks at the same lazy table would otherwise compute it twice."""
    seen = []

    def look(frame: pl.DataFrame) -> pl.DataFrame:
        seen.append(frame.height)
        return frame

    frame = settled(nw.from_native(pl.LazyFrame({"x": [1, 2]}).map_batches(look)))
    assert engine_of(frame) == "polars"
    assert fetched(frame).equals(fetched(frame))
    assert seen == [2]


def test_sql_adds_columns_whatever_their_names():
    """Quotes in a name are part of it; DuckDB's relation stays lazy."""
    duckdb = pytest.importorskip("duckdb", reason="duckdb is an extra that is not installed")
    with duckdb.connect() as door:
        frame = nw.from_native(door.sql("SELECT 2 AS n"))
        assert engine_of(frame) == "duckdb"
        assert settled(frame) is frame
        made = with_sql(frame, {'say "so"': '"n" * 2', "b`c": "'x'"})
        assert fetched(made).to_dict(as_series=False) == {"n": [2], 'say "so"': [4], "b`c": ["x"]}


def test_other_engines_are_refused():
    """Naming those that are known."""
    frame = nw.from_native(pd.DataFrame({"x": [1]})).lazy()
    words = "no engine 'pandas' for this step. Known: polars, duckdb, spark. Convert the table"
    with pytest.raises(ConfigError) as told:
        engine_of(frame)
    assert str(told.value).startswith(words)
