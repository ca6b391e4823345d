"""A copy of a project in a folder of its own, and the figures of one command run in it."""

from __future__ import annotations

import os
import shutil
import statistics
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path

import psutil

ROOT = Path(__file__).resolve().parents[1]
HOUSING_CSV = ROOT.parent / "shared" / "data" / "housing" / "housing.csv"
BIN = Path(sys.executable).parent
_SOURCES = ("configs", "steps", "scripts", ".dvc/config", ".dvc/.gitignore", ".dvcignore")
_LEFT_OUT = shutil.ignore_patterns("__pycache__")


@contextmanager
def fresh_project(name: str = "housing") -> Iterator[Path]:
    """Give a copy of a project that nothing was run in, in a git repository of its own."""
    with tempfile.TemporaryDirectory(prefix="heddle-bench-") as folder:
        made = Path(folder) / name
        for part in (*_SOURCES, ".gitignore"):
            source = ROOT / "projects" / name / part
            target = made / part
            target.parent.mkdir(parents=True, exist_ok=True)
            if source.is_dir():
                shutil.copytree(source, target, ignore=_LEFT_OUT)
            elif source.exists():
                shutil.copy(source, target)
        for words in (["init", "-q"], ["add", "-A"], [*_author(), "commit", "-qm", "start"]):
            subprocess.run(["git", *words], cwd=made, check=True)
        yield made


def _author() -> list[str]:
    return ["-c", "user.name=bench", "-c", "user.email=bench@example.org"]


@dataclass(frozen=True)
class Ran:
    """One finished command."""

    seconds: float
    output: str
    code: int
    peak_megabytes: float = 0.0  # of all its processes together, shared pages counted once


def run(folder: Path, *words: str, watch: bool = False) -> Ran:
    """Run a command in a folder with this environment's programs first on the path."""
    path = os.pathsep.join([str(BIN), os.environ.get("PATH", "")])
    start = time.perf_counter()
    with subprocess.Popen(
        words,
        cwd=folder,
        env={**os.environ, "PATH": path},
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    ) as process:
        peak = _Peak(process.pid)
        if watch:
            threading.Thread(target=peak.watch, daemon=True).start()
        output = process.communicate()[0]
    seconds = time.perf_counter() - start
    if process.returncode:
        print(output, file=sys.stderr)
    return Ran(seconds, output, process.returncode, peak.megabytes)


class _Peak:
    """The most memory that a process and its descendants held at one time, looked at often."""

    def __init__(self, pid: int) -> None:
        self.pid = pid
        self.megabytes = 0.0

    def watch(self) -> None:
        with suppress(psutil.Error):
            root = psutil.Process(self.pid)
            while root.is_running():
                tree = [root, *root.children(recursive=True)]
                self.megabytes = max(self.megabytes, sum(map(_proportional, tree)) / 1e6)
                time.sleep(0.25)


def _proportional(process: psutil.Process) -> float:
    """Return a process's share of memory in bytes: pages shared by n processes count 1/n."""
    with suppress(psutil.Error):
        return float(process.memory_full_info().pss)
    return 0.0


def median_seconds(folder: Path, *words: str, runs: int = 7) -> float:
    """Run a command once to warm up, then `runs` times; return the median of its seconds."""
    run(folder, *words)
    return statistics.median(run(folder, *words).seconds for _ in range(runs))


def show(title: str, head: Sequence[str], rows: Sequence[Sequence[object]]) -> None:
    """Print a table in Markdown."""
    print(f"\n### {title}\n")
    print("| " + " | ".join(head) + " |")
    print("|" + "|".join("---" for _ in head) + "|")
    for row in rows:
        print("| " + " | ".join(str(cell) for cell in row) + " |")
    sys.stdout.flush()
