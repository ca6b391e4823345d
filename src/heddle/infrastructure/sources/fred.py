"""Economic series of the St. Louis Fed, by their ids: one table with a column for each."""

from __future__ import annotations

import re
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from urllib.parse import urlencode

import polars as pl

from heddle.domain.entities import RawFile
from heddle.domain.errors import ConfigError, DataContractError
from heddle.domain.ports import Progress
from heddle.infrastructure.sources.address import read_address
from heddle.infrastructure.sources.landing import land
from heddle.infrastructure.sources.pages import csv_page
from heddle.infrastructure.sources.patience import Patience
from heddle.infrastructure.sources.web import (
    Again,
    Refused,
    ask,
    patiently,
    whole,
)
from heddle.ingestion.asof import read_day

__all__ = ["FRED_API", "FredSource", "Series"]

FRED_API = "https://fred.stlouisfed.org"

_ID = re.compile(r"[A-Z0-9_]{1,40}")
_GAPS = ["", "."]
_TODO = (
    "Nothing was taken. Ask again later; if it stays so, the service has changed: write a file by "
    "other means and use kind: file."
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Series:
    """Which series; one part of an ingestion configuration."""

    ids: tuple[str, ...]  # as VIXCLS; the column is called vixcls
    start: str = ""  # the first day, as 2010-01-01; "" asks for all there is
    end: str = ""  # the last day, itself included
    api: str = FRED_API

    def __post_init__(self) -> None:
        if not self.ids:
            raise ValueError("ids must name at least one series, as VIXCLS")
        for one in self.ids:
            if not _ID.fullmatch(one):
                raise ValueError(f"ids must be capitals, digits and _, not {one!r}")
        if len(set(self.ids)) < len(self.ids):
            raise ValueError("ids names a series twice")
        days = [read_day(getattr(self, key), key) for key in ("start", "end") if getattr(self, key)]
        if days != sorted(days):
            raise ValueError(f"start {self.start} is after end {self.end}")

    def address(self, one: str) -> str:
        """Return where one series is asked for."""
        told = {"id": one, "cosd": self.start, "coed": self.end}
        query = urlencode({key: value for key, value in told.items() if value})
        return f"{self.api.rstrip('/')}/graph/fredgraph.csv?{query}"


@dataclass(frozen=True, slots=True, kw_only=True)
class FredSource:
    """Source of series as one CSV file: `date`, and a column for each id in lower case.

    A day on which a series has no value is empty in its column. Values are those that are told
    today: when they were published, and what was told first, is not in them.

    Args:
        series: which ones.
        licence: under which the data may be used.
        asof: a day after which rows are left out by who reads them; that values before it are
            those of today, and not those of that day, is told.
        sha256: what the file must hash to, if that is known.
        max_bytes: the most that is taken of one series.
        patience: time-outs and retries, of each series.
        sleep: waits between attempts.
    """

    series: Series
    licence: str = "unknown"
    asof: str | None = None
    sha256: str | None = None
    max_bytes: int = 2_000_000_000
    patience: Patience = field(default_factory=Patience)
    sleep: Callable[[float], None] = time.sleep

    def fetch(self, folder: Path, progress: Progress) -> RawFile:
        """Download below `folder`; raises as the port says.

        Raises:
            HeddleError: the service could not be reached, or kept failing, after all retries.
        """
        if self.asof is not None:
            progress.notice(
                f"{', '.join(self.series.ids)}: values as they are told today, revised since "
                f"{self.asof} or not: asof leaves out later days, and knows no earlier vintage"
            )
        table = pl.DataFrame(schema={"date": pl.Date})
        with progress.task("downloading series", total=len(self.series.ids)) as bar:
            for one in self.series.ids:
                column = self._download(one, progress)
                table = table.join(column, on="date", how="full", coalesce=True)
                bar.advance(1, one)
        origin = f"{self._where}?id={','.join(self.series.ids)}"
        return land(
            [table.sort("date").write_csv().encode()],
            folder / "series.csv",
            origin=origin,
            licence=self.licence,
            expected=self.sha256,
            max_bytes=self.max_bytes,
        )

    @property
    def _where(self) -> str:
        target = self.series.address(self.series.ids[0])
        return read_address(target, "ingestion.series.api").shown.partition("?")[0]

    def _download(self, one: str, progress: Progress) -> pl.DataFrame:
        return patiently(
            lambda: self._attempt(one),
            where=f"{self._where}, {one}",
            patience=self.patience,
            notice=progress.notice,
            sleep=self.sleep,
        )

    def _attempt(self, one: str) -> pl.DataFrame:
        address = read_address(self.series.address(one), "ingestion.series.api")
        todo = "Look the id up on fred.stlouisfed.org."
        try:
            answer = ask(address, self.patience)
        except Refused as fault:
            if fault.code not in (400, 404):
                raise
            what = f"there is no series {one!r}: {fault.what}"
            raise ConfigError(what, where="ingestion.series.ids", todo=todo) from None
        where = f"{self._where}, {one}"
        body = whole(answer, self.patience, where=where, todo=todo, max_bytes=self.max_bytes)
        try:
            page = csv_page(body)
        except ValueError as fault:
            raise Again(f"the answer {fault}") from None
        if len(page.fields) != 2 or page.fields[1] != one:
            came = ", ".join(page.fields)[:200]
            what = f"answered with the columns {came}, not with a day and {one}"
            raise DataContractError(what, where=where, todo=_TODO)
        return self._column(one, [list(row) for row in page.rows])

    def _column(self, one: str, rows: list[list[str]]) -> pl.DataFrame:
        """Return dates and numbers. Raises DataContractError naming what is neither."""
        name = one.lower()
        cells = pl.DataFrame(rows, schema={"date": pl.String, name: pl.String}, orient="row")
        told = cells.with_columns(
            pl.col("date").str.to_date("%Y-%m-%d", strict=False),
            pl.col(name).replace(dict.fromkeys(_GAPS)).cast(pl.Float64, strict=False),
        )
        gap = cells[name].is_in(_GAPS)
        bad = told["date"].is_null() | told[name].is_nan() | (told[name].is_null() & ~gap)
        if bad.fill_null(value=False).any():
            day, value = cells.filter(bad).row(0)
            what = f"{one}: {value!r} of {day!r} is no number of a day"
            raise DataContractError(what, where=self._where, todo=_TODO)
        if told.is_empty() or told["date"].is_duplicated().any():
            what = f"{one} has no value" if told.is_empty() else f"{one} has a day twice"
            todo = "Check ingestion.series: ids, start and end."
            raise DataContractError(what, where=self._where, todo=todo)
        return told
