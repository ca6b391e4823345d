"""Whether a machine and a project are fit to run: what is looked at, and what is said of it."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path
from types import SimpleNamespace

import pytest

from heddle.domain.errors import ConfigError
from heddle.infrastructure.facts import library_versions
from heddle.presentation.doctor import examine, machine_cores
from heddle.presentation.project import Project

# Without this capability the superuser too is held to the permissions of a folder.
HELD = ["setpriv", "--bounding-set=-dac_override,-dac_read_search"]


def told(root: Path) -> dict[str, tuple[str, str]]:
    return {found.what: (found.state, found.found) for found in examine(root)}


def replace(path: Path, old: str, new: str) -> None:
    text = path.read_text()
    assert old in text
    path.write_text(text.replace(old, new))


def test_a_project_that_can_run_is_told_so(tiny):
    """Each thing with its state; nothing is written."""
    before = sorted(tiny.rglob("*"))
    found = told(tiny)
    for what in ("python", "cores", "git", "libraries", "repository", "dvc", "configuration"):
        assert found[what][0] == "ok", what
    assert found["cores"][1] == str(machine_cores())
    assert f"mlflow {library_versions()['mlflow']}" in found["libraries"][1]
    assert found["dvc"][1] == "made by the first `heddle run`"
    assert "world.cores" not in found
    assert sorted(tiny.rglob("*")) == before


def test_a_pair_that_does_not_work_together_is_bad(tiny, tmp_path, monkeypatch):
    """Prefect's server and the fastapi that is found first."""
    pytest.importorskip("prefect", reason="the extra [prefect] is not installed")
    assert "fastapi" not in told(tiny)
    newer = tmp_path / "fastapi-0.163.2.dist-info" / "METADATA"
    newer.parent.mkdir()
    newer.write_text("Metadata-Version: 2.1\nName: fastapi\nVersion: 0.163.2\n")
    monkeypatch.syspath_prepend(tmp_path)
    words = "0.163.2: the server of Prefect 3.8 does not start with it; pip install 'fastapi<0.155'"
    assert told(tiny)["fastapi"] == ("bad", words)


def test_more_cores_than_there_are_is_a_warning(tiny):
    """With both numbers and the override that mends it."""
    replace(tiny / "configs/config.yaml", "cores: 1", "cores: 999")
    here = machine_cores()
    words = f"999, but the machine has {here}: work would wait for itself; set world.cores={here}"
    assert told(tiny)["world.cores"] == ("warn", words)


def test_a_configuration_that_cannot_be_read_is_bad(tiny):
    """In the words of the error that a run would end with."""
    replace(tiny / "configs/config.yaml", "cores: 1", "cores: two")
    assert told(tiny)["configuration"] == (
        "bad",
        "world.cores: must be a whole number, not 'two' (str)",
    )


def test_what_a_project_lacks_is_said(tmp_path, tiny):
    """No project, no repository, a torn lock, no folder."""
    assert told(tmp_path)["project"] == ("warn", f"no configs/config.yaml in {tmp_path}")
    (tiny / "dvc.lock").write_text("schema: [")
    assert told(tiny)["dvc.lock"][0] == "warn"
    (tiny / ".git").rename(tiny / ".gone")
    assert told(tiny)["repository"] == ("bad", "run `git init`")
    with pytest.raises(ConfigError, match=r"absent: there is no such folder"):
        examine(tmp_path / "absent")


def test_an_engine_that_is_not_installed_is_bad_and_runs_nothing(tiny, monkeypatch):
    """`heddle run` refuses it before anything is written."""
    monkeypatch.setitem(sys.modules, "duckdb", None)
    assert "duckdb" not in told(tiny)
    replace(tiny / "configs/config.yaml", "engine: polars", "engine: duckdb")
    assert told(tiny)["duckdb"][0] == "bad"
    with pytest.raises(ConfigError, match=r"not installed. pip install 'heddle-ml\[duckdb\]'"):
        Project(tiny).run(watch=SimpleNamespace())
    assert not (tiny / "params.yaml").exists()


def test_a_mirror_that_is_not_installed_is_a_warning(tiny, monkeypatch):
    """Only where the project asks for it."""
    monkeypatch.setitem(sys.modules, "wandb", None)
    assert "wandb" not in told(tiny)
    replace(tiny / "configs/config.yaml", "tracking: none", "tracking: wandb")
    assert told(tiny)["wandb"][1].endswith("pip install 'heddle-ml[wandb]'")


def test_without_what_trains_models_are_only_used(tiny, monkeypatch):
    """A warning that names it all once; the configuration is not judged."""
    assert "train" not in told(tiny)
    for library in ("hydra", "mlflow"):
        monkeypatch.setitem(sys.modules, library, None)
    words = "not installed: hydra, mlflow; models are used here, none is made"
    found = told(tiny)
    assert found["train"] == ("warn", f"{words}; pip install 'heddle-ml[train]'")
    assert "configuration" not in found


@pytest.mark.skipif(
    os.geteuid() == 0 and shutil.which("setpriv") is None, reason="permissions bind no superuser"
)
@pytest.mark.parametrize(
    ("name", "mode", "what", "state"),
    [("", 0o555, "folder", "warn"), ("configs", 0o000, "project", "bad")],
)
def test_a_folder_that_may_not_be_written_or_read_is_examined(tiny, name, mode, what, state):
    """It is said, and nothing crashes."""
    folder = tiny / name
    held = HELD if os.geteuid() == 0 else []
    folder.chmod(mode)
    try:
        ended = subprocess.run(
            [*held, sys.executable, "-m", "heddle.presentation.main", "doctor", "--json"],
            cwd=tiny,
            capture_output=True,
            text=True,
            check=False,
        )
    finally:
        folder.chmod(0o755)
    found = {one["what"]: one for one in json.loads(ended.stdout)}
    assert ended.stderr == ""
    assert found[what]["state"] == state
    assert "cannot be" in found[what]["found"]
    assert ended.returncode == (2 if state == "bad" else 0)
