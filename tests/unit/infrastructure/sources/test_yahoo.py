"""Prices from a chart service that answers well, badly, or otherwise than yesterday."""

import json
import re
import runpy
from datetime import UTC, date, datetime
from hashlib import sha256
from pathlib import Path
from types import SimpleNamespace
from urllib.parse import parse_qs, urlsplit

import polars as pl
import pytest
from polars.testing import assert_frame_equal

from heddle.domain.errors import ConfigError, DataContractError, HeddleError, IntegrityError
from heddle.domain.typed import build
from heddle.infrastructure.memory import SilentProgress
from heddle.infrastructure.sources.patience import Patience
from heddle.infrastructure.sources.yahoo import Prices, YahooSource

TESTS = Path(__file__).parents[3]
loopback = SimpleNamespace(**runpy.run_path(str(TESTS / "loopback.py")))
answers = SimpleNamespace(**runpy.run_path(str(TESTS / "yahoo_answers.py")))

BARS = answers.bars()
EVENING = datetime(2024, 1, 16, 21, 30, tzinfo=UTC)  # half past four in New York
GOOD = loopback.body(answers.chart(BARS), "application/json")


@pytest.fixture
def server():
    with loopback.serving(GOOD) as running:
        yield running


@pytest.fixture
def world(server, tmp_path):
    """Make a source, fetch from it, and see what it kept."""

    class World(SimpleNamespace):
        now = EVENING

        def __init__(self):
            super().__init__(waits=[], progress=SilentProgress(), kept=tmp_path / "data" / "raw")

        def source(self, patience=None, **options):
            told = {k: options.pop(k) for k in ("ticker", "start", "end") if k in options}
            return YahooSource(
                prices=Prices(**{"ticker": "ABC", "api": server.address} | told),
                snapshots=self.kept,
                sleep=self.waits.append,
                now=lambda: self.now,
                patience=Patience(**{"timeout_seconds": 1, "retries": 2} | (patience or {})),
                **options,
            )

        def fetch(self, table=None, splits=(), **options):
            if table is not None:
                content = answers.chart(table, splits=splits)
                server.answers = [loopback.body(content, "application/json")]
            self.progress = SilentProgress()
            return self.source(**options).fetch(tmp_path / "scratch", self.progress)

        @property
        def names(self):
            return sorted(p.name for p in self.kept.glob("*"))

    return World()


def test_bars_are_kept_and_handed_on(world, server):
    """The file is the snapshot's, byte for byte, with its hash and where it is from."""
    raw = world.fetch(licence="personal")
    assert world.names == ["ABC_1d_20240116T213000Z.json", "ABC_1d_20240116T213000Z.parquet"]
    content = (world.kept / world.names[1]).read_bytes()
    assert raw.path.read_bytes() == content
    assert (raw.sha256, raw.licence) == (sha256(content).hexdigest(), "personal")
    shown = f"{server.address}/v8/finance/chart/ABC"
    assert raw.origin == f"{shown}, snapshot ABC_1d_20240116T213000Z.parquet"
    assert_frame_equal(pl.read_parquet(raw.path), BARS)
    told = json.loads((world.kept / world.names[0]).read_text())
    assert (told["address"], told["zone"], told["rows"]) == (shown, "America/New_York", 10)
    assert world.progress.notices == []


def test_the_question_holds_days_on_both_sides(world, server):
    """The last day is part of what is wanted, in every time zone; the name is told."""
    world.fetch(ticker="^BRK-B", start="2024-01-03", end="2024-01-10")
    ((path, headers),) = server.requests
    parts = urlsplit(path)
    asked = {key: values[0] for key, values in parse_qs(parts.query).items()}
    assert parts.path == "/v8/finance/chart/%5EBRK-B"
    assert datetime.fromtimestamp(int(asked["period1"]), UTC).date() == date(2024, 1, 2)
    assert datetime.fromtimestamp(int(asked["period2"]), UTC).date() == date(2024, 1, 12)
    assert (asked["interval"], asked["events"]) == ("1d", "div,splits")
    assert re.fullmatch(r"Mozilla/5\.0 \(compatible; heddle/[\w.+-]+\)", headers["User-Agent"])


def test_first_and_last_day_are_both_part_of_it(world):
    """Whatever else the service sends along."""
    raw = world.fetch(start="2024-01-03", end="2024-01-10")
    days = pl.read_parquet(raw.path)["session"].to_list()
    assert (days[0], days[-1]) == (date(2024, 1, 3), date(2024, 1, 10))


