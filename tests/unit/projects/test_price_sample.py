"""The made-up prices look like prices, keep the calendar, and foretell nothing unless asked to."""

import sys
from datetime import date
from pathlib import Path

import numpy as np
import polars as pl
import pytest

from heddle.domain.errors import ConfigError
from heddle.frames.sessions import half_days, sessions

pytest.importorskip("exchange_calendars", reason="the extra `calendars` is not installed")

STOCKS = Path(__file__).parents[3] / "projects" / "stocks"
LAST = date(2025, 12, 31)


@pytest.fixture(scope="module")
def sample():
    from heddle.pipeline.catalog import Catalog

    before = list(sys.path)
    yield Catalog(STOCKS).step("price_sample").function
    sys.path[:] = before


@pytest.fixture(scope="module")
def rows(sample):
    return sample(2520, 42)


def moves(frame: pl.DataFrame, name: str, ahead: int = 1) -> pl.Series:
    """Log change from each row to the one `ahead` later."""
    return (frame[name].shift(-ahead) / frame[name]).log().head(frame.height - ahead)


def test_the_same_arguments_give_the_same_rows(sample, rows):
    """Another seed gives others."""
    assert sample(2520, 42).equals(rows)
    assert not sample(2520, 43)["close"].equals(rows["close"])


@pytest.mark.parametrize("count", [1, 2, 70, 400, 9000])
def test_fewer_rows_are_the_last_rows_of_more(sample, count):
    """To the last digit: adjusted prices are counted back from the last session."""
    for signal in (0.0, 0.2):
        assert sample(count, 3, signal).equals(sample(9001, 3, signal).tail(count))


def test_the_sessions_are_those_of_the_exchange(rows):
    """Ten years up to the end of 2025, no holiday among them, none left out."""
    assert rows["session"].to_list() == sessions("XNYS", rows["session"][0], LAST)
    assert rows.height == 2520
    assert rows["session"][-1] == LAST


@pytest.mark.parametrize("seed", range(4))
def test_each_row_is_a_possible_day(sample, seed):
    """The low is lowest, the high highest, prices are cents above nothing, something is traded."""
    frame = sample(6000, seed)
    assert (frame["low"] <= frame.select(pl.min_horizontal("open", "close")).to_series()).all()
    assert (frame["high"] >= frame.select(pl.max_horizontal("open", "close")).to_series()).all()
    prices = frame.select("open", "high", "low", "close").to_numpy()
    assert prices.min() > 1
    assert np.abs(prices * 100 - np.round(prices * 100)).max() < 1e-6
    assert frame["volume"].min() > 0
    assert frame.null_count().sum_horizontal().item() == 0


def test_half_days_are_quiet(rows):
    """Less than two thirds of the trade of other days."""
    early = half_days("XNYS", rows["session"][0], LAST)
    plain = rows["volume"] * rows["adj_close"] / rows["close"]
    short = rows["session"].is_in(early)
    assert 20 < short.sum() < 35
    assert plain.filter(short).median() < 0.66 * plain.filter(~short).median()


def test_at_a_split_the_price_as_traded_falls_and_the_adjusted_one_does_not(rows):
    """Four for one, a year before the end; four times as many shares change hands then."""
    traded, adjusted = moves(rows, "close"), moves(rows, "adj_close")
    assert (traded.abs() > 0.5).sum() == 1
    at = int(traded.abs().arg_max())
    assert traded[at] == pytest.approx(-np.log(4), abs=0.15)
    assert adjusted.abs().max() < 0.4
    before, after = rows["volume"][at - 100 : at + 1], rows["volume"][at + 1 : at + 100]
    assert 2.5 < after.median() / before.median() < 6


def test_dividends_lower_what_lies_before_them(rows):
    """The last close is not adjusted; every close before the last dividend is.

    In the year after the split the dividends add up to the yield.
    """
    after = rows.tail(250)
    factor = (after["adj_close"] / after["close"]).round(6)
    assert factor[-1] == 1
    assert factor.is_sorted()
    assert 3 <= factor.n_unique() - 1 <= 4
    assert factor[0] == pytest.approx(1 - 4 * 0.002, abs=0.003)


def test_returns_have_fat_tails_and_clusters(sample):
    """Large days follow large days for weeks; the largest is many standard deviations off."""
    moved = moves(sample(8000, 1), "adj_close").to_numpy()
    spread = moved.std()
    assert 0.015 < spread < 0.03
    assert np.mean((moved / spread) ** 4) > 4
    size = np.abs(moved)
    assert np.corrcoef(size[:-1], size[1:])[0, 1] > 0.1
    assert np.corrcoef(size[:-20], size[20:])[0, 1] > 0.04


def foretold(frame: pl.DataFrame) -> float:
    """Rank correlation of how busy a day is, against the sixty before, with the next five days."""
    trade = (frame["volume"] * frame["close"]).log()
    busy = (trade - trade.rolling_mean(60)).head(frame.height - 5)
    seen = pl.DataFrame({"busy": busy, "next": moves(frame, "adj_close", 5)}).drop_nulls()
    return seen.select(pl.corr("busy", "next", method="spearman")).item()


def test_nothing_is_foretold_unless_it_is_asked_for(sample):
    """On 20 seeds what a busy day foretells is on either side of nothing, and small."""
    found = [foretold(sample(2520, seed)) for seed in range(20)]
    assert abs(np.mean(found)) < 0.03
    assert np.max(np.abs(found)) < 0.15
    assert 5 <= sum(one > 0 for one in found) <= 15


def test_a_signal_is_there_to_be_found_when_asked_for(sample):
    """On every seed; and the more, the more."""
    weak = [foretold(sample(2520, seed, 0.1)) for seed in range(5)]
    strong = [foretold(sample(2520, seed, 0.3)) for seed in range(5)]
    assert min(weak) > 0.05
    assert np.mean(strong) > np.mean(weak) + 0.15


def test_more_rows_than_the_calendar_has_are_refused(sample):
    """The exchange is older, the calendar is not."""
    assert sample(24_000, 1)["adj_close"].min() > 0
    with pytest.raises(ConfigError, match=r"26,000 rows are more than the 2\d,\d{3} sessions"):
        sample(26_000, 1)


def test_prices_with_an_edge_are_one_word_away(sample):
    """The same prices but for what busy days foretell."""
    from heddle.infrastructure.hydra_config import compose_config
    from heddle.pipeline.catalog import Catalog

    told = compose_config(STOCKS, ["ingestion=sample_with_edge"])["ingestion"]
    generator = Catalog(STOCKS).step(told["generator"]).function
    assert generator(300, 5).equals(sample(300, 5, 0.5))
    assert told["rows"] == compose_config(STOCKS)["ingestion"]["rows"]
