"""One row for each group, against plain Python."""

from __future__ import annotations

from statistics import fmean, median

import narwhals as nw
import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st

from heddle.domain.errors import DataContractError
from heddle.transformations.aggregate import Aggregate, aggregate

KEY = st.none() | st.sampled_from(["a", "b"])
NUMBER = st.none() | st.integers(-50, 50).map(float)
ROWS = st.lists(st.tuples(KEY, st.integers(1, 2), NUMBER), max_size=10)
# renames in a circle: what is made is called like what it is made of
CFG = Aggregate(
    by={"cost": "shop", "year": "year"},
    rows="shop",
    sums={"total": "cost"},
    means={"mean": "cost"},
    medians={"middle": "cost"},
)


def made(rows, cfg=CFG):
    schema = {"shop": pl.String, "year": pl.Int64, "cost": pl.Float64}
    table = pl.LazyFrame(rows, schema=schema, orient="row")
    return aggregate(nw.from_native(table), cfg).collect().to_native()


@given(ROWS)
def test_groups_are_those_of_plain_python(rows):
    """Nulls make a group, and take no part in its figures; rows are sorted by the group."""
    found = made(rows)
    assert found.columns == ["cost", "year", "shop", "total", "mean", "middle"]
    assert found.schema["shop"] == pl.Int64
    groups: dict[tuple[str | None, int], list[float | None]] = {}
    for shop, year, cost in rows:
        groups.setdefault((shop, year), []).append(cost)
    wanted = {}
    for key, costs in groups.items():
        known = [c for c in costs if c is not None]
        figures = (fmean(known), median(known)) if known else (None, None)
        wanted[key] = (len(costs), sum(known), *(pytest.approx(f) for f in figures))
    assert {row[:2]: row[2:] for row in found.rows()} == wanted
    keys = [row[:2] for row in found.rows()]
    assert keys == sorted(keys, key=lambda k: (k[0] is not None, k[0] or "", k[1]))


def test_the_order_of_rows_does_not_matter():
    """The same table comes out."""
    rows = [("b", 1, 2.0), ("a", 1, None), ("b", 1, 4.0), ("a", 2, 1.0)]
    assert made(rows).equals(made(rows[::-1]))


@pytest.mark.parametrize(
    ("told", "words"),
    [
        ({"by": {}, "rows": "n"}, "give `by`, and `rows`, `sums`, `means` or `medians`"),
        ({"by": {"a": "shop"}}, "give `by`, and `rows`, `sums`, `means` or `medians`"),
        ({"by": {"a": "shop", "b": "shop"}, "rows": "n"}, "`by` names a column twice"),
        ({"by": {"a": "shop"}, "sums": {"a": "cost"}}, "column 'a' would be made twice"),
    ],
)
def test_a_configuration_that_means_nothing_is_refused(told, words):
    """Before a table is seen."""
    with pytest.raises(ValueError, match=words):
        Aggregate(**told)


def test_a_column_that_is_not_there_or_no_number_is_told():
    """With what there is."""
    for column, words in (("cots", "no column 'cots'; did you mean 'cost'"), ("shop", "not a num")):
        with pytest.raises(DataContractError, match=words):
            made([("a", 1, 1.0)], Aggregate(by={"year": "year"}, means={"m": column}))


@given(ROWS)
def test_duckdb_gives_the_same_groups(rows):
    """Nulls, empty tables and renames included."""
    duckdb = pytest.importorskip("duckdb", reason="duckdb is an extra that is not installed")
    schema = {"shop": pl.String, "year": pl.Int64, "cost": pl.Float64}
    sales = pl.DataFrame(rows, schema=schema, orient="row")  # duckdb finds it by this name
    found = aggregate(nw.from_native(duckdb.table("sales")), CFG).to_native().pl()
    del sales
    wanted = made(rows)
    keys = ["cost", "year"]
    assert found.schema == wanted.schema
    assert found.sort(keys).rows() == wanted.sort(keys).rows()
