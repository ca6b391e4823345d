"""From the split and the best parameters to a registered model that predicts as it did."""

import json
from dataclasses import replace
from pathlib import Path

import numpy as np
import polars as pl
import pytest
import yaml

from heddle.domain.errors import ConfigError, IntegrityError
from heddle.domain.typed import build
from heddle.evaluation.metrics import METRICS, score
from heddle.evaluation.splits import Split, assign
from heddle.infrastructure.memory import MemoryTables, SilentProgress
from heddle.infrastructure.memory_tracking import MemoryTracker
from heddle.infrastructure.mlflow_registry import MlflowRegistry
from heddle.models.trusted import TRUSTED_TYPES
from heddle.pipeline.context import StageContext
from heddle.pipeline.steps.register import Register, register
from heddle.presentation import cli
from heddle.registry.gates import Gates
from heddle.registry.manifest import Fit
from heddle.registry.promotion import Promote, promote, rollback
from heddle.registry.signatures import new_key
from heddle.serving.batch import predict_file
from heddle.serving.loader import load_folder, load_registered
from heddle.serving.trust import Trust

FEATURES = {
    "numeric": ["x", "y", "size", "beds"],
    "categorical": ["shore"],
    "coordinates": ["y", "x"],
    "ratios": [{"new": "beds_per_size", "left": "beds", "how": "over", "right": "size"}],
}
CONTRACT = {
    "key": ["row_id"],
    "columns": {
        "x": {"type": "float", "min": -10, "max": 10},
        "y": {"type": "float", "min": -10, "max": 10},
        "size": {"type": "float", "above": 0},
        "beds": {"type": "float", "min": 0, "nullable": True},
        "shore": {"type": "string", "categories": ["far", "near", "isle"]},
        "price": {"type": "float", "above": 0, "target": True},
        "row_id": {"type": "string"},
    },
}
BEST = {
    "metric": "wmape",
    "value": 10.0,
    "members": [
        {
            "candidate": "trees",
            "estimator": "hist_gradient_boosting",
            "value": 10.0,
            "params": {"max_iter": 60, "target": "log"},
        },
        {"candidate": "ridge", "estimator": "ridge", "value": 11.0, "params": {"alpha": 0.1}},
    ],
    "imputation": "knn",
    "clusters": {"kind": "rbf", "k": 5, "gamma": 1.0},
    "bounds": [],
}
CONFIG = {
    "model": "price",
    "target": "price",
    "row_key": "row_id",
    "metric": "wmape",
    "features": FEATURES,
    "candidates": {
        "trees": {"estimator": "hist_gradient_boosting"},
        "ridge": {"estimator": "ridge"},
        "linear": {"estimator": "linear", "baseline": True},
    },
    "contract": CONTRACT,
    "split": {"strategy": "random", "seed": 42},
    "segments": [{"column": "shore"}, {"column": "size", "edges": [50.0, 100.0]}],
    "cap": 400.0,
    "importance_rows": 50,
    "importance_repeats": 1,
}
KNOWN_FIELDS = {
    *("name", "version", "stage", "best_model", "parameters", "r2_score", "mae", "rmse", "mape"),
    *("target_variable", "num_features", "feature_columns", "mlflow_run_id", "mlflow_model_uri"),
    *("gcs_model_uri", "local_path", "sweep_id"),
}
WRITTEN = ("metrics.json", "evaluation.json", "predictions.parquet", "model/manifest.json")
FILES = ("model.skops", "golden.json", "reference.parquet")


