"""A second model that is asked what the first was asked, once that has been answered.

What it says is written down beside the answer and given to nobody. It has a thread and a queue of
its own, works on at most 64 rows and then rests four times as long as that took: answers share the
interpreter with it for no more than a fifth of the time.
"""

from __future__ import annotations

import time
from collections import deque
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass, replace
from threading import Event, Lock, Thread
from typing import Any

from heddle.domain.entities import RequestRecord
from heddle.serving.api.answers import document, records
from heddle.serving.api.refused import Refused
from heddle.serving.api.rows import RowReader
from heddle.serving.api.settings import Settings
from heddle.serving.live import Live, Serving
from heddle.serving.sinks import RequestSink

__all__ = ["Shadow", "ShadowCounts"]

_PIECE = 64  # rows that are predicted in one go
_REST = 4.0  # times as long as a piece took, before the next
_MOST_ROWS = 10_000  # that may wait

Columns = dict[str, list[Any]]


@dataclass(slots=True, kw_only=True)
class ShadowCounts:
    """What became of the rows that were answered by the first model."""

    asked: int = 0  # predicted, too, and handed on to be written down
    dropped: int = 0  # too many waited, no second model was there, or the log had no room
    not_comparable: int = 0  # the row does not fit the second model
    failed: int = 0  # it had no number for the row
    same: int = 0  # both were one model by then


