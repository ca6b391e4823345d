"""A project that was moved keeps its runs' files, and writes new ones where it is now."""

import shutil
import sqlite3
from contextlib import closing

from heddle.infrastructure.mlflow_moving import anchor, follow
from heddle.infrastructure.mlflow_store import MlflowStore
from heddle.infrastructure.mlflow_tracking import MlflowTracker


def logged(folder, name):
    """Keep a file with a run of the store in `folder`; return the run's id."""
    note = folder.parent / "note.txt"
    note.write_text(name)
    tracker = MlflowTracker(f"sqlite:///{folder}/mlflow.db", experiment="shop", notice=print)
    with tracker.run(name) as run:
        run.artifact(note)
    return run.id


def test_a_moved_store_follows_its_folder(tmp_path):
    """Old files are found beside it, new ones written beside it, and moving is done once."""
    one, other = tmp_path / "one/mlruns", tmp_path / "other/mlruns"
    one.parent.mkdir()
    other.parent.mkdir()
    old = logged(one, "old")
    shutil.move(one, other)
    new = logged(other, "new")
    assert not one.exists()
    store = MlflowStore(f"sqlite:///{other}/mlflow.db", "shop")
    for run in (old, new):
        place = store.client.get_run(run).info.artifact_uri
        assert place.startswith(str(other))
        assert [f.path for f in store.client.list_artifacts(run)] == ["note.txt"]
    assert follow(other / "mlflow.db", "shop") is None
    assert follow(other / "mlflow.db", "another experiment") is None


def test_a_copy_may_point_to_another_folder(tmp_path):
    """As one does that is about to replace the store there."""
    here = tmp_path / "one/mlruns"
    here.parent.mkdir()
    run = logged(here, "old")
    copy = shutil.copy(here / "mlflow.db", tmp_path / "copy.db")
    there = tmp_path / "there"
    assert follow(copy, "shop", beside=there) == here
    with closing(sqlite3.connect(copy)) as rows:
        assert anchor(rows, "shop") == there
        assert anchor(rows, "another experiment") is None
        (place,) = rows.execute("select artifact_uri from runs").fetchone()
    assert place == f"{there}/artifacts/{run}/artifacts"
