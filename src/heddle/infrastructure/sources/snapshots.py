"""Downloads that are kept as they came, each with what was asked and when, and never changed."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from dataclasses import asdict, dataclass
from datetime import UTC, date, datetime
from hashlib import sha256
from io import BytesIO
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import polars as pl

from heddle import __version__
from heddle.domain.errors import IntegrityError
from heddle.frames.atomic import publish

__all__ = ["Query", "Snapshot", "Snapshots"]

_STAMP = "%Y%m%dT%H%M%SZ"


@dataclass(frozen=True, slots=True, kw_only=True)
class Query:
    """What was asked for; days as text, "" for none."""

    ticker: str
    interval: str = "1d"
    start: str = ""  # the first day
    end: str = ""  # the last day, which is part of it

    @property
    def about(self) -> str:
        """How files of it begin."""
        return f"{self.ticker}_{self.interval}"


@dataclass(frozen=True, slots=True, kw_only=True)
class Snapshot:
    """One download: a Parquet file, and beside it a JSON file that says what it is."""

    path: Path
    query: Query
    fetched_at: datetime
    facts: Mapping[str, Any]  # the JSON file

    @property
    def day(self) -> date:
        """On which day of the exchange it was fetched."""
        return self.fetched_at.astimezone(ZoneInfo(self.facts["zone"])).date()

    def content(self) -> bytes:
        """Return the file's bytes. Raises IntegrityError if they are not those that were kept."""
        try:
            content = self.path.read_bytes()
        except FileNotFoundError:
            content = b""
        if sha256(content).hexdigest() != self.facts["sha256"]:
            raise IntegrityError(
                "is not what was kept, or is gone",
                where=f"snapshot {self.path.name}",
                todo="Restore the file, or remove it together with its .json file.",
            )
        return content

    def bars(self) -> pl.DataFrame:
        """Return the table. Raises as `content`."""
        return pl.read_parquet(BytesIO(self.content()))


class Snapshots:
    """The snapshots in a folder; a file without its JSON file is none (a writer was killed).

    Args:
        folder: made when the first one is kept.
    """

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    def all(self, query: Query) -> list[Snapshot]:
        """Return those of this very question, oldest first."""
        return [shot for shot in self._about(query) if shot.query == query]

    def before(self, query: Query) -> Snapshot | None:
        """Return the newest of this question, else the newest of its ticker, else None."""
        about = list(self._about(query))
        same = [shot for shot in about if shot.query == query]
        return next(reversed(same or about), None)

    def known_on(self, query: Query, day: date) -> Snapshot | None:
        """Return the newest of this question that was fetched by the end of a day, else None."""
        known = [shot for shot in self.all(query) if shot.day <= day]
        return known[-1] if known else None

    def keep(
        self, query: Query, bars: pl.DataFrame, fetched_at: datetime, more: Mapping[str, Any]
    ) -> Snapshot:
        """Write a snapshot: the table first, so that what has a JSON file is whole.

        Args:
            query: what was asked.
            bars: what came, at least one row, by `session`.
            fetched_at: when it was asked.
            more: what else is to be known, `zone` among it.

        Raises:
            ResourceError: the disk is full, read-only or failing.
        """
        out = BytesIO()
        bars.write_parquet(out)
        content, days = out.getvalue(), bars["session"]
        path = self._free(f"{query.about}_{fetched_at.astimezone(UTC):{_STAMP}}")
        facts = {
            "query": asdict(query),
            "fetched_at": fetched_at.astimezone(UTC).isoformat(),
            "rows": bars.height,
            "first": str(days.min()),
            "last": str(days.max()),
            "sha256": sha256(content).hexdigest(),
            "library": {"heddle": __version__, "polars": pl.__version__},
            **more,
        }
        publish(path, content)
        publish(path.with_suffix(".json"), (json.dumps(facts, indent=2) + "\n").encode())
        return Snapshot(path=path, query=query, fetched_at=fetched_at, facts=facts)

    def _free(self, stem: str) -> Path:
        """Return a path that no file has: another download of the same second gets a number."""
        path, number = self.folder / f"{stem}.parquet", 1
        while path.exists() or path.with_suffix(".json").exists():
            number += 1
            path = self.folder / f"{stem}-{number}.parquet"
        return path

    def _about(self, query: Query) -> Iterator[Snapshot]:
        """Give those of the ticker and interval, oldest first."""
        found = [_read(path) for path in self.folder.glob(f"{query.about}_*.json")]
        yield from sorted(found, key=lambda s: (s.fetched_at, len(s.path.name), s.path.name))


def _read(path: Path) -> Snapshot:
    try:
        facts = json.loads(path.read_text(encoding="utf-8"))
        query = Query(**facts["query"])
        fetched_at = datetime.fromisoformat(facts["fetched_at"])
        ZoneInfo(facts["zone"])
        len(facts["sha256"])
    except (OSError, ValueError, KeyError, TypeError):
        raise IntegrityError(
            "does not say what its snapshot is",
            where=path.name,
            todo="Restore the file, or remove it together with its .parquet file.",
        ) from None
    kept = path.with_suffix(".parquet")
    return Snapshot(path=kept, query=query, fetched_at=fetched_at, facts=facts)
