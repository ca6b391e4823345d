from datetime import date

import numpy as np
import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sklearn.model_selection import KFold, train_test_split

from heddle.domain.errors import ConfigError, DataContractError
from heddle.domain.typed import build
from heddle.evaluation.splits import Cells, Split, Strata, Timeline, assign, pairs


def table(rows=60, seed=0):
    rng = np.random.default_rng(seed)
    return pl.DataFrame(
        {
            "row_id": [f"k{i:04d}" for i in rng.permutation(rows)],
            "east": rng.uniform(0, 4, rows),
            "north": rng.uniform(0, 4, rows),
            "income": rng.uniform(0.1, 5.9, rows),
            "year": rng.integers(2000, 2020, rows),
        }
    )


STRATA = Strata(column="income", edges=(0.0, 2.0, 4.0, float("inf")))
CELLS = Cells(columns=("east", "north"), size=0.5)
PLANS = {
    "random": Split(strategy="random", blocks=CELLS),
    "stratified": Split(strategy="stratified", strata=STRATA, blocks=CELLS),
    "group": Split(strategy="group", groups=CELLS, blocks=CELLS),
    "time": Split(strategy="time", time=Timeline(column="year"), folds=3),
    "walk_forward": Split(
        strategy="walk_forward", folds=3, time=Timeline(column="year", purge=1, embargo=1)
    ),
}
names = st.sampled_from(sorted(PLANS))


def sized(rows, seed):
    """A table in which every plan has strata, cells and years enough."""
    return table(rows, seed).with_columns(
        income=pl.Series([1.0, 3.0, 5.0] * rows)[:rows],
        year=pl.Series(list(range(2000, 2020)) * rows)[:rows],
    )


