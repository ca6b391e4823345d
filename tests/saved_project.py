"""A project with a model of flats in its registry, for tests of what is done with models."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import polars as pl
import yaml

from heddle.domain.entities import ModelPackage
from heddle.evaluation.intervals import Interval
from heddle.infrastructure.mlflow_registry import MlflowRegistry
from heddle.models.assembly import Choices, Features, assemble
from heddle.models.candidates import Candidate
from heddle.models.trusted import TRUSTED_TYPES
from heddle.registry.card import needed_libraries
from heddle.registry.manifest import Manifest, Split, digest
from heddle.registry.model_files import save_model
from heddle.registry.reference import HELD_OUT, encoded
from heddle.validation.contract import Column

COLUMNS = {
    "longitude": {"type": "float", "min": -180, "max": 180, "description": "degrees east"},
    "latitude": {"type": "float", "min": -90, "max": 90, "description": "degrees north"},
    "size": {"type": "float", "above": 0.0, "max": 1000.0, "description": "square metres"},
    "beds": {"type": "int", "min": 0, "max": 20, "nullable": True},
    "shore": {"type": "string", "categories": ["far", "near", "isle"]},
    "built": {"type": "date"},
    "lift": {"type": "bool"},
}
NUMERIC = ("longitude", "latitude", "size", "beds")


def rows(seed: int, count: int = 300) -> pl.DataFrame:
    """Flats and what they cost."""
    rng = np.random.default_rng(seed)
    size = rng.uniform(20, 200, count).round(2)
    shore = rng.choice(["far", "near"], count)
    days = pl.Series(rng.integers(0, 9_000, count)).cast(pl.Int32).cast(pl.Date)
    return pl.DataFrame(
        {
            "longitude": rng.uniform(5, 9, count).round(4),
            "latitude": rng.uniform(50, 54, count).round(4),
            "size": size,
            "beds": rng.integers(1, 6, count),
            "shore": shore,
            "built": days,
            "lift": rng.random(count) < 0.5,
            "price": (size * 2 + 30 * (shore == "near") + rng.normal(0, 10, count)).round(2),
        }
    )


def saved_project(root: Path) -> Path:
    """Make a project in a folder; its model is in staging. Return the folder."""
    for folder in ("configs", "mlruns"):
        (root / folder).mkdir(parents=True)
    uri = f"sqlite:///{root}/mlruns/mlflow.db"
    world = {"project": "flats", "model": "flat", "tracking": {"kinds": [], "experiment": "test"}}
    told = yaml.safe_dump({"stages": {}, "world": world})
    (root / "params.yaml").write_text(told)
    (root / "configs" / "config.yaml").write_text(yaml.safe_dump({"world": world}))
    registry = MlflowRegistry(uri, experiment="test", trusted=TRUSTED_TYPES)
    package = packed(root / "model")
    registry.point("flat", "staging", registry.add(package).number)
    return root


def packed(folder: Path, *, alpha: float = 0.1) -> ModelPackage:
    """Fit a model and save it with its training rows, ready to be registered."""
    table = rows(1)
    features = Features(numeric=NUMERIC, categorical=("shore",))
    ridge = Candidate(name="ridge", estimator="ridge")
    model = assemble(features, Choices(), ridge, {"alpha": alpha}, seed=1)
    model.fit(table.to_pandas(), table["price"].to_numpy())
    seen = {name: {"min": table[name].min(), "max": table[name].max()} for name in NUMERIC}
    manifest = Manifest(
        name="flat",
        best_model="ridge",
        parameters={},
        target="price",
        columns={name: Column(**told) for name, told in COLUMNS.items()},
        seen=seen | {"shore": {"categories": ["far", "near"]}},
        metric="mae",
        metrics={"mae": 8.0},
        interval=Interval(level=0.9, half=16.4),
        split=Split(hash="s", strategy="random", seed=1, train_rows=300, test_rows=100),
        data={"v1": {"content_hash": "d"}, "split": {"content_hash": "s"}},
        config_hash="c",
        libraries=needed_libraries(["ridge"]),
    )
    said = np.asarray(model.predict(table.to_pandas()))
    kept = encoded(table.with_columns(pl.Series(HELD_OUT, said)))
    sample = table.head(5)
    made = save_model(folder, model, manifest, sample, TRUSTED_TYPES, reference=kept)
    return ModelPackage(
        name="flat", folder=folder, model=model, example=features_of(table), run_id="",
        requirements=("scikit-learn",), description="",
        tags={"manifest_sha256": digest(made.encoded())},
    )  # fmt: skip


def features_of(table):
    """Return five rows of what the model looks at."""
    return table.select(*NUMERIC, "shore").head(5).to_pandas()
