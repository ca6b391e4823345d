"""What a chart's JSON says, and every way in which it can be no chart."""

import json
import runpy
from datetime import date, time
from pathlib import Path
from types import SimpleNamespace

import polars as pl
import pytest
from polars.testing import assert_frame_equal

from heddle.domain.errors import ConfigError, DataContractError
from heddle.infrastructure.sources.yahoo_chart import Split, read_chart

answers = SimpleNamespace(**runpy.run_path(str(Path(__file__).parents[3] / "yahoo_answers.py")))


def changed(change):
    """A good answer of which one part was changed."""
    found = json.loads(answers.chart(answers.bars()))
    change(found["chart"]["result"][0])
    return json.dumps(found).encode()


def test_bars_come_under_our_names_by_session():
    """Raw and adjusted closes both, and the exchange's zone."""
    chart = read_chart(answers.chart(answers.bars(adjusted=0.9)), where="x")
    assert_frame_equal(chart.bars, answers.bars(adjusted=0.9))
    assert (chart.zone, chart.splits) == ("America/New_York", ())


@pytest.mark.filterwarnings("ignore:The inplace keyword")  # of yfinance, under this pandas
def test_another_reader_finds_the_same_numbers():
    """yfinance, reading the same answer, is the second oracle."""
    utils = pytest.importorskip("yfinance.utils")
    body = answers.chart(answers.bars(adjusted=0.9))
    other = utils.parse_quotes(json.loads(body)["chart"]["result"][0])
    ours = read_chart(body, where="x").bars
    for name, theirs in zip(ours.columns[1:], other.columns, strict=True):
        assert name == theirs.lower().replace(" ", "_")
        assert ours[name].to_list() == other[theirs].to_list()
    days = other.index.tz_localize("UTC").tz_convert("America/New_York").date
    assert ours["session"].to_list() == list(days)


@pytest.mark.parametrize(
    ("zone", "opens"),
    [
        ("Asia/Tokyo", time(9, 0)),  # midnight in UTC
        ("Pacific/Auckland", time(10, 0)),  # the day before in UTC
        ("America/New_York", time(20, 0)),  # the day after in UTC
    ],
)
def test_the_day_is_that_of_the_exchange(zone, opens):
    """Not that of UTC, nor that of this machine; summer time or not."""
    days = [date(2024, 1, 2), date(2024, 7, 2)]
    body = answers.chart(answers.bars(days), zone=zone, opens=opens)
    assert read_chart(body, where="x").bars["session"].to_list() == days


def test_splits_are_told():
    """The day at the exchange and the ratio, in the order of days."""
    told = [(date(2024, 6, 10), 10), (date(2021, 7, 20), 4)]
    chart = read_chart(answers.chart(answers.bars(), splits=told), where="x")
    assert chart.splits == (Split(date(2021, 7, 20), 4.0), Split(date(2024, 6, 10), 10.0))


def test_a_gap_stays_a_gap():
    """Null is null, and nothing is filled."""
    table = answers.bars().with_columns(
        close=pl.when(pl.col("volume") > 1050).then("close"),
        volume=pl.when(pl.col("close") > 101).then("volume"),
    )
    assert_frame_equal(read_chart(answers.chart(table), where="x").bars, table)


@pytest.mark.parametrize(
    "body",
    [
        b'{"chart": {"result": [{"meta": {}}], "error": null}}',
        b'{"chart": {"result": [], "error": null}}',
        b'{"chart": {"result": null, "error": null}}',
    ],
)
def test_an_answer_without_a_bar_is_none(body):
    """It is whole: that there is nothing is for the caller to judge."""
    assert read_chart(body, where="x") is None


def test_its_own_word_is_repeated():
    """Why there is nothing."""
    body = answers.fault("Bad Request", "Data doesn't exist for startDate = 1")
    with pytest.raises(ConfigError, match=r"x: answered: Data doesn't exist for startDate = 1\."):
        read_chart(body, where="x")


@pytest.mark.parametrize(
    ("body", "words"),
    [
        (answers.chart(answers.bars())[:-40], r"no whole JSON \(JSONDecodeError\)"),
        (b"", "no whole JSON"),
        (b'"\xff"', r"no whole JSON \(UnicodeDecodeError\)"),
        (b"[" * 100_000, r"no whole JSON \(RecursionError\)"),
        (b"[1]", "JSON, but no chart"),
        (b'{"finance": {}}', "JSON, but no chart"),
    ],
)
def test_what_is_no_chart_may_be_tried_again(body, words):
    """Half an answer is a fault that may pass."""
    with pytest.raises(ValueError, match=words):
        read_chart(body, where="x")


@pytest.mark.parametrize(
    ("change", "words"),
    [
        (lambda r: r["timestamp"].pop(), "there are 10 values of 'open' for 9 bars"),
        (lambda r: r["indicators"]["quote"][0].pop("volume"), r"KeyError: 'volume'"),
        (lambda r: r["indicators"].pop("adjclose"), r"not as it was \(KeyError: 'adjclose'\)"),
        (lambda r: r["indicators"]["quote"][0]["close"].append("12"), "holds '12', which is no"),
        (lambda r: r["indicators"]["quote"][0]["volume"].append(float("nan")), "holds nan, which"),
        (lambda r: r["timestamp"].append("2024"), "'2024' is no time in seconds"),
        (lambda r: r["meta"].pop("exchangeTimezoneName"), "KeyError"),
        (lambda r: r["meta"].update(exchangeTimezoneName="Mars/Olympus"), "Mars/Olympus"),
    ],
)
def test_parts_that_do_not_go_together_are_refused(change, words):
    """A service that changed its form is not guessed at."""
    with pytest.raises(DataContractError, match=words) as caught:
        read_chart(changed(change), where="x")
    assert caught.value.todo.startswith("Nothing was taken. If it stays so, the service has chang")
