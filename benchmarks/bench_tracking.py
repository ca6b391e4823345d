"""What tracking adds to a trial, what logging a model costs, how fast an alias goes back."""

from __future__ import annotations

import statistics
import tempfile
import time
from pathlib import Path

import numpy as np
import pandas as pd
from workplace import fresh_project, run, show

from heddle.domain.entities import ModelPackage, TrialRecord
from heddle.infrastructure.mlflow_registry import MlflowRegistry
from heddle.infrastructure.mlflow_tracking import MlflowTracker
from heddle.models.trusted import TRUSTED_TYPES

_TRIALS, _ROUNDS = 50, 4


def main() -> None:
    with tempfile.TemporaryDirectory(prefix="heddle-bench-") as folder:
        uri = f"sqlite:///{folder}/mlflow.db"
        start = time.perf_counter()
        tracker = MlflowTracker(uri, experiment="bench", notice=print)
        with tracker.run("warm") as opened:
            opened.trials([_trial(0)])
        cold = time.perf_counter() - start
        trial = statistics.median(_milliseconds(tracker) for _ in range(_ROUNDS))
        registry = MlflowRegistry(uri, experiment="bench", trusted=TRUSTED_TYPES)
        first, *adds = [_add(registry, Path(folder)) for _ in range(6)]
    rollback = _rollback_seconds()
    rows = [
        ("first run of a new store (its tables are made)", f"{cold:.2f} s", ""),
        (
            f"a trial, median of {_ROUNDS} x {_TRIALS}",
            f"{trial:.1f} ms",
            _bar(trial <= 50, "50 ms"),
        ),
        ("logging and registering a model, first in a process", f"{first:.2f} s", ""),
        (
            "logging and registering a model, median of 5",
            f"{statistics.median(adds):.2f} s",
            _bar(statistics.median(adds) <= 1, "1 s"),
        ),
        (
            "heddle rollback, whole process, median of 5",
            f"{rollback:.2f} s",
            _bar(rollback < 2, "2 s"),
        ),
    ]
    show("Tracking and registry (MLflow on SQLite)", ("what", "measured", "target"), rows)


def _bar(met: bool, words: str) -> str:
    return f"<= {words}: {'met' if met else 'MISSED'}"


def _trial(number: int) -> TrialRecord:
    folds = (12.0, 12.5, 12.2, 12.8, 12.4)
    params = {f"parameter_{i}": i / 7 for i in range(6)}
    return TrialRecord(number=number, state="complete", params=params, value=12.4, folds=folds)


def _milliseconds(tracker: MlflowTracker) -> float:
    records = [_trial(number) for number in range(_TRIALS)]
    with tracker.run("search") as opened:
        start = time.perf_counter()
        opened.trials(records)
        return (time.perf_counter() - start) / _TRIALS * 1000


def _add(registry: MlflowRegistry, folder: Path) -> float:
    from lightgbm import LGBMRegressor

    rng = np.random.default_rng(1)
    rows = pd.DataFrame(rng.normal(size=(4000, 12)), columns=[f"x{i}" for i in range(12)])
    model = LGBMRegressor(n_estimators=400, num_leaves=95, n_jobs=1, verbose=-1)
    model.fit(rows, rows.sum(axis=1))
    place = folder / "model"
    place.mkdir(exist_ok=True)
    (place / "manifest.json").write_text("{}")
    package = ModelPackage(
        name="bench",
        folder=place,
        model=model,
        example=rows.head(3),
        run_id="",
        requirements=("scikit-learn==1.9.1",),
        description="a benchmark",
    )
    start = time.perf_counter()
    registry.add(package)
    return time.perf_counter() - start


def _rollback_seconds() -> float:
    """Register two models, then point the alias forth by hand and back by the command."""
    small = ("ingestion.rows=600", "model_candidates=quick")
    with fresh_project() as project:
        run(project, "heddle", "run", *small)
        run(project, "heddle", "run", *small, "ml_experiments.register.level=0.8")
        registry = MlflowRegistry(f"sqlite:///{project}/mlruns/mlflow.db", experiment="housing")
        times = []
        for _ in range(5):
            registry.tag("housing_price", 2, {"history_production": "1"})
            registry.point("housing_price", "production", 2)
            ended = run(project, "heddle", "rollback")
            if ended.code:
                raise SystemExit(ended.code)
            times.append(ended.seconds)
        return statistics.median(times)


if __name__ == "__main__":
    main()
