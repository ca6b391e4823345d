"""One row, and many, by the fitted pipeline and by what is compiled of it: housing, sample rows.

usage: bench_one_row.py [ROWS]     (20000, of the batch)

Each candidate has the parameters with which the project's search starts. Pipeline and compiled
model take turns, so that what else the machine does burdens both.
"""

from __future__ import annotations

import importlib
import statistics
import sys
import time
from collections.abc import Callable
from dataclasses import replace
from typing import Any

import numpy as np
import polars as pl
import yaml
from workplace import ROOT, show

from heddle.models.assembly import Choices, Clusters, assemble, average
from heddle.models.candidates import Candidate
from heddle.models.catalogue import available
from heddle.models.features import Combination, Features
from heddle.registry.verdict import seen
from heddle.serving.compiled import Compiled, checked, compile_model
from heddle.validation.contract import Column

PROJECT = ROOT / "projects" / "housing"
ROWS, TRAINED, TURNS, BLOCK, BATCHES = 20_000, 8_000, 20, 10, 3
LEAST = 10.0  # times as fast, one row
FEATURES = Features(
    numeric=(
        *("longitude", "latitude", "housing_median_age", "total_rooms"),
        *("total_bedrooms", "population", "households", "median_income"),
    ),
    categorical=("ocean_proximity",),
    ratios=(
        Combination(new="rooms_each", left="total_rooms", how="over", right="households"),
        Combination(new="people_each", left="population", how="over", right="households"),
        Combination(new="bedroom_share", left="total_bedrooms", how="over", right="total_rooms"),
    ),
    coordinates=("latitude", "longitude"),
    min_frequency=10,
    bounded=True,
)
COLUMNS = {
    **dict.fromkeys(FEATURES.numeric, Column(type="float", nullable=True)),
    "ocean_proximity": Column(type="string"),
}
TARGET = "median_house_value"


class Facts:
    """What compiling asks of a manifest."""

    columns = COLUMNS

    def __init__(self, rows: pl.DataFrame) -> None:
        self.seen = seen(rows.to_pandas(), FEATURES.numeric, FEATURES.categorical)


def main() -> None:
    rows = int(sys.argv[1]) if sys.argv[1:] else ROWS
    sys.path.insert(0, str(PROJECT / "steps"))
    table = importlib.import_module("housing_sample").housing_sample(TRAINED + rows, 42)
    train, fresh = table.head(TRAINED), table.tail(rows).select(list(COLUMNS))
    facts = Facts(train)
    one, many = [], []
    for name, model in models(train).items():
        start = time.perf_counter()
        compiled = checked(compile_model(model, facts), facts, train.head(5).select(list(COLUMNS)))
        seconds = time.perf_counter() - start
        if compiled.how == "pipeline":
            raise SystemExit(f"{name}: {compiled.reason}")
        one.append((name, *single(compiled, fresh), f"{seconds:.2f}"))
        many.append((name, *batch(compiled, fresh)))
    head = (
        "model",
        "pipeline us",
        "compiled us",
        "times",
        "target",
        "seconds to compile and check",
    )
    show("One row: median microseconds of a prediction", head, one)
    head = ("model", "pipeline rows/s", "compiled rows/s", "times", "bits that differ")
    show(f"{rows:,} rows at once, as a frame, one thread", head, many)


def models(train: pl.DataFrame) -> dict[str, Any]:
    """Return the project's candidates, fitted; an average of two; an imputer that is asked."""
    choices = Choices(imputation="median", clusters=Clusters(kind="rbf", k=60, gamma=1.0))
    price = train[TARGET].to_numpy()
    made: dict[str, Any] = {}
    for path in sorted((PROJECT / "configs" / "model_candidates").glob("[!_]*.yaml")):
        for name, told in (yaml.safe_load(path.read_text()) or {}).items():
            if "estimator" not in told or available(told["estimator"]):
                continue
            params = {**told.get("fixed", {}), **told.get("start", {})}
            target = params.pop("target", told.get("target", "none"))
            candidate = Candidate(name=name, estimator=told["estimator"], target=target)
            made[name] = assemble(FEATURES, choices, candidate, params, seed=1).fit(train, price)
            if name == "ridge":
                asked = replace(choices, imputation="iterative")
                slow = assemble(FEATURES, asked, candidate, params, seed=1).fit(train, price)
                made["ridge, iterative imputer"] = slow
    if {"lightgbm", "xgboost"} <= set(made):
        both = average([(name, made[name]) for name in ("lightgbm", "xgboost")])
        both.members_ = both.members  # fitted already
        made["average of lightgbm and xgboost"] = both
    return made


def single(compiled: Compiled, fresh: pl.DataFrame) -> tuple[str, str, str, str]:
    """Take turns with one row; the frame is there already, and so is the request."""
    frames = [fresh[i : i + 1] for i in range(BLOCK)]
    asked = [frame.to_dict(as_series=False) for frame in frames]
    slow, fast = turns(
        lambda: [compiled.pipeline.predict(frame) for frame in frames],
        lambda: [compiled.predict(columns) for columns in asked],
        TURNS,
    )
    times = slow / fast
    met = "met" if times >= LEAST else "MISSED"
    cells = [f"{seconds / BLOCK * 1e6:,.0f}" for seconds in (slow, fast)]
    return cells[0], cells[1], f"{times:.0f}", f">= {LEAST:g}: {met}"


def batch(compiled: Compiled, fresh: pl.DataFrame) -> tuple[str, str, str, int]:
    """Take turns with all rows; count those whose bits differ."""
    slow, fast = turns(
        lambda: compiled.pipeline.predict(fresh), lambda: compiled.predict_frame(fresh), BATCHES
    )
    differ = int(np.sum(compiled.pipeline.predict(fresh) != compiled.predict_frame(fresh)))
    rows = fresh.height
    return f"{rows / slow:,.0f}", f"{rows / fast:,.0f}", f"{slow / fast:.1f}", differ


def turns(
    slow: Callable[[], object], fast: Callable[[], object], times: int
) -> tuple[float, float]:
    """Return the median seconds of each, after one turn that warms up."""
    found: dict[int, list[float]] = {0: [], 1: []}
    for turn in range(times + 1):
        for which, work in enumerate((slow, fast)):
            start = time.perf_counter()
            work()
            if turn:
                found[which].append(time.perf_counter() - start)
    return statistics.median(found[0]), statistics.median(found[1])


if __name__ == "__main__":
    main()
