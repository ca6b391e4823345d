"""Search every candidate coarsely on the same folds, and rank them with the baselines."""

from __future__ import annotations

import time
from dataclasses import dataclass
from typing import TYPE_CHECKING

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
    """Nothing beyond a contest: `trials` is the coarse search of each candidate."""


def compete(ctx: StageContext, cfg: Compete) -> None:
    """Write models/leaderboard.json; the test rows stay closed.

    Reads the rows, the split (the first two data versions) and both studies. Interrupted, it goes
    on from the last finished trial when it is run again with the same configuration and data.
    """
    from heddle.training.arena import arena
    from heddle.training.documents import leaderboard_document

    began = time.perf_counter()
    with (
        ctx.tracker.run(ctx.stage) as run,
        arena(
            cfg,
            stage=ctx.stage,
            cores=ctx.cores,
            tables=ctx.tables,
            reads=ctx.reads,
            root=ctx.root,
            scratch=ctx.scratch,
        ) as ready,
    ):
        total = sum(1 if c.baseline else c.trials or cfg.trials for c in ready.candidates)
        with ctx.progress.task("competition", total=total) as bar:
            board = _board(ready, run, bar)
        for name, reason in board.skipped.items():
            ctx.progress.notice(f"{ctx.stage}: {name} does not compete: {reason}")
        run.params({"winner": board.entries[0].candidate, "metric": cfg.metric})
        run.metrics({cfg.metric: board.entries[0].mean})
        ctx.write_json("models/leaderboard.json", leaderboard_document(board, ready.candidates))
    parts = {entry.candidate: entry.seconds for entry in board.entries}
    ctx.write_json(
        f"reports/timings/{ctx.stage}.json",
        {"seconds": time.perf_counter() - began, "parts": parts},
    )


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
    from heddle.evaluation.metrics import METRICS

    return -1 if METRICS[metric].direction == "maximise" else 1
