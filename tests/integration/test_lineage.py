"""What `heddle status` says is stale is what DVC says, whatever was edited."""

from __future__ import annotations

import os
import random
from pathlib import Path

import pytest

from heddle.presentation.project import Project

EDITS = {
    "config": ("configs/transformations/scaled.yaml", "1.0e-5", "3.0e-5"),
    "text": ("configs/transformations/scaled.yaml", '"no"', '"off"'),
    "contract": ("configs/data_versions/v0.yaml", "max: 1000", "max: 2000"),
    "code": ("steps/lowered.py", "to_lowercase", "to_uppercase"),
    "shared code": ("steps/units.py", "UNIT = 1", "UNIT = 2"),
    "comment": ("steps/lowered.py", "import polars", "# hm\nimport polars"),
    "input": ("cases.csv", "W1", "W7"),
    "wiring": ("configs/pipeline/base.yaml", "reads: [left, right]", "reads: [left, v0]"),
}


def by_dvc(root: Path) -> set[str]:
    """Return the stages that DVC itself finds changed, without those that only wait for others."""
    from dvc.repo import Repo

    before = Path.cwd()
    os.chdir(root)
    try:
        with Repo(str(root)) as repo:
            return set(repo.status())
    finally:
        os.chdir(before)


@pytest.mark.parametrize("seed", range(6))
def test_status_agrees_with_dvc_after_random_edits(done, seed):
    """Over edits of configuration, code, contracts, wiring and outputs: the same stages."""
    chance = random.Random(seed)
    for name in chance.sample(sorted(EDITS), 2):
        path, old, new = EDITS[name]
        text = (done / path).read_text()
        assert old in text, name
        (done / path).write_text(text.replace(old, new))
    if chance.random() < 0.5:
        (done / "data/right/right.parquet").unlink()
    project = Project(done)
    project.sync()
    own = {
        s.name
        for s in project.states()
        if any(not why.startswith("waits for") for why in s.reasons)
    }
    assert own == by_dvc(done)


@pytest.mark.parametrize(
    ("edit", "stage", "said"),
    [
        ("config", "left", "config scaled.by: 1e-05 -> 3e-05"),
        ("text", "left", "config scaled.words[0]: no -> off"),
        ("contract", "read", "contract v0.rows.max: 1000 -> 2000"),
        ("code", "right", "code steps/lowered.py changed"),
        ("shared code", "left", "code steps/units.py changed"),
        ("input", "read", "file cases.csv changed"),
        ("wiring", "both", "config reads[1]: right -> v0"),
    ],
)
def test_the_reason_is_told(done, edit, stage, said):
    """Which key, which contract, which file, which code."""
    path, old, new = EDITS[edit]
    (done / path).write_text((done / path).read_text().replace(old, new))
    found = {s.name: s.reasons for s in Project(done).states()}
    assert said in found[stage]


def test_a_changed_output_and_the_column_of_an_input_are_told(done):
    """A version made anew says which of its columns changed."""
    import polars as pl

    from heddle.infrastructure.files import FileTables

    tables = FileTables(done / "data")
    tables.write("v0", tables.read("v0").with_columns(pl.col("cost") + 1), {"step": "by hand"})
    (done / "data/right/right.parquet").unlink()
    found = {s.name: s.reasons for s in Project(done).states()}
    assert "output data/v0/v0.parquet was changed by hand" in found["read"]
    assert "input v0: column cost changed" in found["left"]
    assert "output data/right/right.parquet is missing" in found["right"]
    assert "waits for left, right" in found["both"]
