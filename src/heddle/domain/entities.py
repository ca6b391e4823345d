"""Plain values that rooms hand to each other."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

__all__ = ["ModelPackage", "ModelVersion", "RawFile", "TableInfo", "TrialRecord"]


@dataclass(frozen=True, slots=True, kw_only=True)
class RawFile:
    """A file as its publisher gave it, and where it came from."""

    path: Path
    origin: str  # path or address, without credentials
    sha256: str  # of the bytes at `path`
    size_bytes: int
    licence: str = "unknown"


@dataclass(frozen=True, slots=True, kw_only=True)
class TableInfo:
    """What is known of a data version; nothing in it changes while the data does not."""

    version: str
    rows: int
    columns: Mapping[str, Mapping[str, Any]]  # name -> type, nulls, distinct, min, max, hash …
    content_hash: str  # of schema and rows, whatever their order or the file format
    sha256: str  # of the file
    size_bytes: int
    made_by: Mapping[str, Any]

    @property
    def identity(self) -> dict[str, Any]:
        """What names the data in a record of something made from it."""
        return {"content_hash": self.content_hash, "sha256": self.sha256, "rows": self.rows}


@dataclass(frozen=True, slots=True, kw_only=True)
class TrialRecord:
    """One finished trial of a search, as a tracker writes it down."""

    number: int
    state: str  # complete | pruned | failed
    params: Mapping[str, Any]
    value: float | None  # mean of the primary metric over the folds seen
    folds: tuple[float, ...] = ()  # the primary metric per fold
    seconds: float = 0.0
    note: str = ""  # why it failed
    scores: Mapping[str, float] = field(default_factory=dict)  # other metrics, means likewise


@dataclass(frozen=True, slots=True, kw_only=True)
class ModelPackage:
    """A fitted pipeline and all that has to be kept with it."""

    name: str
    folder: Path  # holds the saved model and its manifest, as `heddle.registry` wrote them
    model: Any  # the fitted scikit-learn pipeline: raw rows in, predictions out
    example: Any  # pandas frame: a few raw rows
    run_id: str  # "" without tracking
    requirements: tuple[str, ...]  # name==version, explicit
    description: str  # markdown
    about: str = ""  # markdown; describes the model as a whole when this is its first version
    tags: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True, kw_only=True)
class ModelVersion:
    """One numbered version of a registered model."""

    name: str
    number: int
    aliases: tuple[str, ...]
    tags: Mapping[str, str]
    description: str
    run_id: str
    uri: str
