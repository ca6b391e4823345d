"""What was known on a day is what had been published by then."""

from __future__ import annotations

import re
from datetime import date, timedelta

import narwhals as nw
import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st

from heddle.domain.errors import ConfigError, DataContractError
from heddle.transformations.join_published import JoinPublished, join_published

FIRST = date(2024, 1, 1)
VALUES = st.dictionaries(
    st.integers(-5, 15), st.tuples(st.none() | st.integers(0, 9), st.none() | st.sampled_from("ab"))
)
DAYS = st.lists(st.integers(0, 12), max_size=8)


def on(day: int) -> date:
    return FIRST + timedelta(days=day)


def config(**settings: object) -> JoinPublished:
    usual = {"time": "day", "observed": "of", "columns": ("rate", "note"), "lag": 1}
    return JoinPublished(**{"largest_age": 4, **usual, **settings})


def rows(days) -> pl.DataFrame:
    return pl.DataFrame(
        {"day": [on(d) for d in days], "n": range(len(days))}, {"day": pl.Date, "n": pl.Int64}
    )


def series(values) -> pl.DataFrame:
    kinds = {"of": pl.Date, "rate": pl.Int64, "note": pl.String}
    return pl.DataFrame([(on(d), *v) for d, v in values.items()], kinds, orient="row")


def made(frame: pl.DataFrame, published: pl.DataFrame, cfg: JoinPublished) -> pl.DataFrame:
    tables = (nw.from_native(frame.lazy()), nw.from_native(published.lazy()))
    return join_published(*tables, cfg).collect().to_native()


def slow(values, day, cfg, column):
    """The last value that was known, if it is not too old."""
    known = [d for d in sorted(values) if d + cfg.lag <= day and values[d][column] is not None]
    if not known or day - (known[-1] + cfg.lag) > cfg.largest_age:
        return None
    return values[known[-1]][column]


@given(DAYS, VALUES, st.integers(0, 3), st.integers(0, 6))
def test_values_are_those_of_the_definition(days, values, lag, age):
    """Each column by itself: a null is no value, the one before it goes on counting."""
    cfg = config(by=("n",), lag=lag, largest_age=age)
    frame, published = rows(days), series(values)
    found = made(frame, published, cfg)
    assert found.select("day", "n").equals(frame)
    assert found["rate"].to_list() == [slow(values, d, cfg, 0) for d in days]
    assert found["note"].to_list() == [slow(values, d, cfg, 1) for d in days]
    assert frame.equals(rows(days))


@given(st.sets(st.integers(0, 12)), VALUES, st.integers(0, 12))
def test_nothing_is_known_before_it_is_published(days, values, t):
    """What is said of the days up to t does not hang on what was published later."""
    cfg = config()
    early = {d: v for d, v in values.items() if d + cfg.lag <= t}
    told = made(rows(sorted(days)), series(values), cfg).filter(pl.col("day") <= on(t))
    assert made(rows(sorted(days)), series(early), cfg).filter(pl.col("day") <= on(t)).equals(told)


def test_rows_come_out_in_order():
    """By day, whatever the order in which they came."""
    found = made(rows([4, 1, 3]), series({0: (7, "a")}), config())
    assert found.rows() == [(on(1), 1, 7, "a"), (on(3), 2, 7, "a"), (on(4), 0, 7, "a")]


@pytest.mark.parametrize(
    ("change", "published", "fault", "words"),
    [
        ({"columns": ("rat",)}, series({}), DataContractError, "no column 'rat'; did you mean 'ra"),
        ({"columns": ("n",)}, series({}).rename({"rate": "n"}), ConfigError, "column 'n' exists"),
        ({"time": "n"}, series({}), DataContractError, "column 'n' is Int64, not a date"),
        (
            {},
            pl.concat([series({0: (1, "a")})] * 2),
            DataContractError,
            "second table: key (of=datetime.date(2024, 1, 1)) stands in 2 rows",
        ),
    ],
)
def test_what_does_not_fit_is_told(change, published, fault, words):
    """Columns, names, kinds, a day that stands twice."""
    with pytest.raises(fault, match=re.escape(words)):
        made(rows([1]), published, config(**change))


@pytest.mark.parametrize(
    ("change", "words"),
    [({"lag": -1}, "are days, at least 0"), ({"columns": ()}, "`columns` must name at least one")],
)
def test_wrong_settings_are_refused(change, words):
    """A negative lag would know the future."""
    with pytest.raises(ValueError, match=words):
        config(**change)
