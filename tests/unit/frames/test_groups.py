"""Sums and medians of groups, the same on every machine."""

from __future__ import annotations

import os
import subprocess
import sys
from typing import Any

import narwhals as nw
import numpy as np
import polars as pl
import pytest

from heddle.frames import groups
from heddle.frames.engines import fetched
from heddle.frames.groups import WeightedMedian, aggregated

SUM_UP = """
from hashlib import sha256
import narwhals as nw, numpy as np, polars as pl
from heddle.frames.groups import aggregated
chance = np.random.default_rng(1)
table = pl.LazyFrame({"k": chance.integers(0, 30_000, 90_000), "v": chance.random(90_000)})
made = aggregated(nw.from_native(table), ["k"], {"sum": "v"}).collect()
naive = table.group_by("k").agg(pl.col("v").sum()).sort("k").collect()
print(sha256(made["sum"].to_numpy().tobytes()).hexdigest(), end=" ")
print(sha256(naive["v"].to_numpy().tobytes()).hexdigest(), pl.thread_pool_size())
"""


def told(threads: int) -> list[str]:
    said = subprocess.run(
        [sys.executable, "-c", SUM_UP],
        env={**os.environ, "POLARS_MAX_THREADS": str(threads)},
        capture_output=True,
        text=True,
        check=True,
    )
    return said.stdout.split()


def test_sums_are_the_same_on_any_number_of_threads():
    """To the last digit, or a data version would differ from machine to machine.

    Polars' own sums differ: the day that they do not, `frames.groups` can be simpler.
    """
    (ours, theirs, one), (also_ours, also_theirs, few) = told(1), told(3)
    assert (one, few) == ("1", "3")
    assert ours == also_ours
    assert theirs != also_theirs


def test_groups_come_sorted_with_null_first():
    """Null is a key; a sum of nothing is 0; sums keep their type."""
    table = pl.LazyFrame(
        {"k": ["b", None, "a", "b"], "n": [1, 2, None, 4], "x": [0.5, 1.0, 2.0, 1.5]}
    )
    made = aggregated(nw.from_native(table), ["k"], {"ns": "n", "xs": "x"}).collect().to_native()
    assert made.rows() == [(None, 2, 1.0), ("a", 0, 2.0), ("b", 5, 2.0)]
    assert made.schema == {"k": pl.String, "ns": pl.Int64, "xs": pl.Float64}


def test_one_large_group_is_as_right_as_many_small_ones():
    """The median of 0 to 99,999, each weighing 2, is the lower middle, 49,999."""
    values = np.random.default_rng(1).permutation(100_000)
    table = pl.LazyFrame({"k": 1, "v": values, "w": 2})
    middle = WeightedMedian(new="middle", value="v", weight="w", total="all")
    made = aggregated(nw.from_native(table), ["k"], {"all": "w"}, [middle]).collect()
    assert made.rows() == [(1, 200_000, 49_999)]


def test_many_columns_are_sorted_some_at_a_time(monkeypatch):
    """The same comes out: sums, weighted medians and plain ones."""
    chance = np.random.default_rng(3)
    columns = {name: chance.random(500) for name in "abcdefg"}
    rows = {"k": chance.integers(0, 40, 500), "w": chance.integers(0, 5, 500), **columns}
    table = nw.from_native(pl.LazyFrame(rows))
    sums = {**{f"sum {name}": name for name in columns}, "all": "w"}
    medians = [WeightedMedian(new=f"mid {n}", value=n, weight="w", total="all") for n in columns]
    middles = {f"plain {name}": name for name in columns}
    whole = aggregated(table, ["k"], sums, medians, middles).collect().to_native()
    monkeypatch.setattr(groups, "_CELLS", 1500)
    parts = aggregated(table, ["k"], sums, medians, middles).collect().to_native()
    assert parts.equals(whole)


def test_duckdb_sums_to_the_same_last_digit():
    """Whatever the order of its rows: a data version does not tell which engine made it."""
    duckdb = pytest.importorskip("duckdb", reason="duckdb is an extra that is not installed")
    chance = np.random.default_rng(2)
    money = chance.lognormal(8, 4, 20_000).round(2)
    table = pl.DataFrame({"k": chance.integers(0, 900, 20_000), "v": money * chance.random(20_000)})
    here = aggregated(nw.from_native(table.lazy()), ["k"], {"sum": "v"}).collect().to_native()
    with duckdb.connect(config={"threads": 2}) as door:
        there = nw.from_native(door.from_arrow(table.sample(fraction=1.0, shuffle=True).to_arrow()))
        found = aggregated(there, ["k"], {"sum": "v"}).to_native().pl()
    assert found.equals(here)


def narrow_numbers() -> pl.DataFrame:
    chance = np.random.default_rng(4)
    light = pl.Series(chance.random(1000), dtype=pl.Float32)
    many = pl.Series([2**31 - 1] * 1000, dtype=pl.Int32)
    keys = pl.Series(chance.integers(0, 9, 1000), dtype=pl.Int8)
    columns = {"l": light, "v": light, "n": many, "u": many.cast(pl.UInt32)}
    return pl.DataFrame({"k": keys, **columns})


def summed(table: nw.LazyFrame[Any]) -> pl.DataFrame:
    middle = WeightedMedian(new="mid", value="v", weight="n", total="ns")
    sums = {"ls": "l", "ns": "n", "us": "u"}
    return fetched(aggregated(table, ["k"], sums, [middle], {"m": "l"}))


def test_narrow_numbers_are_summed_as_wide_ones():
    """Whole numbers as Int64, floats as Float64 and to the last digit; a key keeps its type."""
    table = narrow_numbers()
    wide = table.with_columns(pl.col("l").cast(pl.Float64), pl.col("n", "u").cast(pl.Int64))
    made = summed(nw.from_native(table.lazy()))
    types = {"ls": pl.Float64, "ns": pl.Int64, "us": pl.Int64, "mid": pl.Float32, "m": pl.Float64}
    assert made.schema == {"k": pl.Int8, **types}
    assert made.equals(summed(nw.from_native(wide.lazy())))
    assert made["ns"].sum() == 1000 * (2**31 - 1)


def test_duckdb_sums_narrow_numbers_alike():
    """Past 2**31, and floats of 32 bits: the same types, the same last digit."""
    duckdb = pytest.importorskip("duckdb", reason="duckdb is an extra that is not installed")
    table = narrow_numbers()
    with duckdb.connect() as door:
        there = summed(nw.from_native(door.from_arrow(table.to_arrow())))
    assert there.schema == summed(nw.from_native(table.lazy())).schema
    assert there.equals(summed(nw.from_native(table.lazy())))
