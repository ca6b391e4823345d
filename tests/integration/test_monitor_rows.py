"""A model that predicts rows, in use: monitored by a file and by the log of requests."""

from __future__ import annotations

import json
import shutil
from datetime import UTC, datetime, timedelta
from pathlib import Path

import numpy as np
import polars as pl
import pytest
import yaml
from rich.console import Console

from heddle.domain.entities import ModelPackage, RequestRecord
from heddle.evaluation.intervals import Interval
from heddle.infrastructure.mlflow_registry import MlflowRegistry
from heddle.infrastructure.sqlite_requests import SqliteRequests
from heddle.models.assembly import Choices, Features, assemble
from heddle.models.candidates import Candidate
from heddle.models.trusted import TRUSTED_TYPES
from heddle.presentation import cli, cli_monitor
from heddle.presentation.bootstrap import make_tables
from heddle.presentation.cli_models import world_of
from heddle.registry.card import needed_libraries
from heddle.registry.manifest import Manifest, Split, digest
from heddle.registry.model_files import save_model
from heddle.registry.reference import HELD_OUT, encoded
from heddle.validation.contract import Column

COLUMNS = {
    "size": {"type": "float", "above": 0.0},
    "beds": {"type": "float", "nullable": True},
    "shore": {"type": "string", "categories": ["far", "near"]},
}
FEATURES = {"numeric": ["size", "beds"], "categorical": ["shore"]}
CONFIG = {
    "defaults": ["_self_"],
    "world": {
        "project": "flats", "model": "flat", "tracking": {"kinds": [], "experiment": "test"},
    },
    "ingestion": {"kind": "file", "path": "rows.csv"},
    "pipeline": {
        "stages": {
            "fetch": {"step": "ingest", "config": "ingestion", "writes": "v0"},
            "tidy": {"step": "known", "reads": "v0", "writes": "v1"},
            "cut": {"step": "known", "reads": "v1", "writes": "split"},
            "register": {"step": "register", "reads": ["v1", "split"], "writes": ["models/model"]},
        }
    },
    "data_versions": {"v0": {"columns": COLUMNS}, "v1": {"columns": COLUMNS}},
    "transformations": {"known": {"uses": "drop_missing", "columns": ["size"]}},
    "ml_experiments": {
        "register": {
            "model": "flat", "target": "price", "row_key": "row", "metric": "mae",
            "features": FEATURES, "candidates": {"ridge": {"estimator": "ridge"}},
            "contract": {"columns": COLUMNS}, "split": {},
        },
    },
}  # fmt: skip


def rows(seed: int, count: int = 600) -> pl.DataFrame:
    """Raw rows and what they cost."""
    rng = np.random.default_rng(seed)
    size = rng.uniform(20, 200, count).round(2)
    shore = rng.choice(["far", "near"], count)
    beds = rng.integers(1, 6, count).astype(float)
    price = (size * 2 + 30 * (shore == "near") + rng.normal(0, 10, count)).round(2)
    return pl.DataFrame({"size": size, "beds": beds, "shore": shore, "price": price})


def registered(root: Path, *, brings: bool = True) -> None:
    """Fit a model, save it with its training rows, and keep it as a version in staging."""
    table = rows(1)
    features = Features(numeric=("size", "beds"), categorical=("shore",))
    ridge = Candidate(name="ridge", estimator="ridge")
    model = assemble(features, Choices(), ridge, {"alpha": 0.1}, seed=1)
    model.fit(table.to_pandas(), table["price"].to_numpy())
    manifest = Manifest(
        name="flat",
        best_model="ridge",
        parameters={},
        target="price",
        columns={name: Column(**told) for name, told in COLUMNS.items()},
        seen={"size": {"min": 20, "max": 200}, "shore": {"categories": ["far", "near"]}},
        metric="mae",
        metrics={"mae": 8.0},
        interval=Interval(level=0.9, half=16.4),
        split=Split(hash="s", strategy="random", seed=1, train_rows=600, test_rows=100),
        data={"v1": {"content_hash": "d"}, "split": {"content_hash": "s"}},
        config_hash="c" if brings else "d",
        libraries=needed_libraries(["ridge"]),
    )
    said = np.asarray(model.predict(table.to_pandas()))
    kept = encoded(table.with_columns(pl.Series(HELD_OUT, said))) if brings else None
    sample = table.head(5)
    made = save_model(root / "model", model, manifest, sample, TRUSTED_TYPES, reference=kept)
    registry = MlflowRegistry(
        f"sqlite:///{root}/mlruns/mlflow.db", experiment="test", trusted=TRUSTED_TYPES
    )
    package = ModelPackage(
        name="flat", folder=root / "model", model=model, example=sample.to_pandas(), run_id="",
        requirements=("scikit-learn",), description="",
        tags={"manifest_sha256": digest(made.encoded())},
    )  # fmt: skip
    registry.point("flat", "staging", registry.add(package).number)


