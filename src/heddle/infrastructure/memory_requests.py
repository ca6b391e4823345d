"""Requests in memory: the double for tests, with the contract's behaviour."""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import replace as changed
from datetime import UTC, datetime, timedelta
from threading import Lock

from heddle.domain.entities import JoinedOutcomes, RequestRecord
from heddle.domain.errors import ConfigError

__all__ = ["MemoryRequests", "Tally", "finite", "moment"]

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_STEP = timedelta(microseconds=1)


class MemoryRequests:
    """RequestLog in a dictionary."""

    def __init__(self) -> None:
        self._kept: dict[str, RequestRecord] = {}
        self._lock = Lock()

    def append(self, records: Sequence[RequestRecord]) -> int:
        """Keep those that are new."""
        for one in records:
            moment(one.at)
        with self._lock:
            before = len(self._kept)
            for one in records:
                self._kept.setdefault(one.id, changed(one, outcome=None))
            return len(self._kept) - before

    def find(self, id: str) -> RequestRecord | None:  # noqa: A002 the port calls it so
        """The request of this id."""
        found = self._kept.get(id)
        return None if found is None else self._with_outcome(found)

    def rows(
        self,
        *,
        model: str | None = None,
        since: str | None = None,
        until: str | None = None,
        limit: int | None = None,
    ) -> Iterator[RequestRecord]:
        """Requests, the earliest first."""
        first = moment(since) if since else None
        last = moment(until) if until else None
        with self._lock:
            timed = [(moment(one.at), one) for one in self._kept.values()]
        found = [
            (at, one)
            for at, one in timed
            if (model is None or model in {one.model, one.model.partition("/")[0]})
            and (first is None or at >= first)
            and (last is None or at < last)
        ]
        found.sort(key=lambda pair: pair[0])
        kept = found if limit is None else found[max(len(found) - limit, 0) :]
        return iter([self._with_outcome(one) for _, one in kept])

    def pairs(
        self, *, since: str | None = None, until: str | None = None
    ) -> Iterator[tuple[RequestRecord, RequestRecord]]:
        """Requests, each with what stands beside it."""
        beside = [one for one in self.rows(since=since, until=until) if one.beside in self._kept]
        return iter([(self._kept[one.beside], one) for one in beside])

    def count(self) -> int:
        """How many requests are held."""
        return sum(not one.beside for one in self._kept.values())

    def add_outcomes(
        self, pairs: Iterable[tuple[str, float]], *, replace: bool = False
    ) -> JoinedOutcomes:
        """Write down what really came."""
        tally = Tally(replace=replace)
        with self._lock:
            told = [(id_, finite(id_, outcome)) for id_, outcome in pairs]
            for id_, outcome in told:
                one = self._kept.get(id_)
                if one is None or one.beside:
                    tally.unknown.append(id_)
                elif tally.takes(id_, one.outcome, outcome):
                    self._kept[id_] = changed(one, outcome=outcome)
        return tally.result

    def sweep(self, before: str) -> int:
        """Forget requests older than this moment."""
        last = moment(before)
        with self._lock:
            old = [id_ for id_, one in self._kept.items() if moment(one.at) < last]
            for id_ in old:
                del self._kept[id_]
        return len(old)

    def close(self) -> None:
        """Nothing is held open."""

    def _with_outcome(self, one: RequestRecord) -> RequestRecord:
        """Return a record with the outcome of the request that it stands beside."""
        asked = self._kept.get(one.beside)
        return changed(one, outcome=asked.outcome) if asked is not None else one


class Tally:
    """Counts what becomes of outcomes, one after the other."""

    def __init__(self, *, replace: bool) -> None:
        self.unknown: list[str] = []
        self._replace = replace
        self._joined = self._known = self._replaced = 0
        self._differing: list[str] = []

    def takes(self, id: str, old: float | None, new: float) -> bool:  # noqa: A002 as above
        """Count an outcome of a request that is there; tell whether it is to be written."""
        if old is None:
            self._joined += 1
        elif old == new:
            self._known += 1
        elif self._replace:
            self._replaced += 1
        else:
            self._differing.append(id)
        return old is None or (old != new and self._replace)

    @property
    def result(self) -> JoinedOutcomes:
        """The counts."""
        return JoinedOutcomes(
            joined=self._joined,
            known=self._known,
            replaced=self._replaced,
            unknown=tuple(self.unknown),
            differing=tuple(self._differing),
        )


def finite(id: str, outcome: float) -> float:  # noqa: A002 as above
    """Return an outcome. Raises ConfigError if it is no finite number."""
    if isinstance(outcome, bool) or not math.isfinite(outcome):
        raise ConfigError(f"the outcome of {id!r} is no finite number: {outcome}")
    return float(outcome)


def moment(at: str) -> int:
    """Return microseconds since 1970 of an ISO 8601 time. Raises ConfigError without its zone.

    >>> moment("1970-01-01T01:00:00.000002+01:00")
    2
    """
    try:
        read = datetime.fromisoformat(at)
        return (read - _EPOCH) // _STEP
    except (TypeError, ValueError):
        raise ConfigError(
            f"{at!r} is no time with its zone; write as 2026-05-01T12:00:00+00:00"
        ) from None
