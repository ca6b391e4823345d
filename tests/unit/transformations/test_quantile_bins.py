"""Groups in bins by size, against pandas."""

from __future__ import annotations

import narwhals as nw
import pandas as pd
import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st

from heddle.domain.errors import ConfigError, DataContractError
from heddle.transformations.quantile_bins import QuantileBins, quantile_bins

SCHEMA = {"year": pl.Int64, "shop": pl.Int64, "sum": pl.Int64}
ROWS = st.lists(
    st.tuples(st.integers(1, 2), st.none() | st.integers(0, 12), st.none() | st.integers(0, 30)),
    max_size=30,
)


def config(**settings: object) -> QuantileBins:
    usual = {"value": "sum", "total_by": ("year", "shop"), "within": ("year",), "new": "bin"}
    return QuantileBins(**{**usual, **settings})


def made(table: pl.DataFrame, cfg: QuantileBins) -> pl.DataFrame:
    return quantile_bins(nw.from_native(table.lazy()), cfg).collect().to_native()


def labelled_by_pandas(totals: list[int], bins: int) -> list[int]:
    if len(set(totals)) == 1:  # pandas has no bin for it
        return [0] * len(totals)
    labels = pd.qcut(pd.Series(totals), bins, labels=False, duplicates="drop")
    return [int(label) for label in labels]


def slow(rows, bins: int) -> list[int | None]:
    totals: dict[tuple[int, int], int] = {}
    for year, shop, value in rows:
        if shop is not None:
            totals[year, shop] = totals.get((year, shop), 0) + (value or 0)
    label: dict[tuple[int, int], int] = {}
    for year in {year for year, _ in totals}:
        keys = [key for key in totals if key[0] == year]
        found = labelled_by_pandas([totals[key] for key in keys], bins)
        label |= dict(zip(keys, found, strict=True))
    return [label.get((year, shop)) for year, shop, _ in rows]


@given(ROWS, st.integers(1, 7))
def test_labels_are_those_of_pandas(rows, bins):
    """Row by row in their order; the input stays as it was."""
    table = pl.DataFrame(rows, SCHEMA, orient="row")
    found = made(table, config(bins=bins))
    assert found["bin"].to_list() == slow(rows, bins)
    assert found.drop("bin").equals(table)
    assert found.schema["bin"] == pl.Int64


def test_edges_by_hand():
    """Of 1, 2, 3, 4, 100 in two bins the edge is 3, and 3 lies below it; ties share a bin."""
    table = pl.DataFrame({"year": 1, "shop": [5, 4, 3, 2, 1], "sum": [100, 4, 3, 2, 1]})
    assert made(table, config(bins=2))["bin"].to_list() == [1, 1, 0, 0, 0]
    ties = table.with_columns(sum=pl.Series([9, 1, 1, 1, 1]))
    assert made(ties, config(bins=5))["bin"].to_list() == [1, 0, 0, 0, 0]
    assert made(table.with_columns(sum=7), config())["bin"].to_list() == [0] * 5


def test_all_groups_may_be_one_pool():
    """`within=()` compares every group with every other."""
    table = pl.DataFrame({"year": [1, 2, 3], "shop": 1, "sum": [30, 10, 20]})
    assert made(table, config(within=(), bins=3))["bin"].to_list() == [2, 0, 1]
    assert made(table, config(bins=3))["bin"].to_list() == [0, 0, 0]


def test_what_does_not_fit_is_refused():
    """In the table and in the configuration."""
    table = pl.DataFrame(schema=SCHEMA)
    with pytest.raises(DataContractError, match="no column 'smu'; did you mean 'sum'"):
        made(table, config(value="smu"))
    with pytest.raises(DataContractError, match="column 'shop' is String, not a number"):
        made(table.with_columns(pl.col("shop").cast(pl.String)), config(value="shop"))
    with pytest.raises(ConfigError, match="quantile_bins: column 'year' exists already"):
        made(table, config(new="year"))
    with pytest.raises(ValueError, match="`within` names 'kind', which is not in `total_by`"):
        config(within=("kind",))
    with pytest.raises(ValueError, match="`bins` must be at least 1, not 0"):
        config(bins=0)
    with pytest.raises(ValueError, match="`total_by` must name"):
        config(total_by=(), within=())
