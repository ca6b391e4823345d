"""A stranger's first project: made, grown by a step, run to a registered model; from a wheel."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import zipfile
from pathlib import Path

import pytest
import yaml

pytestmark = pytest.mark.slow


def test_a_new_project_with_a_new_step_runs_to_a_registered_model(tmp_path: Path, heddle) -> None:
    """And the step's test passes under plain pytest; afterwards every stage is fresh."""
    shop = tmp_path / "shop"
    for root, words in ((tmp_path, ("new", "shop")), (shop, ("new", "step", "busy_hours"))):
        told = heddle(root, *words)
        assert told.returncode == 0, told.stderr

    told = heddle(shop, "run", "--json")

    assert told.returncode == 0, told.stderr
    stages = [stage["name"] for stage in json.loads(told.stdout)]
    assert stages[:3] == ["v0_ingest", "v1_features", "v2_busy_hours"]
    assert {stage["outcome"] for stage in json.loads(told.stdout)} == {"ran"}
    model = yaml.safe_load((shop / "models" / "model_config.yaml").read_text())["model"]
    assert (model["name"], model["version"], model["stage"]) == ("shop_model", "1", "staging")
    info = json.loads((shop / "data" / "v2" / "v2_metadata.json").read_text())
    assert list(info["columns"])[-1] == "busy_hours"
    assert (shop / "reports" / "report.html").is_file()
    states = json.loads(heddle(shop, "status", "--json").stdout)
    assert not any(state["stale"] for state in states)
    _passes(shop, "-m", "pytest", "-q", "-p", "no:cacheprovider")


def test_the_wheel_holds_the_templates(cloned: Path, tmp_path: Path) -> None:
    """Built without a network, unpacked elsewhere, it makes a project."""
    build = ("pip", "wheel", "-q", "--no-build-isolation", "--no-deps", "--no-index", "-w")
    _passes(cloned, "-m", *build, str(tmp_path / "wheel"), ".")
    (wheel,) = (tmp_path / "wheel").glob("*.whl")
    with zipfile.ZipFile(wheel) as packed:
        packed.extractall(tmp_path / "site")
        shipped = {name for name in packed.namelist() if name.startswith("heddle/templates/")}
    made = {"params.yaml", "dvc.yaml", "dvc.lock", "MLproject"}
    assert "heddle/templates/minimal/.dvc/config" in shipped
    assert not {name for name in shipped if Path(name).name in made}

    code = (
        "import heddle, sys; from heddle.presentation.cli import run\n"
        "print(heddle.__file__); sys.exit(run(['new', 'shop', '--template', 'minimal']))"
    )
    said = _passes(tmp_path, "-c", code, PYTHONPATH=str(tmp_path / "site"))
    assert said.startswith(str(tmp_path / "site"))
    made_files = {p.name for p in (tmp_path / "shop").iterdir()}
    assert {".gitignore", ".dvc", "README.md", "configs", "steps", "params.yaml"} <= made_files
    assert "dvc.lock" not in made_files


def _passes(folder: Path, *words: str, **environment: str) -> str:
    told = subprocess.run(
        [sys.executable, *words],
        cwd=folder,
        env={**os.environ, **environment},
        capture_output=True,
        text=True,
        check=False,
    )
    assert told.returncode == 0, told.stdout + told.stderr
    return told.stdout
