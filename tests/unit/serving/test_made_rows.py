from types import SimpleNamespace

import polars as pl

from heddle.serving.made_rows import made_rows
from heddle.validation.contract import Column

MANIFEST = SimpleNamespace(
    columns={
        "size": Column(type="float", nullable=True),
        "homes": Column(type="int"),
        "new": Column(type="bool"),
        "kind": Column(type="string", nullable=True),
        "code": Column(type="int"),
        "unseen": Column(type="string"),
        "day": Column(type="date"),
    },
    seen={
        "size": {"min": 2.0, "max": 9.0},
        "homes": {"min": 3, "max": 3},
        "kind": {"categories": ["a", "b"]},
        "code": {"categories": ["4", "7"]},
    },
)


def test_rows_are_what_training_saw_and_a_little_more():
    """Ranges, their ends and beyond; categories and one never heard of; nulls where allowed."""
    made = made_rows(MANIFEST, 500)
    numbers = {"size": pl.Float64, "homes": pl.Int64, "new": pl.Boolean}
    words = {"kind": pl.String, "code": pl.Int64, "unseen": pl.String, "day": pl.Date}
    assert made.schema == numbers | words
    size = made["size"].drop_nulls()
    assert {2.0, 9.0} <= set(size)
    assert 0 < (~size.is_between(2.0, 9.0)).sum() < 100
    assert set(made["kind"]) == {"a", "b", "never heard of", None}
    assert set(made["code"]) == {4, 7, 8}
    assert set(made["unseen"]) == {"never heard of"}
    assert {3} < set(made["homes"]), "a column of one value has a range around it"
    nulls = {name for name in made.columns if made[name].null_count()}
    assert nulls == {"size", "kind", "day"}


def test_the_same_manifest_gives_the_same_rows():
    """So that a check that passes passes again."""
    assert made_rows(MANIFEST, 50).equals(made_rows(MANIFEST, 50))
