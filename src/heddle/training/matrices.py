"""Folds made ready once and shared by every trial and every process."""

from __future__ import annotations

from collections.abc import Mapping
from concurrent.futures import Executor
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd

from heddle.evaluation.metrics import METRICS, score
from heddle.models.assembly import (
    Choices,
    Features,
    estimator,
    offset_place,
    preprocess,
    seen_by,
)
from heddle.models.candidates import Candidate
from heddle.models.catalogue import Traits, traits
from heddle.models.selected import selected
from heddle.training.dataset import Dataset
from heddle.training.pruning import mean
from heddle.training.trial import Report

__all__ = ["Fold", "FoldMatrices", "FoldObjective"]

Matrix = npt.NDArray[np.float64]


@dataclass(frozen=True, slots=True, kw_only=True)
class Fold:
    """One fold after preprocessing that was fitted to its training rows only."""

    train: Matrix  # shape (n_train, n_columns)
    train_target: Matrix
    valid: Matrix  # shape (n_valid, n_columns)
    valid_target: Matrix
    selected: tuple[str, ...] = ()  # names of the columns, where a selection kept some
    path: Path | None = None  # where the matrices lie, when they are not in memory

    def stored(self, path: Path) -> Fold:
        """Move the matrices to files, from which each process maps the same memory."""
        path.parent.mkdir(parents=True, exist_ok=True)
        np.save(path.with_suffix(".train.npy"), np.ascontiguousarray(self.train))
        np.save(path.with_suffix(".valid.npy"), np.ascontiguousarray(self.valid))
        nothing = np.empty((0, 0))
        return replace(self, train=nothing, valid=nothing, path=path)

    def loaded(self) -> Fold:
        """Return the fold with its matrices."""
        if self.path is None:
            return self
        train = np.load(self.path.with_suffix(".train.npy"), mmap_mode="r")
        valid = np.load(self.path.with_suffix(".valid.npy"), mmap_mode="r")
        return replace(self, train=np.asarray(train), valid=np.asarray(valid), path=None)


@dataclass(frozen=True, slots=True, kw_only=True)
class FoldObjective:
    """The primary metric of a candidate, fold by fold: what a search minimises or maximises."""

    candidate: Candidate
    folds: tuple[Fold, ...]
    metric: str
    seed: int
    threads: int = 1
    bounded: bool = False
    offset: int | None = None  # column of the matrices
    keys: tuple[str, ...] = tuple(METRICS)  # metrics that are reported beside it

    def __call__(self, params: Mapping[str, Any], report: Report) -> float:
        values = []
        for number, fold in enumerate(self.folds):
            scores = score(fold.valid_target, self._predicted(params, fold.loaded()), self.keys)
            values.append(scores[self.metric])
            report(number, values[-1], scores)
        return mean(values)

    def out_of_fold(self, params: Mapping[str, Any]) -> tuple[Matrix, ...]:
        """Return the predictions for the held-out rows of each fold."""
        return tuple(self._predicted(params, fold.loaded()) for fold in self.folds)

    def _predicted(self, params: Mapping[str, Any], fold: Fold) -> Matrix:
        model = estimator(
            self.candidate,
            params,
            seed=self.seed,
            threads=self.threads,
            bounded=self.bounded,
            offset=self.offset,
        )
        model.fit(fold.train, fold.train_target)
        return np.asarray(model.predict(fold.valid))


class FoldMatrices:
    """Preprocesses each fold once per kind of need, however many candidates share it.

    Args:
        data: rows, target and folds.
        features: columns that the models use.
        choices: imputation and clusters.
        seed: of the preprocessing.
        pool: processes that do the work.
        folder: where matrices lie for other processes to map; None keeps them in memory.
    """

    def __init__(
        self,
        data: Dataset,
        features: Features,
        choices: Choices,
        *,
        seed: int,
        pool: Executor,
        folder: Path | None = None,
    ) -> None:
        self._data = data
        self._features = features
        self._choices = choices
        self._seed = seed
        self._pool = pool
        self._folder = folder
        self._made: dict[tuple[Traits, Features], tuple[Fold, ...]] = {}

    @property
    def data(self) -> Dataset:
        """Rows, target and folds."""
        return self._data

    @property
    def features(self) -> Features:
        """Columns that the models use."""
        return self._features

    @property
    def sizes(self) -> tuple[tuple[int, int], ...]:
        """Rows of each fold: to train on, held out."""
        return tuple((len(train), len(valid)) for train, valid in self._data.folds)

    def of(self, candidate: Candidate) -> tuple[Fold, ...]:
        """Return the folds as a candidate needs and sees them."""
        wanted = (traits(candidate.estimator), seen_by(candidate, self._features))
        if wanted not in self._made:
            self._made[wanted] = self._make(*wanted, f"{len(self._made)}")
        return self._made[wanted]

    def selected(self, candidate: Candidate) -> tuple[tuple[str, ...], ...]:
        """Return the columns that a selection kept for a candidate, per fold; () without one."""
        found = tuple(fold.selected for fold in self.of(candidate))
        return found if any(found) else ()

    def objective(
        self,
        candidate: Candidate,
        *,
        metric: str,
        threads: int = 1,
        keys: tuple[str, ...] = tuple(METRICS),
    ) -> FoldObjective:
        """Return what a search of this candidate runs; it tells `keys` beside its metric."""
        return FoldObjective(
            candidate=candidate,
            folds=self.of(candidate),
            metric=metric,
            seed=self._seed,
            threads=threads,
            bounded=self._features.bounded,
            offset=offset_place(self._features, candidate),
            keys=keys,
        )

    def _make(self, needs: Traits, features: Features, name: str) -> tuple[Fold, ...]:
        data = self._data
        raw = data.train[list(features.raw)]
        futures = []
        for number, (train, valid) in enumerate(data.folds):
            path = self._folder / f"{name}-{number}.fold" if self._folder else None
            futures.append(
                self._pool.submit(
                    _prepared,
                    (raw.iloc[train], raw.iloc[valid]),
                    (data.target[train], data.target[valid]),
                    (features, self._choices, needs, self._seed),
                    path,
                )
            )
        return tuple(future.result() for future in futures)


def _prepared(
    rows: tuple[pd.DataFrame, pd.DataFrame],
    target: tuple[Matrix, Matrix],
    how: tuple[Features, Choices, Traits, int],
    path: Path | None,
) -> Fold:
    features, choices, needs, seed = how
    first = preprocess(features, choices, needs, seed=seed)
    # laid out as in a file: sums over columns round otherwise, and jobs would change results
    fold = Fold(
        train=np.ascontiguousarray(first.fit_transform(rows[0], target[0]), dtype=np.float64),
        train_target=target[0],
        valid=np.ascontiguousarray(first.transform(rows[1]), dtype=np.float64),
        valid_target=target[1],
        selected=selected(first),
    )
    return fold.stored(path) if path else fold
