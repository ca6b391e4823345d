"""How many kinds here, how many anywhere."""

from __future__ import annotations

import narwhals as nw
import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st

from heddle.domain.errors import ConfigError, DataContractError
from heddle.transformations.distinct_ratio import DistinctRatio, distinct_ratio

SCHEMA = {"year": pl.Int64, "shop": pl.String, "ware": pl.Int64}
ROWS = st.lists(
    st.tuples(
        st.none() | st.integers(1, 2),
        st.none() | st.sampled_from("ab"),
        st.none() | st.integers(0, 3),
    ),
    max_size=12,
)
CFG = DistinctRatio(
    count="ware",
    within=("year", "shop"),
    against=("year",),
    within_count="here",
    against_count="anywhere",
    ratio="share",
)


def made(table: pl.DataFrame, cfg: DistinctRatio = CFG) -> pl.DataFrame:
    return distinct_ratio(nw.from_native(table.lazy()), cfg).collect().to_native()


def slow(rows):
    out = []
    for year, shop, _ in rows:
        here = {w for y, s, w in rows if (y, s) == (year, shop) and w is not None}
        anywhere = {w for y, _, w in rows if y == year and w is not None}
        inner = None if year is None or shop is None else len(here)
        outer = None if year is None else len(anywhere)
        out.append((inner, outer, inner / outer if inner is not None and outer else None))
    return out


@given(ROWS)
def test_counts_are_those_of_plain_python(rows):
    """Row by row in their order; nulls are not counted, and a null key has no group."""
    table = pl.DataFrame(rows, SCHEMA, orient="row")
    found = made(table)
    assert found.select("here", "anywhere", "share").rows() == slow(rows)
    assert found.select(table.columns).equals(table)
    assert dict(found.schema) == {
        **SCHEMA,
        "here": pl.Int64,
        "anywhere": pl.Int64,
        "share": pl.Float64,
    }


def test_a_key_may_be_what_is_counted():
    """Each shop is one of the shops of its year."""
    table = pl.DataFrame({"year": [1, 1, 2], "shop": ["a", "b", "a"], "ware": [1, 1, 1]})
    cfg = DistinctRatio(
        count="shop",
        within=("shop",),
        against=("year",),
        within_count="here",
        against_count="anywhere",
        ratio="share",
    )
    assert made(table, cfg)["share"].to_list() == [0.5, 0.5, 1.0]


def test_unknown_and_taken_columns_are_refused():
    """By name."""
    with pytest.raises(DataContractError, match="distinct_ratio: input has no column 'ware'"):
        made(pl.DataFrame({"year": [1], "shop": [1]}))
    with pytest.raises(ConfigError, match=r"column 'share' exists already\. Give the new one"):
        made(pl.DataFrame({"year": [1], "shop": ["a"], "ware": [1], "share": [1]}))
    with pytest.raises(ValueError, match="must each name at least one column"):
        DistinctRatio(
            count="a", within=(), against=("b",), within_count="c", against_count="d", ratio="e"
        )
