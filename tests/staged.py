"""What a stage is given in a test that calls its function: a world in memory, in a folder."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from heddle.pipeline.context import StageContext

__all__ = ["given"]


def given(world: Any, stage: str, reads: Iterable[str], *, cores: int = 1) -> StageContext:
    """Return the context of a stage.

    Args:
        world: root, tables, tracker and progress; and a registry, where it has one.
        stage: its name.
        reads: versions and files, under their own names.
        cores: that it may use.
    """
    return StageContext(
        stage=stage,
        root=world.root,
        reads={name: name for name in reads},
        writes=(),
        contracts={},
        tables=world.tables,
        tracker=world.tracker,
        registry=getattr(world, "registry", None),
        progress=world.progress,
        source=None,
        cores=cores,
        scratch=world.root / ".scratch" / stage,
        facts=dict,
    )
