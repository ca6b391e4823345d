"""What a run remembers of its world."""

from __future__ import annotations

import subprocess

import polars as pl

from heddle.infrastructure.facts import (
    config_hash,
    git_state,
    library_versions,
    run_facts,
    stages_hash,
)
from heddle.infrastructure.memory import MemoryTables


def git(root, *words):
    who = ["-c", "user.name=a", "-c", "user.email=a@example.org"]
    subprocess.run(["git", "-C", str(root), *who, *words], check=True, capture_output=True)


def test_the_commit_and_whether_files_differ_from_it(tmp_path):
    """Outside git, in it without a commit, clean, changed."""
    assert git_state(tmp_path) == {"git_commit": "", "git_dirty": None}
    git(tmp_path, "init")
    assert git_state(tmp_path) == {"git_commit": "", "git_dirty": False}
    (tmp_path / "a").write_text("1")
    git(tmp_path, "add", "a")
    git(tmp_path, "commit", "-m", "a")
    clean = git_state(tmp_path)
    assert (len(clean["git_commit"]), clean["git_dirty"]) == (40, False)
    (tmp_path / "a").write_text("2")
    assert git_state(tmp_path) == {**clean, "git_dirty": True}


def test_the_configuration_hash_ignores_the_order_of_keys():
    """And nothing else."""
    assert config_hash({"a": 1, "b": 2}) == config_hash({"b": 2, "a": 1})
    assert config_hash({"a": 1}) != config_hash({"a": 2})
    assert config_hash({"a": [1, 2]}) != config_hash({"a": [2, 1]})


def test_where_a_file_lies_on_this_machine_is_not_hashed(tmp_path):
    """What it is called is, and so is the place of a file in the project."""

    def told(path: str, kind: str = "file") -> str:
        steps = [{"name": "ingest", "uses": "ingest", "with": {"kind": kind, "path": path}}]
        return stages_hash(tmp_path, {"v0": {"steps": steps, "writes": ["v0"]}})

    assert told("/a/costs.csv") == told("/b/c/costs.csv") == told("~/costs.csv")
    assert told("/a/costs.csv") != told("/a/cases.csv")
    assert told(f"{tmp_path}/raw/costs.csv") == told("raw/costs.csv") != told("/raw/costs.csv")
    assert told("/a/x.csv", "other") != told("/b/x.csv", "other")


def test_all_facts_of_a_run(tmp_path):
    """Data versions by name with their hashes; the libraries that decide on numbers."""
    tables = MemoryTables()
    info = tables.write("v0", pl.DataFrame({"a": [1]}), {})
    facts = run_facts(tmp_path, {"stages": {}}, tables)
    assert facts["data"] == {
        "v0": {"content_hash": info.content_hash, "sha256": info.sha256, "rows": 1}
    }
    assert {"polars", "numpy", "scikit-learn"} <= set(library_versions())
