"""The study of clusters against whole pipelines and against what can be counted by hand."""

from __future__ import annotations

from dataclasses import replace
from itertools import pairwise

import numpy as np
import pytest

from heddle.evaluation.metrics import METRICS
from heddle.models.assembly import Choices, Clusters, assemble
from heddle.models.candidates import Candidate
from heddle.training.clusters import (
    ClusterScore,
    choose,
    distinct_places,
    geometry,
    grid_scores,
    settings,
)
from heddle.training.plans import Grid
from heddle.training.workers import workers

PROXY = Candidate(name="tree", estimator="decision_tree", fixed={"max_depth": 4})


def test_each_setting_scores_as_the_assembled_pipeline(data, features):
    tried = settings(Grid(labels=(3,), rbf=(2, 4), gamma=(0.5, 2.0)), most=50)
    with workers(1) as pool:
        found = grid_scores(
            data, features, "median", PROXY, tried, metric="wmape", seed=1, pool=pool
        )
    assert [score.clusters.kind for score in found] == [c.kind for c in tried]
    for setting, score in zip(tried, found, strict=True):
        for (train, valid), value in zip(data.folds, score.folds, strict=True):
            model = assemble(features, Choices(clusters=setting), PROXY, {}, seed=1)
            model.fit(data.train.iloc[train], data.target[train])
            predicted = model.predict(data.train.iloc[valid])
            assert value == METRICS["wmape"](data.target[valid], predicted)


def test_four_heaps_are_found_by_every_measure():
    heaps = np.repeat([[0.0, 0.0], [0, 9], [9, 0], [9, 9]], 25, axis=0)
    places = heaps + np.random.default_rng(0).normal(0, 0.1, heaps.shape)
    places[0] = np.nan
    found = geometry(places, range(2, 7), sample=60, seed=1)
    assert [g.k for g in found] == [2, 3, 4, 5, 6]
    assert max(found, key=lambda g: g.silhouette).k == 4
    assert min(found, key=lambda g: g.davies_bouldin).k == 4
    assert max(found, key=lambda g: g.calinski_harabasz).k == 4
    assert all(a.inertia >= b.inertia for a, b in pairwise(found))
    assert geometry(places, range(2, 7), sample=60, seed=1) == found


def test_there_are_no_more_clusters_than_places(data):
    places = np.repeat([[0.0, 0.0], [0, 1], [1, 0]], 10, axis=0)
    told = []
    assert [g.k for g in geometry(places, range(2, 9), sample=9, seed=1, on_step=told.append)] == [
        2
    ]
    assert len(told) == 7
    grid = Grid(labels=(2, 9), rbf=(3, 50), gamma=(1.0,))
    assert [(c.kind, c.k) for c in settings(grid, most=5)[1:]] == [("labels", 2), ("rbf", 3)]
    same = replace(data, train=data.train.assign(east=1.0, north=np.arange(160) % 4))
    assert distinct_places(same, ("east", "north")) == 4


def test_the_best_is_least_or_greatest_and_of_equals_the_simplest():
    one = ClusterScore(kind="none", k=None, gamma=None, mean=1.0, sd=0.0, folds=(1.0,))
    two = ClusterScore(kind="rbf", k=5, gamma=2.0, mean=1.0, sd=0.0, folds=(1.0,))
    three = replace(two, mean=2.0)
    assert choose([one, two, three], metric="wmape") is one
    assert choose([one, two, three], metric="r2") is three
    assert two.clusters == Clusters(kind="rbf", k=5, gamma=2.0)
    assert one.clusters.kind == "none"


@pytest.mark.parametrize("wrong", [{"labels": (0,)}, {"gamma": (0.0,)}, {"gamma": ()}])
def test_an_impossible_grid_is_refused(wrong):
    with pytest.raises(ValueError, match=r"k must be at least 1|gamma must be > 0"):
        Grid(**wrong)
