"""`heddle run` on a small project, through DVC, in processes of its own."""

from __future__ import annotations

import contextlib
import json
import os
import resource
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

DVC = [sys.executable, "-m", "dvc"]
HEDDLE = [sys.executable, "-m", "heddle.presentation.main"]
STEP = "steps/lowered.py"


def ran(told) -> list[str]:
    assert told.returncode == 0, told.stderr
    return [r["name"] for r in json.loads(told.stdout) if r["outcome"] == "ran"]


def dvc_says_fresh(root: Path) -> bool:
    told = subprocess.run(
        [*DVC, "status", "--json"], cwd=root, capture_output=True, text=True, check=True
    )
    return json.loads(told.stdout) == {}


def replace(path: Path, old: str, new: str) -> None:
    text = path.read_text()
    assert old in text
    path.write_text(text.replace(old, new))


def test_a_second_run_runs_nothing_and_dvc_agrees(done, heddle, hashes):
    """What is fresh stays as it is, byte for byte."""
    before = hashes(done)
    assert ran(heddle(done, "run", "--json")) == []
    assert hashes(done) == before
    assert dvc_says_fresh(done)


def test_a_changed_key_reruns_exactly_its_stage_and_what_depends_on_it(done, heddle):
    """`left` multiplies by another number; `right` reads the same input and stays."""
    words = ("run", "--json", "transformations.scaled.by=2.0")
    assert ran(heddle(done, *words)) == ["left", "both", "said"]
    assert dvc_says_fresh(done)
    assert ran(heddle(done, *words)) == []


def test_comments_rerun_nothing_code_reruns_its_stage(done, heddle):
    """The fingerprint sees code only, also that of a module which a step imports."""
    replace(done / STEP, "import polars", "# the table library\nimport polars")
    assert ran(heddle(done, "run", "--json")) == []
    assert dvc_says_fresh(done)
    replace(done / "steps/units.py", "UNIT = 1  # one", "UNIT = 3  # three")
    assert ran(heddle(done, "run", "--json")) == ["left", "both", "said"]
    facts = json.loads((done / "data/left/left_metadata.json").read_text())
    assert facts["columns"]["cost"]["max"] == pytest.approx(59 * 59 * 1.25 * 1e-5 * 3)
    replace(done / "steps/units.py", "UNIT = 3", "UNIT = 5")  # as long, in the same second
    assert ran(heddle(done, "run", "--json")) == ["left", "both", "said"]
    facts = json.loads((done / "data/left/left_metadata.json").read_text())
    assert facts["columns"]["cost"]["max"] == pytest.approx(59 * 59 * 1.25 * 1e-5 * 5)


def test_what_was_deleted_edited_or_flipped_comes_back(done, heddle, hashes):
    """An output is what its stage made; DVC trusts size and time of a file, the status does not."""
    before = hashes(done)
    (done / "data/left/left.parquet").unlink()
    (done / "reports/said.json").write_text("{}")
    path = done / "data/right/right.parquet"
    stat, content = path.stat(), bytearray(path.read_bytes())
    content[40] ^= 1
    path.write_bytes(content)
    os.utime(path, ns=(stat.st_atime_ns, stat.st_mtime_ns))
    told = {s["name"]: s["reasons"] for s in json.loads(heddle(done, "status", "--json").stdout)}
    assert told["right"] == ["output data/right/right.parquet was changed by hand"]
    assert heddle(done, "run").returncode == 0
    assert hashes(done) == before


def test_force_runs_what_is_named_and_gives_the_same_bytes(done, heddle, hashes):
    """--force on named stages leaves the others alone."""
    before = hashes(done)
    assert ran(heddle(done, "run", "left", "--force", "--json")) == ["left"]
    assert hashes(done) == before


