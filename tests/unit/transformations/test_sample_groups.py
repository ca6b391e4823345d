"""Whole groups, chosen by seed and key alone."""

from __future__ import annotations

import narwhals as nw
import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st

from heddle.domain.errors import DataContractError
from heddle.transformations.sample_groups import SampleGroups, sample_groups

SCHEMA = {"shop": pl.Int64, "ware": pl.String, "n": pl.Int64}
ROWS = st.lists(
    st.tuples(
        st.none() | st.integers(-2, 3),
        st.none() | st.text("a,:-1", max_size=3),
        st.integers(0, 3),
    ),
    max_size=12,
)
BY = ("shop", "ware")


def made(table: pl.DataFrame, **settings: object) -> pl.DataFrame:
    cfg = SampleGroups(**{"by": BY, "seed": 1, **settings})
    return sample_groups(nw.from_native(table.lazy()), cfg).collect().to_native()


@given(ROWS, st.integers(1, 5), st.integers(0, 3))
def test_as_many_groups_as_wanted_with_all_their_rows(rows, groups, seed):
    """In their order; fewer groups only if there are fewer; null is a key like any other."""
    table = pl.DataFrame(rows, SCHEMA, orient="row")
    found = made(table, groups=groups, seed=seed).rows()
    chosen = {row[:2] for row in found}
    assert len(chosen) == min(groups, len({row[:2] for row in rows}))
    assert found == [row for row in rows if row[:2] in chosen]
    assert table.rows() == rows


@given(ROWS, ROWS, st.floats(0.01, 1), st.randoms())
def test_a_groups_fate_depends_on_nothing_else(rows, others, fraction, chance):
    """With a fraction it stays in or out, whatever other rows there are and how they stand."""
    before = made(pl.DataFrame(rows, SCHEMA, orient="row"), fraction=fraction)
    alone = set(before.select(BY).rows())
    together = [*rows, *others]
    chance.shuffle(together)
    found = made(pl.DataFrame(together, SCHEMA, orient="row"), fraction=fraction).rows()
    keys = {row[:2] for row in rows}
    assert {row[:2] for row in found if row[:2] in keys} == alone


def test_a_fraction_is_about_that_part():
    """Of 4,000 groups a quarter is 1,000, give or take; 1.0 is all; a seed is a choice."""
    table = pl.DataFrame({"shop": range(4000)})
    one = made(table, by=("shop",), fraction=0.25, seed=1)["shop"].to_list()
    two = made(table, by=("shop",), fraction=0.25, seed=2)["shop"].to_list()
    assert 900 < len(one) < 1100
    assert 900 < len(two) < 1100
    assert 150 < len(set(one) & set(two)) < 350
    assert made(table, by=("shop",), fraction=1.0).height == 4000
    half = made(table, by=("shop",), fraction=0.5, seed=1)["shop"].to_list()
    assert set(one) < set(half)


def test_the_choice_is_the_same_for_ever():
    """These shops, on any machine and version: the lowest MD5 of seed and key."""
    table = pl.DataFrame({"shop": range(20), "ware": ["é", None] * 10})
    assert made(table, groups=4, seed=7)["shop"].to_list() == [0, 4, 11, 15]


@pytest.mark.parametrize(
    ("settings", "words"),
    [
        ({}, "give either `groups` or `fraction`"),
        ({"groups": 1, "fraction": 0.5}, "give either `groups` or `fraction`"),
        ({"groups": 0}, "`groups` must be at least 1, not 0"),
        ({"fraction": 0.0}, "`fraction` must be above 0 and at most 1, not 0.0"),
        ({"fraction": 1.5}, "`fraction` must be above 0 and at most 1, not 1.5"),
        ({"by": (), "groups": 1}, "`by` must name at least one column"),
    ],
)
def test_a_sample_of_no_clear_size_is_refused(settings, words):
    """Exactly one size, and one that can be kept."""
    with pytest.raises(ValueError, match=words):
        made(pl.DataFrame(schema=SCHEMA), **settings)


def test_a_key_that_engines_write_differently_is_refused():
    """A fraction is no key; and a key must be there."""
    with pytest.raises(DataContractError, match="sample_groups: column 'x' is Float64, which is"):
        made(pl.DataFrame({"x": [1.5]}), by=("x",), groups=1)
    with pytest.raises(DataContractError, match="no column 'shp'; did you mean 'shop'"):
        made(pl.DataFrame(schema=SCHEMA), by=("shp",), groups=1)
