"""Budgets that fit the machine."""

from __future__ import annotations

import pytest

from heddle.domain.errors import ConfigError
from heddle.training.plans import Budget


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
