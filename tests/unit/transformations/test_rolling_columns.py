"""What was on average, over some periods that are over."""

from __future__ import annotations

import narwhals as nw
import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st

from heddle.domain.errors import ConfigError, DataContractError
from heddle.transformations.rolling_columns import RollingColumns, rolling_columns

SCHEMA = {"shop": pl.Int64, "year": pl.Int64, "cost": pl.Float64, "cases": pl.Int64}
KEY = st.tuples(st.none() | st.integers(1, 2), st.integers(-2, 7))
VALUE = st.none() | st.integers(0, 9)
ROWS = st.dictionaries(KEY, st.tuples(VALUE, VALUE), max_size=16)
SHAPE = st.tuples(st.integers(1, 4), st.integers(1, 3), st.integers(1, 4))
ORDER = st.sampled_from(["calendar", "row"])


def config(**settings: object) -> RollingColumns:
    usual = {"columns": ("cost", "cases"), "by": ("shop",), "time": "year"}
    return RollingColumns(**{**usual, **settings})


def table(rows) -> pl.DataFrame:
    return pl.DataFrame([(*k, *v) for k, v in rows.items()], SCHEMA, orient="row", strict=False)


def made(frame: pl.DataFrame, cfg: RollingColumns) -> pl.DataFrame:
    return rolling_columns(nw.from_native(frame.lazy()), cfg).collect().to_native()


def slow(rows, cfg):
    """Row by row in order: the means of both columns over the window."""
    ordered = sorted(rows, key=lambda key: (key[0] is not None, key[0] or 0, key[1]))
    out = []
    for shop, year in ordered:
        series = [key for key in ordered if key[0] == shop]
        if cfg.order == "calendar":
            first = year - cfg.periods - cfg.window + 1
            seen = [key for key in series if first <= key[1] <= year - cfg.periods]
        else:
            end = series.index((shop, year)) - cfg.periods + 1
            seen = series[max(end - cfg.window, 0) : max(end, 0)]
        columns = zip(*(rows[key] for key in seen), strict=True) if seen else [(), ()]
        values = [[v for v in column if v is not None] for column in columns]
        means = [sum(v) / len(v) if len(v) >= cfg.min_periods else None for v in values]
        out.append((shop, year, *rows[shop, year], *means))
    return out


@given(ROWS, SHAPE, ORDER, st.randoms())
def test_means_are_those_of_the_definition(rows, shape, order, chance):
    """Sorted by series and time, whatever the order of the rows, which stay as they were."""
    window, periods, least = shape
    cfg = config(window=window, periods=periods, min_periods=min(least, window), order=order)
    frame = table(rows)
    found = made(frame, cfg)
    assert found.rows() == slow(rows, cfg)
    assert frame.equals(table(rows))
    pairs = list(rows.items())
    chance.shuffle(pairs)
    assert made(table(dict(pairs)), cfg).equals(found)


@given(ROWS, st.integers(-2, 7), ORDER, st.integers(1, 3))
def test_the_future_changes_nothing(rows, now, order, window):
    """Other values from `now` on, or no rows after it, leave the means up to `now` as they were."""
    cfg = config(order=order, window=window)
    upto = pl.col("year") <= now
    shown = ["shop", "year", f"cost_rolling{window}", f"cases_rolling{window}"]
    before = made(table(rows), cfg).filter(upto).select(shown)
    other = {k: (77, 88) if k[1] >= now else v for k, v in rows.items()}
    assert made(table(other), cfg).filter(upto).select(shown).equals(before)
    past = {k: v for k, v in rows.items() if k[1] <= now}
    assert made(table(past), cfg).select(shown).equals(before)


def test_two_rows_or_two_years():
    """2009, 2011, 2012: two years before 2012 are 2010 and 2011, two rows are 2009 and 2011."""
    frame = pl.DataFrame({"shop": 1, "year": [2012, 2011, 2009], "cost": [4, 3, 1]})
    cfg = {"columns": ("cost",)}
    assert made(frame, config(**cfg))["cost_rolling2"].to_list() == [None, 1.0, 3.0]
    by_row = made(frame, config(**cfg, order="row"))
    assert by_row["cost_rolling2"].to_list() == [None, 1.0, 2.0]
    full = made(frame, config(**cfg, order="row", min_periods=2, suffix="_mean{}"))
    assert full["cost_mean2"].to_list() == [None, None, 2.0]


def test_a_value_that_has_left_leaves_nothing_behind():
    """A sum that adds the new and takes away the old would keep the rounding of the large."""
    frame = pl.DataFrame({"shop": 1, "year": range(5), "cost": [1e17, 0.1, 0.2, 0.3, 0.4]})
    found = made(frame, config(columns=("cost",)))["cost_rolling2"].to_list()
    assert found[3:] == [(0.1 + 0.2) / 2, (0.2 + 0.3) / 2]


def test_a_table_without_rows_gets_the_columns():
    """Means are fractions, also of whole numbers."""
    found = made(table({}), config())
    new = {"cost_rolling2": pl.Float64, "cases_rolling2": pl.Float64}
    assert dict(found.schema) == {**SCHEMA, **new}


@pytest.mark.parametrize(
    ("settings", "words"),
    [
        ({"columns": ("csot",)}, "rolling_columns: input has no column 'csot'; did you mean"),
        ({"columns": ("name",)}, "column 'name' is String, not a number"),
        ({"time": "name"}, "column 'name' is String, not a whole number"),
        ({"by": ()}, r"key \(year=1\) stands in 2 rows"),
    ],
)
def test_what_does_not_fit_the_table_is_refused(settings, words):
    """By name, type and key."""
    frame = table({(1, 1): (1, 1), (2, 1): (1, 1)}).with_columns(name=pl.lit("a"))
    with pytest.raises(DataContractError, match=words):
        made(frame, config(**settings))


def test_a_name_that_is_taken_is_refused():
    """Rather than the column being lost."""
    with pytest.raises(ConfigError, match="rolling_columns: column 'cost' exists already"):
        made(table({}), config(suffix=""))


@pytest.mark.parametrize(
    ("settings", "words"),
    [
        ({"window": 0}, "`window` must be at least 1, not 0"),
        ({"periods": 0}, "`periods` must be at least 1, not 0"),
        ({"min_periods": 0}, "`min_periods` must be at least 1, not 0"),
        ({"min_periods": 3}, r"`min_periods` \(3\) is more than `window` \(2\)"),
        ({"columns": ()}, "`columns` must name at least one"),
    ],
)
def test_a_window_that_holds_nothing_or_the_present_is_refused(settings, words):
    """Before anything is read."""
    with pytest.raises(ValueError, match=words):
        config(**settings)
