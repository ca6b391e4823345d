"""The library's table functions against slow and obvious ones."""

from __future__ import annotations

import math

import narwhals as nw
import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st

from heddle.domain.errors import ConfigError
from heddle.transformations.add_row_key import AddRowKey, add_row_key
from heddle.transformations.combine_columns import CombineColumns, combine_columns

NUMBER = st.none() | st.floats(-1e6, 1e6) | st.sampled_from([0.0, -0.0, 1.0])
ROWS = st.lists(st.tuples(NUMBER, NUMBER), max_size=8)
SLOW = {
    "plus": lambda a, b: a + b,
    "minus": lambda a, b: a - b,
    "times": lambda a, b: a * b,
    "over": lambda a, b: a / b if b else None,
}


def table(rows: list[tuple[float | None, float | None]]) -> pl.DataFrame:
    return pl.DataFrame(rows, schema={"a": pl.Float64, "b": pl.Float64}, orient="row")


@given(ROWS, st.sampled_from(sorted(SLOW)), st.randoms(use_true_random=False))
def test_combine_columns_is_arithmetic_row_by_row(rows, how, chance):
    """Null where a side is null or a division is by zero; row order and input do not matter."""
    frame = table(rows)
    cfg = CombineColumns(new="c", left="a", how=how, right="b")

    def run(given_: pl.DataFrame) -> pl.DataFrame:
        return combine_columns(nw.from_native(given_.lazy()), cfg).to_native().collect()

    made = run(frame)
    wanted = [None if a is None or b is None else SLOW[how](a, b) for a, b in rows]
    for found, want in zip(made["c"].to_list(), wanted, strict=True):
        assert found == want or math.isclose(found, want)
    assert made.drop("c").equals(table(rows))
    assert frame.equals(table(rows))
    order = list(range(len(rows)))
    chance.shuffle(order)
    if order:
        assert run(frame[order]).equals(made[order])


def test_combine_columns_divides_integers_as_numbers():
    """7 over 2 is 3.5, also for whole columns, and 7 over 0 is nothing."""
    frame = nw.from_native(pl.LazyFrame({"a": [7, 7], "b": [2, 0]}))
    cfg = CombineColumns(new="c", left="a", how="over", right="b")
    assert combine_columns(frame, cfg).to_native().collect()["c"].to_list() == [3.5, None]


KEYED = st.lists(st.tuples(st.none() | st.integers(-3, 3), st.text("ab", max_size=1)), max_size=8)


@given(KEYED, st.randoms(use_true_random=False))
def test_row_keys_name_rows_by_what_they_say(rows, chance):
    """Unique; equal rows differ by a counted suffix; the bag of keys ignores row order."""
    frame = pl.DataFrame(rows, schema={"n": pl.Int64, "s": pl.String}, orient="row")
    made = add_row_key(frame, AddRowKey(new="key"))
    assert made.drop("key").equals(frame)
    keys = made["key"].to_list()
    assert len(set(keys)) == len(rows)
    by_row: dict[tuple[int | None, str], list[str]] = {}
    for row, key in zip(rows, keys, strict=True):
        by_row.setdefault(row, []).append(key)
    for group in by_row.values():
        assert group == [group[0]] + [f"{group[0]}-{i}" for i in range(1, len(group))]
    assert len({group[0] for group in by_row.values()}) == len(by_row)
    order = list(range(len(rows)))
    chance.shuffle(order)
    if order:
        again = add_row_key(frame[order], AddRowKey(new="key"))
        assert sorted(again["key"].to_list()) == sorted(keys)


def test_row_keys_look_at_the_named_columns_only():
    """And refuse unknown and taken names."""
    frame = pl.DataFrame({"a": [1, 2], "b": [3, 4]})
    one = add_row_key(frame, AddRowKey(new="k", columns=("a",)))["k"]
    other = add_row_key(frame.with_columns(b=0), AddRowKey(new="k", columns=("a",)))["k"]
    assert one.equals(other)
    with pytest.raises(ConfigError, match=r"no column 'c'. Known: a, b"):
        add_row_key(frame, AddRowKey(new="k", columns=("c",)))
    with pytest.raises(ConfigError, match="column 'a' exists already"):
        add_row_key(frame, AddRowKey(new="a"))
