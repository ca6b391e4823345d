"""A target that is known later must not be made of what is held out."""

from __future__ import annotations

from datetime import date, timedelta

import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st

from heddle.domain.errors import DataContractError
from heddle.evaluation.reach import check_reach
from heddle.evaluation.split_plan import Split, Timeline
from heddle.evaluation.splits import assign, pairs


def dealt(purge=0, embargo=0, strategy="walk_forward", rows=60):
    days = pl.DataFrame({"day": [date(2020, 1, 1) + timedelta(days=n) for n in range(rows)]})
    time = Timeline(column="day", purge=purge, embargo=embargo, valid_periods=5)
    return assign(days, Split(strategy=strategy, row_key="day", folds=3, time=time))


def folds_of(split):
    return pairs(split.filter(pl.col("part") == "train"))


@given(
    horizon=st.integers(0, 6),
    purge=st.integers(0, 6),
    embargo=st.integers(0, 3),
    strategy=st.sampled_from(["walk_forward", "time"]),
)
def test_no_target_of_a_training_row_reaches_into_what_is_held_out(
    horizon, purge, embargo, strategy
):
    """What passes is what an obvious look at every pair of rows finds nothing wrong with."""
    split = dealt(purge, embargo, strategy)
    folds = folds_of(split)
    training = split.filter(pl.col("part") == "train")["period"].to_list()
    testing = split.filter(pl.col("part") == "test")["period"].to_list()
    looks = [([training[i] for i in a], [training[i] for i in b]) for a, b in folds]
    reached = any(
        one < other <= one + horizon
        for trains, held in [*looks, (training, testing)]
        for one in trains
        for other in held
    )
    try:
        check_reach(split, folds, horizon)
    except DataContractError:
        assert reached
    else:
        assert not reached


def test_too_small_a_gap_is_refused_with_the_purge_that_would_do():
    split = dealt(purge=2)
    with pytest.raises(
        DataContractError,
        match=r"split.time.purge: fold 0 begins 2 periods after the rows that it is predicted "
        r"from, whose targets reach 5 periods ahead. Set purge to 5 or more and run the split",
    ):
        check_reach(split, folds_of(split), 5)


def test_the_test_part_is_looked_at_too():
    """Folds with gaps of their own do not excuse it."""
    split = dealt(purge=3).with_columns(
        period=pl.when(pl.col("part") == "test").then(pl.col("period") - 3).otherwise("period")
    )
    with pytest.raises(DataContractError, match="the test part begins 0 periods after"):
        check_reach(split, folds_of(split), 3)


def test_targets_that_come_later_need_a_split_in_time():
    rows = pl.DataFrame({"day": range(30)})
    split = assign(rows, Split(strategy="random", row_key="day", folds=3))
    check_reach(split, folds_of(split), 0)
    with pytest.raises(DataContractError, match=r"known 1 periods later need a split in time. Use"):
        check_reach(split, folds_of(split), 1)