@pytest.mark.parametrize(
    ("hour", "kept"), [((16, 20, 59), 9), ((16, 21, 0), 10), ((17, 15, 0), 10)]
)
def test_the_bar_of_a_session_that_runs_is_dropped(world, hour, kept):
    """Until the bell at four in New York, by the clock when it was asked."""
    day, *rest = hour
    world.now = datetime(2024, 1, day, *rest, tzinfo=UTC)
    assert pl.read_parquet(world.fetch().path).height == kept
    told = ["ABC: the bar of 2024-01-16 had not closed when asked, left out"]
    assert world.progress.notices == (told if kept == 9 else [])


def test_an_early_close_is_known(world):
    """On the day after Thanksgiving the bell rings at one."""
    table = answers.bars([date(2023, 11, 22), date(2023, 11, 24)])
    for minute, kept in ((59, 1), (0, 2)):
        world.now = datetime(2023, 11, 24, 17 + (minute == 0), minute, tzinfo=UTC)
        assert pl.read_parquet(world.fetch(table, end=f"2023-12-{kept:02}").path).height == kept


@pytest.mark.parametrize(
    ("fault", "why"),
    [
        (loopback.status(429), "the server answered 429 Too Many Requests"),
        (loopback.status(503), "the server answered 503 Service Unavailable"),
        (loopback.hang_up, "the connection broke (RemoteDisconnected)"),
        (loopback.cut(answers.chart(BARS), 300), "the connection was cut after 300 of"),
        (loopback.body(answers.chart(BARS)[:-30]), "the answer is no whole JSON (JSONDecodeError)"),
        (loopback.body(b'{"finance": {}}'), "the answer is JSON, but no chart"),
    ],
)
def test_a_passing_fault_is_tried_again(world, server, fault, why):
    """Two faults, then the bars: the waits doubled, each retry was told, one snapshot is kept."""
    server.answers = [fault, fault, GOOD]
    assert pl.read_parquet(world.fetch().path).height == 10
    assert world.waits == [1.0, 2.0]
    assert why in world.progress.notices[0]
    assert len(world.names) == 2


@pytest.mark.parametrize(
    "fault", [loopback.status(429), loopback.body(answers.chart(BARS)[:-30], "application/json")]
)
def test_a_lasting_fault_gives_up_and_keeps_nothing(world, server, fault):
    """A limit that lasts, half an answer each time: exit code 1, and what to do."""
    server.answers = [fault]
    with pytest.raises(HeddleError, match="; gave up after 3 attempts") as caught:
        world.fetch()
    assert (caught.value.exit_code, len(server.requests), world.names) == (1, 3, [])
    assert "with asof=… a snapshot is read without asking" in caught.value.todo


def test_a_limit_says_how_long_to_wait(world, server):
    """Retry-After is honoured."""
    server.answers = [loopback.status(429, Retry_After="7"), GOOD]
    world.fetch()
    assert world.waits == [7.0]


NOT_FOUND = answers.fault("Not Found", "No data found, symbol may be delisted")


def test_an_unknown_ticker_is_named(world, server):
    """At once, with the service's own word."""
    server.answers = [loopback.body(NOT_FOUND, "application/json", 404)]
    words = (
        "ingestion.prices.ticker: Yahoo knows no ticker 'ABD': the server answered 404 Not Found "
        "(No data found, symbol may be delisted). Look it up"
    )
    with pytest.raises(ConfigError, match=re.escape(words)) as caught:
        world.fetch(ticker="ABD")
    assert (caught.value.exit_code, len(server.requests), world.names) == (2, 1, [])


def test_another_refusal_is_repeated(world, server):
    """Whatever the service says, with the address and no secret."""
    told = answers.fault("Unauthorized", "Invalid Crumb")
    server.answers = [loopback.body(told, "application/json", 401)]
    with pytest.raises(ConfigError, match=r"chart/ABC.*: the server answered 401 .*Invalid Crumb"):
        world.fetch()


def test_an_error_page_is_refused(world, server):
    """A page for people, with a good status."""
    server.answers = [loopback.body(b"<html>Will be right back</html>", "text/html")]
    with pytest.raises(ConfigError, match="answered with a web page, no data") as caught:
        world.fetch()
    assert (caught.value.exit_code, len(server.requests), world.names) == (2, 1, [])


@pytest.mark.parametrize(
    "content",
    [
        b'{"chart": {"result": [{"meta": {}}], "error": null}}',
        answers.chart(answers.bars([date(2024, 1, 17)])),  # has not begun
    ],
)
def test_an_empty_table_is_refused(world, server, content):
    """No bar of a closed session: the ticker and the range are named."""
    server.answers = [loopback.body(content, "application/json")]
    words = "ABC: there is no bar of a closed session from 2024-01-01 to today"
    with pytest.raises(DataContractError, match=words) as caught:
        world.fetch(start="2024-01-01")
    assert (caught.value.exit_code, world.names) == (3, [])


