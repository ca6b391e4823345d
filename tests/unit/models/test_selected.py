"""The columns that a fitted model kept, by name."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from heddle.models.assembly import Choices, assemble, average
from heddle.models.candidates import Candidate
from heddle.models.features import Features, Selection
from heddle.models.selected import selected

RIDGE = Candidate(name="ridge", estimator="ridge")


@pytest.fixture
def three():
    return Features(numeric=("east", "rooms", "homes"), selection=Selection(how="kbest", k=1))


def near_rooms(rows):
    return rows["rooms"].to_numpy() + np.random.default_rng(0).normal(0, 5, len(rows))


def test_the_columns_are_named_in_their_order(rows, three):
    """By hand: the one that correlates best with the target."""
    target = near_rooms(rows)
    model = assemble(three, Choices(), RIDGE, {}, seed=1).fit(rows, target)
    assert selected(model) == selected(model[:-1]) == ("rooms",)
    two = replace(three, selection=Selection(how="kbest", k=2))
    model = assemble(two, Choices(), RIDGE, {}, seed=1).fit(rows, target)
    assert selected(model) == ("rooms", "homes")


def test_each_member_of_an_average_has_its_own(rows, three):
    east = three.only(("east", "homes"))
    both = average(
        [
            ("one", assemble(three, Choices(), RIDGE, {}, seed=1)),
            ("two", assemble(east, Choices(), RIDGE, {}, seed=1)),
            ("three", assemble(three, Choices(), RIDGE, {}, seed=2)),
        ]
    )
    assert selected(both.fit(rows, near_rooms(rows))) == ("rooms", "homes")


def test_without_a_selection_there_is_nothing_to_tell(rows, price, three):
    plain = replace(three, selection=None)
    assert selected(assemble(plain, Choices(), RIDGE, {}, seed=1).fit(rows, price)) == ()
