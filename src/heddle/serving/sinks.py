"""Where records of requests go once an answer is given: one place, or several."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Protocol

from heddle.domain.entities import RequestRecord
from heddle.serving.logged import LogCounts

__all__ = ["RequestSink", "Sinks"]


class RequestSink(Protocol):
    """Takes records; it never blocks and never raises."""

    def offer(self, records: Sequence[RequestRecord]) -> bool:
        """Take them, or drop them and count: False."""


class Sinks:
    """Several places for the same records; what one drops the others still get.

    Args:
        sinks: asked in this order.
    """

    def __init__(self, *sinks: RequestSink) -> None:
        self._sinks = sinks

    def offer(self, records: Sequence[RequestRecord]) -> bool:
        """Offer them to each; tell whether all took them."""
        took = [sink.offer(records) for sink in self._sinks]
        return all(took)

    @property
    def counts(self) -> LogCounts | None:
        """What became of the rows in the log of requests, None without one."""
        told = (getattr(sink, "counts", None) for sink in self._sinks)
        return next((one for one in told if isinstance(one, LogCounts)), None)
