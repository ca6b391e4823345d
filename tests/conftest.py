"""A project of five small stages, for tests of everything that works on projects."""

from __future__ import annotations

import shutil
import subprocess
import sys
from collections.abc import Callable
from hashlib import sha256
from pathlib import Path

import pytest
from hypothesis import HealthCheck, settings

# a busy machine is no fault: nothing here judges a time
settings.register_profile("heddle", deadline=None, suppress_health_check=[HealthCheck.too_slow])
settings.load_profile("heddle")

TINY = Path(__file__).parent / "tiny_project"
HEDDLE = [sys.executable, "-m", "heddle.presentation.main"]
collect_ignore = ["tiny_project"]

Command = Callable[..., subprocess.CompletedProcess[str]]


def fresh(root: Path) -> Path:
    shutil.copytree(TINY, root, ignore=shutil.ignore_patterns("__pycache__"))
    subprocess.run(["git", "init", "--quiet", str(root)], check=True)
    return root


@pytest.fixture
def tiny(tmp_path: Path) -> Path:
    """Return a fresh copy of the tiny project, in a git repository of its own."""
    return fresh(tmp_path / "tiny")


@pytest.fixture(scope="session")
def heddle() -> Command:
    """Return a function that runs the real command in a project and captures what it says."""

    def run(root: Path, *words: str, **more: object) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            [*HEDDLE, *words], cwd=root, capture_output=True, text=True, check=False, **more
        )

    return run


@pytest.fixture(scope="session")
def finished(tmp_path_factory: pytest.TempPathFactory, heddle: Command) -> Path:
    """Return a tiny project that has run once; copy it before changing anything."""
    root = fresh(tmp_path_factory.mktemp("finished") / "tiny")
    told = heddle(root, "run")
    assert told.returncode == 0, told.stderr
    return root


@pytest.fixture
def done(finished: Path, tmp_path: Path) -> Path:
    """Return a copy of the finished project that a test may break."""
    shutil.copytree(finished, tmp_path / "done", symlinks=True)
    return tmp_path / "done"


@pytest.fixture(scope="session")
def hashes() -> Callable[[Path], dict[str, str]]:
    """Return a function that names the bytes of a project's outputs and of its dvc.lock."""

    def told(root: Path) -> dict[str, str]:
        files = [p for f in ("data", "reports") for p in (root / f).rglob("*") if p.is_file()]
        outputs = [p for p in files if p.name != ".gitignore"]
        return {
            p.relative_to(root).as_posix(): sha256(p.read_bytes()).hexdigest()
            for p in (*outputs, root / "dvc.lock")
        }

    return told


def pytest_make_parametrize_id(val: object) -> str | None:
    """Name bytes by their kind: archives hold the time, and a test keeps its name."""
    return "bytes" if isinstance(val, bytes) else None
