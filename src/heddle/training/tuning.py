"""Search of a parameter space by Optuna's TPE, repeatable whatever interrupts it."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import Executor
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from functools import partial
from itertools import islice
from pathlib import Path
from types import MappingProxyType
from typing import Any

import numpy as np
import optuna

from heddle.domain.entities import TrialRecord
from heddle.domain.errors import ConfigError
from heddle.models.candidates import Dimension
from heddle.training.journal import held, mend
from heddle.training.pruning import Pruning
from heddle.training.search import Search, Tuning, best_of, point_key, run
from heddle.training.space import edges, points, size, start
from heddle.training.trial import Objective
from heddle.training.workers import workers

__all__ = ["Tuning", "tune"]

_DRAWS = 4  # times that a point is drawn anew when it is known already
_STATES = {
    "complete": optuna.trial.TrialState.COMPLETE,
    "pruned": optuna.trial.TrialState.PRUNED,
    "failed": optuna.trial.TrialState.FAIL,
}
_WORDS = {state: word for word, state in _STATES.items()}

Space = Mapping[str, Dimension]
Listener = Callable[[TrialRecord], None]


def tune(
    objective: Objective,
    space: Space,
    *,
    trials: int,
    seed: int,
    storage: Path | None = None,
    jobs: int = 1,
    ahead: int | None = None,
    maximise: bool = False,
    pruning: Pruning | None = None,
    first: Mapping[str, Any] = MappingProxyType({}),
    history: Sequence[TrialRecord] = (),
    startup: int = 8,
    on_trial: Listener = lambda _: None,
    pool: Executor | None = None,
) -> Tuning:
    """Search `space` for the parameters with the best mean of the metric over folds.

    Promised: trial *n* is a function of the objective, the space, `seed`, `first`, `history`,
    `startup`, `pruning`, `ahead` and *n* alone. Its sampler is seeded from (`seed`, *n*), and it
    knows the results of the trials up to *n* - `ahead` and only the parameters of those after,
    also when more has finished by then. So the table of trials is the same after a kill and a
    resume (from `storage`), for any `jobs` as long as `ahead` is the same, however long each
    trial takes, and its first trials are those of a search with a larger `trials` (unless the
    larger one covers a finite space). Not promised: the same table under another version of
    Optuna or NumPy, for an objective that is not deterministic, or for `trial.seconds`.

    Trial 0 is the starting point (`first`, the rest from the middle of the space). A space with
    no more points than `trials` is gone through point by point. A point that was drawn again is
    drawn anew a few times, and if it comes still, takes the known result instead of a second fit.

    Args:
        objective: called with parameters and `report` (`heddle.training.trial.Report`); picklable
            for `jobs` > 1.
        space: name -> dimension; may be empty (one trial).
        trials: of the whole search, `history` and resumed ones included.
        seed: of the search.
        storage: file of the journal; None keeps none, and nothing can be resumed.
        jobs: processes.
        ahead: trials that are drawn without knowing each other's result; None: `jobs`.
        maximise: a higher metric is better.
        pruning: when a trial is stopped before its last fold; None: the median rule.
        first: values of trial 0.
        history: finished trials of an earlier, smaller search of the same kind.
        startup: finished trials before TPE replaces random draws.
        on_trial: called with each record in the order of numbers, resumed ones too, those of
            `history` not.
        pool: processes to use instead of `jobs` own ones.

    Raises:
        ConfigError: a number below 1, `ahead` below `jobs`, or a journal of another search.
        HeddleError: not one trial was completed.
        BusyError, IntegrityError: the journal is in use, or damaged before its end.
        ResourceError: a process was ended from outside, usually for want of memory.
    """
    ahead = jobs if ahead is None else ahead
    if min(trials, jobs, startup) < 1 or ahead < jobs:
        raise ConfigError(
            f"trials {trials}, jobs {jobs}, startup {startup} must be at least 1 and "
            f"ahead {ahead} at least jobs"
        )
    count = size(space)
    trials = trials if count is None else min(trials, max(count, len(history)))
    search = Search(
        space=space,
        seed=seed,
        ahead=ahead,
        maximise=maximise,
        pruning=pruning or Pruning(),
        first=start(space, first),
        startup=startup,
        whole=count is not None and count <= trials and not history,
    )
    with ExitStack() as stack, _quiet():
        journal = stack.enter_context(_journal(storage, search, history))
        pool = pool or stack.enter_context(workers(jobs))
        for record in journal.records[len(history) : trials]:
            on_trial(record)
        for record in run(
            search, partial(_draw, search), objective, journal.records, trials=trials, pool=pool
        ):
            journal.add(record)
            on_trial(record)
    records = tuple(journal.records[:trials])
    best = best_of(records, maximise=maximise)
    return Tuning(
        trials=records, best=best, bounds=edges(space, best.params), notices=journal.notices
    )


def _draw(
    search: Search,
    number: int,
    known: Sequence[TrialRecord],
    others: Sequence[Mapping[str, Any]],
) -> dict[str, Any]:
    """Return the parameters of trial `number`; `others` are under way beside it."""
    if number == 0:
        return dict(search.first)
    if search.whole:
        return next(islice(points(search.space, search.first), number, None))
    taken = {point_key(p) for p in [*(r.params for r in known), *others]}
    params: dict[str, Any] = {}
    for attempt in range(_DRAWS):
        entropy = np.random.SeedSequence([search.seed, number, attempt])
        params = _ask(search, known, others, int(entropy.generate_state(1)[0]))
        if point_key(params) not in taken:
            break
    return params


def _ask(
    search: Search,
    known: Sequence[TrialRecord],
    others: Sequence[Mapping[str, Any]],
    seed: int,
) -> dict[str, Any]:
    """Ask TPE in a study of its own, which holds what the trial may know and nothing else."""
    sampler = optuna.samplers.TPESampler(seed=seed, n_startup_trials=search.startup)
    study = optuna.create_study(direction=_direction(search), sampler=sampler)
    ways = _distributions(search.space)
    running = optuna.trial.TrialState.RUNNING
    study.add_trials([_frozen(r, ways) for r in known])
    study.add_trials(
        [optuna.trial.create_trial(state=running, params=p, distributions=ways) for p in others]
    )
    params = study.ask(ways).params
    return {name: params[name] for name in search.space}


def _direction(search: Search) -> str:
    return "maximize" if search.maximise else "minimize"


def _distributions(space: Space) -> dict[str, Any]:
    made: dict[str, Any] = {}
    for name, d in space.items():
        if d.type == "categorical":
            made[name] = optuna.distributions.CategoricalDistribution(d.choices)
        elif d.type == "int":
            made[name] = optuna.distributions.IntDistribution(
                d.low, d.high, log=d.log, step=d.step or 1
            )
        else:
            made[name] = optuna.distributions.FloatDistribution(
                d.low, d.high, log=d.log, step=d.step
            )
    return made


def _frozen(record: TrialRecord, ways: Mapping[str, Any]) -> Any:
    sums = np.cumsum(record.folds)
    return optuna.trial.create_trial(
        state=_STATES[record.state],
        value=record.value,
        params=dict(record.params),
        distributions=dict(ways),
        intermediate_values={i: float(s) / (i + 1) for i, s in enumerate(sums)},
        user_attrs={
            "folds": record.folds,
            "seconds": record.seconds,
            "note": record.note,
            "scores": dict(record.scores),
        },
    )


def _record(trial: Any, space: Space) -> TrialRecord:
    said = trial.user_attrs
    return TrialRecord(
        number=trial.number,
        state=_WORDS[trial.state],
        params={name: trial.params[name] for name in space},
        value=trial.value,
        folds=tuple(said["folds"]),
        seconds=said["seconds"],
        note=said["note"],
        scores=said.get("scores", {}),
    )


class _Ours(optuna.storages.journal.JournalFileOpenLock):  # type: ignore[misc]
    """No lock of its own: `held` keeps others out, and leaves nothing after a kill."""

    def acquire(self) -> bool:
        return True

    def release(self) -> None:
        return


@dataclass(slots=True)
class _Journal:
    records: list[TrialRecord]
    notices: tuple[str, ...] = ()
    study: Any = None
    ways: Mapping[str, Any] = field(default_factory=dict)

    def add(self, record: TrialRecord) -> None:
        """Keep a finished trial, in one write that is on the disk when this returns."""
        if self.study is not None:
            self.study.add_trial(_frozen(record, self.ways))
        self.records.append(record)


@contextmanager
def _journal(
    path: Path | None, search: Search, history: Sequence[TrialRecord]
) -> Iterator[_Journal]:
    """Open the journal of this search; what it holds already is kept.

    Only finished trials are written, each as one record, so that a kill leaves no trial that is
    running for ever, and a trial cut short is run again under its own number.
    """
    if path is None:
        yield _Journal(list(history))
        return
    with held(path):
        notice = mend(path)
        file = optuna.storages.journal.JournalFileBackend(str(path), lock_obj=_Ours(str(path)))
        study = optuna.create_study(
            storage=optuna.storages.JournalStorage(file),
            study_name="search",
            direction=_direction(search),
            load_if_exists=True,
        )
        identity = search.identity(history)
        if study.user_attrs.get("identity", identity) != identity:
            raise ConfigError(
                "the journal belongs to another search",
                where=str(path),
                todo="Remove it to begin this one.",
            )
        study.set_user_attr("identity", identity)
        ways = _distributions(search.space)
        journal = _Journal([_record(t, search.space) for t in study.trials], study=study, ways=ways)
        journal.notices = (notice,) if notice else ()
        for record in history[len(journal.records) :]:
            journal.add(record)
        path.chmod(0o600)
        yield journal


@contextmanager
def _quiet() -> Iterator[None]:
    """Keep Optuna's own log lines away: what matters is in the records."""
    before = optuna.logging.get_verbosity()
    optuna.logging.set_verbosity(optuna.logging.WARNING)
    try:
        yield
    finally:
        optuna.logging.set_verbosity(before)
