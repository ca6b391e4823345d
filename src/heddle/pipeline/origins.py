"""Where each column of a model's rows comes from: the version it first stands in, and its stage."""

from __future__ import annotations

from collections.abc import Callable, Container, Iterable, Mapping
from typing import Any

from heddle.monitoring.report import Origin

__all__ = ["made_by", "origins"]

_MODEL = "models/model"


def made_by(stages: Mapping[str, Mapping[str, Any]]) -> Origin:
    """Return the stage that makes the model, and the data version whose rows it learns from.

    Args:
        stages: of params.yaml; both are "" where none of them makes a model.
    """
    for name, stage in stages.items():
        if _MODEL in stage.get("writes", ()):
            return Origin(version=next(iter(_versions(stage)), ""), stage=name)
    return Origin(version="", stage="")


def origins(
    stages: Mapping[str, Mapping[str, Any]],
    columns: Iterable[str],
    version: str,
    known: Callable[[str], Container[str]],
) -> dict[str, Origin]:
    """Walk back from a data version, as far as each column stands under its name.

    Args:
        stages: of params.yaml.
        columns: of the version.
        version: that a model learned from.
        known: gives the columns of a version; nothing of one that is not there.
    """
    makers = {made: name for name, stage in stages.items() for made in stage.get("writes", ())}

    def first(column: str) -> Origin:
        at = version
        while True:
            read = stages[makers[at]] if at in makers else {}
            before = next((v for v in _versions(read) if column in known(v)), None)
            if before is None:
                return Origin(version=at, stage=makers.get(at, ""))
            at = before

    return {column: first(column) for column in columns} if version else {}


def _versions(stage: Mapping[str, Any]) -> list[str]:
    """Return the data versions that a stage reads, in order, without the files."""
    reads = stage.get("reads") or ()
    names = reads.values() if isinstance(reads, Mapping) else reads
    return [name for name in names if "/" not in name]
