"""What a step that is more than a table function is given to work with."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml

from heddle.domain.names import inside
from heddle.domain.ports import ModelRegistry, Progress, Source, TableStore, Tracker
from heddle.frames.atomic import publish

__all__ = ["StageContext"]


@dataclass(frozen=True, slots=True, kw_only=True)
class StageContext:
    """The world of one running stage. Paths are relative to the project's folder.

    A step function asks for it by annotating a parameter with this class.
    """

    stage: str
    root: Path
    reads: Mapping[str, str]  # argument or name -> data version or path, as declared
    writes: tuple[str, ...]
    contracts: Mapping[str, Mapping[str, Any]]  # data version -> its declared contract
    tables: TableStore
    tracker: Tracker
    registry: ModelRegistry
    progress: Progress
    source: Callable[[Mapping[str, Any]], Source]
    cores: int
    scratch: Path  # a folder of this stage's own that survives a kill, for resumable work
    facts: Callable[[], Mapping[str, Any]]  # git commit, library versions, data and config hashes

    def path(self, relative: str) -> Path:
        """Return a path below the project's folder; refused when it would lie outside."""
        return inside(self.root, relative, what=self.stage)

    def read_json(self, relative: str) -> Any:
        """Return what an earlier stage wrote."""
        return json.loads(self.path(relative).read_text(encoding="utf-8"))

    def write_json(self, relative: str, value: Any) -> None:
        """Publish `value`: sorted keys, two spaces, NaN refused, all of it or nothing."""
        text = json.dumps(value, indent=2, sort_keys=True, ensure_ascii=False, allow_nan=False)
        publish(self.path(relative), (text + "\n").encode())

    def read_yaml(self, relative: str) -> Any:
        """Return what an earlier stage wrote."""
        return yaml.safe_load(self.path(relative).read_text(encoding="utf-8"))

    def write_yaml(self, relative: str, value: Any) -> None:
        """Publish `value` as YAML in the order given."""
        text = yaml.safe_dump(value, sort_keys=False, allow_unicode=True, width=100)
        publish(self.path(relative), text.encode())
