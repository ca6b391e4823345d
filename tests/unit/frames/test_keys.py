"""Keys as text: one text, one key."""

from __future__ import annotations

from datetime import date
from hashlib import md5

import narwhals as nw
import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st

from heddle.domain.errors import DataContractError
from heddle.frames.keys import key_text, with_digest

PART = st.none() | st.text("a1:,-", max_size=4)
PAIRS = st.lists(st.tuples(PART, PART), max_size=12)


@given(PAIRS)
def test_two_keys_have_one_text_only_if_they_are_equal(pairs):
    """However they are cut, and with marks inside that the text itself uses."""
    table = nw.from_native(pl.LazyFrame(pairs, {"a": pl.String, "b": pl.String}, orient="row"))
    texts = table.select(key_text(table, ["a", "b"], where="t").alias("k")).collect()["k"].to_list()
    assert None not in texts
    assert len(set(texts)) == len(set(pairs))
    assert len(set(zip(pairs, texts, strict=True))) == len(set(pairs))


def test_each_kind_of_key_has_its_text():
    """Whole numbers, dates, categories, true and false."""
    table = pl.LazyFrame({"n": [-7], "day": [date(2020, 2, 1)], "kind": ["é"], "flag": [False]})
    frame = nw.from_native(table.with_columns(pl.col("kind").cast(pl.Categorical)))
    text = key_text(frame, ["n", "day", "kind", "flag"], where="t")
    found = frame.select(text.alias("k")).collect()["k"].item()
    assert found == "2:-7,10:2020-02-01,1:é,5:false,"


def test_what_engines_write_differently_is_no_key():
    """1e20 here is 100000000000000000000.0 there."""
    frame = nw.from_native(pl.LazyFrame({"x": [1e20]}))
    with pytest.raises(
        DataContractError, match=r"t: column 'x' is Float64, which is no key\. Use wh"
    ):
        key_text(frame, ["x"], where="t")


def test_digests_are_those_of_the_standard():
    """Of the text in UTF-8; a table without rows has none."""
    frame = nw.from_native(pl.LazyFrame({"k": ["é"]}))
    made = with_digest(frame, "digest", "k").collect()["digest"].to_list()
    assert made == [md5("é".encode(), usedforsecurity=False).hexdigest()]
    none = with_digest(frame.filter(nw.col("k") == "x"), "digest", "k").collect().to_native()
    assert none.schema == {"k": pl.String, "digest": pl.String}
