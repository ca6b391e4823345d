"""How many centres a pair of coordinates needs: by geometry to look at, by the metric to choose."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from concurrent.futures import Executor
from dataclasses import dataclass, replace
from statistics import stdev
from typing import Any, Literal

import numpy as np
import numpy.typing as npt
from sklearn.cluster import KMeans
from sklearn.metrics import calinski_harabasz_score, davies_bouldin_score, silhouette_score
from threadpoolctl import threadpool_limits

from heddle.evaluation.metrics import METRICS
from heddle.features.clusters import GeoClusters
from heddle.models.assembly import Choices, Clusters, Features
from heddle.models.candidates import Candidate
from heddle.training.dataset import Dataset
from heddle.training.matrices import Fold, FoldMatrices, FoldObjective
from heddle.training.plans import Grid
from heddle.training.pruning import mean

__all__ = [
    "ClusterScore",
    "Geometry",
    "choose",
    "distinct_places",
    "geometry",
    "grid_scores",
    "settings",
]

Matrix = npt.NDArray[np.float64]
Kind = Literal["none", "labels", "rbf"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Geometry:
    """How compact `k` clusters are; says nothing of their worth for a prediction."""

    k: int
    inertia: float  # sum of squared distances to the nearest centre, coordinate units squared
    silhouette: float  # -1 to 1, higher is better; on a sample
    davies_bouldin: float  # >= 0, lower is better
    calinski_harabasz: float  # higher is better


@dataclass(frozen=True, slots=True, kw_only=True)
class ClusterScore:
    """The primary metric of the proxy model with one setting of the clusters."""

    kind: Kind
    k: int | None
    gamma: float | None
    mean: float
    sd: float
    folds: tuple[float, ...]

    @property
    def clusters(self) -> Clusters:
        """The setting, as a pipeline takes it."""
        unset = Clusters()
        return Clusters(kind=self.kind, k=self.k or unset.k, gamma=self.gamma or unset.gamma)


def geometry(
    places: Matrix,
    ks: Sequence[int],
    *,
    sample: int,
    seed: int,
    on_step: Callable[[str], None] = lambda _: None,
) -> tuple[Geometry, ...]:
    """Measure k-means clusters of these places for each k below the number of distinct ones.

    Args:
        places: shape (n_rows, 2); rows with a missing coordinate are left out.
        ks: numbers of clusters, each >= 2.
        sample: rows that the silhouette is measured on (it costs the square of them).
        seed: of k-means and of the sample.
        on_step: called with a word after each k.
    """
    places = places[~np.isnan(places).any(axis=1)]
    distinct = len(np.unique(places, axis=0))
    rng = np.random.default_rng(seed)
    some = np.sort(rng.choice(len(places), size=min(sample, len(places)), replace=False))
    found = []
    for k in ks:
        if k < distinct:
            found.append(_measured(places, some, k, seed))
        on_step(f"k={k}")
    return tuple(found)


def distinct_places(data: Dataset, columns: Sequence[str]) -> int:
    """Return the number of distinct places in the training rows of the fold that has fewest."""
    places = data.train[list(columns)].to_numpy(dtype=np.float64)
    known = ~np.isnan(places).any(axis=1)
    return min(len(np.unique(places[rows][known[rows]], axis=0)) for rows, _ in data.folds)


def settings(grid: Grid, most: int) -> tuple[Clusters, ...]:
    """Return the settings of a grid with at most `most` centres, `none` first."""
    some: list[Clusters] = [Clusters(kind="none")]
    some += [Clusters(kind="labels", k=k) for k in grid.labels if k <= most]
    some += [Clusters(kind="rbf", k=k, gamma=g) for k in grid.rbf if k <= most for g in grid.gamma]
    return tuple(some)


def grid_scores(
    data: Dataset,
    features: Features,
    imputation: str,
    proxy: Candidate,
    tried: Sequence[Clusters],
    *,
    metric: str,
    seed: int,
    pool: Executor,
    on_step: Callable[[str], None] = lambda _: None,
) -> tuple[ClusterScore, ...]:
    """Cross-validate each setting with a cheap model; centres are fitted within each fold.

    Rows are imputed and encoded once per fold and shared; centres once per fold and k.
    """
    plain = Choices(imputation=imputation)
    whole = replace(features, selection=None)  # places go in where they are looked for
    shared = FoldMatrices(data, whole, plain, seed=seed, pool=pool)
    base = shared.objective(proxy, metric=metric)
    places = data.train[list(features.coordinates)].to_numpy(dtype=np.float64)
    at = len(features.numeric) + len(features.ratios)
    groups: dict[tuple[str, int], list[Clusters]] = {}
    for setting in tried:
        k = 0 if setting.kind == "none" else setting.k
        groups.setdefault((setting.kind, k), []).append(setting)
    work = _Work(base=base, places=places, folds=data.folds, at=at, seed=seed)
    costly_first = sorted(groups, key=lambda g: -g[1] * len(groups[g]))
    futures = {g: pool.submit(_scored, work, groups[g]) for g in costly_first}
    for kind, k in costly_first:
        futures[kind, k].result()
        on_step(f"{kind} {k or ''}".strip())
    return tuple(score for group in groups for score in futures[group].result())


def choose(scores: Sequence[ClusterScore], *, metric: str) -> ClusterScore:
    """Return the best setting; of equal ones the first, which is the simplest."""
    sign = -1 if METRICS[metric].direction == "maximise" else 1
    return min(scores, key=lambda s: sign * s.mean)


def _measured(places: Matrix, some: npt.NDArray[np.int64], k: int, seed: int) -> Geometry:
    with threadpool_limits(limits=1):
        found = KMeans(k, n_init=1, random_state=seed).fit(places)
        labels = found.labels_
        enough = 1 < len(np.unique(labels[some])) < len(some)
        return Geometry(
            k=k,
            inertia=float(found.inertia_),
            silhouette=float(silhouette_score(places[some], labels[some])) if enough else 0.0,
            davies_bouldin=float(davies_bouldin_score(places, labels)),
            calinski_harabasz=float(calinski_harabasz_score(places, labels)),
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class _Work:
    base: FoldObjective
    places: Matrix
    folds: Sequence[Any]
    at: int  # column at which a pipeline puts what it makes of the places
    seed: int


def _scored(work: _Work, group: Sequence[Clusters]) -> list[ClusterScore]:
    """Score settings that differ in gamma only, with one fit of the centres per fold."""
    values: dict[Clusters, list[float]] = {setting: [] for setting in group}
    first = group[0]
    places = work.places
    for fold, (train, valid) in zip(work.base.folds, work.folds, strict=True):
        near = GeoClusters(first.kind, first.k, first.gamma, work.seed).fit(places[train])
        for setting in group:
            near.gamma = setting.gamma
            wide = Fold(
                train=_with(fold.train, near.transform(places[train]), work.at),
                valid=_with(fold.valid, near.transform(places[valid]), work.at),
                train_target=fold.train_target,
                valid_target=fold.valid_target,
            )
            one = replace(work.base, folds=(wide,))
            values[setting].append(one({}, lambda *_: None))
    return [_score(setting, found) for setting, found in values.items()]


def _with(matrix: Matrix, more: Matrix, at: int) -> Matrix:
    return np.hstack([matrix[:, :at], more, matrix[:, at:]])


def _score(setting: Clusters, folds: Sequence[float]) -> ClusterScore:
    return ClusterScore(
        kind=setting.kind,
        k=None if setting.kind == "none" else setting.k,
        gamma=setting.gamma if setting.kind == "rbf" else None,
        mean=mean(folds),
        sd=stdev(folds) if len(folds) > 1 else 0.0,
        folds=tuple(folds),
    )
