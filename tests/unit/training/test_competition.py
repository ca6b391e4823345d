"""How many trials a search will have, told before it begins."""

from __future__ import annotations

import pytest

from heddle.models.candidates import Candidate, Dimension
from heddle.training.competition import planned
from heddle.training.plans import Budget

DEPTH = Dimension(type="int", low=2, high=4)
RATE = Dimension(type="float", low=0.1, high=1.0)
BUDGET = Budget(trials=8)


def candidate(space, **more) -> Candidate:
    return Candidate(name="c", estimator="decision_tree", space=space, **more)


@pytest.mark.parametrize(
    ("one", "known", "expected"),
    [
        (candidate({"rate": RATE}), 0, 8),  # as the budget says
        (candidate({"rate": RATE}, trials=3), 0, 3),  # its own number
        (candidate({"rate": RATE}, trials=3), 3, 8),  # a deeper search: the budget's on top
        (candidate({"depth": DEPTH}), 0, 3),  # a finite space, once
        (candidate({"depth": DEPTH}), 2, 1),
        (candidate({"depth": DEPTH}), 3, 0),
        (candidate({}), 0, 1),
        (Candidate(name="c", estimator="median", baseline=True), 0, 1),
    ],
)
def test_the_trials_of_a_search_are_known_before_it_begins(one, known, expected):
    """By the budget, the candidate's own number, and the points that its space has."""
    assert planned(one, BUDGET, known) == expected
