"""Search every candidate coarsely on the same folds, and rank them with the baselines."""

from __future__ import annotations

import time
from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING

from heddle.domain.errors import ConfigError
from heddle.evaluation.metrics import METRICS
from heddle.pipeline.context import StageContext
from heddle.training.plans import Contest

if TYPE_CHECKING:
    from heddle.domain.entities import TrialRecord
    from heddle.domain.ports import Progress, ProgressTask, TrackedRun
    from heddle.training.arena import Arena
    from heddle.training.competition import Entry, Leaderboard
    from heddle.training.search import Tuning

__all__ = ["Compete", "compete"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Compete(Contest):
    """A contest in which `trials` is the coarse search of each candidate."""

    skill_against: str | None = None  # a baseline; each candidate's gain on it is shown

    def __post_init__(self) -> None:
        super(Compete, self).__post_init__()  # slots make another class of this one
        if self.skill_against is None:
            return
        if METRICS[self.metric].direction == "maximise":
            raise ValueError(f"skill is for errors, which are minimised; {self.metric} is not")
        baselines = [name for name, told in self.candidates.items() if told.get("baseline")]
        if self.skill_against not in baselines:
            raise ConfigError(
                f"no baseline {self.skill_against!r} among the candidates",
                where="skill_against",
                wanted=self.skill_against,
                known=baselines,
            )


def compete(ctx: StageContext, cfg: Compete) -> None:
    """Write models/leaderboard.json, or the document that the stage declares instead.

    The test rows stay closed.

    Reads the rows, the split (the first two data versions) and both studies. Interrupted, it goes
    on from the last finished trial when it is run again with the same configuration and data.
    """
    from heddle.training.arena import arena, stands_on
    from heddle.training.documents import leaderboard_document

    began = time.perf_counter()
    with (
        ctx.run() as run,
        arena(cfg, ctx) as ready,
    ):
        board = _board(ready, run, ctx.progress)
        for name, reason in board.skipped.items():
            ctx.progress.notice(f"{ctx.stage}: {name} does not compete: {reason}")
        run.params({"winner": board.entries[0].candidate, **stands_on(ready)})
        run.metrics({cfg.metric: board.entries[0].mean})
        names = [entry.candidate for entry in board.entries]
        kept = {name: columns for name in names if (columns := ready.selected(name))}
        found = leaderboard_document(board, ready.candidates, cfg.skill_against, kept)
        ctx.write_json(_place(ctx), found)
    ctx.write_timings(began, {entry.candidate: entry.seconds for entry in board.entries})


def _place(ctx: StageContext) -> str:
    """Return the first document that the stage declares, models/leaderboard.json by default."""
    declared = (w for w in ctx.writes if w.startswith("models/") and w.endswith(".json"))
    return next(declared, "models/leaderboard.json")


def _board(ready: Arena[Compete], run: TrackedRun, progress: Progress) -> Leaderboard:
    from heddle.models.catalogue import available
    from heddle.training import competition

    metric = ready.contest.metric
    trials = {
        candidate.name: competition.planned(candidate, ready.contest)
        for candidate in ready.candidates
        if available(candidate.estimator) is None
    }

    kinds = {candidate.name: candidate.estimator for candidate in ready.candidates}

    def done(entry: Entry, tuning: Tuning) -> None:
        told = {"baseline": str(entry.baseline).lower(), "estimator": kinds[entry.candidate]}
        with run.child(entry.candidate, tags=told) as child:
            child.params(entry.params)
            child.metrics({**tuning.best.scores, metric: entry.mean})
            child.metrics({f"{metric}_sd": entry.sd, "seconds": entry.seconds})
            kept = ready.selected(entry.candidate)
            child.params({f"selected.fold_{n}": list(c) for n, c in enumerate(kept, 1)})
            child.trials(tuning.trials)

    with progress.task("competition", total=sum(trials.values()), even=False) as bar:
        shown = _Shown(bar, trials, metric)
        return competition.compete(
            ready.candidates,
            ready.objective,
            ready.contest,
            metric=metric,
            pool=ready.pool,
            folder=ready.folder,
            on_begin=lambda candidate: shown.begin(candidate.name),
            on_trial=shown.tried,
            on_candidate=done,
        )


class _Shown:
    """Beside the bar: who is searched, how far, the last score, and the best one of all."""

    def __init__(self, bar: ProgressTask, trials: Mapping[str, int], metric: str) -> None:
        self._bar = bar
        self._trials = trials
        self._metric = metric
        self._best: tuple[float, str] | None = None
        self._done = 0

    def begin(self, name: str) -> None:
        """Name the candidate that is made ready."""
        self._done = 0
        self._bar.advance(0, note=self._words(name, ""))

    def tried(self, name: str, record: TrialRecord) -> None:
        """Move on by a trial."""
        self._done += 1
        score = ""
        if record.state == "complete" and record.value is not None:
            score = f": {self._metric} {record.value:.4g}"
            better = METRICS[self._metric].better
            if self._best is None or better(record.value, self._best[0]):
                self._best = (record.value, name)
        self._bar.advance(note=self._words(name, score or f": {record.state}"))

    def _words(self, name: str, score: str) -> str:
        best = f", best {self._best[0]:.4g} ({self._best[1]})" if self._best else ""
        return f"{name} {self._done}/{self._trials[name]}{score}{best}"
