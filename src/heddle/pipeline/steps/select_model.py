"""Choose the best candidate, and say whether it is better than the best baseline beyond chance."""

from __future__ import annotations

import json
import time
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

from heddle.domain.errors import ConfigError
from heddle.evaluation.edge import Proof
from heddle.pipeline.context import StageContext
from heddle.training.plans import Contest

if TYPE_CHECKING:
    from heddle.domain.ports import TrackedRun
    from heddle.models.candidates import Candidate
    from heddle.training.arena import Arena
    from heddle.training.contenders import Field

__all__ = ["SelectModel", "select_model", "selected"]

_SELECTION = "models/selection.json"


@dataclass(frozen=True, slots=True, kw_only=True)
class SelectModel(Contest):
    """The contest whose leaderboard is read, and what has to be shown for an edge."""

    proof: Proof = field(default_factory=Proof)
    leaderboard: str = "models/leaderboard.json"


def select_model(ctx: StageContext, cfg: SelectModel) -> None:
    """Write models/selection.json and models/best_params.yaml; the test rows stay closed.

    Reads the rows, the split (the first two data versions), the leaderboard, and both studies
    where there are some. Every candidate's best trial is fitted once more on the folds, and held
    against the best baseline on the same rows. The run of each is written down with the timings.
    """
    from heddle.evaluation.edge import judged
    from heddle.training.arena import arena, stands_on
    from heddle.training.contenders import contenders, entered

    began = time.perf_counter()
    board: dict[str, Any] = ctx.read_json(cfg.leaderboard)
    with ctx.run() as run, arena(cfg, ctx) as ready:
        entries = entered(board, ready.candidates)
        with ctx.progress.task("select", total=len(entries)) as bar:
            found = contenders(
                entries,
                ready.objective,
                ready.matrices.data,
                ctx.tables.read(_split(ctx)),
                metric=cfg.metric,
                pool=ready.pool,
                on_step=lambda name: bar.advance(note=name),
            )
        told = judged(
            found.contenders,
            found.actual,
            found.period,
            metric=cfg.metric,
            scale=cfg.scale,
            horizon=max(cfg.horizon, 1),
            proof=cfg.proof,
            trials=len(board["trials"]),
            seed=cfg.seed,
        )
        ctx.write_json(_SELECTION, told)
        ctx.write_yaml("models/best_params.yaml", _best_params(told, found, ready))
        ctx.progress.notice(f"{ctx.stage}: {told['words']}")
        ids = _track(run, told, {c.name: c.estimator for c in ready.candidates})
        run.params({**{k: told[k] for k in ("winner", "against", "edge")}, **stands_on(ready)})
    seconds = time.perf_counter() - began
    kept = {"seconds": seconds, "name": told["winner"], "run_id": ids[told["winner"]], "runs": ids}
    ctx.write_json(f"reports/timings/{ctx.stage}.json", kept)


def selected(root: Path, *, stage: str = "select") -> dict[str, Any]:
    """Return what the stage chose: name, run_id, table, and the verdict on its edge.

    Args:
        root: folder of the project.
        stage: name of the stage in this project.

    Raises:
        ConfigError: nothing is chosen yet.
    """
    told: list[Mapping[str, Any]] = []
    for name in (_SELECTION, f"reports/timings/{stage}.json"):
        path = root / name
        if not path.is_file():
            raise ConfigError(
                "no model is selected yet", where=name, todo=f"Run the stage: heddle run {stage}."
            )
        told.append(json.loads(path.read_text(encoding="utf-8")))
    selection, kept = told
    rest = {key: value for key, value in selection.items() if key not in {"winner", "table"}}
    named = {"name": selection["winner"], "run_id": kept.get("run_id", "")}
    return {**named, **rest, "table": selection["table"]}


def _split(ctx: StageContext) -> str:
    """Return the second data version that is read; `arena` has seen that there are two."""
    return [name for name in ctx.reads.values() if "/" not in name][1]


def _best_params(
    told: Mapping[str, Any], found: Field, ready: Arena[SelectModel]
) -> dict[str, Any]:
    """Return best_params.yaml as a deeper search would write it: the winner alone."""
    from heddle.training.documents import best_params
    from heddle.training.finalists import Member, Team
    from heddle.training.space import edges

    winner = next(c for c in found.contenders if c.name == told["winner"])
    candidate: Candidate = next(c for c in ready.candidates if c.name == winner.name)
    member = Member(candidate=candidate, params=winner.params, value=winner.mean)
    team = Team(members=(member,), value=winner.mean, folds=winner.folds)
    bounds = [f"{winner.name}.{line}" for line in edges(candidate.space, winner.params)]
    return best_params(team, ready.choices, bounds, metric=ready.contest.metric)


def _track(
    run: TrackedRun, told: Mapping[str, Any], estimators: Mapping[str, str]
) -> dict[str, str]:
    """Write a run for each candidate below the stage's own; return their ids."""
    key, ids = told["metric"], {}
    for row in told["table"]:
        name = row["candidate"]
        said = {"baseline": str(row["baseline"]).lower(), "estimator": estimators[name]}
        with run.child(
            name, tags={**said, "selected": str(name == told["winner"]).lower()}
        ) as child:
            child.params(row["params"])
            figures = {k: v for k, v in row.items() if isinstance(v, float) and k != "mean"}
            child.metrics({key: row["mean"], **figures})
            ids[name] = child.id
    run.metrics({key: next(r["mean"] for r in told["table"] if r["candidate"] == told["winner"])})
    run.tags({"edge": str(told["edge"]).lower(), "selection": told["words"]})
    return ids