@pytest.fixture(scope="module")
def made(tmp_path_factory):
    """The project, its model registered; copy it before changing anything."""
    root = tmp_path_factory.mktemp("flats")
    for folder in ("configs", "mlruns"):
        (root / folder).mkdir()
    (root / "configs" / "config.yaml").write_text(yaml.safe_dump(CONFIG, sort_keys=False))
    assert cli.run(["sync", "-C", str(root)]) == 0
    tables = make_tables(root, world_of(root))
    table = rows(1).drop("price")
    tables.write("v0", table.drop("beds"), {})
    tables.write("v1", table, {})
    registered(root)
    return root


@pytest.fixture
def flats(made, tmp_path, monkeypatch):
    """A copy of the project; lines are not cut by the width of some terminal."""
    for name in ("out", "err"):
        shown = Console(width=300, highlight=False, stderr=name == "err")
        monkeypatch.setattr(cli_monitor, name, shown)
    return shutil.copytree(made, tmp_path / "flats")


def call(capsys, root, *words: str) -> tuple[int, str, str]:
    capsys.readouterr()
    code = cli.run(["monitor", *words, "-C", str(root)])
    told = capsys.readouterr()
    return code, told.out, told.err


def asked(root: Path, table: pl.DataFrame, *, at: datetime, together: bool = False) -> None:
    """Write requests down as a server would: one for each row, or a slow one for all of them."""
    registry = MlflowRegistry(
        f"sqlite:///{root}/mlruns/mlflow.db", experiment="test", trusted=TRUSTED_TYPES
    )
    pin = registry.resolve("flat", "staging").tags["manifest_sha256"]
    log = SqliteRequests(root / "predictions" / "requests.db")
    found = [
        RequestRecord(
            id=f"{hash((at, number)) & (2**128 - 1):032x}",
            at=(at + timedelta(seconds=0 if together else number)).isoformat(),
            model="flat/1",
            digest=pin,
            row={key: row[key] for key in COLUMNS},
            prediction=row["price"] + (number % 21) - 10,
            lower=row["price"] - 30,
            upper=row["price"] + 30,
            latency_ms=850.0 if together else 2.0 + number % 7,
        )
        for number, row in enumerate(table.iter_rows(named=True))
    ]
    assert log.append(found) == table.height
    prices = table["price"].to_list()
    log.add_outcomes((one.id, price) for one, price in zip(found, prices, strict=True))
    log.close()


def test_rows_of_a_file_like_those_of_training_are_no_alarm(flats, capsys):
    """A table for a person, the report as JSON and as a page; the outcomes stand in the file."""
    rows(2).write_csv(flats / "new.csv")
    code, said, noted = call(capsys, flats, str(flats / "new.csv"))
    assert (code, noted) == (0, "")
    assert said.startswith("flat/1: 600 rows of new.csv beside 600 of training\n")
    assert "v0 · fetch" in said
    told = json.loads((flats / "reports" / "monitoring.json").read_text())
    assert (told["alarms"], told["outcomes"]) == ([], 600)
    page = (flats / "reports" / "monitoring.html").read_text()
    assert "Everything that could be judged is within its limits." in page
    origins = {one["column"]: (one["data_version"], one["stage"]) for one in told["columns"]}
    assert origins == {
        "size": ("v0", "fetch"),
        "beds": ("v1", "tidy"),
        "shore": ("v0", "fetch"),
        "the prediction": ("v1", "register"),
    }


def test_an_alarm_is_exit_3_and_names_where_to_look(flats, capsys):
    """Swapped units, bad cells that count as missing, and a page elsewhere."""
    table = rows(2).with_columns(pl.col("size") * 10.764)
    words = pl.when(pl.int_range(pl.len()) < 60).then(pl.lit("two")).otherwise("beds")
    table.with_columns(words.alias("beds")).write_csv(flats / "new.csv")
    page = flats / "page.html"
    code, said, noted = call(capsys, flats, str(flats / "new.csv"), "--html", str(page))
    assert code == 3
    assert "alarm size (v0 of stage fetch): median 1" in said
    assert "alarm beds (v1 of stage tidy): missing 0.0% -> 10.0%" in said
    assert (
        "note 60 cells of 'beds' cannot be read and count as missing: line 2 'two' is no number"
        in noted
    )
    assert "note 60 of 600 rows would be refused: not predicted" in noted
    assert "size (v0 of stage fetch): median" in page.read_text()
    code, said, _ = call(capsys, flats, str(flats / "new.csv"), "--json")
    assert code == 3
    alarms = {(one["column"], one["what"]) for one in json.loads(said)["alarms"]}
    assert {("size", "distribution"), ("size", "unseen"), ("beds", "missing")} <= alarms


