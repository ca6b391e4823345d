"""Data versions to and from a remote, in the layout of DVC's own remotes.

The bytes go by our own hands, not by `dvc push` and `dvc pull`, which see an object by its name
alone when they push, remove a damaged one from a remote folder when they look at it, say of it that
it is missing, and leave out the metrics that they do not cache. Whoever prefers them may: both read
what the other wrote.
"""

from __future__ import annotations

import shutil
from collections.abc import Sequence
from hashlib import md5
from pathlib import Path

from heddle.domain.errors import ConfigError, IntegrityError
from heddle.domain.ports import Progress
from heddle.frames.atomic import beside, publish, sweep
from heddle.infrastructure.remotes.errand import Load
from heddle.infrastructure.remotes.recorded import (
    Output,
    RecordedData,
    object_key,
    oid_of,
    versions_of,
)
from heddle.infrastructure.remotes.store import Content, Store
from heddle.infrastructure.remotes.transfer import fetch_all, send_all, states

__all__ = ["DataPull", "DataPush"]

_NOTHING = "dvc.lock records no data: no stage has run, or it was not committed"
_READ_ONLY = 0o444  # as DVC keeps them


class DataPush:
    """The objects that dvc.lock records, sent where they are missing or damaged."""

    def __init__(self, data: RecordedData, store: Store, progress: Progress) -> None:
        self._data = data
        self._store = store
        self._progress = progress

    def plan(self) -> Load:
        """Look which objects the remote lacks, and where they lie here.

        Raises:
            IntegrityError: an object is neither there nor here.
        """
        outputs = self._data.outputs()
        if not outputs:
            return Load(what="data", nothing=_NOTHING)
        kept, notes = _without_uncached_folders(outputs)
        contents = [content for output in kept for content in self._data.contents(output)]
        found = states(self._store, contents, self._progress)
        wanted = {c.key: c for c in contents if found[c.key] != "whole"}
        sources = {key: self._data.here(content) for key, content in wanted.items()}
        self._data.digests.save()
        if lost := [wanted[key].name for key, path in sources.items() if path is None]:
            raise IntegrityError(
                f"neither here nor there is what dvc.lock records of {versions_of(lost)}",
                where=self._store.where("data"),
                todo="`heddle run` makes it again.",
            )
        damaged = [c.name for key, c in wanted.items() if found[key] == "other"]
        if damaged:
            notes.append(f"damaged on the remote, to be replaced: {versions_of(damaged)}")
        items = tuple((wanted[key], path) for key, path in sources.items() if path is not None)
        return Load(what="data", items=items, present=len(found) - len(wanted), notes=tuple(notes))

    def carry_out(self, load: Load) -> None:
        """Send the objects, and look that the remote holds them."""
        send_all(self._store, load.items, "pushing data", self._progress)
        self._data.digests.save()


