"""The best candidates searched deeper, and whether they are better together."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import Executor
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from heddle.domain.entities import TrialRecord
from heddle.domain.errors import ConfigError
from heddle.evaluation.metrics import METRICS
from heddle.models.candidates import Candidate
from heddle.training.matrices import FoldObjective
from heddle.training.pruning import mean

__all__ = ["Finalist", "Member", "Team", "finalists", "team"]

Matrix = npt.NDArray[np.float64]


@dataclass(frozen=True, slots=True, kw_only=True)
class Finalist:
    """A candidate that is searched deeper, and what is known of it already."""

    candidate: Candidate
    history: tuple[TrialRecord, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Member:
    """One part of the final model."""

    candidate: Candidate
    params: Mapping[str, Any]
    value: float  # its own mean of the primary metric over folds


@dataclass(frozen=True, slots=True, kw_only=True)
class Team:
    """Members whose predictions are averaged with equal weight; the best one comes first."""

    members: tuple[Member, ...]
    value: float  # mean of the primary metric of the average over folds
    folds: tuple[float, ...]


def finalists(
    leaderboard: Mapping[str, Any],
    coarse: Sequence[tuple[str, TrialRecord]],
    candidates: Sequence[Candidate],
    best: int,
) -> tuple[Finalist, ...]:
    """Return the `best` leading candidates that are no baselines, with their coarse trials.

    Args:
        leaderboard: the document of the competition.
        coarse: (candidate, trial) of the competition.
        candidates: as they are configured.
        best: how many.

    Raises:
        ConfigError: none is left, or the leaderboard names a candidate that is not configured.
    """
    named = {c.name: c for c in candidates}
    leading = [e["candidate"] for e in leaderboard["entries"] if not e["baseline"]][:best]
    if not leading:
        raise ConfigError(
            "the leaderboard holds baselines only",
            todo="Configure a candidate to tune in `model_candidates`.",
        )
    found = []
    for name in leading:
        if name not in named:
            raise ConfigError(
                f"no candidate {name!r} is configured, but the leaderboard has it",
                wanted=name,
                known=named,
                todo="Run the compete stage again.",
            )
        history = tuple(record for study, record in coarse if study == name)
        found.append(Finalist(candidate=named[name], history=history))
    return tuple(found)


def team(
    members: Sequence[Member],
    objective: Callable[[Candidate], FoldObjective],
    *,
    metric: str,
    most: int,
    pool: Executor,
    on_step: Callable[[str], None] = lambda _: None,
) -> Team:
    """Add members to the best one, one by one, while the average of them gets better on the folds.

    The average is judged by the primary metric of the averaged predictions for held-out rows,
    the same rows that judged each member alone.

    Args:
        members: of which the best one always is in the team.
        objective: the folds of a candidate.
        metric: primary metric.
        most: members of a team, >= 1.
        pool: processes for the fits.
        on_step: called with a candidate's name when its predictions are there.
    """
    sign = -1 if METRICS[metric].direction == "maximise" else 1
    order = sorted(members, key=lambda m: sign * m.value)
    futures = [pool.submit(objective(m.candidate).out_of_fold, m.params) for m in order]
    predicted = []
    for member, future in zip(order, futures, strict=True):
        predicted.append(future.result())
        on_step(member.candidate.name)
    actual = [fold.valid_target for fold in objective(order[0].candidate).folds]

    def judged(chosen: Sequence[int]) -> tuple[float, ...]:
        return _folds(metric, actual, [predicted[i] for i in chosen])

    chosen = [0]
    value = mean(judged(chosen))
    while len(chosen) < min(most, len(order)):
        trials = {i: mean(judged([*chosen, i])) for i in range(len(order)) if i not in chosen}
        new = min(trials, key=lambda i: (sign * trials[i], i))
        if sign * trials[new] >= sign * value:
            break
        chosen, value = [*chosen, new], trials[new]
    return Team(members=tuple(order[i] for i in chosen), value=value, folds=judged(chosen))


def _folds(
    metric: str, actual: Sequence[Matrix], predicted: Sequence[tuple[Matrix, ...]]
) -> tuple[float, ...]:
    return tuple(
        METRICS[metric](rows, np.sum([p[i] for p in predicted], axis=0) / len(predicted))
        for i, rows in enumerate(actual)
    )
