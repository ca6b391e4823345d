"""What a step is given: the run that it opens, the files that it reads and writes."""

from __future__ import annotations

import json
import time
from pathlib import Path

import polars as pl
import pytest

from heddle.domain.errors import ConfigError
from heddle.infrastructure.memory import MemoryTables, SilentProgress
from heddle.infrastructure.memory_tracking import MemoryTracker
from heddle.pipeline.context import StageContext


def context_in(root: Path, facts: dict[str, object]) -> StageContext:
    return StageContext(
        stage="tune",
        root=root,
        reads={name: name for name in ("v1", "split", "models/board.json")},
        writes=(),
        contracts={},
        tables=MemoryTables(),
        tracker=MemoryTracker(),
        registry=None,
        progress=SilentProgress(),
        source=None,
        cores=1,
        scratch=root,
        facts=lambda: facts,
    )


def words_of(context: StageContext, *tags: dict[str, str]) -> dict[str, str]:
    with context.run(*tags):
        pass
    return context.tracker.runs[-1].words


def test_a_run_is_tagged_with_what_it_stands_on(tmp_path):
    """Stage, commit, configuration, and the content of the versions that the stage reads."""
    tables = MemoryTables()
    for name in ("v0", "v1", "split"):
        tables.write(name, pl.DataFrame({"name": [name]}), {})
    facts = {
        "git_commit": "abc",
        "git_dirty": False,
        "config_hash": "c0ffee",
        "data": {name: tables.info(name).identity for name in tables.versions()},
        "libraries": {"numpy": "2"},
    }
    context = context_in(tmp_path, facts)
    expected = {
        "stage": "tune",
        "git_commit": "abc",
        "config_hash": "c0ffee",
        "data.v1": tables.info("v1").content_hash,
        "data.split": tables.info("split").content_hash,
    }
    assert words_of(context) == expected
    assert context.tracker.runs[0].name == "tune"
    assert words_of(context, {"model": "price"}) == expected | {"model": "price"}
    dirty = context_in(tmp_path, facts | {"git_dirty": True})
    assert words_of(dirty) == expected | {"git_dirty": "true"}


def test_a_world_without_facts_still_has_runs(tmp_path):
    """Outside git and before any data the run has its stage alone."""
    assert words_of(context_in(tmp_path, {})) == {"stage": "tune"}


def test_what_is_written_is_read_again(tmp_path):
    """As JSON, as YAML, and as timings with and without parts."""
    context = context_in(tmp_path, {})
    context.write_json("models/a.json", {"b": [1, None], "a": "é"})
    assert context.read_json("models/a.json") == {"a": "é", "b": [1, None]}
    assert (tmp_path / "models/a.json").read_text("utf-8").startswith('{\n  "a": "é"')
    context.write_yaml("models/a.yaml", {"b": 1, "a": "é"})
    assert list(context.read_yaml("models/a.yaml")) == ["b", "a"]
    context.write_timings(time.perf_counter() - 5, {"fold": 2.0})
    told = json.loads((tmp_path / "reports/timings/tune.json").read_text())
    assert told["parts"] == {"fold": 2.0}
    assert told["seconds"] > 5
    context.write_timings(time.perf_counter())
    assert set(context.read_json("reports/timings/tune.json")) == {"seconds"}


def test_a_path_that_leads_out_and_a_number_that_is_none_are_refused(tmp_path):
    """Nothing is written outside the project, and no NaN into a file."""
    context = context_in(tmp_path / "inner", {})
    with pytest.raises(ConfigError, match=r"tune: '\.\./a\.json' lies outside the project"):
        context.write_json("../a.json", {})
    with pytest.raises(ValueError, match="not JSON compliant"):
        context.write_json("a.json", {"a": float("nan")})
    assert list(tmp_path.rglob("*.json")) == []
