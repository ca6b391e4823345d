"""A project of five small stages, for tests of everything that works on projects."""

from __future__ import annotations

import fcntl
import gc
import os
import shutil
import subprocess
import sys
from collections.abc import Callable
from hashlib import sha256
from pathlib import Path

import psutil
import pytest
from hypothesis import HealthCheck, settings

# a busy machine is no fault: nothing here judges a time
settings.register_profile("heddle", deadline=None, suppress_health_check=[HealthCheck.too_slow])
settings.load_profile("heddle")

TINY = Path(__file__).parent / "tiny_project"
HEDDLE = [sys.executable, "-m", "heddle.presentation.main"]
collect_ignore = ["tiny_project"]

MEMORY = Path("/dev/shm")
ROOM = 8 * 2**30  # bytes; the whole suite needs a quarter of it

Command = Callable[..., subprocess.CompletedProcess[str]]
Once = Callable[[str, Callable[[Path], object]], Path]


def pytest_configure(config: pytest.Config) -> None:
    """Keep what tests write in memory where there is room: waiting for a disk proves nothing."""
    if config.option.basetemp is None and MEMORY.is_dir():
        free = min(shutil.disk_usage(MEMORY).free, psutil.virtual_memory().available)
        if free > ROOM:
            os.environ.setdefault("PYTEST_DEBUG_TEMPROOT", str(MEMORY))


def pytest_collection_finish() -> None:
    """Look for garbage in what tests make, not in the modules that all of them share."""
    gc.collect()
    gc.freeze()


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
def once(tmp_path_factory: pytest.TempPathFactory) -> Once:
    """Return a function that gives a folder which one of pytest-xdist's workers builds for all.

    Workers use it at the same time: whoever changes something copies it first.
    """
    own = tmp_path_factory.getbasetemp()
    shared = own.parent if "PYTEST_XDIST_WORKER" in os.environ else own

    def built(name: str, build: Callable[[Path], object]) -> Path:
        folder, ready = shared / f"once-{name}", shared / f"once-{name}.ready"
        with (shared / f"once-{name}.lock").open("ab") as lock:
            fcntl.flock(lock, fcntl.LOCK_EX)
            if not ready.exists():
                shutil.rmtree(folder, ignore_errors=True)
                folder.mkdir()
                build(folder)
                ready.touch()
        return folder

    return built


@pytest.fixture(scope="session")
def finished(once: Once, heddle: Command) -> Path:
    """Return a tiny project that has run once; copy it before changing anything."""

    def build(folder: Path) -> None:
        told = heddle(fresh(folder / "tiny"), "run")
        assert told.returncode == 0, told.stderr

    return once("tiny", build) / "tiny"


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
