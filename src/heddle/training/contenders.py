"""The best trial of every candidate, fitted once more on each fold: what it says of rows unseen."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import Executor
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
import polars as pl

from heddle.domain.errors import ConfigError
from heddle.evaluation.edge import Contender
from heddle.evaluation.metrics import METRICS
from heddle.models.candidates import Candidate
from heddle.training.dataset import Dataset
from heddle.training.matrices import FoldObjective

__all__ = ["Field", "contenders", "entered"]

Values = npt.NDArray[np.float64]


@dataclass(frozen=True, slots=True, kw_only=True)
class Field:
    """Everyone who stands for selection, on the same rows in the order of time."""

    contenders: tuple[Contender, ...]  # in the order in which the candidates are declared
    actual: Values  # shape (n_rows,)
    period: npt.NDArray[np.int64]  # shape (n_rows,), ascending


def entered(
    leaderboard: Mapping[str, Any], candidates: Sequence[Candidate]
) -> tuple[tuple[Candidate, Mapping[str, Any]], ...]:
    """Return each candidate of a leaderboard with its entry, in the order they are declared.

    Raises:
        ConfigError: the leaderboard names a candidate that is not configured.
    """
    entries = {entry["candidate"]: entry for entry in leaderboard["entries"]}
    named = {candidate.name: candidate for candidate in candidates}
    for name in entries:
        if name not in named:
            raise ConfigError(
                f"no candidate {name!r} is configured, but the leaderboard has it",
                wanted=name,
                known=named,
                todo="Run the stage that makes the leaderboard again.",
            )
    return tuple((c, entries[c.name]) for c in candidates if c.name in entries)


def contenders(
    entries: Sequence[tuple[Candidate, Mapping[str, Any]]],
    objective: Callable[[Candidate], FoldObjective],
    data: Dataset,
    split: pl.DataFrame,
    *,
    metric: str,
    pool: Executor,
    on_step: Callable[[str], None] = lambda _: None,
) -> Field:
    """Fit each candidate's best trial on the folds and gather what it says of the held-out rows.

    Args:
        entries: candidates with their entries of the leaderboard.
        objective: the folds of a candidate.
        data: what the folds were made of.
        split: tells the period of a row where it has one; each row is its own period elsewhere.
        metric: primary metric.
        pool: processes for the fits.
        on_step: called with a candidate's name when its predictions are there.
    """
    waiting = [pool.submit(objective(c).out_of_fold, entry["params"]) for c, entry in entries]
    places = np.concatenate([valid for _, valid in data.folds])
    period = _periods(data, split)[places]
    order = np.lexsort((places, period))
    made = []
    for (candidate, entry), future in zip(entries, waiting, strict=True):
        said = future.result()
        pairs = zip(data.folds, said, strict=True)
        made.append(
            Contender(
                name=candidate.name,
                baseline=candidate.baseline,
                folds=tuple(METRICS[metric](data.target[valid], p) for (_, valid), p in pairs),
                predicted=np.concatenate(said)[order],
                params=entry["params"],
                trials=entry["trials"],
            )
        )
        on_step(candidate.name)
    return Field(contenders=tuple(made), actual=data.target[places][order], period=period[order])


def _periods(data: Dataset, split: pl.DataFrame) -> npt.NDArray[np.int64]:
    """Return the period of each training row."""
    if "period" not in split.columns:
        return np.arange(data.keys.height)
    named = data.keys.columns
    told = data.keys.join(
        split.select(*named, "period"), on=named, how="left", maintain_order="left"
    )
    return told["period"].to_numpy().astype(np.int64)
