"""kill -9 and a full disk in the midst of real work: the next run ends as if nothing had been."""

from __future__ import annotations

import contextlib
import os
import random
import resource
import runpy
import shutil
import signal
import subprocess
import sys
import time
from hashlib import sha256
from pathlib import Path

import psutil
import pytest

still_running = runpy.run_path(str(Path(__file__).parents[1] / "processes.py"))["still_running"]

pytestmark = pytest.mark.slow

HEDDLE = [sys.executable, "-m", "heddle.presentation.main"]
# what holds seconds, identifiers of runs, or the page that shows both
TIMED = {"reports/timings", "reports/report.html", "models/model_config.yaml"}
MODEL = {"models/model/manifest.json"}  # the same manifest, inside the model


@pytest.fixture
def fresh(finished_clone: Path, tmp_path: Path) -> Path:
    """The finished clone as it was before anything ran in it."""
    root = tmp_path / "heddle"
    made = shutil.ignore_patterns("data", "models", "reports", "mlruns", ".heddle", "dvc.lock")
    shutil.copytree(finished_clone / "projects/housing", root / "projects/housing", ignore=made)
    shutil.copytree(finished_clone / ".git", root / ".git")
    shutil.rmtree(root / "projects/housing/.dvc", ignore_errors=True)
    return root / "projects/housing"


def outputs(project: Path) -> dict[str, str]:
    """What two runs must have in common, by its bytes."""
    files = [p for top in ("data", "models", "reports") for p in (project / top).rglob("*")]
    named = {p.relative_to(project).as_posix(): p for p in files if p.is_file()}
    return {
        name: sha256(path.read_bytes()).hexdigest()
        for name, path in named.items()
        if not any(name.startswith(timed) for timed in TIMED | MODEL) and path.name != ".gitignore"
    }


def killed_in(project: Path, stage: str, delay: float) -> None:
    """Run, wait until `stage` is at work, and `delay` seconds later kill the whole group."""
    run = subprocess.Popen(
        [*HEDDLE, "run"],
        cwd=project,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        start_new_session=True,
    )
    family: list[psutil.Process] = []
    deadline = time.monotonic() + 120
    while not family and run.poll() is None and time.monotonic() < deadline:
        found = psutil.Process(run.pid).children(recursive=True)
        with contextlib.suppress(psutil.Error):
            family = found if any(["stage", stage] == c.cmdline()[-2:] for c in found) else []
        time.sleep(0.02)
    assert family, f"{stage} never began"
    time.sleep(delay)
    with contextlib.suppress(psutil.Error):
        family = psutil.Process(run.pid).children(recursive=True)
    os.killpg(run.pid, signal.SIGKILL)
    run.wait()
    assert not still_running(family, timeout=3)


def test_four_kills_change_no_byte(fresh, finished_clone, shell):
    """Killed in four stages at seeded moments, then run once more: all files of a calm run."""
    chance = random.Random(7)
    for stage in ("imputation_study", "compete", "tune", "register"):
        killed_in(fresh, stage, chance.uniform(0.2, 2.0))
    told = shell(fresh, "heddle run")
    assert told.returncode == 0, told.stderr
    assert outputs(fresh) == outputs(finished_clone / "projects/housing")
    assert len(outputs(fresh)) >= 15
    assert not list(fresh.rglob("*.heddle-part"))
    again = shell(fresh, "heddle run && dvc status")
    assert again.returncode == 0, again.stderr
    assert "0 stages ran" in again.stdout


def test_a_full_disk_leaves_the_old_version(finished_clone, tmp_path):
    """Exit 5, one line; the limit on the size of a file stands for the disk."""
    root = tmp_path / "heddle"
    shutil.copytree(finished_clone, root, symlinks=True)
    project = root / "projects/housing"
    before = {p: p.read_bytes() for p in (project / "data").rglob("*") if p.is_file()}
    size = 100_000  # params.yaml fits, the table does not
    told = subprocess.run(
        [*HEDDLE, "run", "v0_ingest", "ingestion.rows=5000"],
        cwd=project,
        preexec_fn=lambda: resource.setrlimit(resource.RLIMIT_FSIZE, (size, size)),
        capture_output=True,
        text=True,
        check=False,
    )
    assert told.returncode == 5, told.stderr
    assert "Traceback" not in told.stderr
    (line,) = [text for text in told.stderr.splitlines() if "error" in text]
    assert line.startswith("error: ")
    assert "cannot write: " in line
    assert line.endswith("then run again.")
    assert {p: p.read_bytes() for p in (project / "data").rglob("*") if p.is_file()} == before
    assert not list(project.rglob("*.heddle-part"))
