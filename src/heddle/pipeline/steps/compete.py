"""Search every candidate coarsely on the same folds, and rank them with the baselines."""

from __future__ import annotations

import time
from dataclasses import dataclass
from typing import TYPE_CHECKING

from heddle.domain.errors import ConfigError
from heddle.evaluation.metrics import METRICS
from heddle.pipeline.context import StageContext
from heddle.training.plans import Contest

if TYPE_CHECKING:
    from heddle.domain.entities import TrialRecord
    from heddle.domain.ports import ProgressTask, TrackedRun
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
    """Write models/leaderboard.json; the test rows stay closed.

    Reads the rows, the split (the first two data versions) and both studies. Interrupted, it goes
    on from the last finished trial when it is run again with the same configuration and data.
    """
    from heddle.training.arena import arena
    from heddle.training.documents import leaderboard_document

    began = time.perf_counter()
    with (
        ctx.run() as run,
        arena(cfg, ctx) as ready,
    ):
        total = sum(1 if c.baseline else c.trials or cfg.trials for c in ready.candidates)
        with ctx.progress.task("competition", total=total) as bar:
            board = _board(ready, run, bar)
        for name, reason in board.skipped.items():
            ctx.progress.notice(f"{ctx.stage}: {name} does not compete: {reason}")
        run.params({"winner": board.entries[0].candidate, "metric": cfg.metric})
        run.metrics({cfg.metric: board.entries[0].mean})
        ctx.write_json(
            "models/leaderboard.json",
            leaderboard_document(board, ready.candidates, cfg.skill_against),
        )
    ctx.write_timings(began, {entry.candidate: entry.seconds for entry in board.entries})


def _board(ready: Arena[Compete], run: TrackedRun, bar: ProgressTask) -> Leaderboard:
    from heddle.training import competition

    best: dict[str, float] = {}
    metric = ready.contest.metric

    def tried(name: str, record: TrialRecord) -> None:
        sign = _sign(metric)
        if record.state == "complete" and record.value is not None:
            known = best.get(name, record.value)
            best[name] = sign * min(sign * known, sign * record.value)
        bar.advance(note=f"{name} {metric} {best[name]:.4g}" if name in best else name)

    def done(entry: Entry, tuning: Tuning) -> None:
        with run.child(entry.candidate, tags={"baseline": str(entry.baseline).lower()}) as child:
            child.params(entry.params)
            child.metrics({metric: entry.mean, f"{metric}_sd": entry.sd, "seconds": entry.seconds})
            child.trials(tuning.trials)

    return competition.compete(
        ready.candidates,
        ready.objective,
        ready.contest,
        metric=metric,
        pool=ready.pool,
        folder=ready.folder,
        on_trial=tried,
        on_candidate=done,
    )


def _sign(metric: str) -> int:
    return -1 if METRICS[metric].direction == "maximise" else 1
