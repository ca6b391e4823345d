"""Work in progress is found again by its own question only."""

from __future__ import annotations

import polars as pl
import pytest

from heddle.infrastructure.memory import MemoryTables
from heddle.training.scratch import question, resumable


def test_an_interrupted_run_finds_its_folder_and_success_removes_it(tmp_path):
    def interrupted():
        with resumable(tmp_path, {"a": 1}) as folder:
            (folder / "trial").write_text("1")
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        interrupted()
    with resumable(tmp_path, {"a": 1}) as folder:
        assert (folder / "trial").read_text() == "1"
    assert list(tmp_path.iterdir()) == []


def test_another_question_begins_anew_and_clears_the_old_one(tmp_path):
    with pytest.raises(KeyboardInterrupt), resumable(tmp_path, {"a": 1}) as old:
        raise KeyboardInterrupt
    with resumable(tmp_path, {"a": 2}) as folder:
        assert folder != old
        assert not old.exists()


def test_data_files_and_configuration_decide_the_question_and_jobs_do_not(tmp_path):
    tables = MemoryTables()
    tables.write("v1", pl.DataFrame({"a": [1]}), {})
    (tmp_path / "models").mkdir()
    document = tmp_path / "models/study.json"
    document.write_text("{}")
    reads = {"v1": "v1", "study": "models/study.json"}

    def ask(**config):
        return question(config, reads, tables, tmp_path)

    first = ask(trials=3, jobs=1)
    assert ask(trials=3, jobs=2) == first
    assert ask(trials=4, jobs=1) != first
    document.write_text("{} ")
    second = ask(trials=3)
    assert second != first
    tables.write("v1", pl.DataFrame({"a": [2]}), {})
    assert ask(trials=3) != second
