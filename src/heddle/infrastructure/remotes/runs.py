"""The runs and models of a project, as they are now and as a remote last had them."""

from __future__ import annotations

import shutil
from dataclasses import dataclass
from hashlib import sha256
from pathlib import Path

from heddle.infrastructure.file_hashes import FileHashes
from heddle.infrastructure.remotes.manifest import MANIFEST, Kept, RunsManifest
from heddle.infrastructure.remotes.run_files import RunFiles
from heddle.infrastructure.remotes.seen import Mark, Seen
from heddle.infrastructure.remotes.store import Store

__all__ = ["RunsHere", "RunsThere"]


@dataclass(frozen=True, slots=True, kw_only=True)
class RunsHere:
    """The tracking store of a project, and what is remembered of it.

    Args:
        files: the store.
        hashes: sha256 of files that were read before.
        seen: the last push or pull to and from each remote.
        scratch: a folder for copies.
    """

    files: RunFiles
    hashes: FileHashes
    seen: Seen
    scratch: Path

    @property
    def copy(self) -> Path:
        """Where the copy of the database is put that is looked at."""
        return self.scratch / "here.db"

    def looked_at(self) -> RunsManifest | None:
        """Copy the database and describe the store; None when it holds no run and no model."""
        if not self.files.any():
            return None
        self.copy.unlink(missing_ok=True)
        self.files.snapshot(self.copy)
        kept = {name: self._kept(path) for name, path in self.files.artefacts().items()}
        self.hashes.save()
        rows = self.files.rows_digest(self.copy)
        return RunsManifest(database=self._kept(self.copy), rows=rows, files=kept)

    def note(self, there: RunsThere, rows: str) -> None:
        """Remember that a remote and this store hold the same, and what was read for it.

        Args:
            there: the remote's runs.
            rows: digest of what the database here says.
        """
        files = {
            name: kept.sha256 for name, kept in (there.runs.files if there.runs else {}).items()
        }
        self.seen.note(there.address, Mark(there.digest, rows, files))
        self.hashes.save()

    def clean(self) -> None:
        """Remove the copies."""
        shutil.rmtree(self.scratch, ignore_errors=True)

    def _kept(self, path: Path) -> Kept:
        return Kept(sha256=self.hashes.of(path), size=path.stat().st_size)


@dataclass(frozen=True, slots=True)
class RunsThere:
    """What a remote says of its runs."""

    address: str
    document: bytes | None  # None: no runs yet
    runs: RunsManifest | None

    @property
    def digest(self) -> str:
        """What tells this state from others; "" when there are no runs."""
        return "" if self.document is None else sha256(self.document).hexdigest()

    @classmethod
    def read(cls, store: Store) -> RunsThere:
        """Ask a remote. Raises IntegrityError when what it says cannot be read."""
        document = store.read(MANIFEST)
        where = store.where(MANIFEST)
        runs = None if document is None else RunsManifest.read(document, where)
        return cls(store.where("runs"), document, runs)
