"""History that is told otherwise: what is news, and what is a revision."""

import runpy
from datetime import date, timedelta
from pathlib import Path
from types import SimpleNamespace

import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from heddle.infrastructure.sources.revisions import LATE, differences
from heddle.infrastructure.sources.yahoo_chart import Split

answers = SimpleNamespace(**runpy.run_path(str(Path(__file__).parents[3] / "yahoo_answers.py")))
LONG = [date(2024, 1, 1) + timedelta(days=n) for n in range(60)]
OLD = answers.bars(LONG)


def otherwise(day, **values):
    """The old table with other values of one day."""
    there = pl.col("session") == day
    return OLD.with_columns(
        pl.when(there)
        .then(pl.lit(value))
        .otherwise(pl.col(name))
        .cast(OLD.schema[name])
        .alias(name)
        for name, value in values.items()
    )


def paid(table, *events):
    """The table after dividends: adjusted closes before each day are multiplied."""
    for day, factor in events:
        before = pl.col("session") < day
        table = table.with_columns(
            pl.when(before).then(pl.col("adj_close") * factor).otherwise("adj_close")
        )
    return table


def parted(table, split):
    """The table after a split."""
    before, prices = pl.col("session") < split.day, ("open", "high", "low", "close", "adj_close")
    return table.with_columns(
        pl.when(before).then(pl.col(*prices) / split.ratio).otherwise(pl.col(*prices)),
        pl.when(before).then(pl.col("volume") * int(split.ratio)).otherwise("volume"),
    )


def test_the_same_with_new_days_is_no_difference():
    """What follows the days that were known is not compared."""
    found = differences(OLD.head(50), OLD)
    assert (found.revised, found.news) == ({}, ())


def test_days_that_were_not_asked_for_are_not_missed():
    """A download of other bounds holds other days."""
    part = OLD[10:50]
    found = differences(OLD, part, since=LONG[10], until=LONG[49])
    assert (found.revised, found.news) == ({}, ())
    assert len(differences(OLD, part).revised) == 20


@pytest.mark.parametrize(
    ("name", "value", "words"),
    [
        ("close", 110.01, "close 110 -> 110.01"),
        ("open", 0.0, "open 109.5 -> 0"),
        ("volume", 1101, "volume 1,100 -> 1,101"),
        ("volume", None, "volume 1,100 -> none"),
        ("low", None, "low 109 -> none"),
        ("adj_close", 109.0, "adj_close 110 -> 109"),
        ("adj_close", None, "adj_close 110 -> none"),
    ],
)
def test_one_value_that_changed_is_a_revision(name, value, words):
    """A price of the least tick, one share, a gap where there was a number."""
    found = differences(OLD, otherwise(LONG[10], **{name: value}))
    assert found.revised == {LONG[10]: words}
    assert found.news == ()
    assert found.words == f"1 session: 2024-01-11 ({words})"


@pytest.mark.parametrize("share", [-LATE, -0.01, 0.01, LATE])
def test_the_volume_of_the_last_session_that_was_kept_may_change_a_little(share):
    """Late trades are told and taken; more than a tenth, or another day, is a revision."""
    last = int(OLD["volume"][-1])
    volume = last + round(last * share)
    found = differences(OLD, otherwise(LONG[-1], volume=volume))
    assert found.revised == {}
    assert found.news == (
        f"volume {last:,} -> {volume:,} on 2024-02-29, the last session that was kept: late trades",
    )
    more = differences(OLD, otherwise(LONG[-1], volume=volume + (2 if share > 0 else -2) * 20))
    assert bool(more.revised) == (abs(share) == LATE)
    before = int(OLD["volume"][-2]) + 1
    assert list(differences(OLD, otherwise(LONG[-2], volume=before)).revised) == [LONG[-2]]
    assert list(differences(OLD.head(-1), OLD.head(-1).with_columns(
        volume=pl.col("volume") + (pl.col("session") == LONG[-2]))).revised) == []  # fmt: skip


@pytest.mark.parametrize("other", [{"close": 159.01}, {"open": 158.0}, {"volume": None}])
def test_a_price_of_the_last_session_may_not_change(other):
    """Nor may its volume vanish; a volume that changed beside it is no news then."""
    found = differences(OLD, otherwise(LONG[-1], **{"volume": 1591, **other}))
    assert (list(found.revised), found.news) == ([LONG[-1]], ())


def test_days_that_vanished_or_appeared_are_revisions():
    """History has neither holes that come nor holes that go."""
    fewer = OLD.filter(~pl.col("session").is_in(LONG[3:5]))
    assert differences(OLD, fewer).revised == {LONG[3]: "gone", LONG[4]: "gone"}
    assert differences(fewer, OLD).revised == dict.fromkeys(LONG[3:5], "not there before")
    assert differences(OLD, OLD.head(-1)).revised == {LONG[-1]: "gone"}


def test_many_revisions_are_counted_and_the_first_are_shown():
    """Days, not a flood."""
    other = OLD.with_columns(volume=pl.col("volume") * 2)
    assert differences(OLD, other).words == (
        "60 sessions: 2024-01-01 (volume 1,000 -> 2,000), 2024-01-02 (volume 1,010 -> 2,020), "
        "2024-01-03 (volume 1,020 -> 2,040) and 57 more, the last 2024-02-29"
    )


