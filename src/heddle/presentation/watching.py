"""One look at a model that predicts rows: at what it was asked, or at the rows of a file."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from heddle.domain.names import inside
from heddle.domain.typed import build
from heddle.infrastructure.hydra_config import compose_config
from heddle.monitoring.answers import Monitor
from heddle.presentation.added_keys import refuse_unread
from heddle.presentation.watched import (
    Meant,
    document,
    learned,
    of_file,
    of_requests,
    written,
)
from heddle.registry.promotion import utc_now

__all__ = ["Watching", "watched_now"]

_GROUP = "ml_experiments.monitor"


@dataclass(frozen=True, slots=True, kw_only=True)
class Watching:
    """What is to be looked at, and where the page goes."""

    file: Path | None = None  # None: the requests of the log
    since: str = ""  # of them, as `heddle.presentation.watched.since_when` reads it
    page: Path | None = None  # None: as configured


def watched_now(
    root: Path, one: Meant, project: str, asked: Watching, overrides: Sequence[str] = ()
) -> tuple[dict[str, Any], Path]:
    """Write the report of a model as it is asked now; return it, and where its page is.

    Args:
        root: the project's folder.
        one: the model.
        project: its name.
        asked: what is to be looked at.
        overrides: of `ml_experiments.monitor`.

    Raises:
        ConfigError: limits that make no sense, no such file, or no training rows to compare with.
        DataContractError: a column of the model is missing.
    """
    now, cfg = utc_now(), _limits(root, overrides)
    page = asked.page or inside(root, cfg.page, what=f"{_GROUP}.page")
    report = inside(root, cfg.report, what=f"{_GROUP}.report")
    model = learned(root, one)
    if asked.file is not None:
        answers, source = of_file(root, one, asked.file)
    else:
        answers, source = of_requests(root, one, asked.since, cfg.most_rows, now=now)
    told = document(one, model, answers, cfg, source=source, now=now)
    written(told, project=project, report=report, page=page)
    return told, page


def _limits(root: Path, overrides: Sequence[str]) -> Monitor:
    words = list(overrides)
    config = compose_config(root, words)
    refuse_unread(root, words, read=f"{_GROUP}.")
    return build(Monitor, (config.get("ml_experiments") or {}).get("monitor") or {}, where=_GROUP)
