"""Search the best candidates deeper, and average them where that is better."""

from __future__ import annotations

import time
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from heddle.pipeline.context import StageContext
from heddle.training.plans import Contest

if TYPE_CHECKING:
    from heddle.domain.entities import TrialRecord
    from heddle.domain.ports import TrackedRun
    from heddle.training.arena import Arena
    from heddle.training.finalists import Finalist, Member, Team
    from heddle.training.search import Tuning

__all__ = ["Tune", "tune"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Tune(Contest):
    """A contest of the finalists: `trials` come on top of those of the competition."""

    best: int = 2  # leading candidates that are searched deeper
    members: int = 2  # most that may be averaged; 1: never average

    def __post_init__(self) -> None:
        super(Tune, self).__post_init__()  # slots make another class of this one
        if self.best < 1 or self.members < 1:
            raise ValueError("best and members must be at least 1")


def tune(ctx: StageContext, cfg: Tune) -> None:
    """Write models/best_params.yaml and models/trials.json; the test rows stay closed.

    Reads the rows, the split (the first two data versions), both studies and
    models/leaderboard.json. Interrupted, it goes on from the last finished trial when it is run
    again with the same configuration and data.
    """
    from heddle.training.arena import arena, stands_on
    from heddle.training.documents import best_params, record_of, trial_row
    from heddle.training.finalists import finalists

    began = time.perf_counter()
    board: dict[str, Any] = ctx.read_json("models/leaderboard.json")
    with (
        ctx.run() as run,
        arena(cfg, ctx) as ready,
    ):
        coarse = [(row["study"], record_of(row)) for row in board["trials"]]
        chosen = finalists(board, coarse, ready.candidates, cfg.best)
        studies = _studies(ctx, ready, chosen, run)
        bounds = [f"{name}.{line}" for name, study in studies.items() for line in study.bounds]
        for line in bounds:
            ctx.progress.notice(f"{ctx.stage}: {line}")
        final = _team(ctx, ready, chosen, studies)
        run.params({"members": [m.candidate.name for m in final.members], **stands_on(ready)})
        run.metrics({cfg.metric: final.value})
        rows = [trial_row(name, r) for name, study in studies.items() for r in study.trials]
        ctx.write_json("models/trials.json", {"trials": rows})
        found = best_params(final, ready.choices, bounds, metric=cfg.metric)
        ctx.write_yaml("models/best_params.yaml", found)
    parts = {name: sum(r.seconds for r in study.trials) for name, study in studies.items()}
    ctx.write_timings(began, parts)


def _studies(
    ctx: StageContext, ready: Arena[Tune], chosen: tuple[Finalist, ...], run: TrackedRun
) -> dict[str, Tuning]:
    from heddle.training.competition import planned, search

    studies: dict[str, Tuning] = {}
    contest = ready.contest
    for finalist in chosen:
        name = finalist.candidate.name
        trials = planned(finalist.candidate, contest, len(finalist.history))
        with ctx.progress.task(f"tune {name}", total=trials) as bar:

            def tried(record: TrialRecord, bar: Any = bar) -> None:
                shown = f"{record.value:.4g}" if record.value is not None else "-"
                bar.advance(note=f"trial {record.number} {record.state} {shown}")

            study = search(
                finalist.candidate,
                ready.objective(finalist.candidate),
                contest,
                metric=contest.metric,
                pool=ready.pool,
                storage=ready.folder / f"{name}.journal",
                history=finalist.history,
                on_trial=tried,
            )
        for notice in study.notices:
            ctx.progress.notice(f"{ctx.stage}: {notice}")
        studies[name] = study
        with run.child(name, tags={"estimator": finalist.candidate.estimator}) as child:
            child.params(study.best.params)
            child.metrics({**study.best.scores, contest.metric: study.best.value or 0.0})
            child.trials(study.trials[len(finalist.history) :])
    return studies


def _team(
    ctx: StageContext,
    ready: Arena[Tune],
    chosen: tuple[Finalist, ...],
    studies: dict[str, Tuning],
) -> Team:
    from heddle.training.finalists import Member, team

    members: list[Member] = []
    for finalist in chosen:
        best = studies[finalist.candidate.name].best
        value = best.value if best.value is not None else float("nan")
        members.append(Member(candidate=finalist.candidate, params=best.params, value=value))
    with ctx.progress.task("average", total=len(members)) as bar:
        return team(
            members,
            ready.objective,
            metric=ready.contest.metric,
            most=ready.contest.members,
            pool=ready.pool,
            on_step=lambda name: bar.advance(note=name),
        )
