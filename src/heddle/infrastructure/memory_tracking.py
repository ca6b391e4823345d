"""A tracker that keeps its runs in memory: the double for tests, with the contract's behaviour."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from heddle.domain.entities import TrialRecord
from heddle.infrastructure.tracked_values import ended, flat, missing, split_metrics

__all__ = ["MemoryRun", "MemoryTracker"]


@dataclass
class MemoryRun:
    """One run as it was written down."""

    id: str
    name: str
    notice: Callable[[str], None] = field(repr=False, compare=False)
    values: dict[str, str] = field(default_factory=dict)  # parameters
    measured: dict[str, list[tuple[int, float]]] = field(default_factory=dict)  # (step, value)
    words: dict[str, str] = field(default_factory=dict)  # tags
    files: dict[str, bytes] = field(default_factory=dict)  # artefact path -> content
    children: list[MemoryRun] = field(default_factory=list)
    finished_trials: dict[int, TrialRecord] = field(default_factory=dict)
    status: str = "RUNNING"

    def params(self, values: Mapping[str, Any]) -> None:
        """Record what was chosen; the first value of a name stays."""
        self.values = flat(values) | self.values

    def metrics(self, values: Mapping[str, float], step: int = 0) -> None:
        """Record what was measured; NaN and infinity as tags."""
        finite, words = split_metrics(values)
        for name, value in finite.items():
            self.measured.setdefault(name, []).append((step, value))
        self.words |= words

    def tags(self, values: Mapping[str, str]) -> None:
        """Record words to search by."""
        self.words |= values

    def artifact(self, path: Path, folder: str = "") -> None:
        """Keep the bytes of a file, or of all files of a folder, under their own name."""
        if not path.exists():
            self.notice(f"memory: {missing(path)}")
            return
        prefix = f"{folder}/" if folder else ""
        found = sorted(path.rglob("*")) if path.is_dir() else [path]
        for file in found:
            if file.is_file():
                self.files[f"{prefix}{file.relative_to(path.parent)}"] = file.read_bytes()

    @contextmanager
    def child(self, name: str, tags: Mapping[str, str] | None = None) -> Iterator[MemoryRun]:
        """Open a run below this one."""
        number = f"{self.id}.{len(self.children) + 1}"
        below = MemoryRun(number, name, self.notice, words=dict(tags or {}))
        self.children.append(below)
        with ended(below.end):
            yield below

    def trials(self, records: Sequence[TrialRecord]) -> None:
        """Record finished trials, each number once."""
        self.finished_trials = {r.number: r for r in records} | self.finished_trials

    def end(self, status: str) -> None:
        """Close the run as FINISHED, FAILED or KILLED."""
        self.status = status


class MemoryTracker:
    """Keeps runs in `runs`, oldest first.

    Args:
        notice: where what was not recorded is told.
    """

    def __init__(self, notice: Callable[[str], None] = lambda _: None) -> None:
        self.runs: list[MemoryRun] = []
        self._notice = notice

    @contextmanager
    def run(self, name: str, tags: Mapping[str, str] | None = None) -> Iterator[MemoryRun]:
        """Open a run; an exception inside ends it as failed and goes on up."""
        run = MemoryRun(str(len(self.runs) + 1), name, self._notice, words=dict(tags or {}))
        self.runs.append(run)
        with ended(run.end):
            yield run
