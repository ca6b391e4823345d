"""A file of any size through a model: rows per second and peak memory, each in a fresh process.

usage: bench_batch.py [--model FOLDER] [ROWS …]
       (1000000 10000000; 50000000 takes a quarter of an hour and 15 GB of disk)

The models are the housing project's candidates as its search starts them, fitted here on sample
rows; LightGBM also with fewer and more trees. FOLDER is a model that a run of the project has
registered (models/model), asked beside them. The file repeats sample rows, each round with incomes
of its own. Seconds of the processor are told beside those of the clock, which also count what else
the machine does. Memory does not depend on the number of trees: it is measured with a few of them,
so that many rows can be.
"""

from __future__ import annotations

import importlib
import json
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

import polars as pl
import pyarrow.parquet as pq
import yaml
from bench_one_row import COLUMNS, FEATURES, PROJECT, TARGET
from workplace import show

from heddle.evaluation.intervals import Interval
from heddle.models.assembly import Choices, Clusters, assemble
from heddle.models.candidates import Candidate
from heddle.models.trusted import TRUSTED_TYPES
from heddle.registry.card import needed_libraries
from heddle.registry.manifest import Manifest, Split
from heddle.registry.model_files import save_model
from heddle.registry.verdict import seen
from heddle.serving.batch import Batch, predict_file
from heddle.serving.loader import LoadedModel, load_folder

ROWS = (1_000_000, 10_000_000)
TRAINED, ROUND = 8_000, 250_000
SPEED_ROWS, FEW = 500_000, 10
BOOSTERS = (
    ("lightgbm", 100),
    ("lightgbm", 300),
    ("lightgbm", 1_000),
    ("xgboost", None),
    ("hist_gradient_boosting", None),
)
LEAST_SPEED = 100_000  # rows per second of Parquet, end to end
MOST_GROWTH = 1.15  # of memory, from the smallest file to the largest


def main() -> None:
    if sys.argv[1:2] == ["--predict"]:
        predict(*map(Path, sys.argv[2:5]))
        return
    words = sys.argv[1:]
    registered = Path(words[1]).resolve() if words[:1] == ["--model"] else None
    wanted = [int(word) for word in words[2 if registered else 0 :]] or list(ROWS)
    with tempfile.TemporaryDirectory(prefix="heddle-bench-") as folder:
        place = Path(folder)
        speeds(place, registered)
        saved(place / "few", trees=FEW)
        for kind in ("parquet", "csv"):
            table(place, wanted, kind)


def speeds(place: Path, registered: Path | None) -> None:
    """Take each booster as the project's search starts it; the target is LightGBM's."""
    models = {}
    for name, trees in BOOSTERS:
        label = f"{name}, {trees} trees" if trees else name
        models[label] = place / label
        saved(models[label], name, trees)
    if registered:
        models["as registered"] = registered
    cells = []
    for label, folder in models.items():
        told = once(place, folder, SPEED_ROWS, "parquet")
        speed, each = SPEED_ROWS / told["seconds"], told["cpu"] / SPEED_ROWS
        free = (os.cpu_count() or 1) / each
        cells.append(
            (
                label,
                f"{told['seconds']:.1f}",
                f"{speed:,.0f}: {_met(speed >= LEAST_SPEED)}",
                f"{each * 1e6:.1f}",
                f"{told['booster'] * 1e6:.1f}",
                f"{free:,.0f}: {_met(free >= LEAST_SPEED)}",
            )
        )
    head = ("model", "seconds", f"rows/s, >= {LEAST_SPEED:,}", "processor us a row")
    head += ("of them its estimators", f"rows/s reckoned of {os.cpu_count()} free processors")
    show(f"{SPEED_ROWS:,} rows, Parquet in and out, hash, checks, publication", head, cells)


def once(place: Path, model: Path, rows: int, kind: str) -> dict[str, float]:
    """Predict a file of its own in a process of its own."""
    source, out = place / f"in.{kind}", place / f"out.{kind}"
    write(source, rows)
    size = source.stat().st_size / 1e6
    words = [sys.executable, __file__, "--predict", model, source, out]
    said = subprocess.run(words, check=True, capture_output=True, text=True).stdout
    told = json.loads(said.splitlines()[-1])
    assert told["predicted"] == rows
    source.unlink()
    out.unlink()
    return {**told, "size": size}


