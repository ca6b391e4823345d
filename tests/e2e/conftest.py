"""The repository as a stranger has it after cloning, with its projects made small."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
BIN = Path(sys.executable).parent

# The same stages on fewer rows, with fewer trials and a smaller grid.
_SMALLER = {
    "projects/drg/configs/ingestion/sample.yaml": [(r"rows: \d+", "rows: 4000")],
    "projects/drg/configs/model_params/random_forest.yaml": [
        (r"low: 100, high: 1000", "low: 10, high: 40")
    ],
    "projects/stocks/configs/ingestion/sample.yaml": [(r"rows: \d+", "rows: 700")],
    "projects/stocks/configs/split/walk_forward.yaml": [
        (r"folds: \d+", "folds: 2"),
        (r"valid_periods: \d+", "valid_periods: 100"),
    ],
    "projects/stocks/configs/ml_experiments/backtest.yaml": [
        (r"initial_rows: \d+", "initial_rows: 300"),
        (r"refit_every: \d+", "refit_every: 100"),
    ],
    "projects/housing/configs/ingestion/sample.yaml": [(r"rows: \d+", "rows: 500")],
    "projects/housing/configs/config.yaml": [("model_candidates: full", "model_candidates: quick")],
    "projects/housing/configs/model_candidates/quick.yaml": [(r"trials: \d+", "trials: 1")],
    "projects/housing/configs/model_candidates/hist_gradient_boosting.yaml": [
        (r"max_iter: \d+", "max_iter: 40")
    ],
    "projects/housing/configs/ml_experiments/cluster_study.yaml": [
        (r"labels: \[.*\]", "labels: [4]"),
        (r"rbf: \[.*\]", "rbf: [6]"),
        (r"gamma: \[.*\]", "gamma: [1.0]"),
        (r"n_estimators: \d+", "n_estimators: 30"),
        (r"k_to: \d+", "k_to: 4"),
    ],
    "projects/housing/configs/ml_experiments/imputation_study.yaml": [
        (r"repeats: \d+", "repeats: 1")
    ],
    "projects/housing/configs/ml_experiments/register.yaml": [
        (r"importance_repeats: \d+", "importance_repeats: 1")
    ],
}

_MAKE = {"ARGS", "MAKEFLAGS", "MAKELEVEL", "MAKEOVERRIDES", "MFLAGS"}

Shell = Callable[..., subprocess.CompletedProcess[str]]
Once = Callable[[str, Callable[[Path], object]], Path]


def _environment() -> dict[str, str]:
    path = os.pathsep.join([str(BIN), os.environ["PATH"]])
    author = {
        f"GIT_{who}_{what}": "t@example.org"
        for who in ("AUTHOR", "COMMITTER")
        for what in ("NAME", "EMAIL")
    }
    kept = {k: v for k, v in os.environ.items() if k not in _MAKE}  # `make test ARGS=…` runs this
    return {**kept, **author, "PATH": path, "OMP_NUM_THREADS": "1"}


@pytest.fixture(scope="session")
def shell() -> Shell:
    """Return a function that runs a bash script in a folder and captures what it says."""

    def run(folder: Path, script: str) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            ["bash", "-euo", "pipefail", "-c", script],
            cwd=folder,
            env=_environment(),
            capture_output=True,
            text=True,
            check=False,
        )

    return run


def clone(target: Path) -> Path:
    """Copy what git knows of the repository, make the projects small, and commit that."""
    named = subprocess.run(
        ["git", "ls-files", "-z"], cwd=ROOT, capture_output=True, text=True, check=True
    )
    for name in filter(None, named.stdout.split("\0")):
        source = ROOT / name
        if source.is_file():
            (target / name).parent.mkdir(parents=True, exist_ok=True)
            shutil.copy2(source, target / name)
    for name, changes in _SMALLER.items():
        path = target / name
        text = path.read_text(encoding="utf-8")
        for pattern, made in changes:
            text, found = re.subn(pattern, made, text)
            assert found, f"{name} has no {pattern!r}"
        path.write_text(text, encoding="utf-8")
    (target / ".venv").symlink_to(BIN.parent)
    for name in ("pyproject.toml", "requirements/dev.lock"):
        os.utime(target / name, (0, 0))  # older than the environment, whenever that was made
    commands = ("git init -q", "git add -A", "git commit -qm start")
    for command in commands:
        subprocess.run(command.split(), cwd=target, env=_environment(), check=True)
    return target


@pytest.fixture(scope="session")
def fresh_clone(once: Once) -> Path:
    """Return a small clone in which nothing has run; copy it before changing anything."""
    return once("clone", lambda folder: clone(folder / "heddle")) / "heddle"


@pytest.fixture
def cloned(fresh_clone: Path, tmp_path: Path) -> Path:
    """Return a fresh, small clone in which nothing has run."""
    return Path(shutil.copytree(fresh_clone, tmp_path / "heddle", symlinks=True))


@pytest.fixture(scope="session")
def finished_clone(
    once: Once, fresh_clone: Path, shell: Shell, tmp_path_factory: pytest.TempPathFactory
) -> Path:
    """Return this worker's small clone after `make run`; do not change it."""

    def build(folder: Path) -> None:
        shutil.copytree(fresh_clone, folder / "heddle", symlinks=True)
        told = shell(folder / "heddle", "make run")
        assert told.returncode == 0, told.stderr
        (folder / "heddle" / "said.txt").write_text(told.stdout, encoding="utf-8")

    built = once("finished-clone", build) / "heddle"
    own = tmp_path_factory.mktemp("finished") / "heddle"
    return Path(shutil.copytree(built, own, symlinks=True))
