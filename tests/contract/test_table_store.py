"""What every TableStore does: files of two kinds, and the double in memory."""

from __future__ import annotations

import datetime as dt

import polars as pl
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from heddle.domain.errors import ConfigError, DataContractError, IntegrityError
from heddle.frames.content import content_hash
from heddle.infrastructure.files import FileTables
from heddle.infrastructure.logged_tables import LoggedTables
from heddle.infrastructure.memory import MemoryTables

TABLE = pl.DataFrame(
    {
        "n": [3, None, 1],
        "x": [0.1, float("nan"), None],
        "s": ['a "b",\nc', "", None],
        "d": [dt.date(2020, 1, 1), None, dt.date(1999, 12, 31)],
        "b": [True, None, False],
    }
)


@pytest.fixture(params=["parquet", "csv", "memory", "logged"])
def store(request, tmp_path):
    if request.param == "logged":
        return LoggedTables(MemoryTables())
    return MemoryTables() if request.param == "memory" else FileTables(tmp_path, request.param)


def test_a_table_comes_back_as_it_went(store):
    """Types, nulls, empty texts, NaN, row and column order; some columns in the order asked."""
    info = store.write("v1", TABLE, {"step": "x"})
    assert store.read("v1").equals(TABLE)
    assert store.read("v1").schema == TABLE.schema
    assert store.read("v1", ["s", "n"]).columns == ["s", "n"]
    assert store.info("v1") == info
    assert (info.rows, info.content_hash) == (3, content_hash(TABLE))
    store.write("v1", TABLE.clear(), {})
    assert store.read("v1").equals(TABLE.clear())


def test_a_file_is_told_where_another_reader_may_take_it(store):
    """Parquet that holds the table; nothing where types would have to be guessed."""
    store.write("v1", TABLE, {})
    file = store.file("v1")
    assert (file is not None) == (getattr(store, "kind", "") == "parquet")
    assert file is None or pl.read_parquet(file).equals(TABLE)
    with pytest.raises(ConfigError, match="no data version 'v2'"):
        store.file("v2")


def test_versions_are_listed_in_natural_order(store):
    """Those that exist."""
    for name in ("v10", "v2", "split"):
        store.write(name, TABLE, {})
    assert list(store.versions()) == ["split", "v2", "v10"]


def test_an_unknown_version_names_the_known(store):
    """With the nearest."""
    store.write("ratios", TABLE, {})
    for call in (store.info, store.read):
        with pytest.raises(ConfigError, match=r"no data version 'ratio'; did you mean 'ratios'\?"):
            call("ratio")


@pytest.mark.parametrize("name", ["../x", "a/b", "", ".x"])
def test_a_bad_name_is_refused(store, name):
    """Before it becomes a path."""
    with pytest.raises(ConfigError, match="is not a data version name"):
        store.write(name, TABLE, {})


def test_a_column_that_cannot_be_stored_publishes_nothing(store):
    """The old version stays."""
    store.write("v1", TABLE, {})
    with pytest.raises(DataContractError):
        store.write("v1", pl.DataFrame({"a": [[1]]}), {})
    assert store.read("v1").equals(TABLE)


class TestFiles:
    """What only files do."""

    @pytest.fixture(params=["parquet", "csv"])
    def files(self, request, tmp_path):
        return FileTables(tmp_path, request.param)

    def test_the_same_table_gives_the_same_bytes(self, files, tmp_path):
        """Table and metadata hold no time and no place."""
        files.write("v1", TABLE, {"step": "x"})
        first = {p.name: p.read_bytes() for p in (tmp_path / "v1").iterdir()}
        files.write("v1", TABLE, {"step": "x"})
        assert {p.name: p.read_bytes() for p in (tmp_path / "v1").iterdir()} == first
        assert set(first) == {f"v1.{files.kind}", "v1_metadata.json"}

    def test_changed_bytes_are_not_read(self, files):
        """Nor a missing table, nor torn metadata."""
        files.write("v1", TABLE, {})
        path = files.path("v1")
        content = path.read_bytes()
        path.write_bytes(content[:-1] + bytes([content[-1] ^ 1]))
        with pytest.raises(IntegrityError, match=r"recorded was .*--force"):
            files.read("v1")
        path.unlink()
        with pytest.raises(IntegrityError, match="holds nothing"):
            files.read("v1")
        files.metadata_path("v1").write_text("{")
        with pytest.raises(IntegrityError, match="metadata cannot be read"):
            files.info("v1")

    def test_an_unknown_column_is_told(self, files):
        """With the known ones."""
        files.write("v1", TABLE, {})
        with pytest.raises(ConfigError, match=r"'v1' has no column 'y'. Known: n, x, s, d, b"):
            files.read("v1", ["y"])

    def test_a_table_without_columns_is_refused(self, files):
        """It would be no table."""
        with pytest.raises(DataContractError, match="without columns"):
            files.write("v1", pl.DataFrame(), {})


def test_csv_refuses_types_that_text_does_not_keep(tmp_path):
    """Rather than to give back another type."""
    with pytest.raises(DataContractError, match=r"csv cannot keep .*data_storage=parquet"):
        FileTables(tmp_path, "csv").write("v1", pl.DataFrame({"t": [dt.time(1)]}), {})
    assert not list(tmp_path.rglob("*.csv"))


def test_a_csv_of_pandas_is_read_as_it_was(tmp_path):
    """What it cannot keep is refused and publishes nothing."""
    store = FileTables(tmp_path, "csv", written_as="pandas")
    with pytest.raises(DataContractError, match="v1, column 'x': pandas' csv cannot keep NaN"):
        store.write("v1", TABLE, {})
    assert not list(tmp_path.rglob("*.csv"))
    whole = TABLE.with_columns(pl.col("x").fill_nan(1e-7), pl.col("s").replace("", "z"))
    store.write("v1", whole, {})
    assert store.read("v1").equals(whole)
    assert store.read("v1", ["n"]).equals(whole.select("n"))
    assert store.path("v1").read_bytes().endswith(b"\n,1e-07,z,,\n1.0,,,1999-12-31,False\n")


@settings(max_examples=60, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    st.lists(
        st.tuples(
            st.none() | st.floats(),
            st.none() | st.text(st.characters(exclude_categories=["Cs"]), max_size=5),
            st.none() | st.integers(-(2**63), 2**63 - 1),
        ),
        max_size=5,
    )
)
def test_both_kinds_keep_any_number_and_text(tmp_path, rows):
    """Property: written and read again it has the same content hash."""
    types = {"x": pl.Float64, "s": pl.String, "n": pl.Int64}
    frame = pl.DataFrame(rows, schema=types, orient="row")
    for kind in ("parquet", "csv"):
        store = FileTables(tmp_path / kind, kind)
        info = store.write("v", frame, {})
        assert content_hash(store.read("v")) == info.content_hash
