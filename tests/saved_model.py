"""A small model of prices, fitted and saved."""

from pathlib import Path

import polars as pl

from heddle.evaluation.intervals import Interval
from heddle.models.assembly import Choices, Features, assemble
from heddle.models.candidates import Candidate
from heddle.models.trusted import TRUSTED_TYPES
from heddle.registry.card import needed_libraries
from heddle.registry.manifest import Manifest, Split, digest
from heddle.registry.model_files import save_model
from heddle.validation.contract import Column

COLUMNS = {
    "size": Column(type="float", above=0.0, max=1000.0, nullable=True),
    "shore": Column(type="string", categories=("far", "near", "isle")),
}
SEEN = {"size": {"min": 20.0, "max": 100.0}, "shore": {"categories": ["far", "near"]}}
TRAIN = pl.DataFrame(
    {
        "size": [20.0, 40.0, None, 80.0, 100.0, 60.0],
        "shore": ["far", "near", "far", "near", "far", "far"],
        "price": [30.0, 70.0, 90.0, 110.0, 120.0, 80.0],
    }
)


def saved_model(folder: Path, *, columns: tuple[str, ...] = tuple(COLUMNS)) -> tuple[Path, str]:
    """Return the folder of a saved model of these columns and the sha256 of its manifest."""
    texts = tuple(name for name in columns if COLUMNS[name].type == "string")
    numbers = tuple(name for name in columns if name not in texts)
    features = Features(numeric=numbers, categorical=texts)
    ridge = Candidate(name="ridge", estimator="ridge")
    model = assemble(features, Choices(), ridge, {"alpha": 0.1}, seed=1)
    model.fit(TRAIN.to_pandas(), TRAIN["price"].to_numpy())
    manifest = Manifest(
        name="price",
        best_model="ridge",
        parameters={"ridge": {"alpha": 0.1}},
        target="price",
        columns={name: COLUMNS[name] for name in columns},
        seen={name: SEEN[name] for name in columns},
        metric="wmape",
        metrics={"wmape": 12.0},
        interval=Interval(level=0.9, half=0.25, relative=True),
        split=Split(hash="s", strategy="random", seed=1, train_rows=6, test_rows=2),
        data={},
        config_hash="c",
        libraries=needed_libraries(["ridge"]),
    )
    made = save_model(folder, model, manifest, TRAIN.head(5), TRUSTED_TYPES)
    return folder, digest(made.encoded())
