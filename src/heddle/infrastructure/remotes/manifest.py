"""The document that says which contents of a remote are the runs."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from hashlib import sha256

from heddle.domain.errors import ConfigError, IntegrityError
from heddle.domain.typed import build, plain
from heddle.infrastructure.remotes.store import Content

__all__ = ["DATABASE", "MANIFEST", "Kept", "RunsManifest", "run_object"]

MANIFEST = "runs/manifest.json"
DATABASE = "the database of the runs"  # what a person is told of it
_FORMAT = 1
_DIGEST = re.compile(r"[0-9a-f]{64}")


@dataclass(frozen=True, slots=True, kw_only=True)
class Kept:
    """A file: its digest and its size."""

    sha256: str
    size: int

    def __post_init__(self) -> None:
        if not _DIGEST.fullmatch(self.sha256) or self.size < 0:
            raise ValueError("is no sha256 and size")

    def content(self, name: str) -> Content:
        """Return where a remote keeps it."""
        return run_object(self.sha256, self.size, name)


@dataclass(frozen=True, slots=True, kw_only=True)
class RunsManifest:
    """One state of the tracking store: its database and the files of its runs."""

    database: Kept
    rows: str  # digest of what the database says, wherever it lies
    files: Mapping[str, Kept] = field(default_factory=dict)  # path beside the database -> file
    after: str = ""  # digest of the manifest that this one replaced
    format: int = _FORMAT

    def __post_init__(self) -> None:
        for name in self.files:
            parts = name.split("/")
            if (
                parts[0] != "artifacts"
                or len(parts) < 2
                or {"", ".", ".."} & set(parts)
                or "\0" in name
            ):
                raise ValueError(f"{name!r} is not a path below artifacts/")

    @property
    def state(self) -> str:
        """Digest of what it holds: equal for equal runs, whoever pushed them from wherever."""
        told = {"rows": self.rows, "files": {n: f.sha256 for n, f in self.files.items()}}
        return sha256(json.dumps(told, sort_keys=True).encode()).hexdigest()

    def encoded(self) -> bytes:
        """Return the document."""
        text = json.dumps(plain(self), indent=1, sort_keys=True, ensure_ascii=False)
        return f"{text}\n".encode()

    @classmethod
    def read(cls, document: bytes, where: str) -> RunsManifest:
        """Return what a document says.

        Raises:
            ConfigError: a newer Heddle wrote it.
            IntegrityError: it is not such a document, or names a file outside the store.
        """
        try:
            told = json.loads(document)
            written_as = told.get("format")
        except (ValueError, AttributeError):
            raise IntegrityError("is no list of runs", where=where) from None
        if written_as not in (None, _FORMAT):
            what = f"has format {written_as!r}, known is {_FORMAT}"
            raise ConfigError(what, where=where, todo="A newer Heddle wrote it: update yours.")
        try:
            return build(cls, told, where=where)
        except ConfigError as fault:
            raise IntegrityError(f"is no list of runs: {fault.what}", where=where) from fault


def run_object(digest: str, size: int, name: str) -> Content:
    """Return where a remote keeps a file of the runs."""
    return Content(f"runs/objects/{digest}", "sha256", digest, size, name)
