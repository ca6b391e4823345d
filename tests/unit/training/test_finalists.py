"""A team is taken only when it is better than its best member."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pytest

from heddle.domain.errors import ConfigError
from heddle.models.candidates import Candidate
from heddle.training.finalists import Member, finalists, team
from heddle.training.workers import workers

ACTUAL = np.array([10.0, 20.0, 30.0, 40.0])


@dataclass(frozen=True)
class Held:
    valid_target: np.ndarray


@dataclass(frozen=True)
class Fixed:
    """Stands for the folds of a candidate: predictions that are off by a given amount."""

    off: np.ndarray

    @property
    def folds(self):
        return (Held(ACTUAL), Held(ACTUAL))

    def out_of_fold(self, _):
        return (ACTUAL + self.off, ACTUAL + self.off)


OFF = {
    "high": Fixed(np.array([2.0, 2, 2, 2])),
    "low": Fixed(np.array([-3.0, -3, -3, -3])),
    "higher": Fixed(np.array([4.0, 4, 4, 4])),
}


def chosen(names, most):
    members = [
        Member(
            candidate=Candidate(name=n, estimator="ridge"),
            params={},
            value=float(np.abs(OFF[n].off).sum() / ACTUAL.sum() * 100),
        )
        for n in names
    ]
    with workers(1) as pool:
        return team(members, lambda c: OFF[c.name], metric="wmape", most=most, pool=pool)


def test_errors_of_opposite_sign_make_a_team():
    found = chosen(["low", "high"], most=2)
    assert [m.candidate.name for m in found.members] == ["high", "low"]
    assert found.value == pytest.approx(2.0)
    assert found.folds == pytest.approx((2.0, 2.0))


def test_a_member_that_makes_it_worse_stays_out():
    found = chosen(["higher", "high"], most=2)
    assert [m.candidate.name for m in found.members] == ["high"]
    assert found.value == found.members[0].value


def test_a_team_of_one_is_the_best_alone():
    assert [m.candidate.name for m in chosen(["low", "high", "higher"], most=1).members] == ["high"]


def test_the_best_addition_comes_first_and_the_limit_holds():
    found = chosen(["higher", "low", "high"], most=2)
    assert [m.candidate.name for m in found.members] == ["high", "low"]


def test_a_candidate_that_is_not_configured_any_more_is_told():
    board = {"entries": [{"candidate": "ridge", "baseline": False}]}
    with pytest.raises(
        ConfigError, match=r"no candidate 'ridge' is configured.*compete stage again"
    ):
        finalists(board, [], [Candidate(name="lasso", estimator="lasso")], best=1)
