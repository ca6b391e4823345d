"""What features of a price history promise."""

from __future__ import annotations

import numpy as np
import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from heddle.domain.errors import ConfigError, DataContractError
from heddle.domain.typed import build
from heddle.features.price_history import PriceHistory, price_features, price_features_at_end

SEEDS = st.integers(0, 2**32 - 1)
STILL = st.sampled_from([0.0, 0.3, 0.9, 1.0])
PRICES = ["open", "high", "low", "close", "index"]


def bits(frame: pl.DataFrame) -> np.ndarray:
    """Return the features of each row as the bits that hold them; a null has bits of its own."""
    features = frame.select(pl.col(pl.Float64)).to_numpy()
    return np.ascontiguousarray(features).view(np.int64)


def same(one: pl.DataFrame, other: pl.DataFrame) -> bool:
    return one.columns == other.columns and np.array_equal(bits(one), bits(other))


@settings(max_examples=60)
@given(SEEDS, STILL, st.tuples(st.integers(1, 60), st.integers(0, 60)))
def test_a_prefix_gives_what_the_whole_gives_there(path, small, seed, still, rows):
    """However much history follows: bit for bit."""
    history = path(small.lookback + sum(rows), seed, still=still)
    early = history.head(small.lookback + rows[0])
    whole = price_features(history, small)
    assert same(price_features(early, small), whole.head(early.height))


@settings(max_examples=60)
@given(SEEDS, STILL, st.integers(0, 40))
def test_nothing_after_a_row_changes_it(path, small, seed, still, after):
    """Rows after t are replaced by those of another history; what stands at t stays to the bit."""
    rows = small.lookback + 41
    history, other = path(rows, seed, still=still), path(rows, seed + 1)
    kept = history.head(rows - after)
    changed = pl.concat([kept, other.tail(after).with_columns(pl.col(PRICES) * 3)])
    before, now = price_features(history, small), price_features(changed, small)
    assert same(before.head(kept.height), now.head(kept.height))


@settings(max_examples=60)
@given(SEEDS, STILL, st.integers(0, 100))
def test_the_last_rows_give_what_a_batch_gives(path, small, seed, still, more):
    """`lookback + 1` rows are enough for today, and older rows change nothing."""
    history = path(small.lookback + 1 + more, seed, still=still)
    batch = price_features(history, small).tail(1)
    assert same(price_features(history.tail(small.lookback + 1), small).tail(1), batch)
    assert same(price_features_at_end(history, small), batch)


@settings(max_examples=60)
@given(SEEDS, STILL)
def test_null_is_what_is_not_known_yet_and_nothing_else(path, small, seed, still):
    """Each feature begins where its window is full; after `lookback` rows all are known."""
    made = price_features(path(small.lookback + 20, seed, still=still), small)
    for formula in small.formulas():
        known = made[formula.name].is_not_null()
        assert known.arg_max() == formula.lookback, formula.name
        assert known[formula.lookback :].all(), formula.name
        assert made[formula.name].is_finite().all(), formula.name
    assert made.drop_nulls().height == 20


@settings(max_examples=40)
@given(SEEDS, st.randoms(use_true_random=False))
def test_series_of_a_panel_do_not_see_each_other(path, small, seed, chance):
    """However their rows are mixed, and also one that is too young for any window."""
    panel = PriceHistory(**{**build_fields(small), "by": "ticker"})
    lengths = {"a": small.lookback + 1, "b": small.lookback + 15, "c": 4}
    series = {
        name: path(rows, seed + i).select(pl.lit(name).alias("ticker"), pl.all())
        for i, (name, rows) in enumerate(lengths.items())
    }
    order = [name for name, rows in lengths.items() for _ in range(rows)]
    chance.shuffle(order)
    turns = {name: iter(frame.rows()) for name, frame in series.items()}
    mixed = pl.DataFrame([next(turns[n]) for n in order], series["a"].schema, orient="row")
    made = price_features(mixed, panel)
    assert made.select("ticker", "session").equals(mixed.select("ticker", "session"))
    for name in ("a", "b"):
        alone = price_features(series[name], small)
        assert same(made.filter(ticker=name).drop("ticker"), alone)
        end = price_features_at_end(mixed, panel).filter(ticker=name).drop("ticker")
        assert same(end, alone.tail(1))
    young = made.filter(ticker="c")
    assert young["range_to_close"].null_count() == 0
    assert young["rsi_2"].null_count() == 4


