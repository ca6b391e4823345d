"""Which bytes Heddle wrote into the generated files, so that an edit by hand is told apart."""

from __future__ import annotations

import json
import subprocess
from collections.abc import Mapping
from hashlib import sha256
from pathlib import Path

from heddle.frames.atomic import publish
from heddle.infrastructure.run_locks import private_folder

__all__ = ["GeneratedRecord"]

_KEPT = 16  # digests a file: those of a run with overrides and back do not push out the last ones


class GeneratedRecord:
    """Digests of what was generated; what is committed counts as generated too."""

    def __init__(self, root: Path) -> None:
        self._root = root
        self._path = private_folder(root) / "generated.json"

    def note(self, files: Mapping[str, str]) -> None:
        """Remember texts that are about to be written: a crash after this leaves no doubt."""
        before = self._read()
        after = dict(before)
        for name, text in files.items():
            digest = _digest(text.encode())
            others = [d for d in before.get(name, ()) if d != digest]
            after[name] = [*others, digest][-_KEPT:]
        if after != before:
            publish(self._path, json.dumps(after).encode())

    def knows(self, name: str, content: bytes) -> bool:
        """Tell whether these bytes were generated here, or are those that git has committed."""
        return _digest(content) in self._read().get(name, ()) or content == self._committed(name)

    def _read(self) -> dict[str, list[str]]:
        try:
            found = json.loads(self._path.read_text(encoding="utf-8"))
        except (OSError, ValueError):
            return {}
        if not isinstance(found, dict):
            return {}
        return {name: digests for name, digests in found.items() if isinstance(digests, list)}

    def _committed(self, name: str) -> bytes | None:
        told = subprocess.run(
            ["git", "-C", str(self._root), "show", f"HEAD:./{name}"],
            capture_output=True,
            check=False,
        )
        return told.stdout if told.returncode == 0 else None


def _digest(content: bytes) -> str:
    return sha256(content).hexdigest()
