"""Daily prices of one ticker as Yahoo's chart service tells them, kept as snapshots."""

from __future__ import annotations

import re
import time
from collections.abc import Callable
from dataclasses import asdict, dataclass, field
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Literal
from urllib.parse import quote, urlencode

import polars as pl

from heddle import __version__
from heddle.domain.entities import RawFile
from heddle.domain.errors import ConfigError, DataContractError
from heddle.domain.ports import Progress
from heddle.frames.sessions import last_session, sessions
from heddle.infrastructure.sources.address import read_address
from heddle.infrastructure.sources.landing import land
from heddle.infrastructure.sources.patience import Patience
from heddle.infrastructure.sources.revisions import differences
from heddle.infrastructure.sources.snapshots import Query, Snapshot, Snapshots
from heddle.infrastructure.sources.web import (
    Again,
    Refused,
    ask,
    patiently,
    whole,
)
from heddle.infrastructure.sources.yahoo_bars import closed_bars
from heddle.infrastructure.sources.yahoo_chart import Chart, Split, read_chart
from heddle.ingestion.asof import read_day

__all__ = ["YAHOO_API", "Prices", "YahooSource"]

YAHOO_API = "https://query2.finance.yahoo.com"

_TICKER = re.compile(r"[A-Z0-9^][A-Z0-9.^=-]{0,19}")
_AGENT = f"Mozilla/5.0 (compatible; heddle/{__version__})"  # names without that prefix get a 429
_EPOCH = date(1900, 1, 1)
_TODO = (
    "Try again later, or write a file by other means and use ingestion=file ingestion.path=…; "
    "with asof=… a snapshot is read without asking."
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Prices:
    """Which prices; one part of an ingestion configuration."""

    ticker: str
    start: str = ""  # the first day, as 2010-01-01; "" asks for all there is
    end: str = ""  # the last day, itself included; "" is the last session that has closed
    interval: Literal["1d"] = "1d"
    calendar: str = "XNYS"  # the exchange that decides whether a session has closed
    api: str = YAHOO_API

    def __post_init__(self) -> None:
        if not _TICKER.fullmatch(self.ticker):
            what = f"ticker must be capitals, digits and . ^ = -, not {self.ticker!r}"
            raise ValueError(what)
        days = [read_day(getattr(self, key), key) for key in ("start", "end") if getattr(self, key)]
        if days != sorted(days):
            raise ValueError(f"start {self.start} is after end {self.end}")

    @property
    def query(self) -> Query:
        """What snapshots are known by."""
        return Query(ticker=self.ticker, interval=self.interval, start=self.start, end=self.end)

    @property
    def first(self) -> date | None:
        """The first day that is wanted."""
        return read_day(self.start, "start") if self.start else None

    @property
    def last(self) -> date | None:
        """The last day that is wanted."""
        return read_day(self.end, "end") if self.end else None


@dataclass(frozen=True, slots=True, kw_only=True)
class YahooSource:
    """Source of a ticker's bars, as a Parquet file: the snapshot that was kept of them.

    A bar whose session has not closed is left out. Days that were known already are compared with
    the newest snapshot: what is otherwise is refused, but for splits and dividends, which are told.

    Args:
        prices: which ones.
        snapshots: the folder in which every download is kept.
        accept_revisions: take a history that is otherwise than the one that was kept.
        asof: only what was known on that day: the newest snapshot that was fetched by then.
        licence: under which the data may be used.
        sha256: what the file must hash to, if that is known.
        max_bytes: the most that is taken.
        patience: time-outs and retries.
        sleep: waits between attempts.
        now: the clock, with a time zone.
    """

    prices: Prices
    snapshots: Path
    accept_revisions: bool = False
    asof: str | None = None
    licence: str = "unknown"
    sha256: str | None = None
    max_bytes: int = 2_000_000_000
    patience: Patience = field(default_factory=Patience)
    sleep: Callable[[float], None] = time.sleep
    now: Callable[[], datetime] = lambda: datetime.now(UTC)

    def fetch(self, folder: Path, progress: Progress) -> RawFile:
        """Put the snapshot below `folder`; raises as the port says.

        Raises:
            HeddleError: the service could not be reached, or kept failing, after all retries.
            IntegrityError: a snapshot is not what was kept.
        """
        shot = self._known() or self._fresh(progress)
        content = shot.content()
        with progress.task(f"reading {shot.path.name}", total=len(content)) as bar:
            return land(
                [content],
                folder / shot.path.name,
                origin=f"{self._shown}, snapshot {shot.path.name}",
                licence=self.licence,
                expected=self.sha256,
                max_bytes=self.max_bytes,
                bar=bar,
            )

    @property
    def _shown(self) -> str:
        return read_address(self._target(), "ingestion.prices.api").shown.partition("?")[0]

    def _known(self) -> Snapshot | None:
        """Return what was known on the day of `asof`; None: it is to be asked for now."""
        if self.asof is None:
            return None
        day, closed = read_day(self.asof, "asof"), last_session(self.prices.calendar, self.now())
        store, query = Snapshots(self.snapshots), self.prices.query
        shot = store.known_on(query, day)
        if shot is not None and (day < closed or shot.facts["last"] == str(closed)):
            return shot
        if day >= closed:
            return None
        raise ConfigError(
            f"nothing of {query.ticker} was fetched by {day}; {_since_when(store, query)}",
            where="ingestion.asof",
            todo="What is told today of earlier days may have been revised since. To cut it at "
            "that day all the same, read a snapshot as a file: ingestion=file "
            f"ingestion.path=data/raw/{query.about}_….parquet asof={day}.",
        )

    def _fresh(self, progress: Progress) -> Snapshot:
        now, query, store = self.now(), self.prices.query, Snapshots(self.snapshots)
        with progress.task(f"asking for {query.ticker}"):
            chart = self._download(progress)
        bars = self._bars(chart, now, progress)
        before = store.before(query)
        if before is not None and before.query == query and before.bars().equals(bars):
            progress.notice(f"{query.ticker}: nothing new since {before.path.name}, kept once")
            return before
        more: dict[str, object] = {
            "address": self._shown,
            "zone": chart.zone,
            "splits": [{**asdict(s), "day": str(s.day)} for s in chart.splits],
        }
        if before is not None:
            more |= self._compared(before, bars, chart.splits, progress)
        return store.keep(query, bars, now, more)

    def _compared(
        self, before: Snapshot, bars: pl.DataFrame, splits: tuple[Split, ...], progress: Progress
    ) -> dict[str, object]:
        """Tell what is otherwise than before, or refuse it; return what of it is to be kept."""
        known = {one["day"] for one in before.facts.get("splits", ())}
        news = [split for split in splits if str(split.day) not in known]
        first, last = self.prices.first, self.prices.last
        found = differences(before.bars(), bars, splits=news, since=first, until=last)
        for line in found.news:
            progress.notice(f"{self.prices.ticker}: {line}")
        if not found.revised:
            return {"compared_with": before.path.name}
        what = f"the history differs from {before.path.name} on {found.words}"
        if not self.accept_revisions:
            raise DataContractError(
                what,
                where=self.prices.ticker,
                todo="Nothing was taken. If the new history is meant, add "
                "ingestion.accept_revisions=true.",
            )
        progress.notice(f"{self.prices.ticker}: {what}; accepted")
        return {"compared_with": before.path.name, "revised": [str(day) for day in found.revised]}

    def _bars(self, chart: Chart, now: datetime, progress: Progress) -> pl.DataFrame:
        closed = last_session(self.prices.calendar, now)
        bars, notes = closed_bars(chart.bars, closed, self.prices.ticker)
        for note in notes:
            progress.notice(f"{self.prices.ticker}: {note}")
        first, last = self.prices.first or _EPOCH, self.prices.last or closed
        bars = bars.filter(pl.col("session").is_between(first, last))
        if bars.is_empty():
            raise self._empty()
        if note := self._late(bars, closed):
            progress.notice(f"{self.prices.ticker}: {note}")
        return bars

    def _late(self, bars: pl.DataFrame, closed: date) -> str:
        """Say how many sessions have closed since the last bar, if it was to be the newest."""
        last: date = bars["session"].to_list()[-1]
        if self.prices.last is not None or last >= closed:
            return ""
        count = len(sessions(self.prices.calendar, last, closed)) - 1
        plural = "session has" if count == 1 else "sessions have"
        return f"the last price is of {last}: {count} {plural} closed since"

    def _empty(self) -> DataContractError:
        since, until = self.prices.start or "the beginning", self.prices.end or "today"
        what = f"there is no bar of a closed session from {since} to {until}"
        todo = "Check ingestion.prices: ticker, start and end."
        return DataContractError(what, where=self.prices.ticker, todo=todo)

    def _download(self, progress: Progress) -> Chart:
        return patiently(
            self._attempt,
            where=self._shown,
            patience=self.patience,
            notice=progress.notice,
            sleep=self.sleep,
            todo=_TODO,
        )

    def _attempt(self) -> Chart:
        address = read_address(self._target(), "ingestion.prices.api")
        try:
            answer = ask(address, self.patience, headers={"User-Agent": _AGENT}, todo=lambda _: "")
        except Refused as fault:
            raise self._refused(fault) from None
        body = whole(answer, self.patience, where=self._shown, todo=_TODO, max_bytes=self.max_bytes)
        try:
            chart = read_chart(body, where=self._shown)
        except ValueError as fault:
            raise Again(str(fault)) from None
        if chart is None:
            raise self._empty()
        return chart

    def _refused(self, fault: Refused) -> ConfigError:
        if fault.code != 404:
            return fault
        return ConfigError(
            f"Yahoo knows no ticker {self.prices.ticker!r}: {fault.what}",
            where="ingestion.prices.ticker",
            todo="Look it up on finance.yahoo.com: BRK-B, ^GSPC, SAP.DE.",
        )

    def _target(self) -> str:
        """Return the address; days are asked for with room on both sides for all time zones."""
        first, last = self.prices.first or _EPOCH, self.prices.last
        until = last + timedelta(days=2) if last else self.now().date() + timedelta(days=1)
        query = {
            "period1": _seconds(first - timedelta(days=1)),
            "period2": _seconds(until),
            "interval": self.prices.interval,
            "events": "div,splits",
        }
        api = self.prices.api.rstrip("/")
        ticker = quote(self.prices.ticker, safe="")
        return f"{api}/v8/finance/chart/{ticker}?{urlencode(query)}"


def _since_when(store: Snapshots, query: Query) -> str:
    """Say from when on there are snapshots that answer a question, if there are any."""
    if kept := store.all(query):
        return f"the first snapshot is of {kept[0].day}"
    if (other := store.before(query)) is None:
        return "there is no snapshot yet"
    asked = (
        f"from {other.query.start or 'the beginning'} to {other.query.end or 'the last session'}"
    )
    return f"there is no snapshot with this start and end, the newest was asked for {asked}"


def _seconds(day: date) -> int:
    return int(datetime(day.year, day.month, day.day, tzinfo=UTC).timestamp())