def rows_of(count: int, seed: int) -> pl.DataFrame:
    """Rows with a signal, gaps, and one category that is rare."""
    rng = np.random.default_rng(seed)
    size = rng.uniform(20, 200, count)
    beds: list[float | None] = rng.integers(1, 9, count).astype(float).tolist()
    beds[::17] = [None] * len(beds[::17])
    shore = rng.choice(["far", "near"], count).astype(object)
    shore[:: count // 4] = "isle"
    x, y = rng.uniform(-5, 5, count), rng.uniform(-5, 5, count)
    noise = rng.normal(0, 5, count)
    price = 50 + 1.5 * size + 40 * np.sin(2 * x) + 30 * (shore == "near") + noise
    return pl.DataFrame(
        {
            "row_id": [f"r{i:05d}" for i in range(count)],
            "x": x,
            "y": y,
            "size": size,
            "beds": beds,
            "shore": shore.tolist(),
            "price": np.maximum(price, 1.0),
        }
    )


class Project:
    """One project in a folder, as the register stage finds it."""

    def __init__(self, root: Path, uri: str) -> None:
        self.root = root
        self.tables = MemoryTables()
        self.tracker = MemoryTracker()
        self.registry = MlflowRegistry(uri, experiment="test", trusted=TRUSTED_TYPES)
        self.progress = SilentProgress()
        self.signing_key: Path | None = None
        self.rows = rows_of(600, seed=1)
        cells = {"columns": ["x", "y"], "size": 2.0}
        plan = {"strategy": "random", "row_key": "row_id", "folds": 3, "blocks": cells}
        self.tables.write("v1", self.rows, {})
        self.tables.write("split", assign(self.rows, build(Split, plan, where="split")), {})
        (root / "models").mkdir(parents=True)
        (root / "models/best_params.yaml").write_text(yaml.safe_dump(BEST))

    def run(self, cores: int = 1, **changes) -> None:
        facts = {"git_commit": "abc", "git_dirty": False, "config_hash": "c0ffee"}
        context = StageContext(
            stage="register",
            root=self.root,
            reads={n: n for n in ("v1", "split", "models/best_params.yaml")},
            writes=(),
            contracts={},
            tables=self.tables,
            tracker=self.tracker,
            registry=self.registry,
            progress=self.progress,
            source=lambda _: None,
            cores=cores,
            scratch=self.root,
            facts=lambda: facts,
            signing_key=self.signing_key,
        )
        register(context, build(Register, CONFIG | changes, where="register"))

    def json(self, name: str):
        return json.loads((self.root / "models" / name).read_text())


@pytest.fixture(scope="module")
def uri(tmp_path_factory):
    return f"sqlite:///{tmp_path_factory.mktemp('mlruns')}/mlflow.db"


@pytest.fixture(scope="module")
def done(tmp_path_factory, uri):
    """A project whose model is registered."""
    project = Project(tmp_path_factory.mktemp("project"), uri)
    project.run()
    return project


def test_two_hundred_raw_rows_predict_the_same_to_the_last_bit(done):
    """Training objects and the registered model, fetched and verified, agree bit by bit."""
    from heddle.models.assembly import assemble, average
    from heddle.models.candidates import read_candidates
    from heddle.models.features import read_features
    from heddle.registry.final_model import choices_from
    from heddle.training.dataset import read_dataset

    reads = {"v1": "v1", "split": "split"}
    data = read_dataset(done.tables, reads, target="price", row_key="row_id")
    named = {c.name: c for c in read_candidates(CONFIG["candidates"], where="x")}
    features = read_features(FEATURES, where="x")
    members = [
        (
            m["candidate"],
            assemble(features, choices_from(BEST), named[m["candidate"]], m["params"], seed=42),
        )
        for m in BEST["members"]
    ]
    trained = average(members).fit(data.train, data.target)
    raw = rows_of(200, seed=2).drop("price")
    assert raw["beds"].null_count() > 0
    assert "isle" in raw["shore"]
    loaded = load_registered(done.registry, "price", "staging")
    expected = trained.predict(raw)
    assert loaded.predict(raw).tobytes() == expected.tobytes()
    shuffled = raw.select(reversed(raw.columns)).to_pandas()
    assert loaded.predict(shuffled).tobytes() == expected.tobytes()


def test_the_written_figures_are_those_of_the_predictions(done):
    """metrics.json, evaluation.json and predictions.parquet tell one story."""
    rows = pl.read_parquet(done.root / "models/predictions.parquet")
    metrics, told = done.json("metrics.json"), done.json("evaluation.json")
    found = score(rows["actual"].to_numpy(), rows["predicted"].to_numpy())
    assert {k: metrics[k] for k in METRICS} == found == told["test"]
    inside = ((rows["lower"] <= rows["actual"]) & (rows["actual"] <= rows["upper"])).mean()
    assert metrics["coverage"] == told["interval"]["coverage"] == inside
    assert 0.8 < inside <= 1.0
    assert told["test_opened"] == {
        "rows": 120,
        "split_hash": done.tables.info("split").content_hash,
        "times": 1,
    }
    assert rows.height == 120
    test_keys = done.tables.read("split").filter(pl.col("part") == "test")["row_id"]
    assert set(rows["row_id"]) == set(test_keys)


def test_the_evaluation_has_all_parts(done):
    """Folds, blocks, baselines, segments, capped rows, importances, calibration."""
    told = done.json("evaluation.json")
    assert set(told["baselines"]) == {"mean", "median", "linear"}
    assert told["test"]["wmape"] < told["baselines"]["mean"]["wmape"]
    assert set(told["cv"]) == set(told["blocked_cv"]) == set(METRICS)
    assert {s["by"] for s in told["segments"]} == {"shore", "size"}
    assert set(told["capped"]) <= {"capped", "uncapped"}
    assert told["importances"][0]["feature"] == "size"
    none = {"members": [], "offsets": [], "columns": []}  # histogram trees and lines tell nothing
    assert told["impurity_importances"] == none
    assert {c["level"] for c in told["interval"]["calibration"]} >= {0.5, 0.9}


def test_the_manifest_for_people_holds_the_known_fields(done):
    """model_config.yaml has one key, and every field that the facts name."""
    told = yaml.safe_load((done.root / "models/model_config.yaml").read_text())
    assert set(told) == {"model"}
    model = told["model"]
    assert set(model) >= KNOWN_FIELDS
    assert model["sweep_id"] is model["gcs_model_uri"] is None
    assert model["mlflow_model_uri"]
    assert model["name"] == "price"
    assert model["version"] == "1"
    assert model["stage"] == "staging"
    assert model["best_model"] == "trees + ridge"
    assert model["parameters"]["ridge"] == {"alpha": 0.1}
    assert model["feature_columns"] == ["x", "y", "size", "beds", "shore"]
    assert model["num_features"] == 5
    assert model["target_variable"] == "price"
    assert model["r2_score"] == done.json("metrics.json")["r2"]
    assert model["split"]["test_opened"] == 1
    assert model["git_commit"] == "abc"
    assert model["data"]["v1"]["content_hash"] == done.tables.info("v1").content_hash
    assert set(model["files"]) == {"model.skops", "golden.json", "reference.parquet"}
    assert model["libraries"]["scikit-learn"]
    assert model["input_schema"]["beds"]["nullable"] is True


def test_training_rows_go_with_the_model(done):
    """Raw columns, target, and what the fold's model said that had not seen the row."""
    rows = load_folder(done.root / "models/model").reference()
    split = done.tables.read("split").filter(pl.col("part") == "train").sort("row_id")
    train = split.select("row_id").join(done.rows, on="row_id", maintain_order="left")
    columns = ["x", "y", "size", "beds", "shore", "price"]
    assert rows.select(columns).equals(train.select(columns))
    errors = (rows["price"] - rows["held-out prediction"]).abs()
    assert errors.null_count() == 0
    assert errors.mean() == pytest.approx(done.json("evaluation.json")["cv"]["mae"], rel=1e-3)


def test_the_run_and_the_version_say_what_was_done(done):
    """The tracker has metrics and the manifest; the version has tags, words and an alias."""
    run = done.tracker.runs[0]
    assert run.status == "FINISHED"
    assert run.measured["wmape"] == [(0, done.json("metrics.json")["wmape"])]
    assert "config/model_config.yaml" in run.files
    table = pl.read_csv(run.files["importances/permutation_importances.csv"])
    assert table.to_dicts() == done.json("evaluation.json")["importances"]
    version = done.registry.resolve("price", "staging")
    assert version.tags["algorithm"] == "trees + ridge"
    assert version.tags["n_features"] == "5"
    assert version.tags["deployment_alias"] == "staging"
    assert version.tags["primary_metric"] == "wmape"
    assert version.description.startswith("# price: trees + ridge")
    assert any("registered price 1 as staging" in n for n in done.progress.notices)


def test_the_registered_model_says_what_it_predicts(done, uri):
    """Name, target, and where its versions come from."""
    from mlflow import MlflowClient

    said = MlflowClient(uri, uri).get_registered_model("price").description
    assert said.startswith("`price` predicts `price` from raw rows.\n\n")
    assert "that stage `register` of `heddle run` registers" in said
    assert "from the data versions `v1` and `split`." in said


def test_a_second_run_writes_the_same_bytes(done, uri, tmp_path):
    """Only model_config.yaml, which names the version, differs; so with two processes."""
    again = Project(tmp_path / "again", uri)
    again.run(cores=2)
    for name in (*WRITTEN, *(f"model/{file}" for file in FILES)):
        one, two = ((p.root / "models" / name).read_bytes() for p in (done, again))
        assert one == two, name


def test_the_same_model_is_one_version_and_another_one_counts_as_a_second_look(tmp_path):
    """Again, there and back: no double; the alias follows; looks at the test rows are counted."""
    project = Project(tmp_path / "p", f"sqlite:///{tmp_path}/runs/mlflow.db")
    for level, number, looks in ((0.9, 1, 1), (0.9, 1, 1), (0.8, 2, 2), (0.9, 1, 1)):
        project.run(level=level)
        told = yaml.safe_load((project.root / "models/model_config.yaml").read_text())["model"]
        assert project.registry.resolve("price", "staging").number == number
        assert (told["version"], told["split"]["test_opened"]) == (str(number), looks)
    assert len(project.registry.versions("price")) == 2
    assert any("have judged 2 models" in said for said in project.progress.notices)


def test_a_table_may_be_fitted_once_more_on_all_its_rows(done, tmp_path):
    """The figures are those of the judged fit, to the byte; the model that is kept is another.

    This one is signed, too: what is registered brings the signature along.
    """
    project = Project(tmp_path / "p", f"sqlite:///{tmp_path}/runs/mlflow.db")
    project.signing_key = tmp_path / "own.key"
    public = new_key("own", project.signing_key)
    project.run(refit=True)
    for name in ("metrics.json", "predictions.parquet", "model/reference.parquet"):
        one, two = ((p.root / "models" / name).read_bytes() for p in (done, project))
        assert one == two, name
    trust = Trust(signatures="require", keys=(public,))
    model = load_registered(project.registry, "price", "staging", trust=trust)
    assert model.signature == "signed by own"
    assert project.registry.resolve("price", "staging").tags["signed_by"] == public.id
    assert model.manifest.refit == Fit(rows=600)
    assert model.manifest.fitted_on == "600 rows; judged was a fit on 480 rows"
    assert model.manifest.seen["size"]["max"] == project.rows["size"].max()
    said = pl.read_parquet(project.root / "models/predictions.parquet")
    rows = said.select("row_id").join(project.rows, on="row_id", maintain_order="left")
    errors = np.abs(model.predict(rows) - rows["price"].to_numpy())
    judged = np.abs(said["predicted"].to_numpy() - rows["price"].to_numpy())
    assert errors.mean() < 0.9 * judged.mean(), "it has learned from the test rows"


def test_promote_rollback_and_batch_work_on_what_was_registered(done, tmp_path):
    """The first version is promoted; a file is scored by it; there is nothing to roll back to."""
    cfg = Promote(model="price", gates=Gates(minimum={"r2": 0.4}))
    assert promote(done.registry, cfg, report=tmp_path / "report.json").promoted
    model = load_registered(done.registry, "price", "Production")
    source, out = tmp_path / "in.csv", tmp_path / "out.parquet"
    rows_of(50, seed=3).write_csv(source)
    assert predict_file(model, source, out).predicted == 50
    assert pl.read_parquet(out)["model"].unique().to_list() == [model.label]
    with pytest.raises(ConfigError, match="There is nothing to go back to"):
        rollback(done.registry, "price")


def test_the_commands_tell_what_was_registered_and_predicted(done, uri, tmp_path, capsys):
    """Models by the primary metric; rows that are strange, by why they are."""
    world = {"project": "p", "model": "price", "tracking": {"uri": uri, "experiment": "test"}}
    params = yaml.safe_dump({"world": world, "stages": {}})
    (done.root / "params.yaml").write_text(params)
    place = ("-C", str(done.root))
    assert cli.run(["models", *place]) == 0
    head = capsys.readouterr().out.splitlines()[0].split()
    assert head[:5] == ["model", "version", "alias", "algorithm", "wmape"]
    source, out = tmp_path / "in.csv", tmp_path / "out.csv"
    lines = ["x,y,size,beds,shore", "0,0,50,2,near", "0,0,50,2,moon", "0,0,900,2,moon"]
    source.write_text("\n".join(lines) + "\n")
    words = ["predict", str(source), "-o", str(out), "--model", "staging", *place]
    assert cli.run(words) == 0
    said = " ".join(capsys.readouterr().out.split())
    assert said.startswith(
        "3 rows predicted by price/1, 2 flagged (unknown_category:shore 2, outside_training:size 1)"
    )
    assert cli.run(words) == 0
    assert capsys.readouterr().out.startswith("done already, --force does it again: 3 rows pred")
    assert cli.run([*words, "--json", "--force", "--key", "beds", "--key", "Shore"]) == 0
    told = json.loads(capsys.readouterr().out)
    assert pl.read_csv(out).columns[:4] == ["line", "beds", "shore", "prediction"]
    assert told["flags"] == {"unknown_category:shore": 2, "outside_training:size": 1}
    assert (told["flagged"], told["model"]) == (2, "price/1")
    source.write_text("\n".join(lines[:2]) + "\n")
    assert cli.run(words) == 0
    assert "flagged" not in capsys.readouterr().out


def test_a_changed_file_of_a_registered_model_is_refused(done, tmp_path):
    """One byte of the fetched folder flipped: exit code 4, naming file and hashes."""
    import shutil

    folder = tmp_path / "copy"
    shutil.copytree(done.registry.fetch(done.registry.resolve("price", "1")), folder)
    assert load_folder(folder).label == str(folder)
    content = bytearray((folder / "model.skops").read_bytes())
    content[len(content) // 2] ^= 1
    (folder / "model.skops").write_bytes(bytes(content))
    with pytest.raises(IntegrityError, match=r"model\.skops: differs from its manifest: sha256"):
        load_folder(folder)


def test_mistakes_are_found_before_anything_is_fitted(done, uri, tmp_path):
    """A feature that is not declared, a member that is not configured."""
    project = Project(tmp_path / "wrong", uri)
    columns = {k: v for k, v in CONTRACT["columns"].items() if k != "beds"}
    with pytest.raises(ConfigError, match="feature 'beds' is not declared"):
        project.run(contract=CONTRACT | {"columns": columns})
    candidates = {k: v for k, v in CONFIG["candidates"].items() if k != "ridge"}
    with pytest.raises(ConfigError, match="no candidate 'ridge' is configured"):
        project.run(candidates=candidates)
    assert not (project.root / "models/model").exists()
    assert project.registry.versions("price")[0].number == done.registry.versions("price")[0].number


def test_a_split_that_kept_nothing_is_refused(uri, tmp_path):
    """Without test rows no figure could be told."""
    project = Project(tmp_path / "untested", uri)
    split = project.tables.read("split").with_columns(part=pl.lit("train"))
    split = split.with_columns(fold=(pl.int_range(pl.len()) % 3).cast(pl.Int8))
    project.tables.write("split", split, {})
    with pytest.raises(Exception, match="the split keeps no test rows"):
        project.run()


def test_bounds_of_the_configuration():
    """A level must lie between 0 and 1."""
    with pytest.raises(ConfigError, match="0 < level < 1 must hold"):
        build(Register, CONFIG | {"level": 1.5}, where="register")
    assert replace(build(Register, CONFIG, where="x"), level=0.5).level == 0.5