@settings(max_examples=40)
@given(
    st.lists(st.integers(1, 9), max_size=4, unique=True),
    st.lists(st.floats(0.9, 0.9995), min_size=4, max_size=4),
    st.integers(40, 60),
)
def test_dividends_are_news(places, factors, known):
    """Any number of them, at least five sessions apart: each step and where it begins is told."""
    days = sorted(LONG[6 * place] for place in places)
    events = list(zip(days, factors, strict=False))
    found = differences(OLD.head(known), paid(OLD, *events))
    assert found.revised == {}
    # a dividend moves all days before it, so that the steps multiply from the newest on
    factor, wanted = 1.0, []
    for day, by in reversed(events):
        factor *= by
        last = min(day - timedelta(days=1), LONG[known - 1])
        wanted.insert(0, f"adj_close of sessions up to {last} is {factor:.6g} times what it was")
    if len({line.split(" is ")[0] for line in wanted}) == len(wanted):
        assert [line.split(":")[0] for line in found.news] == wanted


def test_a_dividend_after_all_that_was_known_moves_all_of_it():
    """Also where little was known."""
    found = differences(OLD.head(3), paid(OLD, (LONG[20], 0.99)))
    assert found.revised == {}
    assert found.news[0].startswith("adj_close of sessions up to 2024-01-03 is 0.99 times what it")


def test_an_adjusted_close_that_moves_for_a_few_days_is_a_revision():
    """No dividend does so."""
    other = paid(paid(OLD, (LONG[22], 0.9)), (LONG[20], 1 / 0.9))
    found = differences(OLD, other)
    assert list(found.revised) == LONG[20:22]
    assert found.revised[LONG[20]] == "adj_close 120 -> 108"


def test_a_dividend_is_told_beside_a_revision():
    """A close that changed takes its adjusted close along; the other days still moved together."""
    other = otherwise(LONG[10], close=120.0, high=121.0, adj_close=120.0)
    found = differences(OLD, paid(other, (LONG[40], 0.98)))
    assert found.revised == {LONG[10]: "high 111 -> 121"}
    assert [line.split(":")[0] for line in found.news] == [
        "adj_close of sessions up to 2024-02-09 is 0.98 times what it was"
    ]


@pytest.mark.parametrize("count", [1, 20])
def test_the_newest_adjusted_closes_alone_do_not_move(count):
    """A dividend moves the days before it, never only those after."""
    newest = pl.col("session") >= LONG[-count]
    other = OLD.with_columns(adj_close=pl.col("close") * pl.when(newest).then(0.9).otherwise(1.0))
    found = differences(OLD, other)
    assert (list(found.revised), found.news) == (LONG[-count:], ())


def test_rounding_is_no_difference():
    """Prices come as floats of four bytes, now one way and now the other."""
    prices = ("open", "high", "low", "close", "adj_close")
    other = OLD.with_columns(pl.col(*prices).cast(pl.Float32).cast(pl.Float64) * (1 + 5e-8))
    found = differences(OLD, other)
    assert (found.revised, found.news) == ({}, ())


def test_a_split_that_is_told_is_news():
    """Prices before it divided, volumes multiplied, and the old days are as they were."""
    split = Split(LONG[55], 10.0)
    found = differences(OLD.head(50), parted(OLD, split), splits=[split])
    assert found.revised == {}
    assert found.news == (
        "a split of 10 to 1 on 2024-02-25: earlier prices are told divided by 10",
    )


def test_a_split_within_what_was_known_and_a_dividend_after_it():
    """Both at once are both told."""
    split = Split(LONG[30], 4.0)
    found = differences(OLD, paid(parted(OLD, split), (LONG[40], 0.98)), splits=[split])
    assert found.revised == {}
    assert [line.split()[0] for line in found.news] == ["a", "adj_close"]


def test_prices_divided_without_a_split_are_a_revision():
    """Nobody told of one: the whole history changed."""
    found = differences(OLD, parted(OLD, Split(LONG[59], 10.0)))
    assert len(found.revised) == 59
    assert found.revised[LONG[0]] == "open 99.5 -> 9.95"


def test_a_split_that_prices_do_not_know_is_a_revision():
    """It was told, and not taken into account."""
    assert len(differences(OLD, OLD, splits=[Split(LONG[30], 2.0)]).revised) == 30


def test_a_volume_that_does_not_go_with_the_split_is_a_revision():
    """Only whole shares are rounded."""
    split = Split(LONG[55], 10.0)
    off = pl.when(pl.col("session") == LONG[2]).then(10_300).otherwise("volume")
    other = parted(OLD, split).with_columns(volume=off)
    assert differences(OLD, other, splits=[split]).revised == {LONG[2]: "volume 1,020 -> 10,300"}


def test_days_apart_share_nothing():
    """There is nothing to compare, and nothing is missed."""
    found = differences(OLD.head(5), OLD.tail(5), since=LONG[55])
    assert (found.revised, found.news) == ({}, ())