def test_two_jobs_and_plain_dvc_give_the_same_files(tmp_path, tiny, finished, heddle, hashes):
    """The lock, the data and the reports do not tell who drove the stages."""
    wanted = hashes(finished)
    other = tmp_path / "other"
    shutil.copytree(tiny, other)
    assert sorted(ran(heddle(tiny, "run", "--json", "--jobs", "2"))) == [
        *("both", "left", "read", "right", "said")
    ]
    found = hashes(tiny)
    assert {k: v for k, v in found.items() if k != "dvc.lock"} == {
        k: v for k, v in wanted.items() if k != "dvc.lock"
    }
    assert dvc_says_fresh(tiny)
    heddle(other, "sync")
    subprocess.run([*DVC, "init", "--quiet"], cwd=other, check=True)
    env = {**os.environ, "PATH": f"{Path(sys.executable).parent}:{os.environ['PATH']}"}
    subprocess.run([*DVC, "repro", "--quiet"], cwd=other, check=True, env=env)
    assert hashes(other) == wanted
    (by_jobs,), (by_dvc,) = [list((root / "logs/runs").iterdir()) for root in (tiny, other)]
    stages = {"both.log", "left.log", "read.log", "right.log", "said.log"}
    assert {path.name for path in by_jobs.iterdir()} == {"run.log", *stages}
    assert {path.name for path in by_dvc.iterdir()} == stages
    subprocess.run([*DVC, "repro", "--quiet", "--force", "-P"], cwd=other, check=True, env=env)
    assert hashes(other) == wanted
    made = [{log.name for log in folder.iterdir()} for folder in (other / "logs/runs").iterdir()]
    assert made == [stages, stages]  # every stage ran anew


def test_outside_git_nothing_is_written(tmp_path, heddle, tiny):
    """The way out is told, and the folder stays as it was."""
    shutil.rmtree(tiny / ".git")
    told = heddle(tiny, "run")
    assert told.returncode == 2
    assert "git init" in told.stderr
    assert not (tiny / ".heddle").exists()
    assert not (tiny / "dvc.yaml").exists()


def test_a_folder_without_configuration_is_refused(tmp_path, heddle):
    """No traceback, no file."""
    told = heddle(tmp_path, "run")
    assert told.returncode == 2
    assert told.stderr.startswith("error: ")
    assert told.stderr.count("\n") == 1
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["lft"], "did you mean 'left'?"),
        (["transformations.scaled.byy=2"], "no key 'transformations.scaled.byy'"),
        (["transformations.scaled.by=much"], "must be a number"),
        (["ingestion=cses"], "did you mean 'cases'?"),
        (["pipeline.stages.left.reads=v9"], "reads 'v9', which no stage writes"),
        (["world.cores=0"], "cores must be at least 1"),
        (["--jobs", "0"], "--jobs must be at least 1"),
    ],
)
def test_a_mistake_is_one_line_and_writes_nothing(tiny, heddle, words, said):
    """Exit 2 before anything is written."""
    told = heddle(tiny, "run", *words)
    assert (told.returncode, told.stderr.count("\n")) == (2, 1)
    assert said in told.stderr
    assert not (tiny / "dvc.yaml").exists()
    assert not (tiny / ".dvc").exists()


@pytest.mark.parametrize(
    "evil", ["v1; touch MARK", "$(touch MARK)", "`touch MARK`", "a\nb", "{{x}}"]
)
def test_what_would_be_a_command_stays_a_text_or_is_refused(tiny, heddle, evil):
    """Nothing that a configuration says reaches a shell."""
    replace(
        tiny / "configs/pipeline/base.yaml",
        "writes: left}",
        f"writes: left, desc: {json.dumps(evil)}}}",
    )
    told = heddle(tiny, "run", "read", f"ingestion.licence={json.dumps(evil)}")
    assert told.returncode == 0, told.stderr
    told = heddle(tiny, "run", f"pipeline.stages.left.writes={json.dumps(evil)}")
    assert told.returncode == 2
    assert not list(tiny.rglob("MARK"))


def test_a_failing_stage_keeps_what_was_made(done, heddle, hashes):
    """Its exit code is the run's; earlier stages keep, its own old outputs come back."""
    before = hashes(done)
    (done / STEP).write_text(
        "import polars as pl\n\n\ndef lowered(frame: pl.DataFrame) -> pl.DataFrame:\n"
        '    return frame.select("wrd")\n'
    )
    told = heddle(done, "run", "transformations.scaled.by=2.0")
    assert told.returncode == 3
    assert "input has no column 'wrd'; did you mean 'word'?" in told.stderr
    assert "Traceback" not in told.stderr
    after = hashes(done)
    assert after["data/left/left.parquet"] != before["data/left/left.parquet"]
    for name in ("right/right.parquet", "right/right_metadata.json", "both/both.parquet"):
        assert after[f"data/{name}"] == before[f"data/{name}"]
    assert not list(done.rglob("*.heddle-part"))


