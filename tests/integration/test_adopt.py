"""A booster made elsewhere: adopted, signed, verified, served; and MLflow never runs its code."""

import json
from pathlib import Path

import numpy as np
import polars as pl
import pytest
from tests.asking import ask, predict

from heddle.domain.errors import ConfigError, DataContractError, IntegrityError
from heddle.infrastructure.memory_registry import MemoryRegistry
from heddle.presentation.adopting import Adopted, adopt
from heddle.presentation.cli import run
from heddle.presentation.cli_models import registry_of, world_of
from heddle.presentation.trusting import trust_of
from heddle.serving.address import Address
from heddle.serving.api.app import make_app
from heddle.serving.cascade import Cascade
from heddle.serving.live import Live
from heddle.serving.loader import load_registered
from heddle.serving.trust import Trust

DRAW = np.random.default_rng(3)
SHOWN = DRAW.normal(size=(60, 2))
ROWS = pl.DataFrame(SHOWN, schema=["a", "b"]).with_columns(y=2 * pl.col("a") - pl.col("b"))


@pytest.fixture(scope="module")
def booster(tmp_path_factory):
    """A booster, its file and rows."""
    import xgboost

    place = tmp_path_factory.mktemp("made")
    data = xgboost.DMatrix(SHOWN, ROWS["y"].to_numpy(), feature_names=["a", "b"])
    made = xgboost.train({"max_depth": 2, "nthread": 1}, data, 4)
    made.save_model(place / "line.ubj")
    ROWS.write_csv(place / "rows.csv")
    return made, place


@pytest.fixture(scope="module")
def project(booster, tmp_path_factory):
    """A project that has adopted it, signed, by the commands."""
    _, place = booster
    root = tmp_path_factory.mktemp("project")
    keys = {"signing_key": str(root / "own.key"), "trusted_keys": "trusted"}
    world = {"project": "p", "model": "line", **keys}
    (root / "params.yaml").write_text(json.dumps({"stages": {}, "world": world}))
    assert run(["key", "release", "--out", str(root / "own.key")]) == 0
    rows = ["--rows", str(place / "rows.csv"), "--target", "y"]
    told = ["adopt", str(place / "line.ubj"), *rows, "--name", "line", "-C", str(root)]
    from heddle.registry.signatures import PublicKey, signature_of

    with pytest.raises(ConfigError):
        trust_of(root)  # nobody is trusted yet
    signed_by = signature_of(b"", root / "own.key").split()[1].decode()
    from cryptography.hazmat.primitives.serialization import load_pem_private_key

    private = load_pem_private_key((root / "own.key").read_bytes(), password=None)
    public = PublicKey(name="release", raw=private.public_key().public_bytes_raw())
    assert public.id == signed_by
    (root / "trusted").write_text(public.line + "\n")
    assert run(told) == 0
    return root


def test_an_adopted_booster_is_served_as_its_library_predicts(project, booster):
    """Signed, pinned, from the registry; with its format in what it says of itself."""
    made, _ = booster
    registry = registry_of(project, world_of(project))
    cascade = Cascade(registry, strict=True, trust=trust_of(project))
    live = Live(cascade, Address(name="line", wanted="staging"))
    live.load()
    app = make_app(live)
    answer = predict(app, {"a": 0.5, "b": -1.0}, {"a": 3, "b": 0.25})
    said = [one["prediction"] for one in answer.json()["predictions"]]
    expected = made.inplace_predict(np.array([[0.5, -1.0], [3.0, 0.25]]), validate_features=False)
    np.testing.assert_allclose(said, expected, rtol=1e-9)
    assert "x-model-warning" not in answer.headers
    told = ask(app, "GET", "/api/v1/model/info").json()
    assert (told["format"], told["signature"]) == ("XGBoost UBJSON", "signed by release")
    assert told["warnings"] == []


def test_what_mlflow_would_run_of_a_version_is_not_looked_at(project, tmp_path):
    """An MLmodel that brings code and a loader of its own: neither is ever run."""
    registry = registry_of(project, world_of(project))
    folder = registry.fetch(registry.resolve("line", "staging"))
    artifacts, marker = folder.parents[1], tmp_path / "marker"
    before = (artifacts / "MLmodel").read_text()
    (artifacts / "code").mkdir()
    (artifacts / "code" / "evil.py").write_text(f"open({str(marker)!r}, 'w').write('run')\n")
    evil = "flavors:\n  python_function: {loader_module: evil, code: code, env: {}}\n"
    (artifacts / "MLmodel").write_text(evil)
    try:
        loaded = load_registered(registry, "line", "staging", trust=trust_of(project))
        assert loaded.predict(ROWS.head(1)).shape == (1,)
        assert not marker.exists()
        (folder / "code").mkdir()
        with pytest.raises(IntegrityError, match=r"holds code, golden\.json"):
            load_registered(registry, "line", "staging", trust=trust_of(project))
    finally:
        (folder / "code").rmdir()
        (artifacts / "MLmodel").write_text(before)


