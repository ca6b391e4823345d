"""Rows and split joined by key; the test rows stay closed."""

from __future__ import annotations

import numpy as np
import polars as pl
import pytest

from heddle.domain.errors import ConfigError, IntegrityError
from heddle.infrastructure.memory import MemoryTables
from heddle.models.features import read_features
from heddle.training.dataset import dataset, read_dataset


def test_training_rows_come_in_the_order_of_their_keys(rows, split, data):
    keys = split.filter(pl.col("part") == "train")["id"].sort().to_list()
    assert data.keys["id"].to_list() == keys
    wanted = rows.join(pl.DataFrame({"id": keys}), on="id", how="semi").sort("id")
    assert data.target.tolist() == wanted["price"].to_list()
    assert data.train["size"].tolist() == wanted["size"].to_list()
    assert list(data.train.columns) == ["east", "north", "size", "rooms", "kind"]


def test_the_order_of_either_table_is_irrelevant(rows, split, data):
    again = dataset(rows.reverse(), split.sample(fraction=1, shuffle=True, seed=1),
                    target="price", row_key="id")  # fmt: skip
    assert again.train.equals(data.train)
    assert again.target.tolist() == data.target.tolist()
    for one, other in zip(again.folds, data.folds, strict=True):
        assert one[0].tolist() == other[0].tolist()
        assert one[1].tolist() == other[1].tolist()


def test_each_fold_holds_out_the_rows_that_the_split_names(split, data):
    fold = dict(split.select("id", "fold").iter_rows())
    for number, (train, valid) in enumerate(data.folds):
        assert {fold[k] for k in data.keys["id"][valid]} == {number}
        assert number not in {fold[k] for k in data.keys["id"][train]}
        assert len(train) + len(valid) == len(data.keys)


def test_test_rows_are_there_only_when_they_are_opened(rows, split, data):
    opened = dataset(rows, split, target="price", row_key="id", open_test=True)
    assert data.test is None
    assert set(opened.test.keys["id"]) == set(split.filter(pl.col("part") == "test")["id"])
    assert not set(opened.test.keys["id"]) & set(opened.keys["id"])


def test_all_known_rows_are_there_only_when_they_are_opened(rows, split, data):
    """Whatever part they are of; a row whose target is not known is none of them."""
    assert data.known is None
    gap = split["id"].sort()[3]
    last = split.filter(pl.col("part") == "test")["id"].sort()[-1]
    held = pl.when(pl.col("id") == gap).then(pl.lit("gap")).otherwise("part").alias("part")
    unknown = pl.when(pl.col("id") == last).then(float("nan")).otherwise("price").alias("price")
    opened = dataset(
        rows.with_columns(unknown), split.with_columns(held), target="price", row_key="id",
        open_known=True,
    )  # fmt: skip
    assert opened.known.keys["id"].to_list() == sorted(set(rows["id"]) - {last})
    assert opened.test is None


def test_several_columns_may_name_a_row_together(rows, split):
    """They stay among the raw columns: they say something of the row, too."""
    both = [pl.col("id").str.head(2).alias("shop"), pl.col("id").str.tail(-2).alias("at")]
    two = dataset(
        rows.with_columns(both), split.with_columns(both).drop("id"),
        target="price", row_key=("shop", "at"),
    )  # fmt: skip
    one = dataset(rows, split, target="price", row_key="id")
    assert two.keys.columns == ["shop", "at"]
    assert {"shop", "at"} <= set(two.train.columns)
    assert sorted(two.target.tolist()) == sorted(one.target.tolist())
    twice = rows.with_columns(shop=pl.lit("s"), at=pl.lit("a"))
    with pytest.raises(IntegrityError, match=r"shop, at: .* keys of the rows are repeated"):
        dataset(twice, split.with_columns(both), target="price", row_key=("shop", "at"))


def test_blocks_are_read_where_the_split_has_some(rows, split):
    assert dataset(rows, split, target="price", row_key="id").blocks == ()
    training = pl.col("part") == "train"
    blocked = split.with_columns(
        block=pl.when(training).then(pl.int_range(pl.len()) % 2).cast(pl.Int8)
    )
    found = dataset(rows, blocked, target="price", row_key="id").blocks
    assert len(found) == 2
    assert sorted(np.concatenate([valid for _, valid in found])) == list(range(160))


@pytest.mark.parametrize(
    ("change", "words"),
    [
        (lambda r, s: (r.tail(150), s), "the split has 50 keys that the rows do not have"),
        (lambda r, s: (r, s.tail(150)), "the rows have 50 keys that the split does not have"),
        (lambda r, s: (pl.concat([r, r.head(2)]), s), "id: 2 keys of the rows are repeated"),
        (lambda r, s: (r, pl.concat([s, s.head(3)])), "id: 3 keys of the split are repeated"),
    ],
)
def test_rows_and_split_must_be_of_the_same_keys(rows, split, change, words):
    with pytest.raises(IntegrityError, match=words):
        dataset(*change(rows, split), target="price", row_key="id")


def test_a_stage_that_reads_no_split_is_told_so():
    with pytest.raises(ConfigError, match=r"reads 1 data versions.*the split, in this order"):
        read_dataset(MemoryTables(), {"v1": "v1"}, target="a", row_key="b")


def test_a_ratio_of_another_verb_is_refused():
    told = {"numeric": ["a"], "ratios": [{"uses": "lag_columns", "new": "b"}]}
    with pytest.raises(ConfigError, match=r"x.ratios: a ratio uses combine_columns, not 'lag_"):
        read_features(told, where="x")
