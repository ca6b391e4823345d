"""Ordered windows, by clock on Polars and by SQL on DuckDB."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import narwhals as nw
import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from heddle.domain.errors import DataContractError
from heddle.frames.engines import fetched
from heddle.frames.windows import Past, in_order, with_means_of, with_time_since, with_value_of

SCHEMA = {"shop": pl.String, "day": pl.Int64, "cost": pl.Float64}
KEY = st.tuples(st.none() | st.sampled_from(["a", "b", 'c"`']), st.integers(-3, 8))
ROWS = st.dictionaries(KEY, st.none() | st.integers(0, 99).map(float), max_size=20)


@pytest.fixture(scope="module")
def door() -> Iterator[Any]:
    """Return a DuckDB in memory."""
    duckdb = pytest.importorskip("duckdb", reason="duckdb is an extra that is not installed")
    with duckdb.connect() as opened:
        yield opened


def seen(frame: nw.LazyFrame[Any], past: Past) -> pl.DataFrame:
    ordered = in_order(frame, past.by, past.time, where="test")
    if past.nearest == past.farthest:
        ordered = with_value_of(ordered, {"then": "cost"}, past)
    ordered = with_means_of(ordered, {"mean": "cost"}, past, min_values=1)
    return fetched(with_time_since(ordered, "since", past.by, past.time)).sort(*past.by, past.time)


@settings(max_examples=40)
@given(ROWS, st.integers(1, 3), st.integers(0, 3), st.sampled_from(["calendar", "row"]))
def test_the_clock_sees_what_sql_sees(door, rows, nearest, more, order):
    """Whatever the series, their holes and how far one looks."""
    table = pl.DataFrame([(*key, v) for key, v in rows.items()], SCHEMA, orient="row")
    past = Past(by=["shop"], time="day", nearest=nearest, farthest=nearest + more, order=order)
    wanted = seen(nw.from_native(door.from_arrow(table.to_arrow())), past)
    assert seen(nw.from_native(table.lazy()), past).equals(wanted)


def test_times_far_apart_are_no_trouble():
    """Nanoseconds since 1970 as a time: no table of them all is made."""
    times = [0, 1, 1_700_000_000_000_000_000]
    table = nw.from_native(pl.LazyFrame({"day": times, "cost": [1.0, 2.0, 3.0]}))
    made = seen(table, Past(by=[], time="day", nearest=1, farthest=1))
    assert made["then"].to_list() == [None, 1.0, None]
    assert made["since"].to_list() == [None, 1, times[2] - 1]


def test_the_check_of_the_key_is_one_small_answer(door):
    """The first duplicate is told; a table with a key is handed back as it is, still to compute."""
    twice = door.sql("SELECT 'a' AS shop, 1 + i % 2 AS day, 0.5 AS cost FROM range(3) t(i)")
    with pytest.raises(DataContractError, match=r"test: key \(shop='a', day=1\) stands in 2 rows"):
        in_order(nw.from_native(twice), ["shop"], "day", where="test")
    once = door.sql("SELECT 'a' AS shop, 3 - i AS day FROM range(3) t(i)")
    ordered = in_order(nw.from_native(once), ["shop"], "day", where="test")
    assert ordered.implementation.is_duckdb()
    assert sorted(ordered.to_native().fetchall()) == [("a", 1), ("a", 2), ("a", 3)]
