"""What was, some periods ago."""

from __future__ import annotations

import narwhals as nw
import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st

from heddle.domain.errors import ConfigError, DataContractError
from heddle.transformations.lag_columns import LagColumns, lag_columns

SCHEMA = {"shop": pl.Int64, "ware": pl.String, "year": pl.Int64, "cost": pl.Float64}
KEY = st.tuples(
    st.none() | st.integers(1, 2), st.none() | st.sampled_from("ab"), st.integers(-2, 6)
)
ROWS = st.dictionaries(KEY, st.none() | st.integers(0, 9).map(float), max_size=14)


def config(**settings: object) -> LagColumns:
    usual = {"columns": ("cost",), "by": ("shop", "ware"), "time": "year"}
    return LagColumns(**{**usual, **settings})


def table(rows) -> pl.DataFrame:
    return pl.DataFrame([(*k, v) for k, v in rows.items()], SCHEMA, orient="row")


def made(frame: pl.DataFrame, cfg: LagColumns) -> pl.DataFrame:
    return lag_columns(nw.from_native(frame.lazy()), cfg).collect().to_native()


def slow(rows, cfg):
    """Row by row in order: the value then, and the years since the row before."""
    ordered = sorted(
        rows, key=lambda k: (k[0] is not None, k[0] or 0, k[1] is not None, k[1] or "", k[2])
    )
    out = []
    for key in ordered:
        earlier = [k for k in ordered if k[:2] == key[:2] and k[2] < key[2]]
        if cfg.order == "calendar":
            then = rows.get((*key[:2], key[2] - cfg.periods))
        else:
            then = rows[earlier[-cfg.periods]] if len(earlier) >= cfg.periods else None
        out.append((*key, rows[key], then, key[2] - earlier[-1][2] if earlier else None))
    return out


@given(ROWS, st.integers(1, 3), st.sampled_from(["calendar", "row"]), st.randoms())
def test_values_are_those_of_the_definition(rows, periods, order, chance):
    """Sorted by series and time, whatever the order of the rows, which stay as they were."""
    cfg = config(periods=periods, order=order, since="since")
    frame = table(rows)
    found = made(frame, cfg)
    assert found.rows() == slow(rows, cfg)
    assert frame.equals(table(rows))
    pairs = list(rows.items())
    chance.shuffle(pairs)
    assert made(table(dict(pairs)), cfg).equals(found)


@given(ROWS, st.integers(-2, 6), st.sampled_from(["calendar", "row"]), st.integers(1, 2))
def test_the_future_changes_nothing(rows, now, order, periods):
    """Other values from `now` on, or no rows after it, leave the lags up to `now` as they were."""
    cfg = config(order=order, since="since", periods=periods)
    upto = pl.col("year") <= now
    shown = ["shop", "ware", "year", f"cost_lag{periods}", "since"]
    before = made(table(rows), cfg).filter(upto).select(shown)
    other = {k: 77.0 if k[2] >= now else v for k, v in rows.items()}
    assert made(table(other), cfg).filter(upto).select(shown).equals(before)
    past = {k: v for k, v in rows.items() if k[2] <= now}
    assert made(table(past), cfg).select(shown).equals(before)


def test_a_hole_is_a_hole_by_calendar_and_unseen_by_row():
    """2009 is not the year before 2011, though it is the row before."""
    frame = pl.DataFrame(
        {"shop": 1, "year": [2011, 2009, 2012], "cost": [3, 1, 4], "ok": [0, 1, 1]}
    )
    frame = frame.with_columns(pl.col("ok") == 1, name=pl.format("in {}", "year"))
    cfg = config(by=("shop",), columns=("cost", "name", "ok"), since="years")
    found = made(frame, cfg)
    assert found["year"].to_list() == [2009, 2011, 2012]
    assert found["cost_lag1"].to_list() == [None, None, 3]
    assert found["name_lag1"].to_list() == [None, None, "in 2011"]
    assert found["ok_lag1"].to_list() == [None, None, False]
    assert found["years"].to_list() == [None, 2, 1]
    row = made(frame, config(by=("shop",), order="row"))
    assert row["cost_lag1"].to_list() == [None, 1, 3]


def test_one_series_needs_no_key():
    """And a far look back finds nothing at the start; unsigned years are years."""
    frame = pl.DataFrame({"year": [3, 1, 2], "cost": [30, 10, 20]})
    frame = frame.with_columns(pl.col("year").cast(pl.UInt8))
    found = made(frame, config(by=(), periods=2, suffix="_{}_ago"))
    assert found["cost_2_ago"].to_list() == [None, None, 10]
    assert made(frame, config(by=(), periods=10**12))[:, -1].to_list() == [None] * 3


@pytest.mark.parametrize("order", ["calendar", "row"])
def test_a_table_without_rows_gets_the_columns(order):
    """With the types that they would have."""
    found = made(table({}), config(columns=("cost", "ware"), order=order, since="years"))
    new = {"cost_lag1": pl.Float64, "ware_lag1": pl.String, "years": pl.Int64}
    assert dict(found.schema) == {**SCHEMA, **new}


@pytest.mark.parametrize("order", ["calendar", "row"])
def test_a_key_that_stands_twice_is_named(order):
    """The first such key, how often it stands, and what to do."""
    frame = pl.concat([table({(1, "a", 5): 1.0, (2, None, 4): 2.0, (2, "b", 4): 2.0})] * 3)
    words = r"lag_columns: key \(shop=1, ware='a', year=5\) stands in 3 rows\. Aggregate or drop"
    with pytest.raises(DataContractError, match=words):
        made(frame, config(order=order))
    words = r"key \(shop=2, ware=None, year=4\) stands in 3 rows"
    with pytest.raises(DataContractError, match=words):
        made(frame.filter(shop=2), config(order=order))
    with pytest.raises(DataContractError, match=r"key \(year=4\) stands in 6 rows"):
        made(frame, config(order=order, by=()))


@pytest.mark.parametrize(
    ("settings", "words"),
    [
        ({"columns": ("csot",)}, "lag_columns: input has no column 'csot'; did you mean 'cost'"),
        ({"by": ("shp",)}, "input has no column 'shp'; did you mean 'shop'"),
        ({"time": "cost"}, "column 'cost' is Float64, not a whole number"),
    ],
)
def test_what_does_not_fit_the_table_is_refused(settings, words):
    """By name and type."""
    with pytest.raises(DataContractError, match=words):
        made(table({}), config(**settings))


def test_a_row_without_a_time_is_refused():
    """It has no place in its series."""
    frame = table({(1, "a", 5): 1.0}).with_columns(year=pl.lit(None, pl.Int64))
    words = r"column 'year' is null in 1 row\. Drop the rows without a time, or give them one"
    with pytest.raises(DataContractError, match=words):
        made(frame, config())


@pytest.mark.parametrize(
    "settings",
    [{"suffix": ""}, {"since": "ware"}, {"since": "cost_lag1"}, {"columns": ("cost",) * 2}],
)
def test_a_name_that_is_taken_is_refused(settings):
    """By the table, or by another new column."""
    with pytest.raises(ConfigError, match=r"lag_columns: column '\w+' exists already"):
        made(table({}), config(**settings))


def test_the_present_cannot_be_asked_for():
    """Nor can nothing."""
    with pytest.raises(ValueError, match="`periods` must be at least 1, not 0"):
        config(periods=0)
    with pytest.raises(ValueError, match="`columns` must name at least one"):
        config(columns=())