def build_fields(spec: PriceHistory) -> dict[str, object]:
    return {name: getattr(spec, name) for name in spec.__dataclass_fields__}


@settings(max_examples=40)
@given(SEEDS, STILL, st.integers(-8, 8))
def test_no_feature_is_a_price_level(path, small, seed, still, power):
    """All prices times a power of two: the same features, bit for bit."""
    history = path(small.lookback + 20, seed, still=still)
    scaled = history.with_columns(pl.col(PRICES) * 2.0**power)
    assert same(price_features(history, small), price_features(scaled, small))


def test_the_promises_hold_for_what_is_computed_unless_told_otherwise(path):
    """The default: 66 names, 173 rows back; prefix, tail and scale once each."""
    spec = PriceHistory()
    history = path(600)
    made = price_features(history, spec)
    assert made.columns == ["session", *spec.names]
    assert len(set(spec.names)) == 66
    assert spec.lookback == 173
    assert made.drop_nulls().height == 600 - 173
    assert same(price_features(history.head(301), spec), made.head(301))
    assert same(price_features_at_end(history, spec), made.tail(1))
    doubled = history.with_columns(pl.col(PRICES) * 2)
    assert same(price_features(doubled, spec), made)
    assert price_features(history, spec).equals(made), "the input stays as it is"


@pytest.mark.parametrize("zone", [None, "America/New_York", "Asia/Tokyo"])
def test_times_of_day_have_the_calendar_of_their_own_clock(path, small, zone):
    """A session stamped at half past eight in the evening is on the same day as the date."""
    history = path(60)
    evening = pl.col("session").cast(pl.Datetime("us")) + pl.duration(hours=20, minutes=30)
    stamped = history.with_columns(evening.dt.replace_time_zone(zone))
    assert same(price_features(history, small), price_features(stamped, small))


def test_numbers_will_do_for_times_where_no_calendar_is_asked_for(path, small):
    """And names of columns are free, other columns may be missing for a while."""
    other = {"time": "t", "close": "last", "calendar": False}
    spec = build(PriceHistory, {**build_fields(small), **other}, where="history")
    history = path(60).rename({"close": "last"}).with_row_index("t")
    made = price_features(history, spec)
    kept = made.columns[1:]
    assert same(made.select(kept), price_features(path(60), small).select(kept))
    late = history.with_columns(rate=pl.when(pl.col("t") >= 30).then("rate"))
    assert price_features(late, spec)["rate_change_4_lag_1"].null_count() == 30 + 4 + 1
    with pytest.raises(ConfigError) as told:
        price_features(history, build(PriceHistory, {"time": "t", "close": "last"}, where="h"))
    assert str(told.value) == (
        "price history: the calendar needs dates; 't' is UInt32. "
        "Set calendar to false, or make the column a date."
    )


FAULTS = {
    "close is null in the row of session=2003-08-27; it must be finite and above zero": (
        pl.when(pl.col("row") != 2).then("close").alias("close")
    ),
    "close is nan in the row of session=2003-08-27; it must be finite and above zero": (
        pl.when(pl.col("row") == 2).then(float("nan")).otherwise("close").alias("close")
    ),
    "low is 0.0 in the row of session=2003-08-26, and so 2 more; it must be finite and above zero": (  # noqa: E501
        pl.when(pl.col("row").is_in([1, 5, 9])).then(0.0).otherwise("low").alias("low")
    ),
    "open is -1.0 in the row of session=2003-08-25; it must be finite and above zero": (
        pl.when(pl.col("row") == 0).then(-1.0).otherwise("open").alias("open")
    ),
    "high is inf in the row of session=2003-08-25; it must be finite and above zero": (
        pl.when(pl.col("row") == 0).then(float("inf")).otherwise("high").alias("high")
    ),
    "volume is null in the row of session=2003-08-27; it must be finite and not negative": (
        pl.when(pl.col("row") != 2).then("volume").alias("volume")
    ),
    "rate is inf in the row of session=2003-08-25; it must be finite": (
        pl.when(pl.col("row") == 0).then(float("inf")).otherwise("rate").alias("rate")
    ),
    "index is 0.0 in the row of session=2003-08-25; it must be finite and above zero": (
        pl.when(pl.col("row") == 0).then(0.0).otherwise("index").alias("index")
    ),
}


