"""DuckDB at work on tables: in the order of their rows, within bounds, its faults in our words."""

from __future__ import annotations

import resource
from collections.abc import Iterator
from contextlib import contextmanager

import narwhals as nw
import polars as pl
import pytest

from heddle.domain.errors import ConfigError, DataContractError, ResourceError
from heddle.frames.engines import fetched
from heddle.infrastructure import duckdb_engine
from heddle.infrastructure.duckdb_engine import check_duckdb, duckdb_at_work
from heddle.transformations.keep_listed import KeepListed, keep_listed
from heddle.transformations.lag_columns import LagColumns, lag_columns

pytest.importorskip("duckdb", reason="duckdb is an extra that is not installed")

ROWS = pl.DataFrame({"k": [i * 7919 % 50_000 for i in range(50_000)], "t": 1, "v": 0.5})


@contextmanager
def no_file_larger_than(size: int) -> Iterator[None]:
    old, most = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (size, most))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (old, most))


def test_rows_keep_their_order(tmp_path):
    """From a file whose name means something to DuckDB, and from memory; windows sort them."""
    file = tmp_path / "a[1]*.parquet"
    ROWS.write_parquet(file, row_group_size=7000)
    with duckdb_at_work(tmp_path / "spill", 1.0) as engine:
        read = engine.of_file(file)
        listed = engine.of_frame(ROWS.select("k").filter(pl.col("k") % 3 == 0))
        kept = keep_listed(read, listed, KeepListed(columns=("k",)))
        lagged = lag_columns(read, LagColumns(columns=("v",), by=("k",), time="t"))
        assert fetched(read).equals(ROWS)
        assert fetched(kept).equals(ROWS.filter(pl.col("k") % 3 == 0))
        assert fetched(lagged)["k"].is_sorted()


def test_a_result_comes_some_columns_at_a_time(tmp_path, monkeypatch):
    """In one piece each, in the order of rows and columns, twice if it is wanted."""
    monkeypatch.setattr(duckdb_engine, "_CELLS", 100_000)  # two columns of these rows
    with duckdb_at_work(tmp_path / "spill", 1.0) as engine:
        made = engine.of_frame(ROWS).with_columns(w=nw.col("v") * nw.col("k"), t2=nw.col("t"))
        for _ in "12":
            found = engine.fetch(made)
            assert found.equals(ROWS.with_columns(w=pl.col("v") * pl.col("k"), t2=pl.col("t")))
            assert found.n_chunks("all") == [1] * 5
        assert engine.fetch(made.head(0)).schema == found.schema


def test_too_little_memory_is_told_and_leaves_no_file(tmp_path):
    """With what to raise."""
    with (
        pytest.raises(ResourceError, match=r"0.002 GB are too little .* Raise engine.memory_gb"),
        duckdb_at_work(tmp_path / "spill", 0.002) as engine,
    ):
        fetched(engine.of_frame(ROWS).sort("k").group_by("k").agg(nw.col("v").sum()))
    assert not (tmp_path / "spill").exists()


def test_a_file_that_cannot_be_written_is_no_fault_of_the_data(tmp_path):
    """A full disk, a quota: exit code 5, in one line, as for too little memory."""
    many = pl.concat([ROWS] * 40).with_columns(pl.col("v").cum_sum())
    with (
        pytest.raises(
            ResourceError, match=r"DuckDB cannot read or write a file \(IO Error.* Free space there"
        ) as told,
        duckdb_at_work(tmp_path / "spill", 0.03) as engine,
        no_file_larger_than(100_000),
    ):
        fetched(engine.of_frame(many).sort("v", descending=True).with_row_index(order_by="v"))
    assert told.value.exit_code == 5
    assert "\n" not in str(told.value)
    assert not (tmp_path / "spill").exists()


def test_what_duckdb_cannot_do_is_one_line(tmp_path):
    """A text that is no number, say."""
    words = pl.DataFrame({"a": ["x"]})
    with (
        pytest.raises(DataContractError, match=r"DuckDB cannot do this .*Could not conv") as told,
        duckdb_at_work(tmp_path / "spill", 1.0) as engine,
    ):
        fetched(engine.of_frame(words).select(nw.col("a").cast(nw.Int64())))
    assert "\n" not in str(told.value)


def test_the_extra_is_named_where_duckdb_is_not_installed(monkeypatch):
    """In one line."""
    monkeypatch.setattr("heddle.infrastructure.duckdb_engine.find_spec", lambda name: None)
    with pytest.raises(
        ConfigError, match=r"^engine=duckdb: DuckDB is not installed. pip install 'heddle-ml\[duck"
    ):
        check_duckdb()
