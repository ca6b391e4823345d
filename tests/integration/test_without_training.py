"""Where nothing that trains is installed, models are listed, asked and served all the same."""

import json
import os
import subprocess
import sys

import polars as pl
import pytest
import yaml
from tests.saved_model import TRAIN, saved_model

from heddle.domain.entities import ModelPackage
from heddle.infrastructure.mlflow_registry import MlflowRegistry
from heddle.models.trusted import TRUSTED_TYPES
from heddle.presentation.not_installed import TRAINING
from heddle.serving.loader import load_folder

# as importing them fails where they are not installed; besides, what is not needed either
REFUSED = (
    *TRAINING,
    "prefect",
    "wandb",
    "sqlalchemy",
    "alembic",
    "matplotlib",
    "duckdb",
    "streamlit",
)
PROGRAM = """
import json, sys
from pathlib import Path
sys.modules.update(dict.fromkeys({refused!r}))
from heddle.presentation.cli import run
from heddle.presentation.served import Served, _live
codes = [run(words) for words in {commands!r}]
live = _live(Path.cwd(), Served(model="price@production"), print)
model = live.load().model
import heddle.serving.api.app, heddle.serving.api.server
from heddle.serving.api.admin import make_admin
print()
said = model.predict_values({{"size": [50.0], "shore": ["far"]}})
print(json.dumps([codes, model.label, list(said)]))
"""


@pytest.fixture(scope="module")
def project(tmp_path_factory):
    """A folder with params.yaml and a registered model in production, and that model."""
    root = tmp_path_factory.mktemp("served")
    folder, pin = saved_model(root / "price")
    model = load_folder(folder)
    (root / "mlruns").mkdir()
    uri = f"sqlite:///{root}/mlruns/mlflow.db"
    registry = MlflowRegistry(uri, experiment="test", trusted=TRUSTED_TYPES)
    made = registry.add(
        ModelPackage(
            name="price",
            folder=folder,
            model=model.pipeline,
            example=TRAIN.select("size", "shore").head(2).to_pandas(),
            run_id="",
            requirements=("scikit-learn",),
            description="",
            tags={"manifest_sha256": pin},
        )
    )
    registry.point("price", "production", made.number)
    world = {"project": "p", "model": "price", "tracking": {"kinds": [], "experiment": "test"}}
    (root / "params.yaml").write_text(yaml.safe_dump({"stages": {}, "world": world}))
    (root / "configs").mkdir()
    (root / "configs" / "config.yaml").write_text(yaml.safe_dump({"world": world}))
    return root, model


def test_models_are_listed_asked_and_served(project):
    """In a process that can import nothing of the extra `train`; what needs it ends with 2."""
    root, model = project
    TRAIN.select("size", "shore").write_csv(root / "rows.csv")
    done = [["models"], ["predict", "rows.csv", "-o", "said.parquet"]]
    refused = [["status"], ["promote"]]
    told = subprocess.run(
        [sys.executable, "-c", PROGRAM.format(refused=REFUSED, commands=done + refused)],
        cwd=root,
        capture_output=True,
        text=True,
        check=False,
        env=os.environ | {"MLFLOW_TRACKING_URI": ""},
    )
    assert told.returncode == 0, told.stderr
    codes, label, said = json.loads(told.stdout.splitlines()[-1])
    assert codes == [0, 0, 2, 2], told.stderr
    assert label == "price/1"
    assert said == list(model.predict_values({"size": [50.0], "shore": ["far"]}))
    expected = model.predict_values(TRAIN.select("size", "shore").to_dict(as_series=False))
    kept = pl.read_parquet(root / "said.parquet")["prediction"].to_list()
    assert kept == pytest.approx(list(expected), rel=1e-8)  # of a file: ten digits
    words = (
        "this needs hydra, and what trains is not installed here. pip install 'heddle-ml[train]'"
    )
    assert told.stderr.splitlines().count(f"error: {words}") == len(refused)


def test_a_registry_on_a_server_says_what_to_install(project, monkeypatch, capsys):
    """It is reached through MLflow alone."""
    from heddle.presentation.cli import run

    monkeypatch.setitem(sys.modules, "mlflow", None)
    monkeypatch.setenv("MLFLOW_TRACKING_URI", "http://127.0.0.1:9")
    monkeypatch.delenv("MLFLOW_RUN_ID", raising=False)
    assert run(["models", "-C", str(project[0])]) == 2
    assert capsys.readouterr().err == (
        "error: tracking uri: this store is reached through MLflow, which is not installed here."
        " pip install 'heddle-ml[train]', or name a model's folder instead.\n"
    )
