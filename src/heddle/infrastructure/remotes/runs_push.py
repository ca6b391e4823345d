"""Runs and models to a remote: only ever forward, unless told to overwrite."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from hashlib import sha256
from pathlib import Path

from heddle.domain.errors import ConfigError
from heddle.domain.ports import Progress
from heddle.infrastructure.remotes.errand import Load
from heddle.infrastructure.remotes.manifest import DATABASE, MANIFEST, RunsManifest, run_object
from heddle.infrastructure.remotes.runs import RunsHere, RunsThere
from heddle.infrastructure.remotes.store import Content, Store
from heddle.infrastructure.remotes.transfer import send_all, states

__all__ = ["RunsPush"]


class RunsPush:
    """The store's state of one moment, sent as a whole.

    Args:
        here: the project's runs.
        store: the remote.
        progress: shows how far it is.
        overwrite: replace runs that somebody else pushed and this project has not seen.
    """

    def __init__(
        self, here: RunsHere, store: Store, progress: Progress, *, overwrite: bool = False
    ) -> None:
        self._here = here
        self._store = store
        self._progress = progress
        self._overwrite = overwrite
        self._there: RunsThere | None = None
        self._runs: RunsManifest | None = None
        self._rows = ""

    def plan(self) -> Load:
        """Look what the remote lacks of the runs here.

        Raises:
            ConfigError: it holds runs that this project has not seen.
        """
        mine = self._here.looked_at()
        if mine is None:
            return Load(what="runs", nothing=f"there are no runs in {self._here.files.database}")
        self._there = there = RunsThere.read(self._store)
        same = there.runs is not None and there.runs.state == mine.state
        if not same and not self._overwrite:
            self._refuse_unseen(there)
        self._rows, self._runs = mine.rows, mine
        if same and there.runs is not None and self._whole(there.runs):
            self._runs = there.runs  # the database may be written otherwise, and says the same
        sources = list(self._sources(self._runs))
        found = states(self._store, [content for content, _ in sources], self._progress)
        items = {c.key: (c, path) for c, path in sources if found[c.key] != "whole"}
        outside = self._here.files.elsewhere(self._here.copy)
        notes = [f"{outside} runs keep their files elsewhere: those stay there"] if outside else []
        return Load(
            what="runs",
            items=tuple(items.values()),
            present=len(found) - len(items),
            notes=tuple(notes),
        )

    def carry_out(self, load: Load) -> None:
        """Send the files, then the document that names them: what is cut leaves the old state.

        Raises:
            ConfigError: somebody else pushed meanwhile.
        """
        if self._runs is None or self._there is None:
            return
        send_all(self._store, load.items, "pushing runs", self._progress)
        if self._there.runs != self._runs:
            self._there = self._replaced(self._there, self._runs)
        self._here.note(self._there, self._rows)
        self._here.clean()

    def _refuse_unseen(self, there: RunsThere) -> None:
        mark = self._here.seen.mark(there.address)
        if there.document is None or (mark is not None and mark.manifest == there.digest):
            return
        raise ConfigError(
            "somebody else pushed runs that this project has not seen",
            where=self._store.where(MANIFEST),
            todo="`heddle pull --runs` brings them; --overwrite puts yours in their place.",
        )

    def _whole(self, runs: RunsManifest) -> bool:
        return self._store.state(runs.database.content(DATABASE)) == "whole"

    def _sources(self, runs: RunsManifest) -> Iterator[tuple[Content, Path]]:
        """Give each content of a state and where it lies here."""
        for name, kept in runs.files.items():
            yield kept.content(name), self._here.files.folder / name
        yield runs.database.content(DATABASE), self._here.copy

    def _replaced(self, there: RunsThere, runs: RunsManifest) -> RunsThere:
        """Publish a state in the place of another, of which the remote keeps the document."""
        document = replace(runs, after=there.digest).encoded()
        content = run_object(sha256(document).hexdigest(), len(document), MANIFEST)
        self._store.put(content, lambda _: iter([document]))
        if not self._store.swap(MANIFEST, there.document, document):
            raise ConfigError(
                "somebody else pushed runs meanwhile",
                where=self._store.where(MANIFEST),
                todo="`heddle pull --runs` brings them; what was sent of yours stays there.",
            )
        return RunsThere(there.address, document, RunsManifest.read(document, there.address))
