"""Figures of strategies, years, refits and trades, of documents that the stage's functions made."""

import re

import polars as pl
import pytest

from heddle.presentation.report.backtest_tables import (
    features_kept,
    last_trades,
    refits,
    strategy_tables,
    years,
)
from heddle.presentation.report.inputs import read_inputs
from heddle.presentation.report.markup import Section, join


@pytest.fixture
def told(price_project):
    return read_inputs(price_project.context(reads=()))


@pytest.fixture
def read(prices):
    return lambda html: prices.plain(Section("", "", html))


def test_strategies_stand_side_by_side_for_all_and_for_unseen_sessions(read, told):
    """Five strategies, three tables, two spans; costs are turnover by what a side costs."""
    html = join(strategy_tables(told.backtest))
    assert html.count("buy\N{NO-BREAK SPACE}and\N{NO-BREAK SPACE}hold</th>") == 6
    words = read(html)
    assert f"Unseen sessions, from {told.backtest['sessions']['unseen_from']}" in words
    row = told.backtest["strategies"][0]
    turnover = row["annual_turnover"]
    assert f"model {turnover:.2f} {turnover * 3e-4 * 100:.1f} %" in words
    gross, net = (100 * row[kind]["annual_return"] for kind in ("gross", "net"))
    told_so = f"model {gross:.1f} % {net:.1f} %".replace("-", "\N{MINUS SIGN}")
    assert told_so in words


def test_years_stand_beside_buy_and_hold(read, told):
    """How many of them the model was ahead in is counted."""
    rows = told.backtest["years"]
    words = read(years(rows))
    ahead = sum(r["model"]["net_return"] > r["buy_and_hold"]["net_return"] for r in rows)
    assert f"ahead of buy and hold in {ahead} of {len(rows)} years." in words
    assert len(re.findall(r"201[5-7] \d+ ", words)) == len(rows)


def test_features_are_counted_by_refits(read, told):
    """What every refit kept is told apart from what came and went."""
    words = read(features_kept(told.backtest))
    assert "How many of 8 refits kept it: 4 features at least once, 1 each time." in words
    assert "close_std_20 8 100.0 %" in words


def test_refits_tell_what_they_learnt_from(read, told):
    """One row each."""
    words = read(refits(told.backtest["by_refit"]))
    first = told.backtest["by_refit"][0]
    assert words.startswith("8 refits From each refit to the next")
    assert f"{first['from']} {first['to']} {first['train_rows']} 2 " in words


def test_the_last_trades_stand_on_top(read, told):
    """What is still held has no exit."""
    words = read(last_trades(told.trades))
    assert f"The last 15 of {told.trades.height} trades Entry Exit" in words
    assert f"Net {told.trades['entry'].max()} still held long 20.0 %" in words


def test_nothing_has_no_table(told):
    """No years, features, refits or trades, and a document without strategies."""
    assert years([]) is refits([]) is features_kept({}) is last_trades(None) is None
    assert last_trades(told.trades.clear()) is last_trades(pl.DataFrame({"a": [1]})) is None
    assert strategy_tables({}) == []
