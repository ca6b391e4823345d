"""Tables handed from one stage to the next without the way through their files."""

# ruff: noqa: DTZ001 - naive time stamps are a type of their own
from __future__ import annotations

import datetime as dt
import os

import polars as pl
import psutil
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from heddle.domain.errors import IntegrityError
from heddle.infrastructure import kept_tables
from heddle.infrastructure.files import FileTables
from heddle.infrastructure.kept_tables import KeptTables

VALUES = {
    pl.Int8: st.integers(-128, 127),
    pl.Int64: st.integers(-(2**63), 2**63 - 1),
    pl.Float32: st.floats(width=32),
    pl.Float64: st.floats(),
    pl.Boolean: st.booleans(),
    pl.String: st.text(st.characters(exclude_categories=["Cs"]), max_size=20),
    pl.Date: st.dates(),
    pl.Time: st.times(),
    pl.Datetime("us", "UTC"): st.datetimes(dt.datetime(1900, 1, 1), dt.datetime(2100, 1, 1)),
    pl.Duration("ms"): st.timedeltas(dt.timedelta(-9), dt.timedelta(9)),
}
TABLE = pl.DataFrame({"a": [1, 2, 3], "b": ["x", None, "z"]})


@st.composite
def tables(draw: st.DrawFn) -> pl.DataFrame:
    rows = draw(st.integers(0, 5))
    kinds = draw(st.lists(st.sampled_from(list(VALUES)), min_size=1, max_size=4))
    cells = [draw(st.lists(st.none() | VALUES[k], min_size=rows, max_size=rows)) for k in kinds]
    columns = [
        pl.Series(f"c{i}", found, dtype=kind, strict=False)
        for i, (kind, found) in enumerate(zip(kinds, cells, strict=True))
    ]
    frame = pl.DataFrame(columns)
    return frame.sort(frame.columns[0]) if draw(st.booleans()) else frame


@pytest.fixture
def stores(tmp_path):
    """One that keeps what it wrote, one that has to read the same files."""
    return FileTables(tmp_path, kept=KeptTables()), FileTables(tmp_path)


@settings(max_examples=200, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(tables())
def test_a_table_that_is_handed_over_is_the_one_that_would_be_read(stores, frame):
    """Property: values, types, pieces and marks; the columns asked for in the order asked."""
    warm, cold = stores
    warm.write("v", frame, {})
    handed, read = warm.read("v"), cold.read("v")
    assert warm.kept.find(warm.path("v"), warm.info("v")) is not None
    assert handed.schema == read.schema
    assert handed.equals(read)
    for one, other in zip(handed, read, strict=True):
        assert (one.n_chunks(), one.flags) == (other.n_chunks(), other.flags)
    names = frame.columns[::-1]
    assert warm.read("v", names).equals(cold.read("v", names))


def test_files_do_not_tell_whether_the_table_before_was_known(tmp_path):
    """Bytes of table and metadata, after a step that adds, changes and drops columns."""
    after = TABLE.select("b", pl.col("a") * 2, c=pl.lit(1.5))
    for name, kept in (("warm", KeptTables()), ("cold", None)):
        tables = FileTables(tmp_path / name, kept=kept, cores=2)
        for version, frame in (("v1", TABLE), ("v2", after), ("v3", TABLE.with_columns(d="a"))):
            tables.write(version, frame, {"stage": version})
    warm, cold = (
        {p.name: p.read_bytes() for p in (tmp_path / name).rglob("*.*")}
        for name in ("warm", "cold")
    )
    assert len(warm) == 6
    assert warm == cold


def test_a_file_that_was_touched_is_read_again(stores):
    """Flipped with its time set back, or replaced by equal bytes of another size."""
    warm, cold = stores
    warm.write("v", TABLE, {})
    path = warm.path("v")
    stat, content = path.stat(), bytearray(path.read_bytes())
    content[20] ^= 1
    path.write_bytes(content)
    os.utime(path, ns=(stat.st_atime_ns, stat.st_mtime_ns))
    with pytest.raises(IntegrityError):
        warm.read("v")
    cold.write("v", TABLE.reverse(), {})
    assert warm.read("v").equals(TABLE.reverse())
    path.unlink()
    with pytest.raises(IntegrityError, match="holds nothing"):
        warm.read("v")


def test_a_step_cannot_change_what_is_kept(stores):
    """Neither by replacing a column of the table it got nor by writing into one."""
    warm, _ = stores
    warm.write("v", TABLE, {})
    got = warm.read("v")
    got.replace_column(0, pl.Series("a", [9, 9, 9]))
    got["b"][0] = "y"
    other = warm.read("v")["a"]
    other[0] = 7
    assert warm.read("v").equals(TABLE)


def test_the_oldest_go_first_and_a_large_one_is_not_kept(tmp_path):
    """By number and by size."""
    kept = KeptTables(tables=2, most_bytes=100_000)
    tables = FileTables(tmp_path, kept=kept)
    for name in ("v1", "v2", "v3"):
        tables.write(name, TABLE, {})
    found = {n: bool(kept.find(tables.path(n), tables.info(n))) for n in ("v1", "v2", "v3")}
    assert found == {"v1": False, "v2": True, "v3": True}
    tables.write("v4", pl.DataFrame({"a": range(20_000)}), {})
    assert kept.known == []


def test_the_room_is_a_part_of_the_memory_that_there_is(tmp_path, monkeypatch):
    """A container's bound counts where there is one; what is larger is not kept."""
    installed = psutil.virtual_memory().total
    bound = tmp_path / "memory.max"
    monkeypatch.setattr(kept_tables, "_CONTAINER", bound)
    assert kept_tables.memory_bytes() == installed
    for told, wanted in (("max\n", installed), ("80000\n", 80_000), (f"{2**62}", installed)):
        bound.write_text(told)
        assert kept_tables.memory_bytes() == wanted
    bound.write_text("80000\n")
    tables = FileTables(tmp_path, kept=KeptTables())
    tables.write("v", TABLE, {})
    assert len(tables.kept.known) == 1
    tables.write("w", pl.DataFrame({"a": range(20_000)}), {})
    assert tables.kept.known == []


def test_csv_is_read_back(tmp_path):
    """Text keeps no type, so nothing is handed over."""
    tables = FileTables(tmp_path, "csv", kept=KeptTables())
    tables.write("v", TABLE, {})
    assert tables.kept.known == []
    assert tables.read("v").equals(TABLE)
