"""Which values carry weight enough."""

from __future__ import annotations

from collections import defaultdict

import narwhals as nw
import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st

from heddle.domain.errors import ConfigError, DataContractError
from heddle.transformations.frequent_values import FrequentValues, frequent_values

SCHEMA = {"ware": pl.String, "year": pl.Int64, "cases": pl.Int64}
ROWS = st.lists(
    st.tuples(
        st.none() | st.sampled_from(["a", "b", "c"]),
        st.none() | st.integers(2009, 2012),
        st.none() | st.integers(0, 4),
    ),
    max_size=14,
)


def made(table: pl.DataFrame, **settings: object) -> pl.DataFrame:
    cfg = FrequentValues(**{"column": "ware", "weight": "cases", "more_than": 5, **settings})
    return frequent_values(nw.from_native(table.lazy()), cfg).collect().to_native()


@given(ROWS, st.integers(0, 8), st.none() | st.integers(2009, 2012), st.randoms())
def test_totals_are_those_of_plain_python(rows, more_than, until, chance):
    """Sorted by value; nulls are no values; rows after `until`, or of no time, do not count."""
    totals: dict[str, int] = defaultdict(int)
    for ware, year, cases in rows:
        if ware is not None and (until is None or (year is not None and year <= until)):
            totals[ware] += cases or 0
    wanted = [(w, n) for w, n in sorted(totals.items()) if n > more_than]
    timed = {"time": "year", "until": until} if until else {}
    for _ in range(2):
        found = made(pl.DataFrame(rows, SCHEMA, orient="row"), more_than=more_than, **timed)
        assert found.rows() == wanted
        assert found.schema == {"ware": pl.String, "total": pl.Int64}
        chance.shuffle(rows)


def test_a_total_that_equals_the_threshold_is_too_small():
    """5,000 of "more than 5,000" is dropped, 5,001 is kept; fractions stay fractions."""
    table = pl.DataFrame({"ware": [7, 8, 7], "cases": [2500, 5001, 2500]})
    assert made(table, more_than=5000).rows() == [(8, 5001)]
    halves = table.with_columns(pl.col("cases") / 2)
    assert made(halves, more_than=2500).rows() == [(8, 2500.5)]


def test_a_narrow_weight_does_not_overflow():
    """Sums are wider than what is summed."""
    table = pl.DataFrame({"ware": ["a"] * 3}).with_columns(cases=pl.lit(120, pl.Int8))
    assert made(table).rows() == [("a", 360)]


@pytest.mark.parametrize(
    ("settings", "words"),
    [
        ({"column": "waer"}, "frequent_values: input has no column 'waer'; did you mean 'ware'"),
        ({"time": "yaer", "until": 1}, "input has no column 'yaer'; did you mean 'year'"),
        ({"weight": "ware"}, "column 'ware' is String, not a number"),
    ],
)
def test_what_does_not_fit_the_table_is_refused(settings, words):
    """By name."""
    with pytest.raises(DataContractError, match=words):
        made(pl.DataFrame(schema=SCHEMA), **settings)


def test_the_name_total_must_be_free():
    """A column `total` would stand beside its own total."""
    with pytest.raises(ConfigError, match="column 'total' exists already"):
        made(pl.DataFrame({"total": [1], "cases": [1]}), column="total")


@pytest.mark.parametrize("settings", [{"time": "year"}, {"until": 2012}])
def test_half_a_limit_in_time_is_refused(settings):
    """A limit needs a column, and a column a limit."""
    with pytest.raises(ValueError, match="`time` and `until` go together"):
        made(pl.DataFrame(schema=SCHEMA), **settings)
