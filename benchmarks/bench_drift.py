"""What `heddle monitor` raises an alarm about, and what it does not: housing, drawn and changed.

usage: bench_drift.py [REPORTS]     (200 of each kind that must be silent)

The sample of the housing project: 12,000 training rows, a boosted model with held-out predictions
of three folds, its reference of 10,000 rows; 1,000 current rows a report, read as a file is.
"""

from __future__ import annotations

import runpy
import statistics
import sys
import tempfile
import time
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl
import yaml
from workplace import ROOT, show

from heddle.domain.typed import build
from heddle.evaluation.intervals import conformal
from heddle.models.assembly import Choices, Features, assemble
from heddle.models.candidates import Candidate
from heddle.models.trusted import TRUSTED_TYPES
from heddle.monitoring.answers import Answers, Monitor
from heddle.monitoring.report import Watched, watch
from heddle.registry.card import needed_libraries
from heddle.registry.manifest import Manifest, Split
from heddle.registry.model_files import save_model
from heddle.registry.reference import HELD_OUT, encoded, reference_rows
from heddle.registry.verdict import seen
from heddle.serving.answered import answers_of_frame
from heddle.serving.loader import LoadedModel, load_folder
from heddle.training.dataset import Dataset
from heddle.validation.contract import read_contract

HOUSING = ROOT / "projects" / "housing"
TARGET, CATEGORY = "median_house_value", "ocean_proximity"
TRAIN, FRESH, ROWS, FOLDS = 12_000, 20_000, 1_000, 3
FALSE_ALARMS, SECONDS = 0.02, 1.0  # most: share of reports, seconds of one
NOW = datetime(2026, 5, 1, tzinfo=UTC)

Change = Callable[[pl.DataFrame], pl.DataFrame]


def main() -> None:
    reports = int(sys.argv[1]) if sys.argv[1:] else 200
    sample = runpy.run_path(str(HOUSING / "steps" / "housing_sample.py"))["housing_sample"]
    train, fresh = sample(TRAIN, 1), sample(FRESH, 2)
    limits = yaml.safe_load((HOUSING / "configs/ml_experiments/monitor.yaml").read_text())
    cfg = build(Monitor, limits["monitor"], where="monitor.yaml")
    with tempfile.TemporaryDirectory() as folder:
        model = _model(Path(folder) / "model", train)
        bench = Bench(model, cfg)
        silent = [
            ("bootstraps of the training rows", bench.alarmed(train, reports, replace=True)),
            ("new rows of the same kind", bench.alarmed(fresh, reports, replace=False)),
        ]
        _show_silent(silent, reports)
        _show_changes(bench, fresh)
        _show_seconds(bench, fresh)


class Bench:
    """A model with its training rows, and reports on rows."""

    def __init__(self, model: LoadedModel, cfg: Monitor) -> None:
        self.model, self.cfg = model, cfg
        reference = model.reference()
        assert reference is not None
        self.watched = Watched(
            reference=reference,
            held_out=HELD_OUT,
            target=TARGET,
            columns=tuple(model.manifest.columns),
            categories=frozenset({CATEGORY}),
            level=model.manifest.interval.level if model.manifest.interval else None,
        )

    def report(self, answers: Answers) -> dict[str, Any]:
        return watch(self.watched, answers, self.cfg, now=NOW)

    def alarms(self, rows: pl.DataFrame) -> list[tuple[str, str]]:
        found = self.report(answers_of_frame(self.model, rows))
        return [(one["column"], one["what"]) for one in found["alarms"]]

    def alarmed(self, rows: pl.DataFrame, reports: int, *, replace: bool) -> list[list[str]]:
        """Return the alarms of each report on a draw of rows, their outcomes known."""
        draws = np.random.default_rng(5)
        return [
            [
                f"{column}: {what}"
                for column, what in self.alarms(
                    rows[draws.choice(rows.height, ROWS, replace=replace)]
                )
            ]
            for _ in range(reports)
        ]


def _model(folder: Path, train: pl.DataFrame) -> LoadedModel:
    told = yaml.safe_load((HOUSING / "configs/ml_experiments/base.yaml").read_text())["features"]
    contract = yaml.safe_load((HOUSING / "configs/data_versions/v0.yaml").read_text())["v0"]
    declared = read_contract(contract, "v0").columns
    features = Features(
        numeric=tuple(told["numeric"]),
        categorical=tuple(told["categorical"]),
        coordinates=tuple(told["coordinates"]),
    )
    boosted = Candidate(name="boosted", estimator="hist_gradient_boosting")

    def fitted(rows: Any, target: Any) -> Any:
        made = assemble(features, Choices(), boosted, {"max_iter": 200, "target": "log"}, seed=1)
        return made.fit(rows, target)

    rows, target = train.drop(TARGET).to_pandas(), train[TARGET].to_numpy()
    fold = np.arange(TRAIN) % FOLDS
    held_out = np.full(TRAIN, np.nan)
    for number in range(FOLDS):
        other = fitted(rows[fold != number], target[fold != number])
        held_out[fold == number] = other.predict(rows[fold == number])
    columns = {name: declared[name] for name in (*features.numeric, *features.categorical)}
    manifest = Manifest(
        name="housing",
        best_model="boosted",
        parameters={},
        target=TARGET,
        columns=columns,
        seen=seen(rows, features.numeric, features.categorical),
        metric="wmape",
        metrics={},
        interval=conformal(target, held_out, level=0.9, relative=True),
        split=Split(hash="", strategy="random", seed=1, train_rows=TRAIN, test_rows=0),
        data={},
        config_hash="",
        libraries=needed_libraries(["hist_gradient_boosting"]),
    )
    keys = pl.DataFrame({"row": range(TRAIN)})
    data = Dataset(train=rows, target=target, keys=keys, folds=(), blocks=())
    drawn = reference_rows(data, held_out, columns, target=TARGET, seed=42)
    model = fitted(rows, target)
    save_model(folder, model, manifest, train.head(5), TRUSTED_TYPES, reference=encoded(drawn))
    return load_folder(folder)