def table(place: Path, wanted: list[int], kind: str) -> None:
    cells, first = [], 0.0
    for rows in wanted:
        told = once(place, place / "few", rows, kind)
        first = first or told["megabytes"]
        growth = told["megabytes"] / first
        cells.append(
            (
                f"{rows:,}",
                f"{told['size']:,.0f}",
                f"{told['seconds']:.1f}",
                f"{rows / told['seconds']:,.0f}",
                f"{told['cpu'] / rows * 1e6:.1f}",
                f"{told['loaded']:,.0f}",
                f"{told['megabytes']:,.0f}",
                f"{growth:.2f}: {_met(growth <= MOST_GROWTH)}",
            )
        )
    head = ("rows", "MB of file", "seconds", "rows/s", "processor us a row")
    head += ("MB, model loaded", "peak MB", f"times the first, <= {MOST_GROWTH}")
    show(f"Memory: {kind} in and out, {FEW} trees", head, cells)


def predict(model: Path, source: Path, out: Path) -> None:
    """Do one run and say what it took."""
    loaded = load_folder(model)
    if loaded.notice:
        raise SystemExit(loaded.notice)
    before = peak()
    start, used = time.perf_counter(), time.process_time()
    found = predict_file(loaded, source, out, Batch())
    told = {
        "seconds": time.perf_counter() - start,
        "cpu": time.process_time() - used,
        "megabytes": peak(),
        "loaded": before,
        "predicted": found.predicted,
        "booster": alone(loaded),
    }
    print(json.dumps(told))


def alone(model: LoadedModel) -> float:
    """Return the processor's seconds a row that the estimators' own libraries take."""
    rows = sample(16_384, 7).select(list(COLUMNS))
    words = {name: rows[name].to_list() for name in FEATURES.categorical}
    spent = 0.0
    for member in model.compiled.members:
        matrix = member.matrix(rows.select(member.numeric).to_numpy(), words)
        start = time.process_time()
        member.predict(matrix)
        spent += time.process_time() - start
    return spent / rows.height


def peak() -> float:
    """Return the most megabytes that this process has held."""
    lines = Path("/proc/self/status").read_text().splitlines()
    return next(int(line.split()[1]) for line in lines if line.startswith("VmHWM")) / 1000


def sample(rows: int, seed: int) -> pl.DataFrame:
    sys.path.insert(0, str(PROJECT / "steps"))
    return importlib.import_module("housing_sample").housing_sample(rows, seed)


def saved(folder: Path, name: str = "lightgbm", trees: int | None = None) -> None:
    """Fit and save a model that the benchmark asks."""
    told = yaml.safe_load((PROJECT / f"configs/model_candidates/{name}.yaml").read_text())[name]
    params = {**told.get("fixed", {}), **told["start"]}
    if trees:
        params["n_estimators"] = trees
    target = params.pop("target", told.get("target", "none"))
    candidate = Candidate(name=name, estimator=name, target=target)
    choices = Choices(imputation="median", clusters=Clusters(kind="rbf", k=60, gamma=1.0))
    train = sample(TRAINED, 42)
    model = assemble(FEATURES, choices, candidate, params, seed=1)
    model.fit(train, train[TARGET].to_numpy())
    manifest = Manifest(
        name="housing_price",
        best_model=name,
        parameters={name: params},
        target=TARGET,
        columns=COLUMNS,
        seen=seen(train.to_pandas(), FEATURES.numeric, FEATURES.categorical),
        metric="wmape",
        metrics={},
        interval=Interval(level=0.9, half=0.25, relative=True),
        split=Split(hash="s", strategy="random", seed=1, train_rows=TRAINED, test_rows=0),
        data={},
        config_hash="c",
        libraries=needed_libraries([name]),
    )
    save_model(folder, model, manifest, train.head(5), TRUSTED_TYPES)


def write(path: Path, rows: int) -> None:
    """Write a file of so many rows without holding them."""
    if path.suffix == ".csv":
        with path.open("wb") as file:
            for number, part in enumerate(parts(rows)):
                part.write_csv(file, include_header=number == 0)
        return
    writer = None
    for part in parts(rows):
        made = part.to_arrow()
        writer = writer or pq.ParquetWriter(path, made.schema)
        writer.write_table(made)
    if writer is not None:
        writer.close()


def parts(rows: int) -> Iterator[pl.DataFrame]:
    base = sample(min(rows, ROUND), 7)
    for start in range(0, rows, ROUND):
        income = (pl.col("median_income") * (1 + start / ROUND * 1e-4)).round(4)
        yield base.head(rows - start).with_columns(income)


def _met(kept: bool) -> str:
    return "met" if kept else "MISSED"


if __name__ == "__main__":
    main()
