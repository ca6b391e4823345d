"""The process of one stage: its exit codes and words."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time

import pytest

from heddle.presentation.project import Project

STAGE = [sys.executable, "-m", "heddle.presentation.main", "stage"]
HEAD = "import polars as pl\n\n\ndef lowered(frame: pl.DataFrame) -> pl.DataFrame:\n    "


def stage(root, *words, **more):
    return subprocess.run(
        [*STAGE, *words], cwd=root, capture_output=True, text=True, check=False, **more
    )


@pytest.mark.parametrize(
    ("body", "code", "said"),
    [
        ("return frame.select('x')", 3, "error: right: lowered: input has no column 'x'"),
        ("return 3", 2, "error: right: step 'lowered' gave int, not a table"),
        ("raise MemoryError", 5, "error: right: out of memory"),
        ("raise OSError(28, 'No space left on device')", 5, "free space, then run again"),
        ("raise KeyboardInterrupt", 7, "right was interrupted"),
        ("1 / 0", 1, "ZeroDivisionError"),
    ],
)
def test_how_a_stage_fails(done, body, code, said):
    """The code is the contract's; only a bug has a traceback."""
    (done / "steps/lowered.py").write_text(HEAD + body + "\n")
    told = stage(done, "right")
    assert told.returncode == code
    assert said in told.stderr
    assert ("Traceback" in told.stderr) == (code == 1)


def test_a_stage_of_a_run_leaves_the_word_of_an_interrupt_to_the_run(done):
    """The run says it once for all its stages."""
    (done / "steps/lowered.py").write_text(HEAD + "raise KeyboardInterrupt\n")
    told = stage(done, "right", env={**os.environ, "HEDDLE_DRIVER": str(os.getpid())})
    assert (told.returncode, told.stderr) == (7, "")


def test_a_stage_that_is_not_there_is_told(done, tmp_path):
    """With the nearest; without params.yaml, with the command that writes it."""
    told = stage(done, "rigt")
    assert (told.returncode, told.stderr.count("\n")) == (2, 1)
    assert "no stage 'rigt'; did you mean 'right'?" in told.stderr
    assert stage(done).returncode == 2
    assert "heddle sync" in stage(tmp_path, "right").stderr


def test_an_input_that_was_changed_is_not_used(done):
    """Exit 4, naming the file, before anything is computed."""
    path = done / "data/v0/v0.parquet"
    path.write_bytes(path.read_bytes()[:-1] + b"x")
    told = stage(done, "right")
    assert told.returncode == 4
    assert "v0.parquet: holds" in told.stderr


def test_a_stage_without_its_driver_does_not_begin(done):
    """A number of a process that is gone: nothing is published."""
    gone = subprocess.Popen(["true"])
    gone.wait()
    before = (done / "data/right/right.parquet").stat().st_mtime_ns
    told = stage(done, "right", env={**os.environ, "HEDDLE_DRIVER": str(gone.pid)})
    assert told.returncode == 7
    assert (done / "data/right/right.parquet").stat().st_mtime_ns == before


def test_a_stage_ends_on_sigterm(done):
    """With 7, by itself."""
    (done / "steps/lowered.py").write_text(
        "import time\n" + HEAD + "print('on', flush=True); time.sleep(60)\n    return frame\n"
    )
    run = subprocess.Popen([*STAGE, "right"], cwd=done, stdout=subprocess.PIPE)
    assert run.stdout is not None
    assert run.stdout.readline() == b"on\n"
    time.sleep(0.1)
    run.send_signal(signal.SIGTERM)
    assert run.wait(10) == 7
    run.stdout.close()


def test_the_last_overrides_are_remembered(done):
    """And a torn note of them is no fault."""
    assert Project(done).last_overrides == ()
    (done / ".heddle/last_run.json").write_text("{")
    assert Project(done).last_overrides == ()