def test_requests_are_read_from_the_log(flats, capsys):
    """All of them, or those since a time; with outcomes, intervals and latency."""
    now = datetime.now(UTC)
    asked(flats, rows(3), at=now - timedelta(days=9))
    asked(flats, rows(4).with_columns(pl.col("size") + 40), at=now - timedelta(days=2))
    code, said, _ = call(capsys, flats, "--since", "5d", "--json")
    told = json.loads(said)
    assert (code, told["rows"], told["outcomes"]) == (3, 600, 600)
    assert "size" in {one["column"] for one in told["alarms"]}
    code, said, _ = call(capsys, flats, "--json", "+ml_experiments.monitor.p99_ms=5")
    told = json.loads(said)
    checks = {one["name"]: one for one in told["checks"]}
    assert (code, told["rows"], told["source"]) == (3, 1200, "requests")
    assert checks["latency p99"]["state"] == "alarm"
    assert checks["interval"]["state"] == "ok"
    assert checks["requests"]["words"].startswith("the last one was 47.")


def test_a_request_of_many_rows_is_one_slow_request(flats, capsys):
    """All of its rows are looked at, but its time counts once: most requests were quick."""
    now = datetime.now(UTC)
    asked(flats, rows(3, 150), at=now - timedelta(hours=2))
    asked(flats, rows(4), at=now - timedelta(hours=1), together=True)
    limits = [f"+ml_experiments.monitor.p{share}_ms=10" for share in (50, 95, 99)]
    _, said, _ = call(capsys, flats, "--json", *limits)
    told = json.loads(said)
    checks = {one["name"]: one for one in told["checks"]}
    assert told["rows"] == 750
    assert [one["words"] for one in told["alarms"] if one["what"] == "latency"] == []
    assert checks["latency p50"]["words"] == "5 ms, limit 10 ms; 1 of 151 requests took longer"


def test_few_requests_and_none_are_said_and_no_alarm(flats, capsys):
    """Exit 0: there is nothing to judge yet."""
    code, _, noted = call(capsys, flats)
    assert code == 0
    assert "note 0 rows are too few to compare: it takes 100; wait for more" in noted
    assert "There was too little to judge." in (flats / "reports" / "monitoring.html").read_text()


@pytest.mark.parametrize(
    ("words", "fault"),
    [
        (["gone.csv"], "no file 'gone.csv'"),
        (["--since", "soon"], "--since: 'soon' is no time. Write 7d, 12h, 2026-05-02 or"),
        (["--asof", "2026-01-02"], "--asof is for a model that predicts sessions; this one"),
        (["--model", "flat/7"], "model 'flat' has no version '7'. Known: staging, 1"),
        (["a.csv", "b.csv"], "monitor takes one FILE, not 2: a.csv, b.csv"),
        (["+ml_experiments.monitor.psy=1"], "did you mean 'psi'?"),
    ],
)
def test_what_cannot_be_is_refused_in_a_line(flats, capsys, words, fault):
    """Exit 2, and nothing is written."""
    code, said, told = call(capsys, flats, *words)
    assert (code, said) == (2, "")
    assert fault in told
    assert not (flats / "reports").exists()


def test_a_column_that_is_not_there_is_refused(flats, capsys):
    """The rows are not what the model is asked about: exit 3, named."""
    rows(2).drop("shore").write_csv(flats / "new.csv")
    code, _, fault = call(capsys, flats, str(flats / "new.csv"))
    assert code == 3
    assert "new.csv" in fault
    assert "shore" in fault


def test_a_model_that_keeps_no_training_rows_is_refused(flats, capsys):
    """It was registered before they were kept."""
    registered(flats, brings=False)
    code, _, fault = call(capsys, flats)
    assert code == 2
    assert fault == (
        "error: flat/2: the model keeps no training rows to set others beside."
        " Register it again: heddle run STAGE --force, of the stage that registers it.\n"
    )
