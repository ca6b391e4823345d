"""A library step gives the same table on every engine that narwhals knows here."""

from __future__ import annotations

import narwhals as nw
import pandas as pd
import polars as pl
import pytest

from heddle.transformations.combine_columns import CombineColumns, combine_columns

ROWS = {"a": [1.0, 0.0, None, 7.0, -2.5], "b": [2.0, 0.0, 1.0, None, 0.5]}


def on_polars(cfg):
    return combine_columns(nw.from_native(pl.LazyFrame(ROWS)), cfg).collect().to_native()


def on_pandas(cfg):
    frame = nw.from_native(pd.DataFrame(ROWS)).lazy()
    return pl.from_pandas(combine_columns(frame, cfg).collect().to_native())


def on_duckdb(cfg):
    duckdb = pytest.importorskip("duckdb", reason="duckdb is an extra that is not installed")
    table = pl.DataFrame(ROWS)  # duckdb finds it by this name
    made = combine_columns(nw.from_native(duckdb.table("table")), cfg)
    del table
    return made.to_native().pl()


@pytest.mark.parametrize("how", ["plus", "minus", "times", "over"])
@pytest.mark.parametrize("engine", [on_polars, on_pandas, on_duckdb])
def test_combine_columns_is_the_same_everywhere(engine, how):
    """Nulls and divisions by zero included."""
    signs = {"plus": "+", "minus": "-", "times": "*", "over": "/"}
    wanted = []
    for a, b in zip(ROWS["a"], ROWS["b"], strict=True):
        void = a is None or b is None or (how == "over" and b == 0)
        wanted.append(None if void else eval(f"{a}{signs[how]}({b})"))
    made = engine(CombineColumns(new="c", left="a", how=how, right="b"))
    assert made.columns == ["a", "b", "c"]
    assert made["c"].to_list() == wanted
