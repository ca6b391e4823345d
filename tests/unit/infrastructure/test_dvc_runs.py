"""Locks of a project, ends of stages, signals."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import threading
from hashlib import md5

import pytest

from heddle.domain.errors import BusyError, ConfigError
from heddle.infrastructure.dvc_runs import DvcRuns, StageFailed, can_clone
from heddle.infrastructure.interrupts import interruptible
from heddle.infrastructure.run_locks import project_lock, stage_alive


@pytest.mark.parametrize(
    ("code", "exit_code", "said"),
    [
        (3, 3, "stage a failed"),
        (7, 7, "stage a was interrupted"),
        (-15, 7, "stage a was interrupted"),
        (130, 7, "stage a was interrupted"),
        (-9, 1, "stage a was killed by signal 9"),
        (137, 1, "stage a was killed by signal 9"),
    ],
)
def test_the_end_of_a_stage_is_worded_by_its_code(code, exit_code, said):
    """A shell tells a signal as 128 more than its number."""
    fault = StageFailed("a", code)
    assert fault.exit_code == exit_code
    assert said in str(fault)


def test_one_run_at_a_time(tmp_path):
    """The second is told who is at work; the lock goes with its holder."""
    with (
        project_lock(tmp_path),
        pytest.raises(BusyError, match=f"process {os.getpid()} is running"),
        project_lock(tmp_path),
    ):
        pass
    with project_lock(tmp_path):
        pass


def test_no_run_begins_while_a_stage_is_at_work(tmp_path):
    """Stages may be many, and begin freely once a run has begun."""
    with (
        stage_alive(tmp_path),
        stage_alive(tmp_path),
        pytest.raises(BusyError, match=r"a stage .* is still at work"),
        project_lock(tmp_path),
    ):
        pass
    with project_lock(tmp_path), stage_alive(tmp_path):
        pass


def test_outside_git_is_refused_before_anything_is_written(tmp_path):
    """With the command that helps."""
    with pytest.raises(ConfigError, match="git init"):
        DvcRuns(tmp_path).check()
    assert not list(tmp_path.iterdir())


def test_dvc_tells_the_digest_of_the_file_that_lies_there(done, monkeypatch):
    """Of one that it hashed and nobody touched; the cache is a copy, made once."""
    monkeypatch.chdir(done)
    runs = DvcRuns(done)
    path = done / "data/right/right.parquet"
    assert runs.digest(path) is None
    assert runs.reproduce("right", force=True)
    inode = path.stat().st_ino, path.stat().st_nlink
    digest = runs.digest(path)
    assert digest == md5(path.read_bytes()).hexdigest()
    assert runs.repo.cache.local.cache_types == (
        ["reflink", "copy"] if can_clone(done) else ["copy"]
    )
    assert (path.stat().st_ino, path.stat().st_nlink) == inode == (inode[0], 1)
    os.utime(path, ns=(1, 1))
    assert runs.digest(path) is None
    assert runs.digest(done / "data/absent") is None


def test_prepare_sweeps_what_killed_writers_left(tmp_path):
    """At the top, in our own folder and below the folders of outputs; nothing else."""
    for name in ("data/a/.a.x.heddle-part", ".dvc.yaml.y.heddle-part", ".heddle/.d.z.heddle-part"):
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).touch()
    (tmp_path / "data/a/.keep").touch()
    said = DvcRuns(tmp_path).prepare(["data", "absent"])
    assert said == ["removed 3 half-written files of something that was killed"]
    assert DvcRuns(tmp_path).prepare(["data"]) == []
    assert (tmp_path / "data/a/.keep").exists()


def test_a_call_gives_back_its_value_or_raises_its_fault():
    """In the main thread and in another."""
    assert interruptible(lambda: 5) == 5
    with pytest.raises(ZeroDivisionError):
        interruptible(lambda: 1 // 0)
    found = []
    thread = threading.Thread(target=lambda: found.append(interruptible(lambda: 6)))
    thread.start()
    thread.join()
    assert found == [6]


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_a_signal_ends_the_processes_of_a_call(number):
    """Also with polars loaded, whose handler would let the wait go on; handlers are put back."""
    code = f"""
import os, signal, subprocess, threading, time
import polars
from heddle.infrastructure.interrupts import interruptible
threading.Timer(0.5, os.kill, (os.getpid(), {int(number)})).start()
try:
    interruptible(lambda: subprocess.run(["sleep", "60"], check=False))
except KeyboardInterrupt:
    print("interrupted", signal.getsignal(signal.SIGTERM) == signal.SIG_DFL)
"""
    told = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, timeout=30, check=False
    )
    assert told.stdout == "interrupted True\n", told.stderr
