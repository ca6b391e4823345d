"""A file in an object store, or behind any other address that fsspec reads."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path
from typing import Any, TypeVar

from heddle.domain.entities import RawFile
from heddle.domain.errors import DataContractError, HeddleError
from heddle.domain.ports import Progress
from heddle.infrastructure.sources.landing import land, too_large
from heddle.infrastructure.sources.patience import Patience
from heddle.infrastructure.sources.remote_faults import readable_fault
from heddle.infrastructure.sources.remote_place import RemotePlace, file_system
from heddle.infrastructure.sources.web import Again, patiently

__all__ = ["RemoteSource"]

_CHUNK = 4 << 20
# what a store says of an object, in the names of its file systems, that changes when it does
_MARKS = {
    "created",
    "etag",
    "generation",
    "last_modified",
    "lastmodified",
    "md5hash",
    "mtime",
    "updated",
}

T = TypeVar("T")


class RemoteSource:
    """Source of an object or file that fsspec can read; a cut read goes on where it was.

    Credentials are those that the store's own tools find (environment, profile, instance): none
    stands in the configuration.

    Args:
        place: where it is, and how it is asked for.
        licence: under which the data may be used.
        sha256: what the file must hash to, if that is known.
        max_bytes: the most that is taken.
        patience: time-outs and retries.
        sleep: waits between attempts.
    """

    def __init__(
        self,
        place: RemotePlace,
        *,
        licence: str = "unknown",
        sha256: str | None = None,
        max_bytes: int = 2_000_000_000,
        patience: Patience | None = None,
        sleep: Callable[[float], None] = time.sleep,
    ) -> None:
        self.place = place
        self.licence = licence
        self.sha256 = sha256
        self.max_bytes = max_bytes
        self.patience = patience or Patience()
        self.sleep = sleep

    def fetch(self, folder: Path, progress: Progress) -> RawFile:
        """Copy the object below `folder`; raises as the port says.

        Raises:
            ConfigError: no such object, access refused, or the store's extra is not installed.
            HeddleError: the store could not be reached, or kept failing, after all retries.
        """
        system = file_system(self.place, self.patience)
        told = self._patiently(lambda: self._told(system), progress)
        size = told.get("size")
        if size is not None and size > self.max_bytes:
            raise too_large(self.place.shown, self.max_bytes)
        with progress.task(f"downloading {self.place.name}", total=size) as bar:
            return land(
                self._parts(system, told, progress),
                folder / self.place.name,
                origin=self.place.shown,
                licence=self.licence,
                expected=self.sha256,
                max_bytes=self.max_bytes,
                bar=bar,
            )

    def _told(self, system: Any) -> dict[str, Any]:
        """Return what the store says of the object: size, and what marks this state of it."""
        try:
            told = dict(system.info(self.place.path))
        except Exception as fault:  # noqa: BLE001  each store raises its own kinds
            raise readable_fault(fault, self.place, system) from None
        if told.get("type") == "directory":
            raise readable_fault(IsADirectoryError(), self.place, system)
        return told

    def _parts(self, system: Any, told: dict[str, Any], progress: Progress) -> Iterator[bytes]:
        """Give the bytes; each part is tried anew by itself."""
        came, end = 0, time.monotonic() + self.patience.deadline_seconds
        while part := self._patiently(partial(self._part, system, told, came), progress):
            came += len(part)
            yield part
            if time.monotonic() > end:
                what = f"not all came within {self.patience.deadline_seconds:g} s"
                todo = "Raise ingestion.patience.deadline_seconds, or try again later."
                raise HeddleError(what, where=self.place.shown, todo=todo)
        now = self._patiently(lambda: self._told(system), progress)
        if _mark(now) != _mark(told):
            raise DataContractError(
                "changed while it was read", where=self.place.shown, todo="Run again."
            )

    def _part(self, system: Any, told: dict[str, Any], start: int) -> bytes:
        size = told.get("size")
        end = start + _CHUNK if size is None else min(size, start + _CHUNK)
        if start == size:
            return b""
        try:
            part: bytes = system.cat_file(self.place.path, start=start, end=end)
        except Exception as fault:  # noqa: BLE001  each store raises its own kinds
            raise readable_fault(fault, self.place, system) from None
        if len(part) < end - start and size is not None:
            raise Again(f"the connection was cut after {start + len(part):,} of {size:,} bytes")
        return part

    def _patiently(self, attempt: Callable[[], T], progress: Progress) -> T:
        return patiently(
            attempt,
            where=self.place.shown,
            patience=self.patience,
            notice=progress.notice,
            sleep=self.sleep,
        )


def _mark(told: dict[str, Any]) -> dict[str, str]:
    marks = {key.lower(): str(value) for key, value in told.items() if key.lower() in _MARKS}
    return {**marks, "size": str(told.get("size"))}
