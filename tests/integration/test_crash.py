"""kill -9 at any moment, and torn files of DVC: the same command finishes without help."""

from __future__ import annotations

import contextlib
import fcntl
import os
import random
import runpy
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path

import psutil
import pytest

still_running = runpy.run_path(str(Path(__file__).parents[1] / "processes.py"))["still_running"]

HEDDLE = [sys.executable, "-m", "heddle.presentation.main"]
SHORT = ("run", "pipeline=short")


@pytest.fixture(scope="module")
def prepared(tmp_path_factory, finished, heddle, hashes):
    """A project after the short pipeline, and what its files are then under new input."""
    root = tmp_path_factory.mktemp("crash") / "before"
    shutil.copytree(finished, root, symlinks=True)
    with (root / "cases.csv").open("a") as file:
        file.write("60,1.0,2,W0\n")
    wanted = root.with_name("wanted")
    shutil.copytree(root, wanted, symlinks=True)
    start = time.monotonic()
    assert heddle(wanted, *SHORT).returncode == 0
    return root, hashes(wanted), time.monotonic() - start


def killed(root: Path, mode: str, delay: float) -> list[psutil.Process]:
    """Start the run, kill what `mode` names after `delay` seconds, return who was alive."""
    run = subprocess.Popen(
        [*HEDDLE, *SHORT],
        cwd=root,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        start_new_session=True,
    )
    time.sleep(delay)
    family: list[psutil.Process] = []
    with contextlib.suppress(psutil.Error):
        family = psutil.Process(run.pid).children(recursive=True)
    if mode == "group":
        with contextlib.suppress(ProcessLookupError):
            os.killpg(run.pid, signal.SIGKILL)
    elif mode == "stage" and family:
        with contextlib.suppress(psutil.Error):
            family[-1].kill()
    else:
        run.kill()
    with contextlib.suppress(subprocess.TimeoutExpired):
        run.wait(20)
    return family


@pytest.mark.parametrize("seed", range(5))
def test_a_killed_run_is_finished_by_the_next_one(prepared, tmp_path, heddle, hashes, seed):
    """Four kills of driver, group and stage, one after the other; then one run, equal bytes."""
    before, wanted, seconds = prepared
    root = tmp_path / "here"
    shutil.copytree(before, root, symlinks=True)
    chance = random.Random(seed)
    for mode in chance.sample(["driver", "group", "stage", "driver"], 4):
        family = killed(root, mode, chance.uniform(0.3, max(seconds, 1.0)))
        assert not still_running(family, timeout=2)
    told = heddle(root, *SHORT)
    assert told.returncode == 0, told.stderr
    assert hashes(root) == wanted
    assert not list(root.rglob("*.heddle-part"))


def test_a_stage_whose_driver_died_publishes_nothing(done, heddle, hashes):
    """It ends at once, also when it was about to write: the next run is not overwritten later."""
    before = hashes(done)
    step = done / "steps/lowered.py"
    text = step.read_text()
    step.write_text(text.replace("    return", "    __import__('time').sleep(3)\n    return"))
    for words in (("--jobs", "1"), ("--jobs", "2")):
        run = subprocess.Popen(
            [*HEDDLE, "run", *words], cwd=done, stderr=subprocess.DEVNULL, start_new_session=True
        )
        deadline = time.monotonic() + 30
        stage: list[psutil.Process] = []
        while not stage and time.monotonic() < deadline:
            found = psutil.Process(run.pid).children(recursive=True)
            stage = [c for c in found if "right" in _words(c) and _at_work(done)]
            time.sleep(0.02)
        assert stage
        run.kill()
        run.wait()
        assert not still_running(found, timeout=2)
    step.write_text(text)
    told = heddle(done, "run")
    assert told.returncode == 0, told.stderr
    assert hashes(done) == before


def _at_work(root: Path) -> bool:
    with (root / ".heddle/stages.lock").open() as file:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError:
            return True
    return False


def _words(process: psutil.Process) -> list[str]:
    try:
        return process.cmdline()
    except psutil.Error:
        return []


@pytest.mark.parametrize("cut", [0, 61, 0.6])
def test_a_torn_lock_is_mended(done, heddle, hashes, cut):
    """Cut at any place, dvc.lock comes back as it was; an empty rwlock is no obstacle."""
    before = hashes(done)
    lock = done / "dvc.lock"
    content = lock.read_bytes()
    lock.write_bytes(content[: cut if isinstance(cut, int) else int(len(content) * cut)])
    (done / ".dvc/tmp/rwlock").write_text("")
    told = heddle(done, "run")
    assert told.returncode == 0, told.stderr
    assert hashes(done) == before


def test_an_init_that_was_killed_is_done_again(tiny, heddle):
    """A .dvc folder without its configuration does not stop the project for ever."""
    (tiny / ".dvc").mkdir()
    told = heddle(tiny, "run", "read")
    assert told.returncode == 0, told.stderr
