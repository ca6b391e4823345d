"""Points, sizes and edges of a space."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from heddle.models.candidates import Dimension
from heddle.training.space import edges, points, size, start

floats = st.tuples(st.floats(1e-3, 10), st.floats(0, 100)).map(
    lambda t: {"type": "float", "low": t[0], "high": t[0] + t[1]}
)
ints = st.tuples(st.integers(1, 20), st.integers(0, 30), st.integers(1, 7)).map(
    lambda t: {"type": "int", "low": t[0], "high": t[0] + t[1], "step": t[2]}
)
logs = floats.map(lambda d: {**d, "log": True})
choices = st.lists(st.integers(0, 9), min_size=1, max_size=4, unique=True).map(
    lambda c: {"type": "categorical", "choices": tuple(c)}
)
dimensions = st.one_of(floats, ints, logs, choices).map(lambda d: Dimension(**d))
spaces = st.dictionaries(st.sampled_from("abc"), dimensions, max_size=3)


@given(spaces)
def test_the_start_lies_in_the_space(space):
    point = start(space)
    assert list(point) == list(space)
    assert all(space[k].holds(v) for k, v in point.items())


@given(spaces)
def test_points_are_as_many_as_size_says_and_all_different(space):
    count = size(space)
    if count is not None and count <= 500:
        found = list(points(space, start(space)))
        assert len(found) == count == len({tuple(p.items()) for p in found})
        assert all(space[k].holds(v) for p in found for k, v in p.items())


def test_a_declared_start_wins_over_the_middle():
    space = {"a": Dimension(type="int", low=0, high=10), "b": Dimension(type="int", low=0, high=10)}
    assert start(space, {"b": 9}) == {"a": 5, "b": 9}


@pytest.mark.parametrize(
    ("dimension", "value", "side"),
    [
        (Dimension(type="float", low=0.001, high=1.0, log=True), 0.00101, "lower"),
        (Dimension(type="float", low=0.001, high=1.0, log=True), 0.009, None),
        (Dimension(type="float", low=0.001, high=1.0), 0.009, "lower"),
        (Dimension(type="int", low=2, high=5), 5, "upper"),
        (Dimension(type="int", low=2, high=5), 4, None),
        (Dimension(type="int", low=3, high=3), 3, None),
        (Dimension(type="categorical", choices=(1, 2)), 2, None),
    ],
)
def test_an_edge_is_judged_on_the_scale_of_its_dimension(dimension, value, side):
    found = edges({"p": dimension}, {"p": value})
    assert [f"its {side} bound" in line for line in found] == ([True] if side else [])