def test_too_large_an_answer_is_refused(world):
    """Nobody fills the memory."""
    with pytest.raises(DataContractError, match="is larger than 500 bytes"):
        world.fetch(max_bytes=500)


def test_a_configured_hash_is_that_of_the_snapshot(world):
    """Another download than the one that is meant is not taken."""
    good = world.fetch().sha256
    assert world.fetch(sha256=good).sha256 == good
    with pytest.raises(DataContractError, match=r"sha256 is [0-9a-f]{64}, configured is 0{64}"):
        world.fetch(sha256="0" * 64)


def test_equal_content_is_kept_once(world):
    """The second download is told, the first snapshot is the answer."""
    first = world.fetch()
    world.now = datetime(2024, 1, 17, 3, 0, tzinfo=UTC)
    assert world.fetch() == first
    assert len(world.names) == 2
    assert world.progress.notices == [
        "ABC: nothing new since ABC_1d_20240116T213000Z.parquet, kept once"
    ]


def test_prices_that_lag_behind_are_told(world):
    """How many sessions have closed since the last; not where an earlier end was asked for."""
    world.fetch(BARS.head(-2))
    assert world.progress.notices == [
        "ABC: the last price is of 2024-01-11: 2 sessions have closed since"
    ]
    world.fetch(BARS.head(-2), end="2024-01-12")
    assert not any("closed since" in words for words in world.progress.notices)


def test_a_new_day_is_a_new_snapshot(world):
    """The old one stays as it was, and the new one says what it was compared with."""
    world.now = datetime(2024, 1, 12, 21, 30, tzinfo=UTC)
    first = world.fetch().path.read_bytes()
    world.now = EVENING
    world.fetch()
    assert [name[7:15] for name in world.names] == ["20240112"] * 2 + ["20240116"] * 2
    assert (world.kept / world.names[1]).read_bytes() == first
    told = json.loads((world.kept / world.names[2]).read_text())
    assert told["compared_with"] == world.names[1]


OTHER = BARS.with_columns(close=pl.col("close") + (pl.col("session") == date(2024, 1, 4)) * 0.25)


def test_a_revision_is_refused_with_its_dates(world):
    """Nothing is taken, and the same is refused again tomorrow."""
    world.fetch()
    before = world.names
    for _ in range(2):
        world.now = datetime(2024, 1, 17, 3, 0, tzinfo=UTC)
        with pytest.raises(DataContractError) as caught:
            world.fetch(OTHER)
        assert str(caught.value) == (
            "ABC: the history differs from ABC_1d_20240116T213000Z.parquet on 1 session: "
            "2024-01-04 (close 102 -> 102.25). Nothing was taken. If the new history is meant, "
            "add ingestion.accept_revisions=true."
        )
        assert (caught.value.exit_code, world.names) == (3, before)


def test_a_revision_that_is_accepted_is_kept_and_told(world):
    """The snapshot says which days are otherwise; from then on it is the history."""
    world.fetch()
    world.now = datetime(2024, 1, 17, 3, 0, tzinfo=UTC)
    raw = world.fetch(OTHER, accept_revisions=True)
    assert_frame_equal(pl.read_parquet(raw.path), OTHER)
    assert world.progress.notices[0].endswith("2024-01-04 (close 102 -> 102.25); accepted")
    told = json.loads((world.kept / world.names[2]).read_text())
    assert told["revised"] == ["2024-01-04"]
    assert world.fetch(OTHER) == raw


def test_a_row_that_vanished_is_a_revision(world):
    """Also of another range of days, as far as it was to be there."""
    world.fetch()
    fewer = BARS.filter(pl.col("session") != date(2024, 1, 8))
    with pytest.raises(DataContractError, match=r"on 1 session: 2024-01-08 \(gone\)"):
        world.fetch(fewer, start="2024-01-05")


def test_a_dividend_is_told_and_taken(world):
    """The day up to which adjusted closes moved, and by what."""
    world.fetch()
    before = pl.col("session") < date(2024, 1, 9)
    world.fetch(
        BARS.with_columns(adj_close=pl.when(before).then(pl.col("close") * 0.98).otherwise("close"))
    )
    (told,) = world.progress.notices
    assert told == (
        "ABC: adj_close of sessions up to 2024-01-08 is 0.98 times what it was: a dividend or "
        "another adjustment since"
    )
    assert len(world.names) == 4


