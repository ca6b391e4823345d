"""Requests on their way to the log: a queue that no answer waits for, and the thread behind it."""

from __future__ import annotations

import json
import time
from collections import deque
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from hashlib import blake2b
from threading import Event, Lock, Thread
from typing import Any, Literal

from heddle.domain.entities import RequestRecord
from heddle.domain.errors import BusyError, ConfigError, HeddleError, IntegrityError, ResourceError
from heddle.domain.ports import RequestLog

__all__ = ["LogCounts", "LogSettings", "Logged"]

_BATCH = 2_000  # rows that are written in one transaction
_LINGER = 0.1  # seconds that rows are gathered for
_PAUSES = (0.5, 30.0)  # seconds before a first retry, and the longest
_IMPATIENT = 0.05  # seconds between retries while closing
_SWEEPS = 3600.0  # seconds between two
_LATER = (BusyError, ResourceError, IntegrityError)  # faults of the file, which may be mended


@dataclass(frozen=True, slots=True, kw_only=True)
class LogSettings:
    """What is kept of requests, and for how long."""

    redact: Mapping[str, Literal["drop", "hash"]] = field(default_factory=dict)  # by column
    keep_days: float | None = None  # older requests are forgotten; None: never
    queue_rows: int = 20_000  # that may wait for the disk; what comes beyond them is dropped

    def __post_init__(self) -> None:
        if self.queue_rows < 1 or not (self.keep_days is None or self.keep_days > 0):
            raise ValueError("queue_rows >= 1 and keep_days > 0 must hold")


@dataclass(frozen=True, slots=True, kw_only=True)
class LogCounts:
    """What became of the rows that were offered."""

    written: int  # they are in the log
    waiting: int  # for the disk
    dropped: int  # the queue was full or closed, or the disk did not come back in time
    refused: int  # they cannot be written down, whatever the disk does
    faults: int  # attempts that the disk failed
    fault: str  # the one that goes on, "" when the last attempt was well