@pytest.mark.parametrize("said", FAULTS)
def test_a_value_that_is_no_price_is_refused_and_its_row_named(path, small, said):
    """Nothing is filled and nothing left out."""
    wrong = path(60).with_row_index("row").with_columns(FAULTS[said])
    with pytest.raises(DataContractError) as told:
        price_features(wrong, small)
    todo = "Drop or mend these rows in the source: nothing is filled here."
    assert str(told.value) == f"price history: {said}. {todo}"


def test_times_must_rise_in_each_series(path, small):
    """Repeated, unsorted, unknown, of a kind that has no order: each is said in its own words."""
    history = path(60)
    twice = pl.concat([history.head(5), history.tail(-4)])
    swapped = pl.concat([history[:5], history[6:7], history[5:6], history[7:]])
    gone = history.with_columns(
        session=pl.when(pl.col("session") > history["session"][1]).then("session")
    )
    text = history.with_columns(pl.col("session").cast(pl.String))
    said = {
        "session=2003-08-29 stands twice. Drop one of the rows.": twice,
        "session=2003-09-01 comes after 2003-09-02. Sort the rows by session.": swapped,
        "column 'session' is null in 2 rows": gone,
    }
    for words, wrong in said.items():
        with pytest.raises(DataContractError) as told:
            price_features(wrong, small)
        assert str(told.value) == f"price history: {words}"
    panel = PriceHistory(**{**build_fields(small), "by": "ticker"})
    both = pl.concat([history, twice]).with_columns(
        ticker=pl.Series(["a"] * history.height + ["b"] * twice.height)
    )
    with pytest.raises(
        DataContractError, match=r"ticker=b, session=2003-08-29 stands twice\. Drop"
    ):
        price_features(both, panel)
    plain = PriceHistory(calendar=False)
    with pytest.raises(
        DataContractError, match="must be dates, times or whole numbers, not String"
    ):
        price_features(text, plain)


def test_too_little_history_is_refused_with_what_it_takes(path, small):
    """For a table, and for a panel whose longest series is too short."""
    history = path(173)
    with pytest.raises(DataContractError) as told:
        price_features(history, PriceHistory())
    assert str(told.value) == (
        "price history: macd_signal_12_26_9 needs 174 rows; the history has 173. "
        "Fetch a longer history, or look less far back."
    )
    two = pl.concat([history.with_columns(ticker=pl.lit(name)) for name in ("a", "b")])
    for compute in (price_features, price_features_at_end):
        with pytest.raises(DataContractError, match="needs 174 rows; the longest series has 173"):
            compute(two, PriceHistory(by="ticker"))
    with pytest.raises(DataContractError, match="needs 174 rows; the history has 0"):
        price_features(history.clear(), PriceHistory())


def test_a_column_that_is_missing_or_no_number_is_named(path, small):
    """With the one that may have been meant."""
    with pytest.raises(DataContractError) as told:
        price_features_at_end(path(60).rename({"close": "Close"}), small)
    assert str(told.value).startswith("price history: no column 'close'; did you mean 'Close'?")
    with pytest.raises(DataContractError, match="column 'close' must be numbers, not String"):
        price_features(path(60).with_columns(pl.col("close").cast(pl.String)), small)


@pytest.mark.parametrize(
    ("fields", "said"),
    [
        ({"windows": [5, 2]}, "windows >= 3 must hold, but got 2"),
        ({"lags": [0]}, "lags >= 1 must hold, but got 0"),
        ({"rsi": 0}, "rsi >= 1 must hold, but got 0"),
        ({"macd": [26, 12, 9]}, "macd is (fast, slow, signal) with fast < slow, not (26, 12, 9)"),
        ({"spans": [5, 5]}, "named twice: log_return_5, return_5"),
        ({"others": ["close"]}, "named twice: close"),
        ({"others": ["return"]}, "named twice: return_lag_1"),
    ],
)
def test_a_specification_that_cannot_be_is_refused(fields, said):
    """As read from a configuration."""
    with pytest.raises(ConfigError) as told:
        build(PriceHistory, fields, where="features.history")
    assert str(told.value) == f"features.history: {said}"
