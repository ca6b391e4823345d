"""Whole sessions, one bar each."""

import runpy
from datetime import date
from pathlib import Path
from types import SimpleNamespace

import polars as pl
import pytest
from polars.testing import assert_frame_equal

from heddle.domain.errors import DataContractError
from heddle.infrastructure.sources.yahoo_bars import closed_bars

answers = SimpleNamespace(**runpy.run_path(str(Path(__file__).parents[3] / "yahoo_answers.py")))
LAST = answers.DAYS[-1]


def test_a_session_that_runs_is_left_out_and_told():
    """Its bar would be another one tomorrow."""
    kept, notes = closed_bars(answers.bars(), date(2024, 1, 12), "x")
    assert_frame_equal(kept, answers.bars().head(-1))
    assert notes == ["the bar of 2024-01-16 had not closed when asked, left out"]


def test_a_bar_without_prices_is_left_out_and_told():
    """Some days come as nulls."""
    blank = pl.col("session").is_in(answers.DAYS[1:6])
    prices = ("open", "high", "low", "close", "adj_close")
    table = answers.bars().with_columns(pl.when(~blank).then(pl.col(*prices)))
    kept, notes = closed_bars(table, LAST, "x")
    assert kept["session"].to_list() == [answers.DAYS[0], *answers.DAYS[6:]]
    assert notes == [
        "the bars of 2024-01-03, 2024-01-04, 2024-01-05 and 2 more came without any price, left out"
    ]


def test_a_gap_in_a_bar_stays_for_the_contract_to_see():
    """Only what is wholly empty is no bar."""
    table = answers.bars().with_columns(open=pl.lit(None, pl.Float64))
    assert_frame_equal(closed_bars(table, LAST, "x")[0], table)


def test_the_newest_session_may_come_twice():
    """As a daily bar and as the one that ran: the later one is the fuller."""
    again = answers.bars().tail(1).with_columns(volume=pl.lit(5000, pl.Int64))
    kept, notes = closed_bars(pl.concat([answers.bars(), again]), LAST, "x")
    assert kept["volume"].to_list()[-1] == 5000
    assert (kept.height, notes) == (10, [])


def test_an_earlier_session_that_comes_twice_is_refused():
    """Nobody can tell which bar is right; the same bar twice is one."""
    table = pl.concat([answers.bars(), answers.bars().head(3)])
    assert_frame_equal(closed_bars(table, LAST, "x")[0], answers.bars())
    other = answers.bars().head(1).with_columns(close=pl.lit(7.0))
    with pytest.raises(
        DataContractError, match=r"x: the bar of 2024-01-02 came more than once, .*Ask again later"
    ):
        closed_bars(pl.concat([table, other]), LAST, "x")


def test_bars_are_sorted():
    """Whatever their order was."""
    assert_frame_equal(closed_bars(answers.bars().reverse(), LAST, "x")[0], answers.bars())
