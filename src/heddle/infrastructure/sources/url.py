"""A file behind an http(s) address: streamed, retried, capped, and there wholly or not at all."""

from __future__ import annotations

import time
from collections.abc import Callable
from pathlib import Path

from heddle.domain.entities import RawFile
from heddle.domain.ports import Progress
from heddle.infrastructure.sources.address import read_address
from heddle.infrastructure.sources.landing import land, too_large
from heddle.infrastructure.sources.patience import Patience
from heddle.infrastructure.sources.web import ask, parts_of, patiently

__all__ = ["UrlSource"]


class UrlSource:
    """Source of an address. Nothing is resumed: each attempt starts anew in a temporary file.

    Args:
        url: http or https; user and password in it are sent, and never shown or recorded.
        licence: under which the data may be used.
        sha256: what the file must hash to, if that is known.
        max_bytes: the most that is taken.
        patience: time-outs and retries.
        sleep: waits between attempts.
    """

    def __init__(
        self,
        url: str,
        *,
        licence: str = "unknown",
        sha256: str | None = None,
        max_bytes: int = 2_000_000_000,
        patience: Patience | None = None,
        sleep: Callable[[float], None] = time.sleep,
    ) -> None:
        self.address = read_address(url)
        self.licence = licence
        self.sha256 = sha256
        self.max_bytes = max_bytes
        self.patience = patience or Patience()
        self.sleep = sleep

    def fetch(self, folder: Path, progress: Progress) -> RawFile:
        """Download below `folder`; raises as the port says.

        Raises:
            HeddleError: the server could not be reached, or kept failing, after all retries.
        """
        return patiently(
            lambda: self._attempt(folder, progress),
            where=self.address.shown,
            patience=self.patience,
            notice=progress.notice,
            sleep=self.sleep,
        )

    def _attempt(self, folder: Path, progress: Progress) -> RawFile:
        with ask(self.address, self.patience, todo=_todo) as answer:
            size = answer.length
            if size is not None and size > self.max_bytes:
                raise too_large(self.address.shown, self.max_bytes)
            with progress.task(f"downloading {self.address.name}", total=size) as bar:
                return land(
                    parts_of(answer, self.patience),
                    folder / self.address.name,
                    origin=self.address.shown,
                    licence=self.licence,
                    expected=self.sha256,
                    max_bytes=self.max_bytes,
                    bar=bar,
                )


def _todo(code: int) -> str:
    if code in (401, 403):
        return "Check user and password, or that the file is public."
    return "Check ingestion.url."
