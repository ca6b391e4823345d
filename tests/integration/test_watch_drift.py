"""`watch_drift` as a stage of the tiny project: silent, or exit 3 with a report to look at."""

from __future__ import annotations

import json

import numpy as np
import polars as pl
import pytest
import yaml
from sklearn.linear_model import Ridge

from heddle.domain.errors import DataContractError
from heddle.models.trusted import TRUSTED_TYPES
from heddle.pipeline.generated import read_params
from heddle.pipeline.run_step import run_stage
from heddle.presentation import cli
from heddle.presentation.bootstrap import make_tables, stage_context
from heddle.presentation.cli_models import world_of
from heddle.registry.card import needed_libraries
from heddle.registry.manifest import Manifest, Split
from heddle.registry.model_files import save_model
from heddle.registry.reference import HELD_OUT, encoded
from heddle.validation.contract import Column

COLUMNS = {"cost": Column(type="float"), "cases": Column(type="int")}
CONFIG = {"least_rows": 40, "coverage": None}


@pytest.fixture
def watching(done):
    """The finished tiny project with a stage that watches its first version."""
    place = done / "configs" / "pipeline" / "base.yaml"
    told = yaml.safe_load(place.read_text())
    # a stage of the project's own makes the model; `learned_from` plays its part
    (done / "steps" / "fitted.py").write_text(
        "from heddle.pipeline.context import StageContext\n\n\n"
        "def fitted(ctx: StageContext) -> None: ...\n"
    )
    told["stages"]["fit"] = {"step": "fitted", "reads": "v0", "writes": "models/model"}
    writes = ["reports/drift.json", "reports/drift.html"]
    told["stages"]["watch"] = {
        "step": "watch_drift", "reads": ["v0", "models/model"], "writes": writes,
    }  # fmt: skip
    place.write_text(yaml.safe_dump(told, sort_keys=False))
    step = done / "configs" / "transformations" / "watch_drift.yaml"
    step.write_text(yaml.safe_dump({"watch_drift": CONFIG}))
    assert cli.run(["sync", "-C", str(done)]) == 0
    return done


def learned_from(root, factor: float) -> None:
    """Save a model that learned from the version's rows, their costs times a factor."""
    rows = make_tables(root, world_of(root)).read("v0").select("cost", "cases")
    rows = rows.with_columns(pl.col("cost") * factor)
    target = rows["cases"].to_numpy() * 2.0
    kept = rows.with_columns(pl.Series("price", target), pl.Series(HELD_OUT, target))
    manifest = Manifest(
        name="case",
        best_model="ridge",
        parameters={},
        target="price",
        columns=COLUMNS,
        seen={},
        metric="mae",
        metrics={},
        interval=None,
        split=Split(hash="", strategy="random", seed=1, train_rows=60, test_rows=0),
        data={"v0": {}},
        config_hash="",
        libraries=needed_libraries(["ridge"]),
    )
    model = Ridge(alpha=0.1).fit(rows.to_pandas(), np.asarray(target))
    folder = root / "models" / "model"
    save_model(folder, model, manifest, rows.head(5), TRUSTED_TYPES, reference=encoded(kept))


def run(root) -> None:
    params = read_params(root)
    entry = params["stages"]["watch"]
    run_stage(entry, stage_context(root, "watch", entry, params))


def test_a_version_like_the_training_rows_is_silent_and_told_the_same_again(watching):
    """The report has no time in it: the same rows and model give the same bytes."""
    learned_from(watching, 1.0)
    files = [watching / "reports" / f"drift.{kind}" for kind in ("json", "html")]
    run(watching)
    before = [file.read_bytes() for file in files]
    told = json.loads(before[0])
    assert (told["alarms"], told["source"]) == ([], "rows of v0")
    assert {one["column"] for one in told["columns"]} == {"cost", "cases", "the prediction"}
    run(watching)
    assert [file.read_bytes() for file in files] == before


def test_an_alarm_stops_the_run_and_leaves_the_report(watching):
    """Exit 3, and the first alarm in words; told, not stopped, where that is configured."""
    learned_from(watching, 50.0)
    first = r"watch: cost \(v0 of stage read\): median"
    with pytest.raises(DataContractError, match=first) as caught:
        run(watching)
    assert caught.value.exit_code == 3
    told = json.loads((watching / "reports" / "drift.json").read_text())
    assert "cost" in {one["column"] for one in told["alarms"]}
    step = watching / "configs" / "transformations" / "watch_drift.yaml"
    step.write_text(yaml.safe_dump({"watch_drift": CONFIG | {"fail": False}}))
    assert cli.run(["sync", "-C", str(watching)]) == 0
    run(watching)