class Shadow:
    """Asks a second model in its own time.

    Args:
        live: the second model; loaded by `start`, and followed by whoever watches it.
        sink: where its predictions are written down.
        most_rows: that may wait; what comes beyond them is dropped and counted.
        clock: seconds that only rise.
    """

    def __init__(
        self,
        live: Live,
        sink: RequestSink,
        *,
        most_rows: int = _MOST_ROWS,
        clock: Callable[[], float] = time.perf_counter,
    ) -> None:
        self.live = live
        self.counts = ShadowCounts()
        self.fault = ""  # the kind of the last fault of the model, no value of a row
        self._sink = sink
        self._most = most_rows
        self._clock = clock
        self._queue: deque[RequestRecord] = deque()
        self._lock, self._wake, self._stop = Lock(), Event(), Event()
        self._deadline = 0.0
        self._reader: tuple[Serving, RowReader] | None = None
        self._thread = Thread(target=self._run, name="heddle-shadow", daemon=True)

    def start(self) -> None:
        """Load the model and begin to ask it; what was offered before waits."""
        self._thread.start()

    def offer(self, records: Sequence[RequestRecord]) -> bool:
        """Take what was answered, all or none of it; never wait, never raise."""
        with self._lock:
            if self._stop.is_set() or len(self._queue) + len(records) > self._most:
                self.counts.dropped += len(records)
                return False
            self._queue.extend(records)
        self._wake.set()
        return True

    def close(self, timeout: float = 5.0) -> bool:
        """Ask for what waits, for at most so many seconds; tell whether all of it was asked."""
        self._deadline = time.monotonic() + timeout
        with self._lock:
            self._stop.set()
        self._wake.set()
        if self._thread.ident is not None:  # else it was never started
            self._thread.join(timeout + 1.0)
        return not self._thread.is_alive() and not self._queue

    @property
    def told(self) -> dict[str, Any]:
        """What is said of it beside the first model; no path of this machine is in it."""
        serving = self.live.current
        return {
            "follows": str(self.live.address) if self.live.address.folder is None else "a folder",
            "status": "not_loaded" if serving is None else "ready",
            "model_version": None if serving is None else serving.model.label,
            "model_digest": None if serving is None else serving.digest,
            "since": None if serving is None else serving.since.isoformat(),
            "notice": self.live.fault or self.fault,
            "rows": {**asdict(self.counts), "waiting": len(self._queue)},
        }

    @property
    def gauges(self) -> list[tuple[str, str, str, float]]:
        """Counts as (name, labels, help, value)."""
        counts, serving = self.counts, self.live.current
        found = [
            ("shadow_rows_total", "Rows that the shadow model predicted.", counts.asked),
            ("shadow_dropped_total", "Rows that it was not asked.", counts.dropped),
            ("shadow_not_comparable_total", "Rows that do not fit it.", counts.not_comparable),
            ("shadow_failed_total", "Rows that it had no number for.", counts.failed),
            ("shadow_same_total", "Rows that it had answered itself.", counts.same),
            ("shadow_waiting", "Rows that wait for it.", len(self._queue)),
            ("shadow_ready", "Whether a shadow model is loaded.", serving is not None),
            ("shadow_refused_total", "Shadow models not verified.", self.live.refused),
        ]
        return [(name, "", words, float(value)) for name, words, value in found]

    def _run(self) -> None:
        self.live.look()
        while not (self._stop.is_set() and not self._queue):
            self._wake.wait()
            self._wake.clear()
            while piece := self._taken():
                start = self._clock()
                try:
                    self._ask(piece)
                except Exception as fault:  # noqa: BLE001 the next piece is asked all the same
                    self.counts.failed += len(piece)
                    self.fault = f"a piece could not be asked: {type(fault).__name__}"
                if not self._stop.is_set():
                    self._stop.wait(_REST * (self._clock() - start))

    def _taken(self) -> list[RequestRecord]:
        """Take the next piece; when the time to close is over, drop what is left."""
        with self._lock:
            if self._stop.is_set() and time.monotonic() > self._deadline:
                self.counts.dropped += len(self._queue)
                self._queue.clear()
            return [self._queue.popleft() for _ in range(min(_PIECE, len(self._queue)))]

    def _ask(self, piece: Sequence[RequestRecord]) -> None:
        serving = self.live.current
        if serving is None:
            self.counts.dropped += len(piece)
            return
        others = [one for one in piece if one.digest != serving.digest]
        self.counts.same += len(piece) - len(others)
        fitting, columns = others, self._columns(serving, others)
        if columns is None:
            fitting = [one for one in others if self._columns(serving, [one]) is not None]
            columns = self._columns(serving, fitting) or {}
        self.counts.not_comparable += len(others) - len(fitting)
        if not fitting:
            return
        said = self._said(serving, fitting, columns)
        self.counts.failed += len(fitting) - len(said)
        if self._sink.offer(said):
            self.counts.asked += len(said)
        else:
            self.counts.dropped += len(said)

    def _columns(self, serving: Serving, asked: Sequence[RequestRecord]) -> Columns | None:
        """Return rows as the model reads them, None if one does not fit; what it lacks is no harm.

        A model that looks back over a history fits none: of a history the last row is kept.
        """
        reader = self._reader_of(serving)
        if reader.history is not None:
            self.fault = "it looks back over a history, of which the log keeps the last row only"
        if reader.history is not None or not asked:
            return None
        rows = [{name: one.row[name] for name in reader.fields if name in one.row} for one in asked]
        try:
            return reader.read({"instances": rows})
        except Refused:
            return None

    def _reader_of(self, serving: Serving) -> RowReader:
        if self._reader is None or self._reader[0] is not serving:
            settings = Settings(outside="flag", categories="flag")
            self._reader = (serving, RowReader(serving.model.manifest, settings))
        return self._reader[1]

    def _said(
        self, serving: Serving, asked: Sequence[RequestRecord], columns: Columns
    ) -> list[RequestRecord]:
        """Return a record beside each request; a row that the model fails on costs no other."""
        start = self._clock()
        try:
            said = serving.model.predict_values(columns)
            remarks = self._reader_of(serving).remarks(columns, len(asked))
            told = document(serving, said, remarks)
        except Exception as fault:  # noqa: BLE001 whatever a model raises
            if len(asked) == 1:
                self.fault = f"the model failed on a row: {type(fault).__name__}"
                return []
            rows = [
                {name: [told[at]] for name, told in columns.items()} for at in range(len(asked))
            ]
            alone = [self._said(serving, [one], row) for one, row in zip(asked, rows, strict=True)]
            return [one for some in alone for one in some]
        made = records(serving, columns, told, seconds=self._clock() - start)
        return [
            replace(one, at=first.at, beside=first.id)
            for one, first in zip(made, asked, strict=True)
        ]
