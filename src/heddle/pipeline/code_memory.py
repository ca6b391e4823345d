"""What sources said when they were read before, so that a command does not parse them again."""

from __future__ import annotations

import json
from contextlib import suppress
from hashlib import sha256
from pathlib import Path
from typing import Any

from heddle.domain.errors import ResourceError
from heddle.frames.atomic import publish
from heddle.pipeline import fingerprint

__all__ = ["CodeMemory"]


class CodeMemory:
    """Marks and imports by the sha256 of the source; forgotten when the reader's code changes.

    Args:
        path: where it is kept between processes.
    """

    def __init__(self, path: Path) -> None:
        self._path = path
        self._reader = sha256(Path(fingerprint.__file__).read_bytes()).hexdigest()
        self._known = self._load()
        self._used: dict[str, Any] = {}

    def read(self, source: bytes) -> fingerprint.Reading:
        """Return what a source says. Raises SyntaxError: it is not Python."""
        name = sha256(source).hexdigest()
        known = self._known.get(name)
        if known is None:
            known = fingerprint.read_source(source)
        self._used[name] = known
        return known[0], [(level, module, list(parts)) for level, module, parts in known[1]]

    def save(self) -> None:
        """Keep what was used since this was made, if anything in it is new and it can be kept."""
        if self._used.keys() - self._known.keys():
            text = json.dumps({"reader": self._reader, "sources": self._used})
            with suppress(ResourceError):  # read-only or full: the next process reads them again
                publish(self._path, text.encode())
                self._known = dict(self._used)

    def _load(self) -> dict[str, Any]:
        try:
            found = json.loads(self._path.read_text(encoding="utf-8"))
            return dict(found["sources"]) if found["reader"] == self._reader else {}
        except (OSError, ValueError, KeyError, TypeError):
            return {}