class Logged:
    """Takes rows at once and writes them later, in a thread of its own.

    A fault of the disk breaks no request: rows wait, are tried again after longer and longer
    pauses, and are dropped and counted when too many wait.

    Args:
        log: where they go; closed with this.
        settings: columns to hide, days to keep, length of the queue.
        key: secret of the hashes, without which few possible values could be tried one by one.
        notice: hears when the log fails and when it works again.
        now: the clock of `keep_days`.

    Raises:
        ConfigError: a column is to be hashed and there is no key.
    """

    def __init__(
        self,
        log: RequestLog,
        settings: LogSettings | None = None,
        *,
        key: bytes = b"",
        notice: Callable[[str], None] | None = None,
        now: Callable[[], datetime] = lambda: datetime.now(UTC),
    ) -> None:
        self._log, self._settings, self._key = log, settings or LogSettings(), key[:64]
        if not key and "hash" in self._settings.redact.values():
            raise ConfigError("columns are to be hashed and there is no key", where="redact")
        self._notice, self._now = notice or (lambda _: None), now
        self._queue: deque[tuple[RequestRecord, ...]] = deque()
        self._lock, self._wake, self._stop = Lock(), Event(), Event()
        self._waiting = self._written = self._dropped = self._refused = self._faults = 0
        self._fault, self._told = "", 0
        self._deadline, self._next_sweep = 0.0, 0.0
        self._thread = Thread(target=self._drain, name="heddle-request-log", daemon=True)
        self._thread.start()

    def offer(self, records: Sequence[RequestRecord]) -> bool:
        """Take rows, all or none of them; never wait, never raise. False: they were dropped."""
        try:
            rows = tuple(records)
            with self._lock:  # never held while anything is written
                free = self._settings.queue_rows - self._waiting
                if self._stop.is_set() or len(rows) > free:
                    self._dropped += len(rows)
                    return False
                self._waiting += len(rows)
                self._queue.append(rows)
            if not self._wake.is_set():
                self._wake.set()
        except Exception:  # noqa: BLE001 an answer is worth more than its record
            self._refused += 1
            return False
        return True

    def close(self, timeout: float = 5.0) -> bool:
        """Write what waits, for at most so many seconds; tell whether all of it is written."""
        with self._lock:
            before = self._dropped
            self._deadline = time.monotonic() + timeout
            self._stop.set()
        self._wake.set()
        self._thread.join(timeout)
        return not self._thread.is_alive() and self._dropped == before

    @property
    def counts(self) -> LogCounts:
        """What became of the rows so far."""
        with self._lock:
            return LogCounts(
                written=self._written,
                waiting=self._waiting,
                dropped=self._dropped,
                refused=self._refused,
                faults=self._faults,
                fault=self._fault,
            )

    def _drain(self) -> None:
        while not (self._stop.is_set() and not self._queue):
            if self._settings.keep_days is not None and time.monotonic() >= self._next_sweep:
                self._sweep(self._settings.keep_days)
            self._wake.wait(_SWEEPS)
            self._stop.wait(_LINGER)
            self._wake.clear()
            while rows := self._taken():
                self._write(rows)
        with suppress(Exception):
            self._log.close()

    def _taken(self) -> list[RequestRecord]:
        rows: list[RequestRecord] = []
        while self._queue and len(rows) < _BATCH:
            rows += self._queue.popleft()
        return rows

    def _write(self, rows: Sequence[RequestRecord]) -> None:
        """Write rows, however long it takes; one that cannot be written keeps back no other."""
        written = 0
        hidden = [one for one in map(self._hidden, rows) if one is not None]
        try:
            if hidden and self._patiently(hidden):
                written = len(hidden)
        except Exception:  # noqa: BLE001 then it is a row's fault, not the disk's
            written = sum(self._alone(one) for one in hidden)
        with self._lock:
            self._waiting -= len(rows)
            self._written += written

    def _alone(self, one: RequestRecord) -> bool:
        try:
            return self._patiently([one])
        except Exception:  # noqa: BLE001 whatever a row holds
            self._refused += 1
            return False

    def _patiently(self, rows: Sequence[RequestRecord]) -> bool:
        """Try until the disk takes them or the time to close is over; raise a row's own faults."""
        pause, longest = _PAUSES
        while not (self._stop.is_set() and time.monotonic() >= self._deadline):
            try:
                self._log.append(rows)
            except _LATER as fault:
                self._failed(fault)
                if self._stop.wait(pause):
                    time.sleep(_IMPATIENT)
                pause = min(2 * pause, longest)
            else:
                self._works()
                return True
        with self._lock:
            self._dropped += len(rows)
        return False

    def _failed(self, fault: HeddleError) -> None:
        self._faults += 1
        if not self._fault:
            self._say(f"requests are not written down for now, answers go on: {fault}")
        self._fault = str(fault)

    def _works(self) -> None:
        if self._fault or self._dropped > self._told:
            lost = self._dropped - self._told
            self._say(f"requests are written down again, {lost:,} rows were dropped")
        self._fault, self._told = "", self._dropped

    def _say(self, text: str) -> None:
        with suppress(Exception):
            self._notice(text)

    def _sweep(self, days: float) -> None:
        self._next_sweep = time.monotonic() + _SWEEPS
        try:
            self._log.sweep((self._now() - timedelta(days=days)).isoformat())
        except _LATER as fault:
            self._faults += 1
            self._say(f"old requests could not be forgotten: {fault}")
        except Exception as fault:  # noqa: BLE001 the thread goes on
            self._say(f"old requests could not be forgotten: {type(fault).__name__}")

    def _hidden(self, one: RequestRecord) -> RequestRecord | None:
        """Return a record without what is to be hidden; None, and counted, if it is no record."""
        try:
            rules = self._settings.redact
            touched = tuple(column for column in one.row if column in rules)
            if not touched:
                return one
            row = {
                column: value if column not in rules else self._hash(value)
                for column, value in one.row.items()
                if rules.get(column) != "drop"
            }
            return replace(one, row=row, redacted=(*one.redacted, *touched))
        except Exception:  # noqa: BLE001 whatever was offered
            self._refused += 1
            return None

    def _hash(self, value: Any) -> str | None:
        """Return a word that equal values share; a missing value stays missing."""
        if value is None:
            return None
        text = json.dumps(value, default=str)
        return f"hash:{blake2b(text.encode(), key=self._key, digest_size=16).hexdigest()}"
