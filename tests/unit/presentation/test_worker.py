"""The warm worker of a run, and the processes that hand it their stages."""

from __future__ import annotations

import contextlib
import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from heddle.infrastructure.last_words import words_of
from heddle.infrastructure.warm_worker import WarmWorker

STAGE = [sys.executable, "-m", "heddle.presentation.main", "stage"]
HEAD = "import os, sys, time, polars as pl\n\n\ndef lowered(frame: pl.DataFrame) -> pl.DataFrame:\n"
pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="the worker's door is Linux's")


class Desk:
    """A project, its worker, and the orders that go there."""

    def __init__(self, root: Path) -> None:
        self.root = root
        self.worker = WarmWorker(root, {"left", "right"}, ahead={"right"})

    def begin(self, stage: str, following: str = "", **more: str) -> subprocess.Popen[str]:
        self.worker.following = following
        words = {**self.worker.surroundings(stage), "HEDDLE_DRIVER": str(os.getpid()), **more}
        return subprocess.Popen(
            [*STAGE, stage],
            cwd=self.root,
            env={**os.environ, **words},
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )

    def order(self, stage: str, following: str = "", **more: str) -> tuple[int, str, str]:
        command = self.begin(stage, following, **more)
        out, err = command.communicate(timeout=60)
        return command.returncode, out, err

    def step(self, body: str) -> None:
        (self.root / "steps/lowered.py").write_text(HEAD + f"    {body}\n    return frame\n")

    def published(self, version: str) -> int:
        return (self.root / f"data/{version}/{version}.parquet").stat().st_mtime_ns

    def begun(self, version: str) -> list[Path]:
        return list((self.root / f"data/{version}").glob("*.heddle-part"))


@pytest.fixture
def desk(done: Path) -> Iterator[Desk]:
    made = Desk(done)
    with made.worker:
        yield made


def eventually(found: object, seconds: float = 20) -> None:
    deadline = time.monotonic() + seconds
    while not found() and time.monotonic() < deadline:  # type: ignore[operator]
        time.sleep(0.02)
    assert found()  # type: ignore[operator]


def test_one_process_works_on_all_stages_in_the_place_of_those_that_ask(desk):
    """With their environment and their output; the files are those of a stage on its own."""
    files = sorted((desk.root / "data/left").glob("*.*"))
    before = [file.read_bytes() for file in files]
    desk.step("print(os.getpid(), os.environ.get('WORD')); print('oh', file=sys.stderr)")
    code, out, err = desk.order("right", WORD="one")
    pid, word = out.split()
    assert (code, word, err) == (0, "one", "oh\n")
    for file in files:
        file.unlink()
    assert desk.order("left") == (0, "", "")
    assert [file.read_bytes() for file in files] == before
    assert desk.order("right") == (0, f"{pid} None\n", "oh\n")
    assert desk.worker._process is not None
    assert int(pid) == desk.worker._process.pid


@pytest.mark.parametrize(
    ("body", "code", "fate", "said"),
    [
        ("frame.select('x')", 3, 3, ""),
        ("sys.exit(5)", 5, 5, ""),
        ("1 / 0", 1, 1, "ZeroDivisionError"),
        ("os.kill(os.getpid(), 11)", 1, -11, ""),
    ],
)
def test_how_a_stage_fails_in_the_worker(desk, body, code, fate, said):
    """As on its own; the run learns by which signal a worker ended, and starts another one."""
    desk.step(body)
    told = desk.order("right")
    assert told[0] == code
    assert said in told[2]
    assert ("Traceback" in told[2]) == bool(said)
    assert desk.worker.fate(told[0]) == fate
    assert ("no column 'x'" in words_of(desk.root, "right")) == (code == 3)
    assert desk.order("left")[0] == 0


def test_a_command_that_is_killed_takes_the_worker_along(desk):
    """Nothing is published by a worker nobody waits for."""
    before = desk.published("right")
    desk.step("print('on', flush=True); time.sleep(60)")
    command = desk.begin("right")
    assert command.stdout is not None
    assert command.stdout.readline() == "on\n"
    command.kill()
    command.communicate()
    process = desk.worker._process
    assert process is not None
    assert process.wait(5) == 7
    assert desk.published("right") == before
    assert not desk.begun("right")


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_a_command_that_is_interrupted_interrupts_the_worker(desk, number):
    """Exit 7 on both sides, what was begun is taken back."""
    desk.step("print('on', flush=True); time.sleep(60)")
    command = desk.begin("right")
    assert command.stdout is not None
    assert command.stdout.readline() == "on\n"
    command.send_signal(number)
    _, err = command.communicate(timeout=10)
    assert (command.returncode, err) == (7, "")
    assert desk.worker.fate(7) == 7
    assert not desk.begun("right")


def test_the_stage_to_come_is_begun_and_published_when_it_is_ordered(desk):
    """What it says meanwhile is said then."""
    desk.step("open('tries', 'a').write('.'); print('lowered')")
    before = desk.published("right")
    assert desk.order("left", following="right")[0] == 0
    eventually(lambda: desk.begun("right"))
    assert desk.published("right") == before
    assert desk.order("right") == (0, "lowered\n", "")
    assert desk.published("right") != before
    assert (desk.root / "tries").read_text() == "."
    assert not desk.begun("right")


def test_what_was_begun_is_left_when_another_stage_is_ordered(desk):
    """Its half-written file is gone, and the other stage is worked on."""
    assert desk.order("left", following="right")[0] == 0
    eventually(lambda: desk.begun("right"))
    before = desk.published("right"), desk.published("left")
    assert desk.order("left")[0] == 0
    assert not desk.begun("right")
    assert desk.published("right") == before[0]
    assert desk.published("left") != before[1]


@pytest.mark.parametrize("touched", ["data/v0/v0.parquet", "params.yaml"])
def test_what_was_begun_is_done_again_when_its_ground_changed(desk, touched):
    """An input that was replaced, or other parameters."""
    desk.step("open('tries', 'a').write('.'); print('lowered')")
    assert desk.order("left", following="right")[0] == 0
    eventually(lambda: desk.begun("right"))
    path = desk.root / touched
    if touched == "params.yaml":
        path.write_text(path.read_text() + "# another\n")
    else:
        os.utime(path, ns=(1, 1))
    assert desk.order("right") == (0, "lowered\n", "")
    assert (desk.root / "tries").read_text() == ".."


def test_what_fails_before_it_is_ordered_is_told_when_it_is(desk):
    """Once, by the stage's own command."""
    desk.step("open('tries', 'a').write('.'); 1 / 0")
    assert desk.order("left", following="right") == (0, "", "")
    eventually((desk.root / "tries").exists)
    code, out, err = desk.order("right")
    assert (code, out) == (1, "")
    assert err.count("ZeroDivisionError") == 1
    assert (desk.root / "tries").read_text() == ".."


def test_a_command_that_finds_no_worker_does_its_work_itself(done):
    """Its door is closed, or it is that of another run."""
    with contextlib.suppress(FileNotFoundError):
        (done / "data/right/right.parquet").unlink()
    words = {"HEDDLE_WORKER": "gone", "HEDDLE_DRIVER": str(os.getpid())}
    told = subprocess.run(
        [*STAGE, "right"], cwd=done, env={**os.environ, **words}, check=False, capture_output=True
    )
    assert (told.returncode, told.stderr) == (0, b"")
    assert (done / "data/right/right.parquet").exists()
