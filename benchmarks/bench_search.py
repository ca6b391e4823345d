"""The forest's search of the hospital project: by hand, by Heddle, and what is there sooner.

usage: bench_search.py [ROWS [TRIALS]]     (raw rows of the sample, and trials of each search)

By hand is what somebody writes who knows scikit-learn and Optuna: a pipeline, the same folds by
year in parallel, TPE, every trial to its end. The forest's ranges are those of the reference
system (100 to 1000 trees). Only training years are read.
"""

from __future__ import annotations

import os
import sys
import tempfile
import time
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import numpy as np
import optuna
import polars as pl
import psutil
import yaml
from joblib.externals.loky import get_reusable_executor
from sklearn.compose import ColumnTransformer
from sklearn.ensemble import RandomForestRegressor
from sklearn.impute import SimpleImputer
from sklearn.metrics import make_scorer
from sklearn.model_selection import KFold, cross_val_score
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import TargetEncoder
from workplace import fresh_project, run, show

from heddle.domain.typed import build
from heddle.evaluation.metrics import METRICS
from heddle.models.assembly import Choices
from heddle.models.candidates import Candidate, read_candidates
from heddle.models.features import read_features
from heddle.training.competition import search
from heddle.training.dataset import Dataset, dataset
from heddle.training.matrices import FoldMatrices
from heddle.training.plans import Contest
from heddle.training.workers import workers

ROWS, TRIALS, CORES = 8_000, 6, 2
STAGE = "v13_rf_optuna_trial"
SOONER = ("random_forest", "hist_gradient_boosting", "lightgbm")
Seen = list[tuple[float, float, float | None, str]]  # seconds, CPU seconds, score, state


def main() -> None:
    rows, trials = (*map(int, sys.argv[1:]), *(ROWS, TRIALS)[len(sys.argv) - 1 :])
    with fresh_project("drg") as project:
        told = ("tracking=none", f"ingestion.rows={rows}", "model_candidates=full")
        if code := run(project, "heddle", "run", "split", *told).code:
            raise SystemExit(code)
        stages = yaml.safe_load((project / "params.yaml").read_text())["stages"]
        tables = [pl.read_parquet(project / f"data/{v}/{v}.parquet") for v in ("v13", "split")]
    alone, all_ = (stages[name]["steps"][0]["with"] for name in (STAGE, "compete"))
    data = dataset(*tables, target=alone["target"], row_key=tuple(alone["row_key"]))
    named = {c.name: c for c in read_candidates(all_["candidates"], where="model_candidates")}
    forest = next(c for c in read_candidates(alone["candidates"], where=STAGE) if not c.baseline)
    found = {"scikit-learn + Optuna": _by_hand(forest, data, alone, trials)}
    found["Heddle, the same ranges"] = _by_heddle(forest, data, alone, trials)
    for name in SOONER:
        found[f"Heddle, candidate {name}"] = _by_heddle(named[name], data, all_, trials)
    _show(found, data, alone["metric"])


def _by_hand(candidate: Candidate, data: Dataset, told: Mapping[str, Any], trials: int) -> Seen:
    """Search as the reference system does, but by year, seeded, and with ids as categories."""
    features = read_features(told["features"], where=STAGE)
    metric, seen, clock = METRICS[told["metric"]], Seen(), _clock()
    scorer = make_scorer(metric.compute, greater_is_better=False)

    def objective(trial: optuna.Trial) -> float:
        params = {
            name: (trial.suggest_int if d.type == "int" else trial.suggest_float)(
                name, d.low, d.high, log=d.log
            )
            for name, d in candidate.space.items()
        }
        ids = TargetEncoder(target_type="continuous", cv=KFold(5, shuffle=True, random_state=42))
        columns = ColumnTransformer(
            [
                ("numbers", SimpleImputer(strategy="median"), list(features.numeric)),
                ("ids", ids, list(features.categorical)),
            ]
        )
        model = make_pipeline(columns, RandomForestRegressor(**params, random_state=42, n_jobs=1))
        scores = cross_val_score(
            model, data.train, data.target, cv=data.folds, scoring=scorer, n_jobs=CORES
        )
        return -float(np.mean(scores))

    def keep(_: optuna.Study, trial: optuna.trial.FrozenTrial) -> None:
        seen.append((*clock(), trial.value, "complete"))

    optuna.logging.set_verbosity(optuna.logging.WARNING)
    study = optuna.create_study(sampler=optuna.samplers.TPESampler(seed=42))
    study.optimize(objective, n_trials=trials, callbacks=[keep])
    get_reusable_executor().shutdown(wait=True)  # the next one counts its own processes
    return seen


def _by_heddle(candidate: Candidate, data: Dataset, told: Mapping[str, Any], trials: int) -> Seen:
    """Search as the stage does: processes, folds made ready once, pruning, a journal."""
    fields = {key: told[key] for key in Contest.__dataclass_fields__ if key in told}
    contest = build(Contest, {**fields, "trials": trials}, where=STAGE).within(CORES)
    features = read_features(told["features"], where=STAGE)
    seen, clock = Seen(), _clock()
    whole = build(Candidate, {**_fields(candidate), "trials": trials}, where=STAGE)
    with (
        tempfile.TemporaryDirectory() as folder,
        workers(contest.jobs or 1, threads=contest.threads) as pool,
    ):
        place = Path(folder)
        matrices = FoldMatrices(
            data, features, Choices(), seed=contest.seed, pool=pool, folder=place / "folds"
        )
        search(
            whole,
            matrices.objective(whole, metric=contest.metric, threads=contest.threads),
            contest,
            metric=contest.metric,
            pool=pool,
            storage=place / "journal",
            on_trial=lambda r: seen.append(
                (*clock(), None if r.state != "complete" else r.value, r.state)
            ),
        )
    return seen


def _clock() -> Callable[[], tuple[float, float]]:
    """Give what tells the seconds since now, by the wall and of this process and its children."""

    def spent() -> float:
        me = psutil.Process()
        return sum(sum(p.cpu_times()[:2]) for p in (me, *me.children(recursive=True)))

    began, already = time.perf_counter(), spent()
    return lambda: (time.perf_counter() - began, spent() - already)


def _fields(candidate: Candidate) -> dict[str, Any]:
    return {name: getattr(candidate, name) for name in Candidate.__dataclass_fields__}


def _show(found: Mapping[str, Seen], data: Dataset, metric: str) -> None:
    bests = {n: min(v for *_, v, _ in seen if v is not None) for n, seen in found.items()}
    wanted = next(iter(bests.values()))
    table = []
    for name, seen in found.items():
        pruned = sum(state == "pruned" for *_, state in seen)
        reached = next((t for t, _, v, _ in seen if v is not None and v <= wanted), None)
        table.append(
            (
                name,
                f"{len(seen)} ({pruned} pruned)",
                f"{seen[-1][0]:.1f}",
                f"{seen[-1][1]:.1f}",
                f"{60 * len(seen) / seen[-1][0]:.1f}",
                f"{bests[name]:.3f}",
                "never" if reached is None else f"{reached:.1f} s",
            )
        )
    head = (
        "search",
        "trials",
        "seconds",
        "of CPU",
        "trials/min",
        f"best {metric}",
        f"{wanted:.3f} after",
    )
    load = os.getloadavg()[0]
    what = f"{len(data.target):,} training rows, {len(data.folds)} folds by year"
    show(f"The forest's search: {what}; load {load:.1f} on {os.cpu_count()} cores", head, table)


if __name__ == "__main__":
    main()
