"""Budgets that fit the machine."""

from __future__ import annotations

import pytest

from heddle.domain.errors import ConfigError
from heddle.training.plans import Budget, Contest


@pytest.mark.parametrize(
    ("budget", "cores", "jobs"),
    [
        (Budget(ahead=2), 1, 1),
        (Budget(ahead=2), 8, 2),
        (Budget(ahead=8), 4, 4),
        (Budget(ahead=8, threads=2), 4, 2),
        (Budget(ahead=4, jobs=3), 4, 3),
    ],
)
def test_jobs_are_what_cores_and_lookahead_allow(budget, cores, jobs):
    assert budget.within(cores).jobs == jobs


def test_more_threads_than_cores_are_refused_with_the_arithmetic():
    with pytest.raises(ConfigError, match="study jobs 1 x cv jobs 1 x model threads 4 = 4 threads"):
        Budget(threads=4).within(cores=2)


@pytest.mark.parametrize(
    ("wrong", "words"),
    [
        ({"trials": 0}, "must be at least 1"),
        ({"jobs": 0}, "must be at least 1"),
        ({"jobs": 3, "ahead": 2}, "ahead 2 must be at least jobs 3"),
    ],
)
def test_an_impossible_budget_is_refused(wrong, words):
    with pytest.raises(ValueError, match=words):
        Budget(**wrong)


def test_a_selection_by_folds_keeps_the_distance_of_the_target():
    """Otherwise its training rows know what its held-out rows are about."""
    told = {
        "target": "t",
        "row_key": "id",
        "metric": "rmse",
        "candidates": {"zero": {"estimator": "zero", "baseline": True}},
    }
    near = {"numeric": ["a"], "selection": {"how": "rfecv", "purge": 2}}
    assert Contest(**told, features=near, horizon=2).horizon == 2
    with pytest.raises(
        ConfigError,
        match=r"features.selection.purge: its folds are 2 rows apart, but targets reach 5 ahead",
    ):
        Contest(**told, features=near, horizon=5)
    with pytest.raises(ValueError, match="horizon >= 0 must hold, but got -1"):
        Contest(**told, features=near, horizon=-1)
