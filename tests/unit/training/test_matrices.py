"""Shared matrices must judge a candidate exactly as its whole pipeline would be judged."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from heddle.evaluation.metrics import METRICS
from heddle.models.assembly import Choices, Clusters, assemble
from heddle.models.candidates import Candidate
from heddle.models.features import Selection
from heddle.models.selected import selected
from heddle.training.matrices import FoldMatrices
from heddle.training.workers import workers

CANDIDATES = [
    (Candidate(name="ridge", estimator="ridge", target="log"), {"alpha": 0.5}),
    (Candidate(name="tree", estimator="decision_tree"), {"max_depth": 4}),
    (Candidate(name="begun", estimator="decision_tree", target="log", offset="rooms"), {}),
    (Candidate(name="naive", estimator="naive", columns=("rooms",)), {}),
    (Candidate(name="boost", estimator="gradient_boosting", fixed={"n_estimators": 5}), {}),
]


@pytest.mark.parametrize("stored", [False, True])
@pytest.mark.parametrize("competitor", CANDIDATES, ids=lambda c: c[0].name)
def test_a_fold_scores_as_the_assembled_pipeline(data, features, tmp_path, competitor, stored):
    candidate, params = competitor
    choices = Choices(imputation="iterative", clusters=Clusters(kind="rbf", k=4, gamma=1.0))
    seen = []
    with workers(1) as pool:
        folder = tmp_path if stored else None
        matrices = FoldMatrices(data, features, choices, seed=1, pool=pool, folder=folder)
        objective = matrices.objective(candidate, metric="wmape")
        value = objective(params, lambda fold, v, also: seen.append((fold, v, also["r2"])))
    wanted = []
    for train, valid in data.folds:
        model = assemble(features, choices, candidate, params, seed=1)
        model.fit(data.train.iloc[train], data.target[train])
        predicted = model.predict(data.train.iloc[valid])
        wanted.append(METRICS["wmape"](data.target[valid], predicted))
    assert [v for _, v, _ in seen] == wanted
    assert [fold for fold, _, _ in seen] == [0, 1, 2]
    assert all(r2 <= 1 for *_, r2 in seen)
    assert value == pytest.approx(np.mean(wanted), rel=1e-15)


@pytest.mark.parametrize("name", ["ridge", "zero"])
def test_each_fold_selects_for_itself_as_its_pipeline_would(data, features, name):
    """Once for all trials of a candidate, from training rows alone; by name, fold by fold."""
    some = replace(features, selection=Selection(how="kbest", k=3))
    candidate = Candidate(name=name, estimator=name)
    with workers(1) as pool:
        matrices = FoldMatrices(data, some, Choices(), seed=1, pool=pool)
        predicted = matrices.objective(candidate, metric="rmse").out_of_fold({})
        found = matrices.selected(candidate)
    kept = []
    for (train, valid), said in zip(data.folds, predicted, strict=True):
        model = assemble(some, Choices(), candidate, {}, seed=1)
        model.fit(data.train.iloc[train], data.target[train])
        np.testing.assert_array_equal(model.predict(data.train.iloc[valid]), said)
        kept.append(selected(model))
    assert found == (() if name == "zero" else tuple(kept))
    assert name == "zero" or {len(names) for names in found} == {3}


def test_matrices_are_made_once_for_all_who_need_the_same(data, features):
    with workers(1) as pool:
        matrices = FoldMatrices(data, features, Choices(), seed=1, pool=pool)
        ridge, lasso, tree = (
            matrices.of(Candidate(name=name, estimator=name))
            for name in ("ridge", "lasso", "decision_tree")
        )
        assert ridge is lasso
        assert ridge is not tree
