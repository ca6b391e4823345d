"""Which state of a remote's runs this project last knew, and what its own runs were then."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from heddle.domain.errors import ConfigError
from heddle.domain.typed import build, plain
from heddle.frames.atomic import publish
from heddle.infrastructure.file_hashes import read_mapping

__all__ = ["Mark", "Seen"]


@dataclass(frozen=True, slots=True)
class Mark:
    """The last push or pull of runs."""

    manifest: str  # digest of the remote's document
    rows: str  # digest of what the database said
    files: Mapping[str, str]  # path beside the database -> sha256


class Seen:
    """The marks of a project, one for each remote; a torn memory knows nothing.

    Args:
        memory: the file that keeps them.
    """

    def __init__(self, memory: Path) -> None:
        self._memory = memory

    def mark(self, remote: str) -> Mark | None:
        """Return the last push or pull to or from a remote."""
        found = (read_mapping(self._memory) or {}).get(remote)
        try:
            return build(Mark, found, where="mark") if isinstance(found, dict) else None
        except ConfigError:
            return None

    def note(self, remote: str, mark: Mark) -> None:
        """Remember a push or pull."""
        told = {**(read_mapping(self._memory) or {}), remote: plain(mark)}
        publish(self._memory, json.dumps(told, indent=1).encode())