def _some(share: float) -> pl.Expr:
    return pl.int_range(pl.len()) % round(1 / share) == 0


def _changes(fresh: pl.DataFrame) -> list[tuple[str, str, Change]]:
    """Return what is changed, the column that has to be named, and how it is done."""
    numbers = [name for name in fresh.columns if name not in {TARGET, CATEGORY}]
    shifts: list[tuple[str, str, Change]] = [
        (f"{name} + 0.5 sd", name, lambda rows, c=name: rows.with_columns(pl.col(c) + 0.5 * _sd(c)))  # type: ignore[misc]
        for name in numbers
    ]

    def _sd(name: str) -> float:
        return float(fresh[name].std())  # type: ignore[arg-type]

    def put(name: str, share: float, value: Any) -> Change:
        cell = pl.when(_some(share)).then(pl.lit(value)).otherwise(pl.col(name)).alias(name)
        return lambda rows: rows.with_columns(cell)

    def times(name: str, factor: float) -> Change:
        return lambda rows: rows.with_columns(pl.col(name) * factor)

    return [
        *shifts,
        ("population of 90,000 in 5 % of rows", "population", put("population", 0.05, 90_000.0)),
        ("a new category in 5 % of rows", CATEGORY, put(CATEGORY, 0.05, "LAKE")),
        ("income missing in 10 % of rows", "median_income", put("median_income", 0.1, None)),
        ("rooms in hundreds", "total_rooms", times("total_rooms", 0.01)),
        ("income in 1,000 instead of 10,000", "median_income", times("median_income", 10.0)),
        ("prices a fifth higher, rows as before", "error", times(TARGET, 1.2)),
        ("prices follow income no more", "error", _shuffled),
    ]


def _shuffled(rows: pl.DataFrame) -> pl.DataFrame:
    return rows.with_columns(pl.col(TARGET).shuffle(seed=3))


def _show_silent(found: list[tuple[str, list[list[str]]]], reports: int) -> None:
    rows = []
    for name, alarms in found:
        share = sum(bool(one) for one in alarms) / reports
        what = sorted({alarm for one in alarms for alarm in one})
        met = "met" if share <= FALSE_ALARMS else "MISSED"
        rows.append((name, reports, f"{share:.1%}", f"<= {FALSE_ALARMS:.0%}", met, what or ""))
    head = ("rows", "reports", "with an alarm", "target", "", "which")
    show(f"False alarms ({ROWS:,} rows a report, outcomes known)", head, rows)


def _show_changes(bench: Bench, fresh: pl.DataFrame) -> None:
    rows = []
    for name, column, change in _changes(fresh):
        fired = []
        for seed in range(5):
            draw = fresh.sample(ROWS, seed=seed)
            fired.append(bench.alarms(change(draw)))
        times = sum(any(alarm[0] == column for alarm in one) for one in fired)
        others = sorted({alarm[0] for one in fired for alarm in one} - {column})
        met = "met" if times == len(fired) else "MISSED"
        rows.append((name, f"{times} of {len(fired)}", met, ", ".join(others)))
    show("Alarms that must come", ("change", "alarm names the column", "", "besides"), rows)


def _show_seconds(bench: Bench, fresh: pl.DataFrame) -> None:
    rows = []
    for count in (ROWS, FRESH):
        draw = fresh.head(count)
        answers = answers_of_frame(bench.model, draw)
        taken = [_seconds(lambda: bench.report(answers)) for _ in range(5)]  # noqa: B023 at once
        whole = [_seconds(lambda: bench.alarms(draw)) for _ in range(3)]  # noqa: B023 at once
        one, both = statistics.median(taken), statistics.median(whole)
        met = "met" if both <= SECONDS else "MISSED"
        rows.append((f"{count:,}", f"{one:.3f}", f"{both:.3f}", f"<= {SECONDS:g}", met))
    head = ("rows", "s, the report", "s, with predictions", "target", "")
    show(f"One report beside {bench.watched.reference.height:,} training rows", head, rows)


def _seconds(work: Callable[[], object]) -> float:
    began = time.perf_counter()
    work()
    return time.perf_counter() - began


if __name__ == "__main__":
    main()
