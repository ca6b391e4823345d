"""The stages of dvc.yaml: what each reads and writes, in layers."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import PurePosixPath
from typing import Any

__all__ = ["StageNode", "layers", "read_graph"]


@dataclass(frozen=True, slots=True)
class StageNode:
    """A stage and the artefacts it takes and gives; data versions by their short name."""

    name: str
    says: str
    reads: tuple[str, ...]
    writes: tuple[str, ...]


def read_graph(document: Mapping[str, Any] | None) -> tuple[StageNode, ...]:
    """Return the stages of a dvc.yaml, in its order; what is not a stage is left out."""
    stages = (document or {}).get("stages")
    if not isinstance(stages, Mapping):
        return ()
    return tuple(
        StageNode(
            name=str(name),
            says=str(told.get("desc") or ""),
            reads=_artefacts(told.get("deps")),
            writes=_artefacts(
                item for key in ("outs", "metrics", "plots") for item in told.get(key) or ()
            ),
        )
        for name, told in stages.items()
        if isinstance(told, Mapping)
    )


def _artefacts(items: Iterable[Any] | None) -> tuple[str, ...]:
    paths = [str(next(iter(i)) if isinstance(i, Mapping) and i else i) for i in items or ()]
    return tuple(dict.fromkeys(_short(path) for path in paths))


def _short(path: str) -> str:
    """Return the version that a file of `data/` belongs to, any other path as it is.

    >>> _short("data/v1/v1_metadata.json"), _short("models/metrics.json")
    ('v1', 'models/metrics.json')
    """
    parts = PurePosixPath(path).parts
    if len(parts) == 3 and parts[0] == "data" and parts[2].startswith(parts[1]):
        return parts[1]
    return path


def layers(nodes: Sequence[StageNode]) -> list[list[StageNode]]:
    """Return the stages in layers: each stands one below the lowest stage that it reads from.

    Stages in a circle (dvc refuses them) stand in the last layer.
    """
    makers = {artefact: node.name for node in nodes for artefact in node.writes}
    needs = {n.name: {makers[r] for r in n.reads if r in makers} - {n.name} for n in nodes}
    left, found, done = list(nodes), list[list[StageNode]](), set[str]()
    while left:
        ready = [node for node in left if needs[node.name] <= done] or left
        found.append(ready)
        done |= {node.name for node in ready}
        left = [node for node in left if node.name not in done]
    return found
