"""Blocks of groups in ascending order, each predicted from those before it; time tells the test."""

import numpy as np
import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from heddle.domain.errors import ConfigError, DataContractError
from heddle.domain.typed import build
from heddle.evaluation.splits import Cells, Split, Timeline, assign, pairs


def plan(folds=2, **line):
    return Split(
        strategy="walk_groups",
        row_key=("shop", "year"),
        folds=folds,
        groups=Cells(columns=("shop",)),
        time=Timeline(column="year", **line),
    )


def table(shops, years):
    return pl.DataFrame({"shop": shops}).join(pl.DataFrame({"year": years}), how="cross")


def test_each_block_is_predicted_from_the_groups_before_it():
    """Six shops, two folds: two shops, then four; the test years of all are not among them."""
    frame = table([50, 10, 60, 20, 40, 30], [2001, 2002, 2003])
    made = assign(frame, plan(test_from=2003))
    assert made.filter(pl.col("part") == "test")["year"].unique().to_list() == [2003]
    assert made.filter(pl.col("part") == "test")["fold", "period"].null_count().row(0) == (6, 6)
    found = [
        tuple(sorted(made["shop"][places].unique()) for places in pair) for pair in pairs(made)
    ]
    assert found == [([10, 20], [30, 40]), ([10, 20, 30, 40], [50, 60])]
    for inside, held in pairs(made):
        assert set(made["year"][inside]) == set(made["year"][held]) == {2001, 2002}


@settings(max_examples=60, deadline=None)
@given(
    rows=st.sets(st.tuples(st.integers(1, 40), st.integers(2000, 2008)), min_size=60),
    folds=st.integers(2, 4),
    gap=st.integers(0, 2),
    mix=st.randoms(use_true_random=False),
)
def test_groups_stay_whole_and_in_order_whatever_the_order_of_rows(rows, folds, gap, mix):
    """Below every held-out group lie those it is predicted from; test rows are the last years."""
    told = list(rows)
    mix.shuffle(told)
    frame = pl.DataFrame(told, schema=["shop", "year"], orient="row")
    cfg = plan(folds, test_from=2007, purge=gap)
    made = assign(frame, cfg)
    test, train = made["year"] >= 2007, made["part"] == "train"
    assert (made["part"] == "test").equals(test)
    assert made["year"].filter(train).max() < 2007 - gap
    shops = made["shop"].to_numpy()
    seen = set()
    for inside, held in pairs(made):
        before, now = set(shops[inside]), set(shops[held])
        assert max(before) < min(now)
        assert before == {shop for shop in shops[train.to_numpy()] if shop < min(now)}
        assert train.to_numpy()[np.concatenate([inside, held])].all()
        seen |= now
    sizes = [len(set(shops[held])) for _, held in pairs(made)]
    assert len(sizes) == folds
    assert len(set(sizes)) == 1
    assert max(shops[train.to_numpy()]) in seen
    again = assign(frame.sort("shop", "year"), cfg)
    assert again.equals(made.sort("shop", "year"))


def test_too_few_groups_are_refused():
    """Counted in the training years alone."""
    frame = table([1, 2], [2001, 2002]).vstack(table([3, 4, 5], [2003]))
    with pytest.raises(DataContractError, match="2 groups are too few: the folds need 3"):
        assign(frame, plan(test_from=2003))


@pytest.mark.parametrize(
    ("told", "words"),
    [
        ({"groups": {"columns": ["shop"]}}, "strategy walk_groups needs time"),
        ({"time": {"column": "year"}}, "strategy walk_groups needs groups"),
    ],
)
def test_it_needs_groups_and_time(told, words):
    """Said before any data is read."""
    with pytest.raises(ConfigError, match=words):
        build(Split, {"strategy": "walk_groups", **told}, where="split")
