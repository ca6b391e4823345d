"""What a step that is more than a table function is given to work with."""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Mapping
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import yaml

from heddle.domain.names import inside
from heddle.domain.ports import ModelRegistry, Progress, Source, TableStore, TrackedRun, Tracker
from heddle.frames.atomic import publish
from heddle.frames.engines import TableEngine

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
    engine: Callable[[], AbstractContextManager[TableEngine | None]] = nullcontext  # None: Polars
    now: Callable[[], datetime] = lambda: datetime.now(UTC)
    signing_key: Path | None = None  # of what is registered; None: it is not signed

    def run(self, tags: Mapping[str, str] | None = None) -> AbstractContextManager[TrackedRun]:
        """Open this stage's run in the tracker, tagged with the commit and data it stands on."""
        facts = self.facts()
        data = {f"data.{v}": d["content_hash"] for v, d in facts.get("data", {}).items()}
        read = {key: value for key, value in data.items() if key[5:] in self.reads.values()}
        origin = {key: str(facts[key]) for key in ("git_commit", "config_hash") if key in facts}
        if facts.get("git_dirty"):
            origin["git_dirty"] = "true"
        return self.tracker.run(self.stage, {"stage": self.stage, **origin, **read, **(tags or {})})

    def write_timings(self, began: float, parts: Mapping[str, float] | None = None) -> None:
        """Publish the seconds since `began` (of `time.perf_counter`), and those of parts."""
        told: dict[str, Any] = {"seconds": time.perf_counter() - began}
        if parts is not None:
            told["parts"] = dict(parts)
        self.write_json(f"reports/timings/{self.stage}.json", told)

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