def test_a_signature_is_required_where_keys_are_trusted(project, tmp_path, capsys):
    """Exit code 4; `heddle sign` mends it."""
    registry = registry_of(project, world_of(project))
    folder = registry.fetch(registry.resolve("line", "staging"))
    ROWS.drop("y").write_csv(tmp_path / "in.csv")
    asked = ["predict", str(tmp_path / "in.csv"), "-o", str(tmp_path / "out.csv"), "-C"]
    asked += [str(project), "--model", "staging"]
    (folder / "manifest.sig").unlink()
    assert run(asked) == 4
    assert "the model is not signed, expected a signature of one of rel" in capsys.readouterr().err
    assert run(["sign", str(folder), "-C", str(project)]) == 0
    assert run(asked) == 0
    assert "warning" not in capsys.readouterr().err


def test_a_pickle_is_adopted_and_served_when_that_is_said(tmp_path):
    """Twice: where it comes in, and where it is used; each answer carries a warning."""
    import joblib
    from sklearn.linear_model import LinearRegression

    model = LinearRegression().fit(ROWS.drop("y").to_pandas(), ROWS["y"].to_pandas())
    joblib.dump(model, tmp_path / "line.joblib")
    ROWS.write_parquet(tmp_path / "rows.parquet")
    told = {"rows": tmp_path / "rows.parquet", "target": "y", "name": "line"}
    registry = MemoryRegistry(tmp_path / "registry")
    with pytest.raises(ConfigError, match=r"line\.joblib: is a pickle.*or --allow-unsafe-pickle"):
        adopt(Adopted(file=tmp_path / "line.joblib", **told), registry)
    adopt(Adopted(file=tmp_path / "line.joblib", **told, unsafe_pickle=True), registry)
    address = Address(name="line", wanted="staging")
    with pytest.raises(IntegrityError, match="is a pickle, which runs whatever its maker wanted"):
        Cascade(registry, strict=True).load(address)
    said: list[str] = []
    cascade = Cascade(registry, strict=True, trust=Trust(unsafe_pickle=True))
    live = Live(cascade, address, notice=said.append)
    live.load()
    assert "line/1: loaded from a pickle, which ran whatever its maker wanted" in said[0]
    app = make_app(live)
    answer = predict(app, {"a": 0.5, "b": -1.0})
    assert answer.headers["x-model-warning"] == "unsafe-pickle"
    assert answer.json()["predictions"][0]["prediction"] == pytest.approx(2.0, rel=1e-9)
    assert "loaded from a pickle" in ask(app, "GET", "/api/v1/model/info").json()["warnings"][0]


@pytest.mark.parametrize(
    ("name", "told", "refusal"),
    [
        ("m.bin", (ROWS, "y"), (ConfigError, "'.bin' is of no format that is read")),
        ("m.ubj", (ROWS, "z"), (DataContractError, "has no column 'z'")),
        ("m.ubj", (ROWS.clear(), "y"), (DataContractError, "has no rows")),
        (
            "m.txt",
            (ROWS, "y"),
            (IntegrityError, "is not a LightGBM text file: it begins with 7b4c"),
        ),
        ("lost.ubj", (ROWS, "y"), (ConfigError, r"lost\.ubj: cannot be read: No such file")),
    ],
)
def test_what_cannot_be_adopted_is_told(booster, tmp_path, name, told, refusal):
    """And nothing is registered."""
    (rows, target), (kind, words) = told, refusal
    if "lost" not in name:
        (tmp_path / name).write_bytes((booster[1] / "line.ubj").read_bytes())
    rows.write_csv(tmp_path / "rows.csv")
    registry = MemoryRegistry(tmp_path / "registry")
    asked = Adopted(file=tmp_path / name, rows=tmp_path / "rows.csv", target=target, name="line")
    with pytest.raises(kind, match=words):
        adopt(asked, registry)
    assert Path(tmp_path / "registry").exists() is False