def test_a_broken_contract_publishes_nothing(done, heddle, hashes):
    """A row that the contract refuses: exit 3, the old version stays, the row is told."""
    before = hashes(done)
    with (done / "cases.csv").open("a") as file:
        file.write("-1,2.0,3,W9\n")
    told = heddle(done, "run")
    assert told.returncode == 3
    assert "number" in told.stderr
    assert hashes(done) == before


def test_a_second_runner_is_told_who_is_at_work(done, heddle):
    """Exit 6 at once, naming the process that holds the project."""
    (done / STEP).write_text(
        "import time\nimport polars as pl\n\n\ndef lowered(frame: pl.DataFrame) -> pl.DataFrame:\n"
        "    time.sleep(60)\n    return frame\n"
    )
    first = started(done)
    try:
        wait_for_stage(first, done, "right")
        told = heddle(done, "run")
        assert told.returncode == 6
        assert str(first.pid) in told.stderr
        family = psutil.Process(first.pid).children(recursive=True)
        first.send_signal(signal.SIGTERM)
        assert first.wait(15) == 7
        assert not still_running(family, timeout=2)
    finally:
        end(first)


@pytest.mark.parametrize(
    ("number", "jobs"), [(signal.SIGINT, "1"), (signal.SIGTERM, "1"), (signal.SIGINT, "2")]
)
def test_a_signal_ends_the_run_and_all_its_processes(done, heddle, hashes, number, jobs):
    """Exit 7, said once, nobody left, the old outputs are there, and the next run goes on."""
    before = hashes(done)
    text = (done / STEP).read_text()
    (done / STEP).write_text(
        text.replace("    return", "    __import__('time').sleep(60)\n    return")
    )
    first = started(done, "--jobs", jobs)
    try:
        wait_for_stage(first, done, "right")
        family = psutil.Process(first.pid).children(recursive=True)
        # a terminal sends Ctrl-C to all of them
        os.killpg(first.pid, number) if number == signal.SIGINT else first.send_signal(number)
        assert first.wait(15) == 7
        assert not still_running(family, timeout=2)
    finally:
        end(first)
    said = (done / "stderr.txt").read_text()
    assert said.count("interrupted") == 1, said
    assert "Traceback" not in said
    (done / STEP).write_text(text)
    assert heddle(done, "run").returncode == 0
    assert hashes(done) == before


def test_a_full_disk_is_exit_5_and_the_old_version_stays(done, heddle, hashes):
    """The limit on file size stands for a full disk: the kernel refuses the write."""
    before = hashes(done)
    (done / STEP).write_text(
        "import resource, polars as pl\n\n\ndef lowered(frame: pl.DataFrame) -> pl.DataFrame:\n"
        "    resource.setrlimit(resource.RLIMIT_FSIZE, (500, 500))\n    return frame\n"
    )
    told = heddle(done, "run")
    assert told.returncode == 5
    assert "cannot write" in told.stderr
    assert hashes(done) == before
    assert not list(done.rglob("*.heddle-part"))


def test_a_full_disk_in_the_driver_is_exit_5(tiny, heddle):
    """Also when the generated files or DVC's own cannot be written."""
    limit = lambda: resource.setrlimit(resource.RLIMIT_FSIZE, (1000, 1000))  # noqa: E731
    told = heddle(tiny, "run", preexec_fn=limit)
    assert told.returncode == 5, told.stderr
    assert "Traceback" not in told.stderr


def started(root: Path, *words: str) -> subprocess.Popen[bytes]:
    with (root / "stderr.txt").open("wb") as said:
        return subprocess.Popen(
            [*HEDDLE, "run", *words],
            cwd=root,
            stdout=subprocess.DEVNULL,
            stderr=said,
            start_new_session=True,
        )


def wait_for_stage(run: subprocess.Popen[bytes], root: Path, name: str) -> None:
    """Wait until the stage is at work: its command runs, and who does the work holds the lock."""
    deadline = time.monotonic() + 30
    while time.monotonic() < deadline:
        commands = []
        for child in psutil.Process(run.pid).children(recursive=True):
            with contextlib.suppress(psutil.Error):
                commands.append(child.cmdline()[-2:])
        if ["stage", name] in commands and processes.at_work(root):
            time.sleep(0.3)
            return
        time.sleep(0.02)
    raise AssertionError(f"{name} never began")


def end(process: subprocess.Popen[bytes]) -> None:
    with contextlib.suppress(ProcessLookupError):
        os.killpg(process.pid, signal.SIGKILL)
    process.wait()
