"""What is asked of a promotion, by configuration and whoever asks."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from heddle.domain.names import inside
from heddle.domain.typed import build
from heddle.infrastructure.hydra_config import compose_config
from heddle.presentation.added_keys import refuse_unread
from heddle.registry.promotion import Promote

__all__ = ["promotion_of"]

_GROUP = "ml_experiments.promote"


def promotion_of(
    project: Path, overrides: Sequence[str], asked: Mapping[str, str | None]
) -> tuple[Promote, Path]:
    """Return the promotion that is meant, and where its report goes.

    Args:
        project: its folder.
        overrides: of its configuration.
        asked: fields of `Promote` that weigh more than configuration; None: not told.

    Raises:
        ConfigError: a field or override that does not exist or makes no sense.
    """
    root, words = project.resolve(), list(overrides)
    config = compose_config(root, words)
    refuse_unread(root, words, read=f"{_GROUP}.")
    told: dict[str, Any] = dict((config.get("ml_experiments") or {}).get("promote") or {})
    told |= {key: value for key, value in asked.items() if value is not None}
    told.setdefault("model", config["world"]["model"])
    wanted = build(Promote, told, where=_GROUP)
    return wanted, inside(root, wanted.report, what=f"{_GROUP}.report")
