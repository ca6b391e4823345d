"""What DVC recorded, read without starting DVC: dvc.lock, its cache, and its digests."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from functools import lru_cache
from hashlib import md5
from pathlib import Path
from typing import Any

import yaml

from heddle.infrastructure.file_hashes import FileHashes, read_mapping
from heddle.infrastructure.lock_text import entries, read_entry
from heddle.pipeline.lineage import Recorded
from heddle.pipeline.yaml_text import load

__all__ = ["Digests", "parse_lock", "read_lock", "recorded_stages"]


def read_lock(path: Path) -> Mapping[str, Any] | None:
    """Return the stages of a dvc.lock, {} when there is none, None when it is torn."""
    return parse_lock(path.read_bytes()) if path.exists() else {}


@lru_cache(maxsize=1)  # a run asks before each stage what the lock says
def parse_lock(content: bytes) -> Mapping[str, Any] | None:
    """Return the stages that the bytes of a dvc.lock tell of, None when they are torn."""
    try:
        stages = _stages(content)
    except (yaml.YAMLError, ValueError):
        return None
    if not isinstance(stages, Mapping):
        return None
    return stages if all(_whole(stage) for stage in stages.values()) else None


def _stages(content: bytes) -> Any:
    lines = entries(content)
    if lines is not None:
        return {name: read_entry(block) for name, block in lines.items()}
    found = load(content)
    return found.get("stages") if isinstance(found, Mapping) and "schema" in found else None


def _whole(stage: Any) -> bool:
    """Tell whether a stage's record has the shape that DVC gives it."""
    if not isinstance(stage, Mapping) or not isinstance(stage.get("cmd"), str):
        return False
    params = stage.get("params") or {}
    if not isinstance(params, Mapping) or not all(isinstance(v, Mapping) for v in params.values()):
        return False
    files = [stage.get(kind) or [] for kind in ("deps", "outs")]
    if not all(isinstance(items, list) for items in files):
        return False
    return all(
        isinstance(item, Mapping) and {"path", "md5", "size"} <= set(item)
        for items in files
        for item in items
    )


def recorded_stages(lock: Mapping[str, Any]) -> dict[str, Recorded]:
    """Return what a dvc.lock says of each stage's last run."""

    def digests(items: Iterable[Mapping[str, Any]]) -> dict[str, str]:
        return {str(item["path"]): str(item["md5"]) for item in items}

    return {
        name: Recorded(
            entry=(stage.get("params") or {}).get("params.yaml", {}).get(f"stages.{name}"),
            reads=digests(stage.get("deps") or ()),
            writes=digests(stage.get("outs") or ()),
        )
        for name, stage in lock.items()
    }


class Digests:
    """DVC's md5 digests of files and folders, remembered by inode, size and times."""

    def __init__(self, root: Path, memory: Path) -> None:
        self.root = root
        self.files = FileHashes(memory, "md5")

    def digest(self, relative: str) -> str | None:
        """Return the digest of a file or folder below the project, None when it is missing."""
        path = self.root / relative
        if path.is_dir():
            return self._folder(path)
        return self.files.of(path) if path.exists() else None

    def learn(self, relative: str, digest: str) -> None:
        """Take over a digest that DVC has just computed of a file."""
        self.files.learn(self.root / relative, digest)

    def save(self) -> None:
        """Remember what was computed, for the next process."""
        self.files.save()

    def old_metadata(self, digest: str) -> Mapping[str, Any] | None:
        """Return a metadata file that DVC's cache keeps under `digest`."""
        path = self.root / ".dvc/cache/files/md5" / digest[:2] / digest[2:]
        return read_mapping(path) if len(digest) > 2 else None

    def new_metadata(self, relative: str) -> Mapping[str, Any] | None:
        """Return a metadata file of the project as it is now."""
        return read_mapping(self.root / relative)

    def _folder(self, path: Path) -> str:
        """Digest of the listing, as DVC writes it into its `.dir` objects."""
        files = sorted(p for p in path.rglob("*") if p.is_file())
        listed = [
            {"md5": self.files.of(p), "relpath": p.relative_to(path).as_posix()} for p in files
        ]
        listed.sort(key=lambda item: item["relpath"])
        text = json.dumps(listed, sort_keys=True)
        return f"{md5(text.encode(), usedforsecurity=False).hexdigest()}.dir"
