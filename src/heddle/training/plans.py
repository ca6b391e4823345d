"""What the studies and searches are told; nothing here loads an estimator."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Any, Literal, Self

from heddle.domain.errors import ConfigError
from heddle.evaluation.metrics import metric
from heddle.evaluation.scale import Scale, meaningful
from heddle.models.candidates import declared_candidates
from heddle.models.features import read_features
from heddle.training.pruning import Pruning
from heddle.training.workers import guard

__all__ = ["Budget", "Contest", "Grid", "ImputationPlan", "Method", "check_names"]

Method = Literal["mean", "median", "knn", "iterative", "iterative_forest"]


@dataclass(frozen=True, slots=True, kw_only=True)
class ImputationPlan:
    """Which ways of filling gaps are compared, on how many cells, and which may be chosen."""

    imputation: Literal["auto", "mean", "median", "knn", "iterative", "none"] = "auto"
    methods: tuple[Method, ...] = ("mean", "median", "knn", "iterative", "iterative_forest")
    candidates: tuple[Method, ...] = ("mean", "median", "knn", "iterative")
    columns: tuple[str, ...] = ()  # studied even if no training row lacks them
    repeats: int = 3
    masked: int = 1000  # known cells that are hidden per column and repeat, at most a fifth of them
    seed: int = 42

    def __post_init__(self) -> None:
        if not self.methods:
            raise ValueError("methods must name at least one method")
        if stray := [c for c in self.candidates if c not in self.methods]:
            raise ValueError(f"candidate {stray[0]!r} is not among the methods")
        if self.repeats < 1 or self.masked < 1:
            raise ValueError("repeats and masked must be at least 1")


@dataclass(frozen=True, slots=True, kw_only=True)
class Grid:
    """Which settings of the clusters are tried; `none` always is."""

    labels: tuple[int, ...] = (5, 10, 20)  # k
    rbf: tuple[int, ...] = (20, 50, 100)  # k
    gamma: tuple[float, ...] = (0.3, 1.0, 3.0)  # for each k of rbf, per square coordinate unit

    def __post_init__(self) -> None:
        if any(k < 1 for k in (*self.labels, *self.rbf)):
            raise ValueError("every k must be at least 1")
        if any(not g > 0 for g in self.gamma) or (self.rbf and not self.gamma):
            raise ValueError("rbf needs at least one gamma, and every gamma must be > 0")


@dataclass(frozen=True, slots=True, kw_only=True)
class Budget:
    """How long and how wide to search. `jobs` changes the time that it takes and nothing else."""

    trials: int = 8  # per candidate, unless it says otherwise
    seed: int = 42
    ahead: int = 2  # trials drawn without knowing each other's result: at most as many run at once
    jobs: int | None = None  # processes; null: as many as cores and `ahead` allow
    threads: int = 1  # of one fit
    startup: int = 8  # finished trials before draws are more than random
    pruning: Pruning = field(default_factory=Pruning)

    def __post_init__(self) -> None:
        jobs = 1 if self.jobs is None else self.jobs
        if min(self.trials, self.ahead, self.threads, self.startup, jobs) < 1:
            raise ValueError("trials, ahead, jobs, threads and startup must be at least 1")
        if self.ahead < jobs:
            raise ValueError(f"ahead {self.ahead} must be at least jobs {self.jobs}")

    def within(self, cores: int) -> Self:
        """Return this budget with a number of jobs that the machine has cores for.

        >>> Budget(ahead=4, threads=2).within(cores=8).jobs
        4

        Raises:
            ConfigError: what was asked for needs more cores; the arithmetic is shown.
        """
        jobs = self.jobs or max(1, min(self.ahead, cores // self.threads))
        guard(jobs, 1, self.threads, cores)
        return replace(self, jobs=jobs)


@dataclass(frozen=True, slots=True, kw_only=True)
class Contest(Budget):
    """A budget, and what is searched on which rows."""

    target: str
    row_key: str | tuple[str, ...]
    features: Mapping[str, Any]  # fields of `heddle.models.features.Features`
    metric: str  # primary metric
    candidates: Mapping[str, Any]  # name -> fields of `heddle.models.candidates.Candidate`
    horizon: int = 0  # periods from a row to the moment at which its target is known
    scale: Scale = "level"  # return: no percentages, which say nothing of what lies around 0

    def __post_init__(self) -> None:
        super(Contest, self).__post_init__()  # slots make another class of this one
        if self.horizon < 0:
            raise ValueError(f"horizon >= 0 must hold, but got {self.horizon}")
        check_names(self.metric, self.features, self.candidates, horizon=self.horizon)
        if self.metric not in meaningful(self.scale):
            raise ValueError(f"{self.metric} says nothing of returns, which lie around 0")


def check_names(
    key: str,
    features: Mapping[str, Any],
    candidates: Mapping[str, Any],
    *,
    where: str = "model_candidates",
    horizon: int = 0,
) -> None:
    """Refuse a metric, features or candidates that cannot be, before any stage runs.

    Raises:
        ConfigError: as `metric`, `read_features` and `declared_candidates`, or a selection by
            folds whose training rows know what is held out.
    """
    metric(key, where="metric")
    made = read_features(features, where="features").selection
    if made is not None and made.how == "rfecv" and made.purge < horizon:
        raise ConfigError(
            f"its folds are {made.purge} rows apart, but targets reach {horizon} ahead",
            where="features.selection.purge",
            todo=f"Set purge to {horizon} or more.",
        )
    declared_candidates(candidates, where=where)
