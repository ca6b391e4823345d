"""Features of the whole history, joined to the rows of their moment."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import polars as pl
import pytest

from heddle.domain.errors import ConfigError, DataContractError, IntegrityError
from heddle.features.price_history import PriceHistory, price_features
from heddle.infrastructure.memory import MemoryTables
from heddle.models.features import Features, read_features
from heddle.training.computed import with_features
from heddle.training.dataset import read_dataset

SPEC = PriceHistory(lags=(1, 2), spans=(1,), windows=(5,), ewm=(3,), macd=(2, 4, 2), settle=2)
SPEC = replace(SPEC, rsi=3, atr=3, bollinger=5)
WARM = SPEC.lookback


@pytest.fixture
def asked():
    return Features(numeric=SPEC.names, history=SPEC)


@pytest.fixture
def rows(prices):
    """Sessions with a full window, in any order."""
    made = prices.slice(WARM).select("session", target=pl.col("close").log())
    return made.sample(fraction=1.0, shuffle=True, seed=1)


def test_rows_get_the_features_of_their_moment_from_the_whole_history(prices, rows, asked):
    """Bit for bit those of the full computation, also when the rows begin late."""
    joined = with_features(rows, prices, asked)
    assert joined.select(rows.columns).equals(rows)
    late = rows.filter(pl.col("session") > prices["session"][100])
    assert with_features(late, prices, asked).equals(joined.join(late, on="session", how="semi"))
    whole = price_features(prices, SPEC)
    wanted = rows.select("session").join(whole, on="session", how="left", maintain_order="left")
    assert joined.select("session", *SPEC.names).equals(wanted)


def test_what_comes_later_changes_no_feature(prices, rows, asked):
    """The history is cut behind a row, and the row stays what it was."""
    day = prices["session"][90]
    early = rows.filter(pl.col("session") <= day)
    cut = with_features(early, prices.filter(pl.col("session") <= day), asked)
    assert cut.equals(with_features(early, prices, asked))


def test_each_series_of_a_panel_has_a_past_of_its_own(prices):
    """The second ticker begins later, and its first rows are not those of the first."""
    two = pl.concat(
        [prices.with_columns(who=pl.lit("a")), prices.slice(40).with_columns(who=pl.lit("b"))]
    )
    spec = replace(SPEC, by="who")
    some = Features(numeric=spec.names, history=spec)
    rows = two.filter(pl.int_range(pl.len()).over("who") >= WARM).select("who", "session")
    joined = with_features(rows, two, some)
    alone = with_features(
        rows.filter(pl.col("who") == "b").select("session"),
        prices.slice(40),
        replace(some, history=SPEC),
    )
    assert joined.filter(pl.col("who") == "b").drop("who").equals(alone)
    with pytest.raises(DataContractError, match=rf"^2020-02-19: 3 of .*has {WARM - 3} before it"):
        with_features(two.slice(prices.height + WARM - 3).select("who", "session"), two, some)


def test_rows_without_a_full_window_are_counted_and_refused(prices, asked):
    with pytest.raises(
        DataContractError,
        match=rf"^2020-01-06: {WARM - 3} of 117 rows have features that are not all known: a "
        rf"window looks back {WARM} rows, and the first row has 3 before it. Raise warm_up .* to "
        rf"{WARM}.",
    ):
        with_features(prices.slice(3).select("session"), prices, asked)


def test_a_gap_behind_the_warm_up_is_another_matter(prices):
    """A column that begins late, or has a hole."""
    spec = replace(SPEC, others=("rate",))
    hole = prices.with_columns(rate=pl.when(pl.int_range(pl.len()) != 60).then(1.5))
    some = Features(numeric=spec.names, history=spec)
    rows = prices.slice(WARM).select("session")
    with pytest.raises(
        DataContractError,
        match=r"rows have features that are not all known, though their windows are full: rate_\w+ "
        r"is missing first. Mend the history, or exclude the feature.",
    ):
        with_features(rows, hole, some)
    kept = replace(some, numeric=SPEC.names)
    assert with_features(rows, hole, kept).height == rows.height


@pytest.mark.parametrize(
    ("change", "refused"),
    [
        (
            lambda r: r.with_columns(pl.col("session").dt.offset_by("1y")),
            (
                IntegrityError,
                r"session: \d+ of \d+ rows are not in the history 'v1'. Run the stage that makes",
            ),
        ),
        (
            lambda r: r.with_columns(pl.col("session").cast(pl.String)),
            (DataContractError, r"session: is String in the rows and Date in the history"),
        ),
        (
            lambda r: r.rename({"session": "sesion"}),
            (ConfigError, r"the rows: no column 'session'; did you mean 'sesion'"),
        ),
        (
            lambda r: r.with_columns(rsi_3=1.0),
            (
                ConfigError,
                r"the rows have a column 'rsi_3', which the history gives, too. Exclude it",
            ),
        ),
    ],
)
def test_rows_that_do_not_go_with_the_history_are_refused(prices, rows, asked, change, refused):
    kind, words = refused
    with pytest.raises(kind, match=words):
        with_features(change(rows), prices, asked)


def test_the_history_is_a_third_version_that_the_stage_reads(prices, rows, walked):
    """Not read, not found: the stage would not be run again when the history changes."""
    tables = MemoryTables()
    for name, frame in (("v1", prices), ("v2", rows), ("split", walked(rows))):
        tables.write(name, frame, {})
    told = {"numeric": "__AUTO__", "history": {"lags": [1, 2], "windows": [5, 10]}}
    some = read_features(told, where="features")
    asked = {"target": "target", "row_key": "session", "features": some}
    with pytest.raises(
        ConfigError,
        match=r"features.history.reads: the history is 'v1', which this stage does not read",
    ):
        read_dataset(tables, {"v2": "v2", "split": "split"}, **asked)


def test_a_data_set_on_a_history_holds_what_each_fold_slices(prices, rows, walked, asked):
    """Same numbers in the same order, whatever the order of rows; targets keep their distance."""
    tables = MemoryTables()
    for name, frame in (("v1", prices), ("v2", rows), ("split", walked(rows))):
        tables.write(name, frame, {})
    reads = {name: name for name in ("v2", "split", "models/x.json", "v1")}
    data = read_dataset(
        tables, reads, target="target", row_key="session", features=asked, horizon=4
    )
    assert data.features is asked
    assert data.train.columns.tolist() == list(SPEC.names)
    whole = price_features(prices, SPEC)
    wanted = data.keys.join(whole, on="session", how="left", maintain_order="left")
    np.testing.assert_array_equal(
        data.train.to_numpy(), wanted.select(SPEC.names).to_numpy(), strict=True
    )
    place = data.keys["session"].to_numpy()
    for train, valid in data.folds:
        assert (place[valid].min() - place[train].max()).astype(int) > 4
    with pytest.raises(DataContractError, match="Set purge to 5 or more"):
        read_dataset(tables, reads, target="target", row_key="session", features=asked, horizon=5)


def test_all_numbers_of_a_table_are_its_columns_but_target_and_key(rows, prices, walked):
    """Where no history is named, `__AUTO__` means what the rows have."""
    table = prices.slice(WARM).with_columns(target=pl.col("close").log(), word=pl.lit("x"))
    tables = MemoryTables()
    tables.write("v2", table, {})
    tables.write("split", walked(rows), {})
    some = read_features({"numeric": "__AUTO__", "exclude": ["volume"]}, where="features")
    data = read_dataset(
        tables,
        {"v2": "v2", "split": "split"},
        target="target",
        row_key="session",
        features=some,
    )
    assert data.features is not None
    assert data.features.numeric == ("open", "high", "low", "close")
