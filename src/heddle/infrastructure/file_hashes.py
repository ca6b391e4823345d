"""Digests of files, remembered by inode, size and times."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from contextlib import suppress
from pathlib import Path
from typing import Any

from heddle.domain.errors import ResourceError
from heddle.frames.atomic import publish

__all__ = ["FileHashes", "read_mapping"]


class FileHashes:
    """Digests by one algorithm, each computed anew when its file changed; threads may share it.

    Args:
        memory: file that keeps them for the next process.
        algorithm: as `hashlib` names it.
    """

    def __init__(self, memory: Path, algorithm: str) -> None:
        self._memory = memory
        self._algorithm = algorithm
        found = read_mapping(memory) or {}
        self._known: dict[str, list[Any]] = {str(k): list(v) for k, v in found.items()}
        self._fresh = False

    def of(self, path: Path) -> str:
        """Return the digest of a file's bytes, as hex digits."""
        state = _state(path)
        known = self._known.get(str(path))
        if known is not None and known[:-1] == state:
            return str(known[-1])
        with path.open("rb") as file:
            digest = hashlib.file_digest(file, self._hasher).hexdigest()
        self._known[str(path)] = [*state, digest]
        self._fresh = True
        return digest

    def learn(self, path: Path, digest: str) -> None:
        """Take over the digest of a file that somebody else has just computed."""
        self._known[str(path)] = [*_state(path), digest]
        self._fresh = True

    def save(self) -> None:
        """Remember what was computed, for the next process, if it can be kept."""
        if self._fresh:
            with suppress(ResourceError):  # read-only or full: the next process computes it again
                publish(self._memory, json.dumps(dict(self._known)).encode())
                self._fresh = False

    def _hasher(self) -> Any:
        return hashlib.new(self._algorithm, usedforsecurity=False)


def _state(path: Path) -> list[int]:
    stat = path.stat()
    return [stat.st_ino, stat.st_size, stat.st_mtime_ns, stat.st_ctime_ns]


def read_mapping(path: Path) -> Mapping[str, Any] | None:
    """Return the JSON object in a file, None when it is missing or torn."""
    try:
        found = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return None
    return found if isinstance(found, Mapping) else None
