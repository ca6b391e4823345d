"""Runs and models from a remote: nothing is replaced before all of it is here and whole."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from pathlib import Path

from heddle.domain.errors import BusyError, ConfigError
from heddle.domain.ports import Progress
from heddle.infrastructure.remotes.errand import Load
from heddle.infrastructure.remotes.manifest import DATABASE, Kept, RunsManifest
from heddle.infrastructure.remotes.runs import RunsHere, RunsThere
from heddle.infrastructure.remotes.store import Content, Store
from heddle.infrastructure.remotes.transfer import fetch_all

__all__ = ["RunsPull"]


class RunsPull:
    """The remote's state of the runs, taken over as a whole.

    Args:
        here: the project's runs.
        store: the remote.
        progress: shows how far it is, and where a copy of the old store is kept.
        overwrite: replace runs that were made here and pushed nowhere; a copy of them is kept.
    """

    def __init__(
        self, here: RunsHere, store: Store, progress: Progress, *, overwrite: bool = False
    ) -> None:
        self._here = here
        self._store = store
        self._progress = progress
        self._overwrite = overwrite
        self._there: RunsThere | None = None
        self._mine: RunsManifest | None = None
        self._missing: dict[str, Kept] = {}
        self._keep = False

    def plan(self) -> Load:
        """Look what is missing here.

        Raises:
            ConfigError: runs were made here since the last push or pull.
        """
        self._there = there = RunsThere.read(self._store)
        if there.runs is None:
            return Load(what="runs", nothing=f"there are no runs in {there.address}")
        self._mine = mine = self._here.looked_at()
        size = len({kept.sha256 for kept in there.runs.files.values()}) + 1
        if mine is not None and mine.state == there.runs.state:
            return Load(what="runs", present=size)
        self._keep = mine is not None and self._changed(mine, there, there.runs)
        if self._keep and not self._overwrite:
            raise ConfigError(
                "runs were made here since the last push or pull",
                where=str(self._here.files.database),
                todo="`heddle push --runs` sends them; --overwrite takes those of the remote and"
                " keeps a copy of yours beside.",
            )
        self._missing = {n: k for n, k in there.runs.files.items() if not _had(mine, n, k)}
        coming = [kept.content(name) for name, kept in self._missing.items()]
        wanted = {c.key: c for c in [*coming, there.runs.database.content(DATABASE)]}
        items = tuple(self._not_landed(wanted.values()))
        return Load(what="runs", items=items, present=size - len(items))

    def carry_out(self, load: Load) -> None:
        """Bring what is missing; when all of it is whole, let the store become that state.

        Raises:
            IntegrityError: a file of the remote is missing or damaged: the store is as it was.
            BusyError: somebody wrote to the store since it was looked at.
        """
        if self._there is None or (runs := self._there.runs) is None:
            return
        if self._mine is not None and self._mine.state == runs.state:
            self._here.note(self._there, self._mine.rows)
            self._here.clean()
            return
        fetch_all(self._store, load.items, "pulling runs", self._progress)
        files = self._here.files
        arrived = self._landing(runs.database.sha256)
        rows = files.rows_digest(arrived)
        self._refuse_news()
        if self._keep:
            self._progress.notice(f"the runs that were here are kept in {files.keep_copy()}")
        files.become(
            arrived,
            {name: self._landing(kept.sha256) for name, kept in self._missing.items()},
            [name for name in (self._mine.files if self._mine else ()) if name not in runs.files],
        )
        self._here.note(self._there, rows)
        self._here.clean()

    def _refuse_news(self) -> None:
        now, before = self._here.looked_at(), self._mine
        if (now and now.state) != (before and before.state):
            raise BusyError(
                "runs were written here meanwhile",
                where=str(self._here.files.database),
                todo="Run the same again.",
            )

    def _changed(self, mine: RunsManifest, there: RunsThere, runs: RunsManifest) -> bool:
        """Tell whether something here is neither what was last pushed or pulled, nor there."""
        mark = self._here.seen.mark(there.address)
        if mark is None or mark.rows != mine.rows:
            return True
        return any(
            mark.files.get(name) != kept.sha256 and runs.files.get(name) != kept
            for name, kept in mine.files.items()
        )

    def _landing(self, digest: str) -> Path:
        """Return where a file is put that comes: not at its place yet."""
        return self._here.scratch / "arrived" / digest

    def _not_landed(self, wanted: Iterable[Content]) -> Iterator[tuple[Content, Path]]:
        """Leave out what an earlier pull that was cut has brought."""
        for content in wanted:
            place = self._landing(content.digest)
            if not place.is_file() or self._here.hashes.of(place) != content.digest:
                yield content, place


def _had(mine: RunsManifest | None, name: str, kept: Kept) -> bool:
    return mine is not None and mine.files.get(name) == kept
