"""A tracking store as files, with the few tables of MLflow's that matter here."""

import shutil
import sqlite3
from contextlib import closing

import pytest

from heddle.domain.errors import BusyError, IntegrityError
from heddle.infrastructure.remotes import run_files
from heddle.infrastructure.remotes.run_files import RunFiles

TABLES = """
create table experiments (experiment_id integer primary key, name text, artifact_location text);
create table runs (run_uuid text primary key, name text, artifact_uri text);
create table logged_models (model_id text primary key, artifact_location text);
create table registered_models (name text primary key);
create table model_versions (name text, storage_location text);
"""


def store(folder, *runs):
    """A store with these runs, each with a file of its own."""
    folder.mkdir(parents=True)
    with closing(sqlite3.connect(folder / "mlflow.db")) as rows, rows:
        rows.executescript(TABLES)
        rows.execute("insert into experiments values (1, 'shop', ?)", (f"{folder}/artifacts",))
        for name in runs:
            place = f"{folder}/artifacts/{name}"
            rows.execute("insert into runs values (?, ?, ?)", (name, name, place))
            (folder / "artifacts" / name).mkdir(parents=True)
            (folder / "artifacts" / name / "note.txt").write_text(name)
    return RunFiles(folder / "mlflow.db", "shop")


def places(file):
    with closing(sqlite3.connect(file)) as rows:
        return sorted(place for (place,) in rows.execute("select artifact_uri from runs"))


def test_a_store_without_runs_holds_nothing(tmp_path):
    """Nor does one that is not there, or has no tables yet."""
    assert not RunFiles(tmp_path / "mlflow.db", "shop").any()
    (tmp_path / "mlflow.db").write_bytes(b"")
    assert not RunFiles(tmp_path / "mlflow.db", "shop").any()
    assert not store(tmp_path / "a").any()
    assert store(tmp_path / "b", "one").any()


def test_what_is_no_store_is_refused(tmp_path):
    """Exit 4, with its path."""
    (tmp_path / "mlflow.db").write_bytes(b"not a database" * 1000)
    with pytest.raises(IntegrityError, match=r"mlflow.db: is no store of runs: .*Move it away"):
        RunFiles(tmp_path / "mlflow.db", "shop").any()
    with closing(sqlite3.connect(tmp_path / "other.db")) as rows, rows:
        rows.execute("create table a (b text)")
    with pytest.raises(IntegrityError, match="is no store of runs: no such table"):
        RunFiles(tmp_path / "mlflow.db", "shop").rows_digest(tmp_path / "other.db")


def test_a_digest_of_the_rows_does_not_see_where_they_lie(tmp_path):
    """Nor in which order they were written; it sees each value."""
    one, two = store(tmp_path / "one", "a", "b"), store(tmp_path / "two's", "b", "a")
    digest = one.rows_digest(one.database)
    assert two.rows_digest(two.database) == digest
    with closing(sqlite3.connect(two.database)) as rows, rows:
        rows.execute("update runs set name = 'c' where name = 'a'")
    assert two.rows_digest(two.database) != digest


def test_a_snapshot_is_taken_while_others_write(tmp_path):
    """What they have not finished is not in it."""
    files = store(tmp_path / "one", "a")
    with closing(sqlite3.connect(files.database)) as writer:
        writer.execute("insert into runs values ('b', 'b', 'x')")
        files.snapshot(tmp_path / "copy.db")
    assert len(places(tmp_path / "copy.db")) == 1


def test_artefacts_are_files_of_its_own(tmp_path):
    """Links lead elsewhere, and what a killed pull left is removed."""
    files = store(tmp_path / "one", "a")
    folder = tmp_path / "one/artifacts/a"
    (folder / "link.txt").symlink_to("/etc/hostname")
    (folder / ".note.txt.x.heddle-part").write_text("half")
    assert list(files.artefacts()) == ["artifacts/a/note.txt"]
    assert not (folder / ".note.txt.x.heddle-part").exists()
    with closing(sqlite3.connect(files.database)) as rows, rows:
        rows.execute("insert into runs values ('b', 'b', 's3://shelf/b')")
    assert files.elsewhere(files.database) == 1


def test_a_store_becomes_another(tmp_path):
    """Rows, files and paths; what the other does not know goes; a copy was kept."""
    files, other = store(tmp_path / "one", "a"), store(tmp_path / "two", "b")
    other.snapshot(tmp_path / "copy.db")
    arrivals = {name: shutil.copy(path, tmp_path) for name, path in other.artefacts().items()}
    kept = files.keep_copy()
    assert kept == tmp_path / "one/before-pull-1"
    files.become(tmp_path / "copy.db", arrivals, ["artifacts/a/note.txt"])
    assert places(files.database) == [f"{tmp_path}/one/artifacts/b"]
    assert [path.read_text() for path in files.artefacts().values()] == ["b"]
    assert places(kept / "mlflow.db") == [f"{kept}/artifacts/a"]
    assert (kept / "artifacts/a/note.txt").read_text() == "a"
    assert files.keep_copy().name == "before-pull-2"


def test_a_store_is_made_where_there_was_none(tmp_path):
    """A clone has no tracking store yet."""
    other = store(tmp_path / "two", "b")
    other.snapshot(tmp_path / "copy.db")
    files = RunFiles(tmp_path / "new/mlruns/mlflow.db", "shop")
    files.become(tmp_path / "copy.db", other.artefacts(), [])
    assert places(files.database) == [f"{tmp_path}/new/mlruns/artifacts/b"]


def test_a_store_that_is_written_to_is_left_alone(tmp_path, monkeypatch):
    """After some patience: exit 6, and its rows are as they were."""
    monkeypatch.setattr(run_files, "_PATIENCE_SECONDS", 0.1)
    files, other = store(tmp_path / "one", "a"), store(tmp_path / "two", "b")
    with closing(sqlite3.connect(files.database)) as writer:
        writer.execute("begin immediate")
        with pytest.raises(BusyError, match=r"another process writes to it. Wait for it to end"):
            files.become(other.database, {}, [])
    assert places(files.database) == [f"{tmp_path}/one/artifacts/a"]