class DataPull:
    """The objects that dvc.lock records, brought here and put at their places.

    Args:
        data: the project's.
        store: the remote.
        progress: shows how far it is.
        scratch: a folder for what came and has no place in DVC's cache.
        overwrite: replace files that were changed here and are kept nowhere.
    """

    def __init__(
        self,
        data: RecordedData,
        store: Store,
        progress: Progress,
        *,
        scratch: Path,
        overwrite: bool = False,
    ) -> None:
        self._data = data
        self._store = store
        self._progress = progress
        self._scratch = scratch
        self._overwrite = overwrite
        self._outputs: list[Output] = []

    def plan(self) -> Load:
        """Look which objects are missing here.

        Raises:
            ConfigError: files were changed here, and nobody keeps what they hold.
            IntegrityError: the remote lacks objects; their versions are named.
        """
        outputs = self._data.outputs()
        if not outputs:
            return Load(what="data", nothing=_NOTHING)
        sweep(self._data.cache_path("00" * 16).parents[1])
        self._outputs, notes = _without_uncached_folders(outputs)
        for output in self._outputs:
            self._bring_listing(output)
        self._refuse_unsaved()
        all_of_them = {
            (content.key, landing := self._landing(output, content)): (output, content, landing)
            for output in self._outputs
            for content in self._data.contents(output)
        }
        items = tuple(
            (content, landing)
            for output, content, landing in all_of_them.values()
            if not self._is_here(output, content, landing)
        )
        self._data.digests.save()
        self._refuse_missing([content for content, _ in items])
        present = len(all_of_them) - len(items)
        return Load(what="data", items=items, present=present, notes=tuple(notes))

    def carry_out(self, load: Load) -> None:
        """Bring the objects; when all of them are whole, put every file at its place.

        Raises:
            IntegrityError: an object of the remote is damaged: no file of the project was touched.
        """
        fetch_all(self._store, load.items, "pulling data", self._progress)
        for _, place in load.items:
            place.chmod(_READ_ONLY)
        self._refuse_unsaved()  # it may have taken long
        changed = self._changed()
        self._data.checkout(changed)
        for output in changed:
            if not output.cached:
                with beside(self._data.root / output.path) as part:
                    shutil.copyfile(self._scratch / output.oid, part)
        if wrong := self._changed():
            raise IntegrityError(
                f"not what dvc.lock records after the pull: {versions_of([o.path for o in wrong])}",
                todo="Run the same again.",
            )
        shutil.rmtree(self._scratch, ignore_errors=True)
        self._data.digests.save()

    def _refuse_unsaved(self) -> None:
        if not self._overwrite and (unsaved := self._data.unsaved(self._outputs)):
            raise ConfigError(
                f"changed here, and kept nowhere: {', '.join(unsaved)}",
                where="data",
                todo="Move them away, or let --overwrite replace them.",
            )

    def _changed(self) -> list[Output]:
        digest = self._data.digests.digest
        return [output for output in self._outputs if digest(output.path) != output.oid]

    def _bring_listing(self, output: Output) -> None:
        """Put the list of a folder's files into DVC's cache."""
        if not output.oid.endswith(".dir") or self._data.cached(output.oid) is not None:
            return
        key = object_key(output.oid)
        content = self._store.read(key)
        if content is None:
            self._refuse_missing([Content(key, "md5", output.oid, None, output.path)])
            return
        found = md5(content, usedforsecurity=False).hexdigest()
        if found != output.oid.partition(".")[0]:
            raise IntegrityError(
                f"holds md5 {found[:12]}, recorded of {output.path} was {output.oid[:12]}",
                where=self._store.where(key),
                todo="Nothing of it was used.",
            )
        publish(self._data.cache_path(output.oid), content)

    def _landing(self, output: Output, content: Content) -> Path:
        """Return where an object is put that comes: not at its place yet."""
        if output.cached:
            return self._data.cache_path(oid_of(content))
        return self._scratch / output.oid

    def _is_here(self, output: Output, content: Content, landing: Path) -> bool:
        if output.cached:
            return self._data.cached(oid_of(content)) is not None
        if self._data.digests.digest(output.path) == output.oid:
            return True
        return landing.is_file() and self._data.digests.files.of(landing) == content.digest

    def _refuse_missing(self, wanted: Sequence[Content]) -> None:
        found = states(self._store, wanted, self._progress)
        lost = [content.name for content in wanted if found[content.key] == "absent"]
        if lost:
            raise IntegrityError(
                f"{self._store.lacks} what dvc.lock records of {versions_of(lost)}",
                where=self._store.where("data"),
                todo="Whoever has it pushes it, or `heddle run` makes it here.",
            )


def _without_uncached_folders(outputs: Sequence[Output]) -> tuple[list[Output], list[str]]:
    """Leave out folders of which DVC keeps no list; return the others, and what to say."""
    left = [o.path for o in outputs if o.oid.endswith(".dir") and not o.cached]
    notes = [f"DVC keeps no list of what is in {path}: left out" for path in left]
    return [output for output in outputs if output.path not in left], notes
