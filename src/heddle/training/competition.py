"""Who is best: every candidate searched alike, on the same folds, by the same metric."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import Executor
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from statistics import stdev
from typing import Any

from heddle.domain.entities import TrialRecord
from heddle.domain.errors import ConfigError, HeddleError
from heddle.evaluation.metrics import METRICS
from heddle.models.candidates import Candidate
from heddle.models.catalogue import available
from heddle.training.plans import Budget
from heddle.training.search import Tuning
from heddle.training.space import size
from heddle.training.trial import Objective
from heddle.training.tuning import tune

__all__ = ["Entry", "Leaderboard", "compete", "planned", "search"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Entry:
    """One candidate's best trial."""

    candidate: str
    baseline: bool
    mean: float
    sd: float
    folds: tuple[float, ...]
    params: Mapping[str, Any]
    trials: int
    seconds: float = field(default=0.0, compare=False)  # of all its trials, on their own clocks


@dataclass(frozen=True, slots=True, kw_only=True)
class Leaderboard:
    """All candidates, best first, and those that could not take part."""

    metric: str
    direction: str
    entries: tuple[Entry, ...]
    skipped: Mapping[str, str]  # candidate -> reason
    studies: Mapping[str, Tuning]


def planned(candidate: Candidate, budget: Budget, known: int = 0) -> int:
    """Return how many trials a search of a candidate has at most, beside those that are known.

    A finite space is gone through once; a baseline has none, and is one trial.
    """
    wanted = budget.trials if known else candidate.trials or budget.trials
    count = size(candidate.space)
    return wanted if count is None else min(wanted, max(count - known, 0))


def search(
    candidate: Candidate,
    objective: Objective,
    budget: Budget,
    *,
    metric: str,
    pool: Executor,
    storage: Path | None = None,
    history: Sequence[TrialRecord] = (),
    on_trial: Callable[[TrialRecord], None] = lambda _: None,
) -> Tuning:
    """Search one candidate's space, on from the trials of an earlier search if there are some."""
    return tune(
        objective,
        candidate.space,
        trials=len(history) + planned(candidate, budget, len(history)),
        seed=budget.seed,
        storage=storage,
        jobs=budget.jobs or 1,
        ahead=budget.ahead,
        maximise=METRICS[metric].direction == "maximise",
        pruning=budget.pruning,
        first=candidate.start,
        history=history,
        startup=budget.startup,
        on_trial=on_trial,
        pool=pool,
    )


def compete(
    candidates: Sequence[Candidate],
    objective: Callable[[Candidate], Objective],
    budget: Budget,
    *,
    metric: str,
    pool: Executor,
    folder: Path | None = None,
    on_begin: Callable[[Candidate], None] = lambda _: None,
    on_trial: Callable[[str, TrialRecord], None] = lambda _, __: None,
    on_candidate: Callable[[Entry, Tuning], None] = lambda _, __: None,
) -> Leaderboard:
    """Search every candidate coarsely.

    Args:
        candidates: in the order in which they run.
        objective: what the trials of a candidate run.
        budget: of each search.
        metric: primary metric of `heddle.evaluation.metrics`.
        pool: processes for the trials.
        folder: for the journals; None: nothing can be resumed.
        on_begin: called before the search of each candidate.
        on_trial: called with the candidate's name and each finished trial.
        on_candidate: called when a candidate is done.

    Raises:
        ConfigError: no candidate can run here.
        HeddleError: not one candidate completed a trial.
    """
    skipped = {c.name: reason for c in candidates if (reason := available(c.estimator))}
    running = [c for c in candidates if c.name not in skipped]
    if not running:
        raise ConfigError("no candidate can run here", todo=" ".join(skipped.values()))
    entries: list[Entry] = []
    studies: dict[str, Tuning] = {}
    for candidate in running:
        name = candidate.name
        on_begin(candidate)
        try:
            tuning = search(
                candidate,
                objective(candidate),
                budget,
                metric=metric,
                pool=pool,
                storage=folder / f"{name}.journal" if folder else None,
                on_trial=partial(on_trial, name),
            )
        except HeddleError as fault:
            if type(fault) is not HeddleError:  # configuration, integrity, disk: not its own fault
                raise
            skipped[name] = str(fault)
            continue
        studies[name] = tuning
        entries.append(_entry(candidate, tuning))
        on_candidate(entries[-1], tuning)
    if not entries:
        raise HeddleError("not one candidate completed a trial", todo=next(iter(skipped.values())))
    direction = METRICS[metric].direction
    sign = -1 if direction == "maximise" else 1
    return Leaderboard(
        metric=metric,
        direction=direction,
        entries=tuple(sorted(entries, key=lambda e: sign * e.mean)),
        skipped=skipped,
        studies=studies,
    )


def _entry(candidate: Candidate, tuning: Tuning) -> Entry:
    best = tuning.best
    return Entry(
        candidate=candidate.name,
        baseline=candidate.baseline,
        mean=float(best.value) if best.value is not None else float("nan"),
        sd=stdev(best.folds) if len(best.folds) > 1 else 0.0,
        folds=best.folds,
        params=best.params,
        trials=len(tuning.trials),
        seconds=sum(r.seconds for r in tuning.trials),
    )
