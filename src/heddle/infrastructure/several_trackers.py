"""Several trackers written to at once; with none of them, nothing is tracked."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Any

from heddle.domain.entities import TrialRecord
from heddle.domain.ports import TrackedRun, Tracker

__all__ = ["SeveralTrackers"]


class SeveralTrackers:
    """Hands every record to each tracker, in their order.

    >>> with SeveralTrackers().run("compete") as run:  # tracking off
    ...     run.metrics({"wmape": 13.0})
    ...     run.id
    ''
    """

    def __init__(self, *trackers: Tracker) -> None:
        self.trackers = trackers

    @contextmanager
    def run(self, name: str, tags: Mapping[str, str] | None = None) -> Iterator[TrackedRun]:
        """Open a run with each; an exception inside ends all as failed and goes on up."""
        with ExitStack() as stack:
            yield _Runs([stack.enter_context(t.run(name, tags)) for t in self.trackers])


class _Runs:
    def __init__(self, runs: Sequence[TrackedRun]) -> None:
        self._runs = runs

    @property
    def id(self) -> str:
        """The first tracker's id, which is the one that a registry knows."""
        return next((run.id for run in self._runs if run.id), "")

    def params(self, values: Mapping[str, Any]) -> None:
        """Record what was chosen."""
        for run in self._runs:
            run.params(values)

    def metrics(self, values: Mapping[str, float], step: int = 0) -> None:
        """Record what was measured."""
        for run in self._runs:
            run.metrics(values, step)

    def tags(self, values: Mapping[str, str]) -> None:
        """Record words to search by."""
        for run in self._runs:
            run.tags(values)

    def artifact(self, path: Path, folder: str = "") -> None:
        """Keep a copy of a file or folder."""
        for run in self._runs:
            run.artifact(path, folder)

    @contextmanager
    def child(self, name: str, tags: Mapping[str, str] | None = None) -> Iterator[TrackedRun]:
        """Open a run below this one with each."""
        with ExitStack() as stack:
            yield _Runs([stack.enter_context(run.child(name, tags)) for run in self._runs])

    def trials(self, records: Sequence[TrialRecord]) -> None:
        """Record finished trials."""
        for run in self._runs:
            run.trials(records)