def test_a_split_is_told_and_taken_once(world):
    """The service tells of it; the next download knows it already."""
    world.now = datetime(2024, 1, 12, 21, 30, tzinfo=UTC)
    world.fetch()
    world.now = EVENING
    prices = pl.col("open", "high", "low", "close", "adj_close")
    day = date(2024, 1, 16)
    parted = BARS.with_columns(
        pl.when(pl.col("session") < day).then(prices / 10).otherwise(prices),
        pl.when(pl.col("session") < day).then(pl.col("volume") * 10).otherwise("volume"),
    )
    with pytest.raises(DataContractError, match=r"on 9 sessions: 2024-01-02 \(open 99\.5 -> 9\.95"):
        world.fetch(parted)
    world.fetch(parted, splits=[(day, 10)])
    assert world.progress.notices == [
        "ABC: a split of 10 to 1 on 2024-01-16: earlier prices are told divided by 10"
    ]
    world.now = datetime(2024, 1, 17, 3, 0, tzinfo=UTC)
    world.fetch(parted, splits=[(day, 10)])
    assert world.progress.notices == [f"ABC: nothing new since {world.names[3]}, kept once"]


def test_asof_a_past_day_takes_the_snapshot_of_then_without_asking(world, server):
    """The newest that was fetched by the end of that day, whatever is known by now."""
    world.now = datetime(2024, 1, 11, 21, 30, tzinfo=UTC)
    then = world.fetch()
    world.now = EVENING
    world.fetch()
    asked = len(server.requests)
    for day in ("2024-01-11", "2024-01-12"):
        assert world.fetch(asof=day) == then
    assert len(server.requests) == asked


def test_asof_the_last_session_or_later_asks(world, server):
    """What is told now is what is known now, and is asked for once."""
    world.now = datetime(2024, 1, 12, 21, 30, tzinfo=UTC)
    world.fetch()
    world.now = EVENING
    fresh = world.fetch(asof="2024-01-16")
    assert pl.read_parquet(fresh.path).height == 10
    world.now = datetime(2024, 1, 17, 3, 0, tzinfo=UTC)
    assert world.fetch(asof="2024-01-17") == fresh
    assert len(server.requests) == 2


@pytest.mark.parametrize(
    ("first", "told"),
    [
        (None, "there is no snapshot yet"),
        ({}, "the first snapshot is of 2024-01-16"),
        (
            {"start": "2024-01-03"},
            (
                "there is no snapshot with this start and end, the newest was asked for from "
                "2024-01-03 to the last session"
            ),
        ),
    ],
)
def test_asof_a_day_before_all_snapshots_is_refused(world, server, first, told):
    """It says since when there are any, and what can be done."""
    if first is not None:
        world.fetch(**first)
    asked = len(server.requests)
    with pytest.raises(ConfigError) as caught:
        world.fetch(asof="2024-01-10")
    words = f"ingestion.asof: nothing of ABC was fetched by 2024-01-10; {told}. What is told today"
    assert str(caught.value).startswith(words)
    assert "ingestion=file ingestion.path=data/raw/ABC_1d_….parquet asof=2024-01-10" in str(
        caught.value
    )
    assert len(server.requests) == asked


def test_a_snapshot_that_was_changed_is_never_used(world):
    """Neither as what was known, nor to compare with."""
    world.fetch()
    (world.kept / world.names[1]).write_bytes(b"other")
    world.now = datetime(2024, 1, 18, 21, 30, tzinfo=UTC)
    for options in ({}, {"asof": "2024-01-16"}):
        with pytest.raises(IntegrityError, match="is not what was kept"):
            world.fetch(**options)


@pytest.mark.parametrize(
    ("values", "words"),
    [
        ({"ticker": "abc"}, r"ticker must be capitals, digits and \. \^ = -, not 'abc'"),
        ({"ticker": "../ABC"}, "ticker must be"),
        (
            {"ticker": "A", "start": "1.1.2024"},
            "start must be a date as 2024-02-29, not '1.1.2024'",
        ),
        ({"ticker": "A", "end": "2024-02-30"}, "end must be a date"),
        ({"ticker": "A", "start": "2024-02-02", "end": "2024-02-01"}, "start .* is after end"),
        ({"ticker": "A", "interval": "1h"}, "'1h' is not a choice"),
        ({"ticker": "A", "strat": ""}, "unknown key 'strat'; did you mean 'start'"),
    ],
)
def test_a_question_that_is_none_is_refused(values, words):
    """Before anything is asked."""
    with pytest.raises(ConfigError, match=words):
        build(Prices, values, where="ingestion.prices")


def test_an_unknown_calendar_is_refused(world):
    """Whether a session has closed cannot be told without."""
    source = YahooSource(
        prices=Prices(ticker="ABC", calendar="XNYX"), snapshots=world.kept, asof="2024-01-10"
    )
    with pytest.raises(ConfigError, match="no calendar 'XNYX'; did you mean 'XNYS'"):
        source.fetch(world.kept, SilentProgress())
