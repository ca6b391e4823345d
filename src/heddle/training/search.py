"""The order of a search: what each trial may know, which ones run, what was best."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import Executor, Future
from concurrent.futures.process import BrokenProcessPool
from dataclasses import dataclass, replace
from typing import Any

from heddle.domain.entities import TrialRecord
from heddle.domain.errors import HeddleError
from heddle.models.candidates import Dimension
from heddle.training.pruning import Pruning
from heddle.training.trial import Objective, run_trial
from heddle.training.workers import broken

__all__ = ["Draw", "Search", "Tuning", "best_of", "point_key", "run"]

Draw = Callable[[int, Sequence[TrialRecord], Sequence[Mapping[str, Any]]], dict[str, Any]]


@dataclass(frozen=True, slots=True, kw_only=True)
class Tuning:
    """What a search found."""

    trials: tuple[TrialRecord, ...]  # by number, without gaps, from 0
    best: TrialRecord  # the best complete trial; of equal ones the first
    bounds: tuple[str, ...]  # parameters of `best` that lie on a bound of the space
    notices: tuple[str, ...] = ()  # what a person should know of the journal


@dataclass(frozen=True, slots=True, kw_only=True)
class Search:
    """All that decides the trials of a search, apart from what they measure."""

    space: Mapping[str, Dimension]
    seed: int
    ahead: int  # trials drawn without knowing each other's result
    maximise: bool
    pruning: Pruning
    first: Mapping[str, Any]  # parameters of trial 0
    startup: int  # finished trials before draws are more than random
    whole: bool  # go through all points of a finite space instead

    def identity(self, history: Sequence[TrialRecord]) -> str:
        """Name this search, so that its journal is never continued by another."""
        return repr((self, [replace(r, seconds=0.0) for r in history]))

    def known_to(self, number: int, records: Sequence[TrialRecord]) -> Sequence[TrialRecord]:
        """Return the finished trials that trial `number` may know, whatever else has finished."""
        return records[: max(0, number - self.ahead + 1)]


def best_of(records: Sequence[TrialRecord], *, maximise: bool = False) -> TrialRecord:
    """Return the best complete trial; of equal ones that with the lowest number.

    Raises:
        HeddleError: there is none.
    """
    complete = [(r.value, r) for r in records if r.state == "complete" and r.value is not None]
    if not complete:
        reasons = [r.note for r in records if r.note]
        raise HeddleError(
            f"not one of {len(records)} trials was completed",
            todo=f"The first one said: {reasons[0]}" if reasons else None,
        )
    sign = -1 if maximise else 1
    return min(complete, key=lambda pair: (sign * pair[0], pair[1].number))[1]


def run(
    search: Search,
    draw: Draw,
    objective: Objective,
    records: Sequence[TrialRecord],
    *,
    trials: int,
    pool: Executor,
) -> Iterator[TrialRecord]:
    """Give the records that are still missing, in order.

    Args:
        search: what decides the trials.
        draw: parameters of a trial, from its number, the finished trials that it may know and
            the parameters of those that it may not.
        objective: what the trials run.
        records: the finished ones; the caller appends each record that it is given.
        trials: of the whole search.
        pool: runs the trials.

    Raises:
        ResourceError: a process of the pool was ended from outside.
    """
    drawn = {r.number: dict(r.params) for r in records}
    running: dict[int, Future[TrialRecord]] = {}
    try:
        for number in range(len(records), trials):
            for new in range(len(drawn), min(trials, number + search.ahead)):
                known = search.known_to(new, records)
                drawn[new] = draw(new, known, [drawn[n] for n in range(len(known), new)])
                running[new] = _known(known, new, drawn[new]) or pool.submit(
                    run_trial,
                    objective,
                    new,
                    drawn[new],
                    [r.folds for r in known if r.state == "complete"],
                    search.pruning,
                    maximise=search.maximise,
                )
            yield running.pop(number).result()
    except BrokenProcessPool as fault:
        raise broken(fault) from fault
    finally:
        for future in running.values():
            future.cancel()


def point_key(params: Mapping[str, Any]) -> str:
    """Return a text that two points share when they are equal, types included."""
    return json.dumps(params, sort_keys=True)


def _known(
    known: Sequence[TrialRecord], number: int, params: Mapping[str, Any]
) -> Future[TrialRecord] | None:
    """Return the result of an earlier trial with the same parameters, under the new number."""
    for twin in known:
        if point_key(twin.params) == point_key(params):
            note = twin.note or f"same parameters as trial {twin.number}"
            done: Future[TrialRecord] = Future()
            done.set_result(replace(twin, number=number, seconds=0.0, note=note))
            return done
    return None