def test_two_columns_may_name_a_row_together():
    """The split holds both; a pair that stands twice is refused."""
    rows = table().with_columns(shop=pl.int_range(pl.len()) // 20, at=pl.int_range(pl.len()) % 20)
    cfg = build(
        Split,
        {"strategy": "walk_forward", "row_key": ["shop", "at"], "time": {"column": "year"}},
        where="split",
    )
    made = assign(rows, cfg)
    assert made.columns[:3] == ["shop", "at", "part"]
    assert made.select("shop", "at").equals(rows.select("shop", "at"))
    shuffled = rows.sample(fraction=1.0, shuffle=True, seed=1)
    assert assign(shuffled, cfg).sort("shop", "at").equals(made.sort("shop", "at"))
    with pytest.raises(DataContractError, match="row key 'shop, at' repeats itself"):
        assign(rows.with_columns(at=pl.lit(0)), cfg)


def test_random_is_exactly_scikit_learns_train_test_split():
    """Results can be compared with every earlier one that used seed 42 and 20 %."""
    frame = table(1003)
    made = assign(frame, Split(strategy="random", test_share=0.2, seed=42))
    train, test = train_test_split(np.arange(1003), test_size=0.2, random_state=42)
    assert np.flatnonzero(made["part"] == "test").tolist() == sorted(test)
    assert np.flatnonzero(made["part"] == "train").tolist() == sorted(train)


def test_random_folds_are_exactly_scikit_learns_shuffled_k_fold():
    """The folds follow the train rows in the table's order."""
    made = assign(table(503), Split(strategy="random", folds=5, seed=7))
    inner = made.filter(pl.col("part") == "train")
    expected = list(KFold(5, shuffle=True, random_state=7).split(np.arange(inner.height)))
    for found, wanted in zip(pairs(inner), expected, strict=True):
        np.testing.assert_array_equal(found[0], wanted[0])
        np.testing.assert_array_equal(found[1], wanted[1])


@settings(max_examples=60, deadline=None)
@given(name=names, rows=st.integers(60, 200), seed=st.integers(0, 99))
def test_parts_are_disjoint_and_cover_and_the_same_seed_gives_the_same(name, rows, seed):
    """Each row has one part; train rows of plans without time have one fold of all folds."""
    frame, cfg = sized(rows, seed), PLANS[name]
    made = assign(frame, cfg)
    assert made["row_id"].to_list() == frame["row_id"].to_list()
    assert made.equals(assign(frame, cfg))
    assert made["part"].null_count() == 0
    assert set(made["part"]) <= {"train", "test", "gap"}
    train = made.filter(pl.col("part") == "train")
    assert made.filter(pl.col("part") != "train")["fold"].null_count() == rows - train.height
    assert sorted(train["fold"].drop_nulls().unique()) == list(range(cfg.folds))
    if cfg.time is None:
        assert train["fold"].null_count() == 0
        assert set(made["part"]) == {"train", "test"}
    for inside, held in pairs(train):
        assert not set(inside) & set(held)


@settings(max_examples=60, deadline=None)
@given(
    name=st.sampled_from(["stratified", "group", "time", "walk_forward"]),
    rows=st.integers(60, 150),
    seed=st.integers(0, 99),
    mix=st.randoms(use_true_random=False),
)
def test_row_order_does_not_matter(name, rows, seed, mix):
    """Every strategy but random deals by the rows, not by where they stand."""
    frame = sized(rows, seed)
    order = list(range(rows))
    mix.shuffle(order)
    one = assign(frame, PLANS[name]).sort("row_id")
    other = assign(frame[order], PLANS[name]).sort("row_id")
    assert one.equals(other)


def test_blocks_do_not_depend_on_row_order_either():
    """With the same parts, the block of a row is the same wherever it stands."""
    frame = sized(120, 3)
    one = assign(frame, PLANS["stratified"]).sort("row_id")
    other = assign(frame.reverse(), PLANS["stratified"]).sort("row_id")
    assert one["block"].to_list() == other["block"].to_list()


@settings(max_examples=60, deadline=None)
@given(rows=st.integers(60, 300), seed=st.integers(0, 99))
def test_groups_never_straddle(rows, seed):
    """A cell lies in one part and one fold, a block in one block fold."""
    frame = table(rows, seed)
    made = assign(frame, PLANS["group"]).join(frame, on="row_id")
    cell = made.with_columns(
        cell=pl.format("{}/{}", (pl.col("east") / 0.5).floor(), (pl.col("north") / 0.5).floor())
    )
    spread = cell.group_by("cell").agg(
        pl.col("part").n_unique(), pl.col("fold").n_unique(), pl.col("block").n_unique()
    )
    assert spread.select(pl.col("part", "fold", "block").max()).row(0) == (1, 1, 1)


def test_groups_may_be_named_by_columns_instead_of_cells():
    """Without a size the values themselves are the groups."""
    cfg = Split(strategy="group", folds=3, groups=Cells(columns=("year",)))
    frame = table(200)
    made = assign(frame, cfg).join(frame, on="row_id")
    assert made.group_by("year").agg(pl.col("part").n_unique())["part"].max() == 1


@settings(max_examples=60, deadline=None)
@given(rows=st.integers(60, 300), seed=st.integers(0, 99))
def test_strata_are_spread_evenly(rows, seed):
    """Each bin gives its share to test, and its folds differ by at most two rows."""
    frame = sized(rows, seed)
    made = assign(frame, PLANS["stratified"]).join(frame, on="row_id")
    assert (made["part"] == "test").sum() == -(-rows // 5)
    for (_,), rows_of in made.group_by("income"):
        assert abs((rows_of["part"] == "test").sum() - rows_of.height * 0.2) < 1
        counts = rows_of.filter(pl.col("part") == "train")["fold"].value_counts()["count"]
        assert counts.max() - counts.min() <= 1
    folds = made.filter(pl.col("part") == "train")["fold"].value_counts()["count"]
    assert folds.max() - folds.min() <= 1


@settings(max_examples=80, deadline=None)
@given(
    name=st.sampled_from(["time", "walk_forward"]),
    seed=st.integers(0, 99),
    purge=st.integers(0, 1),
    embargo=st.integers(0, 1),
    window=st.one_of(st.none(), st.integers(1, 5)),
)
def test_time_never_looks_ahead(name, seed, purge, embargo, window):
    """Train rows of each fold, and of the test, end before what they predict, and by the gap."""
    line = Timeline(column="year", purge=purge, embargo=embargo, train_periods=window)
    frame = sized(120, seed)
    cfg = Split(strategy=name, folds=3, time=line)
    made = assign(frame, cfg).join(frame.select("row_id", "year"), on="row_id")
    train = made.filter(pl.col("part") == "train")
    test = made.filter(pl.col("part") == "test")
    gap = purge + embargo
    assert train["year"].max() + gap < test["year"].min()
    years = train["year"].to_numpy()
    for inside, held in pairs(train):
        assert years[inside].max() + gap < years[held].min()
        if name == "walk_forward" and window:
            assert np.unique(years[inside]).size <= window


def test_time_starts_testing_where_it_is_told_also_with_dates():
    """A first test period may be named, as a number or as a date."""
    frame = sized(100, 1)
    made = assign(frame, Split(strategy="time", time=Timeline(column="year", test_from=2015)))
    assert made.filter(frame["year"] >= 2015)["part"].unique().to_list() == ["test"]
    days = frame.with_columns(day=pl.date(pl.col("year"), 6, 1))
    line = Timeline(column="day", test_from="2015-06-01")
    assert assign(days, Split(strategy="time", time=line))["part"].equals(made["part"])
    line = Timeline(column="day", test_from=date(2015, 6, 1))
    assert assign(days, Split(strategy="time", time=line))["part"].equals(made["part"])


def test_the_rows_before_the_first_fold_are_trained_on_but_never_held_out():
    """Their fold is null, and the first fold trains on them."""
    made = assign(sized(100, 1), PLANS["time"])
    train = made.filter(pl.col("part") == "train")
    early = np.flatnonzero(train["fold"].is_null())
    assert set(early) == set(pairs(train)[0][0])


def test_without_blocks_the_block_column_is_empty_and_asking_for_blocks_says_so():
    """The column is always there; pairs by block name what to configure."""
    made = assign(table(), Split(strategy="random"))
    assert made["block"].null_count() == made.height
    assert made.schema == pl.Schema(
        {"row_id": pl.String, "part": pl.String, "fold": pl.Int8, "block": pl.Int8}
    )
    with pytest.raises(DataContractError, match="the split has no column of blocks"):
        pairs(made, "block")


@pytest.mark.parametrize(
    ("frame", "cfg", "words"),
    [
        (table(5), Split(strategy="random"), "5 rows are too few: the folds need 6"),
        (
            table().with_columns(income=pl.lit(1.0)),
            Split(strategy="stratified", strata=STRATA),
            r"no row of 'income' lies in \(2, 4\]",
        ),
        (
            table().with_columns(income=pl.lit(-1.0)),
            Split(strategy="stratified", strata=STRATA),
            "60 rows of 'income' lie outside",
        ),
        (
            table().with_columns(east=pl.lit(None, dtype=pl.Float64)),
            Split(strategy="group", groups=CELLS),
            "60 rows have no 'east'",
        ),
        (
            table().with_columns(year=pl.lit(1)),
            Split(strategy="group", groups=Cells(columns=("year",))),
            "1 groups are too few: the folds need 6",
        ),
        (
            table().with_columns(year=pl.Series([1, 2] * 30)),
            Split(strategy="random", blocks=Cells(columns=("year",))),
            "2 blocks are too few: the folds need 5",
        ),
        (
            table().with_columns(year=pl.Series([1, 2] * 30)),
            Split(strategy="time", time=Timeline(column="year")),
            r"5 folds need 6 periods, there are 1 \(years\). Bring more history",
        ),
        (
            table(),
            Split(strategy="time", time=Timeline(column="year", test_from=3000)),
            "test_from 3000 leaves 20 periods before and 0 after. Column 'year' runs from 2000",
        ),
        (table().with_columns(row_id=pl.lit("a")), Split(strategy="random"), "repeats itself"),
    ],
)
def test_data_that_cannot_be_dealt_is_refused(frame, cfg, words):
    """Too few of anything, an empty stratum, a gap where a value is needed: one clear line."""
    with pytest.raises(DataContractError, match=words):
        assign(frame, cfg)


def test_an_unknown_column_is_named_with_the_nearest():
    """A wrong column is a mistake of the configuration."""
    cfg = Split(strategy="group", groups=Cells(columns=("eats",)))
    with pytest.raises(ConfigError, match="no column 'eats'; did you mean 'east'"):
        assign(table(), cfg)
    line = Timeline(column="year", test_from="soon")
    with pytest.raises(ConfigError, match="'soon' is not a value of column 'year'"):
        assign(table(), Split(strategy="time", time=line))


@pytest.mark.parametrize(
    ("values", "words"),
    [
        ({"strategy": "random", "test_share": 1.0}, "0 < test_share < 1 must hold, but got 1.0"),
        ({"strategy": "random", "test_share": 0}, "0 < test_share < 1 must hold, but got 0"),
        ({"strategy": "random", "folds": 1}, "2 <= folds <= 127 must hold, but got 1"),
        ({"strategy": "stratified"}, "strategy stratified needs strata"),
        ({"strategy": "time"}, "strategy time needs time"),
        ({"strategy": "randem"}, "did you mean 'random'"),
        ({"strategy": "random", "blocks": {"columns": []}}, "at least one column"),
        ({"strategy": "random", "blocks": {"columns": ["a"], "size": 0}}, "size > 0 must hold"),
        ({"strategy": "random", "strata": {"column": "a", "edges": [1, 1]}}, "ascending"),
        ({"strategy": "random", "time": {"column": "a", "purge": -1}}, "0 or more"),
    ],
)
def test_a_wrong_configuration_is_refused_in_words(values, words):
    """Bounds are checked before any data is read."""
    with pytest.raises(ConfigError, match=words):
        build(Split, values, where="split")
