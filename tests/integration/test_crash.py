"""kill -9 at any moment, and torn files of DVC: the same command finishes without help."""

from __future__ import annotations

import contextlib
import json
import os
import random
import runpy
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path
from types import SimpleNamespace

import psutil
import pytest

processes = SimpleNamespace(**runpy.run_path(str(Path(__file__).parents[1] / "processes.py")))
still_running = processes.still_running

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
            stage = [c for c in found if "right" in _words(c) and processes.at_work(done)]
            time.sleep(0.02)
        assert stage
        run.kill()
        run.wait()
        assert not still_running(found, timeout=2)
    step.write_text(text)
    told = heddle(done, "run")
    assert told.returncode == 0, told.stderr
    assert hashes(done) == before


def test_a_stage_killed_while_another_runs_takes_nothing_with_it(done, heddle, hashes):
    """The other one is finished and kept; the run says which was killed, the next one goes on."""
    before = hashes(done)
    before.pop("dvc.lock")  # it knows the code of `left`, which waits from now on
    right, left = done / "steps/lowered.py", done / "steps/scaled.py"
    text = right.read_text()
    right.write_text(text.replace("    return", "    __import__('time').sleep(60)\n    return"))
    left.write_text(
        left.read_text().replace("    return", "    __import__('time').sleep(2)\n    return")
    )
    with (done / "stderr.txt").open("wb") as said:
        run = subprocess.Popen(
            [*HEDDLE, "run", "--jobs", "2"], cwd=done, stderr=said, start_new_session=True
        )
    deadline = time.monotonic() + 30
    at_work: dict[str, list[psutil.Process]] = {}
    while len(at_work) < 2 and time.monotonic() < deadline:
        found = [(_words(c)[-2:], c) for c in psutil.Process(run.pid).children(recursive=True)]
        at_work = {
            name: stages
            for name in ("left", "right")
            if (stages := [c for words, c in found if words == ["stage", name]])
        }
        time.sleep(0.02)
    for process in at_work["right"]:
        process.kill()
    assert run.wait(30) == 1
    assert "stage right was killed by signal 9" in (done / "stderr.txt").read_text()
    right.write_text(text)
    states = {s["name"]: s["stale"] for s in json.loads(heddle(done, "status", "--json").stdout)}
    assert not states["left"], states
    told = heddle(done, "run")
    assert told.returncode == 0, told.stderr
    after = hashes(done)
    assert {name: after[name] for name in before} == before


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
