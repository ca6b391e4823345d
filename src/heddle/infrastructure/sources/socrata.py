"""A data set of a Socrata portal, page by page; a broken download goes on where it ended."""

from __future__ import annotations

import json
import os
import re
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from hashlib import sha256
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any, TypeVar

from heddle.domain.entities import RawFile
from heddle.domain.errors import ConfigError, DataContractError
from heddle.domain.ports import Progress
from heddle.infrastructure.sources.address import Address, is_private_line
from heddle.infrastructure.sources.landing import land, too_large
from heddle.infrastructure.sources.pages import KeptPages, Page, csv_page, csv_text, json_page
from heddle.infrastructure.sources.patience import Patience
from heddle.infrastructure.sources.socrata_table import SocrataTable
from heddle.infrastructure.sources.web import Again, ask, patiently, whole

__all__ = ["SocrataSource"]

_TOKEN_NAME = re.compile(r"([A-Z][A-Z0-9_]*_)?APP_TOKEN")
_KEPT = "socrata-"

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class _State:
    """Of which state of the data the pages are."""

    rows: int
    changed: str  # when, as the portal says it; "" if it does not


class SocrataSource:
    """Source of a portal's data set, as one CSV file.

    Rows are counted before and after, and the portal says with each page when the data changed
    last: pages of different states of the data are never put together.

    Args:
        table: which data set, and which part of it.
        token_variable: the environment's name for the portal's app token; "" asks without one.
        licence: under which the data may be used.
        sha256: what the CSV file must hash to, if that is known.
        max_bytes: the most that is taken.
        patience: time-outs and retries, of each page.
        keep: a folder in which finished pages outlive an error; None keeps nothing.
        sleep: waits between attempts.
    """

    def __init__(
        self,
        table: SocrataTable,
        *,
        token_variable: str = "",
        licence: str = "unknown",
        sha256: str | None = None,
        max_bytes: int = 2_000_000_000,
        patience: Patience | None = None,
        keep: Path | None = None,
        sleep: Callable[[float], None] = time.sleep,
    ) -> None:
        if token_variable and not _TOKEN_NAME.fullmatch(token_variable):
            raise ConfigError(
                f"{token_variable!r} is no name for an app token",
                where="ingestion.token_variable",
                todo="Name a variable whose name ends in APP_TOKEN, like SOCRATA_APP_TOKEN: "
                "no other secret is ever sent.",
            )
        self.table = table
        self.token_variable = token_variable
        self.licence = licence
        self.sha256 = sha256
        self.max_bytes = max_bytes
        self.patience = patience or Patience()
        self.keep = keep
        self.sleep = sleep

    def fetch(self, folder: Path, progress: Progress) -> RawFile:
        """Download below `folder`; raises as the port says.

        Raises:
            HeddleError: the portal could not be reached, or kept failing, after all retries; the
                finished pages are kept and the next fetch goes on after them.
            DataContractError: the data changed between two pages, or is not what was declared.
        """
        if self.keep is not None:
            mine = self.keep / (_KEPT + sha256(self.table.key.encode()).hexdigest()[:16])
            for other in self.keep.glob(f"{_KEPT}*"):
                if other != mine:
                    KeptPages(other).drop()
            return self._fetch(folder, KeptPages(mine), progress)
        folder.mkdir(parents=True, exist_ok=True)
        with TemporaryDirectory(dir=folder, prefix=".pages-") as pages:
            return self._fetch(folder, KeptPages(Path(pages) / "pages"), progress)

    def _fetch(self, folder: Path, pages: KeptPages, progress: Progress) -> RawFile:
        try:
            columns, count = self._download(pages, progress)
            raw = land(
                self._lines(pages, columns, count),
                folder / f"{self.table.dataset}.csv",
                origin=self.table.origin,
                licence=self.licence,
                expected=self.sha256,
                max_bytes=self.max_bytes,
            )
        except DataContractError:
            pages.drop()
            raise
        pages.drop()
        return raw

    def _download(self, pages: KeptPages, progress: Progress) -> tuple[dict[str, str], int]:
        """Have every page kept; return field to column, and how many pages there are."""
        state = self._state(progress)
        if not pages.begin({"rows": state.rows, "changed": state.changed}):
            progress.notice(f"{self.table.origin}: it changed since pages were kept; starting anew")
        count = -(-state.rows // self.table.page_rows)
        seen: dict[str, None] = {}
        found = 0
        with progress.task(f"downloading {self.table.dataset}", total=state.rows) as bar:
            for number in range(count):
                page = pages.page(number)
                found += page is not None
                if page is None:
                    page = self._page(number, state, progress)
                    self.table.columns(page.fields, partly=not page.told)
                    pages.keep(number, page)
                seen |= dict.fromkeys(page.fields)
                bar.advance(len(page.rows), f"page {number + 1} of {count}")
                if pages.size > self.max_bytes:
                    raise too_large(self.table.origin, self.max_bytes)
        if found:
            progress.notice(f"{self.table.origin}: {found} of {count} pages were there already")
        self._same(state, self._state(progress))
        return self.table.columns(seen), count

    def _lines(self, pages: KeptPages, columns: dict[str, str], count: int) -> Iterator[bytes]:
        yield csv_text([list(columns.values())]).encode()
        for number in range(count):
            page = pages.page(number)
            if page is None:
                raise DataContractError(f"page {number} is damaged", where=str(pages.folder))
            places = [page.fields.index(f) if f in page.fields else None for f in columns]
            rows: Sequence[Sequence[str]] = page.rows
            if places != list(range(len(page.fields))):
                rows = [["" if p is None else row[p] for p in places] for row in page.rows]
            yield csv_text(rows).encode()

    def _page(self, number: int, state: _State, progress: Progress) -> Page:
        first = number * self.table.page_rows
        wanted = min(self.table.page_rows, state.rows - first)

        def attempt() -> Page:
            body, headers = self._body(self.table.page(number))
            self._same(state, _State(state.rows, headers.get("Last-Modified") or ""))
            where = f"the page at row {first:,}"
            try:
                page = self._read(body, headers)
            except ValueError as fault:
                raise Again(f"{where} {fault}") from None
            if len(page.rows) != wanted:
                self._same(state, self._counted())
                raise Again(f"{where} has {len(page.rows):,} rows, not {wanted:,}")
            return page

        return self._patiently(attempt, progress)

    def _read(self, body: bytes, headers: Any) -> Page:
        if self.table.page_format == "csv":
            return csv_page(body)
        try:
            fields = json.loads(headers.get("X-SODA2-Fields") or "[]")
        except ValueError:
            fields = []
        return json_page(body, [str(f) for f in fields])

    def _state(self, progress: Progress) -> _State:
        state = self._patiently(self._counted, progress)
        if not state.rows:
            raise DataContractError(
                "holds no rows", where=self.table.origin, todo="Check ingestion.where."
            )
        return state

    def _counted(self) -> _State:
        body, headers = self._body(self.table.count())
        try:
            (told,) = json.loads(body)
            (rows,) = told.values()
            return _State(int(rows), headers.get("Last-Modified") or "")
        except (ValueError, TypeError, AttributeError):
            raise Again("the answer to count(*) is no count") from None

    def _same(self, before: _State, now: _State) -> None:
        if before.rows != now.rows:
            what = f"{before.rows:,} rows before, {now.rows:,} now"
        elif before.changed and now.changed and before.changed != now.changed:
            what = f"on {now.changed}, before that on {before.changed}"
        else:
            return
        raise DataContractError(
            f"the data set changed while it was read ({what})",
            where=self.table.origin,
            todo="Run again: it is read anew.",
        )

    def _body(self, address: Address) -> tuple[bytes, Any]:
        answer = ask(address, self.patience, secrets=self._secrets(), todo=self._todo)
        todo = "Check ingestion.site and ingestion.dataset."
        where = self.table.origin
        body = whole(answer, self.patience, where=where, todo=todo, max_bytes=self.max_bytes)
        return body, answer.headers

    def _secrets(self) -> dict[str, str]:
        token = os.environ.get(self.token_variable, "") if self.token_variable else ""
        if not token:
            return {}
        if not token.isascii() or not token.isprintable() or not is_private_line(self.table.site):
            raise ConfigError(
                f"the app token in ${self.token_variable} is not sent",
                where="ingestion.token_variable",
                todo="A token is one line of plain letters, and ingestion.site starts with https.",
            )
        return {"X-App-Token": token}

    def _todo(self, code: int) -> str:
        if code in (401, 403):
            named = f"${self.token_variable}" if self.token_variable else "ingestion.token_variable"
            return f"Check the app token ({named}), or that the data set is public."
        if code == 400:
            return "Check ingestion.select, where and order."
        return "Check ingestion.site and ingestion.dataset."

    def _patiently(self, attempt: Callable[[], T], progress: Progress) -> T:
        return patiently(
            attempt,
            where=self.table.origin,
            patience=self.patience,
            notice=progress.notice,
            sleep=self.sleep,
            todo="Run again later: finished pages are kept. For a portal that gives fewer rows "
            f"a page set ingestion.page_rows below {self.table.page_rows}.",
        )
