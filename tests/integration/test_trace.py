"""Answers and models walked back to the raw file, and outcomes told to the log, by command."""

from __future__ import annotations

import json
import shutil
import subprocess
from dataclasses import replace
from datetime import UTC, date, datetime

import numpy as np
import pandas as pd
import polars as pl
import pytest
import yaml
from rich.console import Console
from sklearn.linear_model import Ridge

from heddle.domain.entities import ModelPackage, Prediction, RequestRecord
from heddle.infrastructure.facts import stages_hash
from heddle.infrastructure.mlflow_registry import MlflowRegistry
from heddle.infrastructure.sqlite_predictions import SqlitePredictions
from heddle.pipeline.generated import read_params
from heddle.presentation import cli, cli_trace
from heddle.presentation.bootstrap import make_request_log
from heddle.presentation.data_links import data_links
from heddle.registry.manifest import Manifest, Split, digest, model_config
from heddle.validation.contract import Column

ROWS = pd.DataFrame({"a": np.arange(8.0)})
AT = "2026-05-01T12:00:00+00:00"


def git(root, *words: str) -> str:
    who = ("-c", "user.name=A", "-c", "user.email=a@b.c")
    told = subprocess.run(
        ["git", "-C", str(root), *who, *words], capture_output=True, text=True, check=True
    )
    return told.stdout.strip()


def manifest_of(root) -> Manifest:
    told = json.loads((root / "data" / "both" / "both_metadata.json").read_text())
    return Manifest(
        name="price",
        best_model="ridge",
        parameters={},
        target="y",
        columns={"a": Column(type="float")},
        seen={},
        metric="rmse",
        metrics={"rmse": 0.25},
        interval=None,
        split=Split(hash="s", strategy="random", seed=1, train_rows=6, test_rows=2),
        data={"both": {key: told[key] for key in ("content_hash", "sha256", "rows")}},
        config_hash=stages_hash(root, read_params(root)["stages"]),
        libraries={},
    )


@pytest.fixture(scope="module")
def made(finished, tmp_path_factory):
    """A project that has run and registered a model; copy it before changing anything."""
    root = shutil.copytree(
        finished, tmp_path_factory.mktemp("traced") / "tiny", symlinks=True, dirs_exist_ok=True
    )
    git(root, "add", "--all")
    git(root, "commit", "--quiet", "-m", "as it ran")
    manifest = manifest_of(root)
    folder = root / "models" / "model"
    folder.mkdir(parents=True)
    (folder / "model.skops").write_bytes(b"a model")
    manifest = replace(manifest, files={"model.skops": digest(b"a model")})
    (folder / "manifest.json").write_bytes(manifest.encoded())
    registry = MlflowRegistry(f"sqlite:///{root}/mlruns/mlflow.db", experiment="heddle")
    facts = {"git_commit": git(root, "rev-parse", "HEAD"), "git_dirty": False}
    package = ModelPackage(
        name="price",
        folder=folder,
        model=Ridge().fit(ROWS, ROWS["a"]),
        example=ROWS.head(2),
        run_id="8c1f02aa",
        requirements=("scikit-learn",),
        description="",
        tags={"manifest_sha256": digest(manifest.encoded())}
        | {key: str(value) for key, value in facts.items()},
    )
    version = registry.add(package)
    registry.point("price", "staging", version.number)
    told = model_config(manifest, version, alias="staging", facts=facts, path="models/model")
    (root / "models" / "model_config.yaml").write_text(yaml.safe_dump(told))
    return root


@pytest.fixture
def root(made, tmp_path, monkeypatch):
    """A copy of the project; lines are not cut by the width of some terminal."""
    for name in ("out", "err"):
        monkeypatch.setattr(
            cli_trace, name, Console(width=300, highlight=False, stderr=name == "err")
        )
    return shutil.copytree(made, tmp_path / "tiny", symlinks=True)


@pytest.fixture
def pin(root):
    """sha256 of the model's manifest."""
    return digest((root / "models" / "model" / "manifest.json").read_bytes())


@pytest.fixture
def request_of(root, pin):
    """A function that keeps a request in the project's log."""

    def kept(number: int = 1, **more) -> RequestRecord:
        one = RequestRecord(
            id=f"{number:032x}", at=AT, model="price/1", digest=pin, row={"a": 2.5, "b": None},
            prediction=3.5, lower=3.0, upper=4.0, flags="outside_training:a", latency_ms=1.5,
        )  # fmt: skip
        log = make_request_log(root)
        log.append([replace(one, **more)])
        log.close()
        return replace(one, **more)

    return kept


def call(capsys, root, *words: str) -> tuple[int, str, str]:
    capsys.readouterr()
    code = cli.run([*words, "-C", str(root)])
    told = capsys.readouterr()
    return code, told.out, told.err


def traced(capsys, root, asked: str) -> dict:
    code, said, fault = call(capsys, root, "trace", asked, "--json")
    assert code == 0, fault
    return json.loads(said)


def states(told: dict) -> dict[str, str]:
    return {f"{one['kind']} {one['name']}": one["state"] for one in told["links"]}


@pytest.mark.parametrize("asked", ["price@staging", "price/1", "price@1"])
def test_a_model_is_walked_back_to_the_raw_file(root, capsys, asked, pin):
    """Every stage on the way, each once and after what was made of it; nothing has changed."""
    told = traced(capsys, root, asked)
    assert (told["kind"], told["answer"], told["broken"]) == ("model", None, [])
    assert [f"{one['kind']} {one['name']}" for one in told["links"]][5:] == [
        f"configuration {manifest_of(root).config_hash}",
        *("data both", "stage both", "data right", "stage right", "data left", "stage left"),
        *("data v0", "stage read", "raw cases.csv"),
    ]
    assert set(states(told).values()) == {"same", "recorded"}
    model = told["model"]
    assert (model["version"], model["digest"], model["test"]) == ("1", pin, {"rmse": 0.25})
    assert (model["run_id"], model["aliases"]) == ("8c1f02aa", ["staging"])
    assert model["git_commit"] == git(root, "rev-parse", "HEAD")
    assert model["data"]["both"] == manifest_of(root).data["both"]
    assert model["registered_at"].startswith("20")


def test_stages_that_made_the_model_come_before_its_data(root):
    """As long as the project's record is about it; a stage that wrote several files comes once."""
    params = read_params(root)
    told = data_links(root, params, manifest_of(root).data, made="reports/said.json")
    assert [(one.kind, one.name) for one in told][:3] == [
        ("stage", "said"), ("data", "both"), ("stage", "both"),
    ]  # fmt: skip
    assert told[0].says == "both -> reports/said.json"
    assert len({(one.kind, one.name) for one in told}) == len(told)
    assert data_links(root, params, manifest_of(root).data, made="models/x.yaml") == told[1:]


def test_a_person_is_told_in_tables(root, capsys, request_of):
    """The row as it was kept, what was hidden in it, the model, and each link."""
    one = request_of(redacted=("b", "name", "c"), row={"a": 2.5, "b": None, "c": "hash:12"})
    code, said, _ = call(capsys, root, "trace", one.id.upper())
    assert code == 0
    lines = [" ".join(line.split()) for line in said.splitlines()]
    assert {"a 2.5", "c hash:12 (hashed when it was kept)"} <= set(lines)
    assert "b missing (hashed when it was kept)" in lines
    assert "name (dropped when it was kept)" in lines
    assert {"prediction 3.5", "lower 3", "upper 4", "outcome -"} <= set(lines)
    assert {"test rmse 0.25 on 2 rows", "run_id 8c1f02aa", "version 1"} <= set(lines)
    assert "stage both same left, right -> both" in lines
    assert lines[-1] == "every link that can be looked at from here is as it was"


def test_a_request_leads_to_its_model(root, capsys, request_of, pin):
    """All that was kept of it, with its outcome; then the chain of its model."""
    one = request_of()
    make_request_log(root).add_outcomes([(one.id, 3.25)])
    told = traced(capsys, root, one.id)
    assert (told["kind"], told["broken"]) == ("request", [])
    assert told["answer"]["row"] == {"a": 2.5, "b": None}
    assert (told["answer"]["prediction"], told["answer"]["outcome"]) == (3.5, 3.25)
    assert (told["model"]["version"], told["model"]["digest"]) == ("1", pin)
    assert told["links"] == traced(capsys, root, "price/1")["links"]


def test_a_daily_prediction_leads_to_its_model(root, capsys, pin):
    """By the id that `heddle predict --json` prints."""
    one = Prediction(
        series="ABC", as_of=date(2024, 3, 1), target_session=date(2024, 3, 8), horizon=5,
        price=100.0, predicted_return=0.01, predicted_price=101.0, lower_return=None,
        upper_return=None, lower_price=None, upper_price=None, direction="up",
        model_name="price", model_version="1", model_digest=pin, data_hash="h",
        generated_at=datetime(2024, 3, 1, 22, tzinfo=UTC),
    )  # fmt: skip
    SqlitePredictions(root / "predictions" / "predictions.db").add([one])
    told = traced(capsys, root, one.id)
    assert (told["kind"], told["broken"]) == ("daily", [])
    assert told["answer"]["as_of"] == "2024-03-01"
    assert told["answer"]["data_hash"] == "h"
    assert told["model"]["name"] == "price"


def test_what_no_longer_matches_is_named(root, capsys):
    """The raw file, a table, its configuration, the model's page, the commit."""
    (root / "cases.csv").write_text((root / "cases.csv").read_text() + "\n")
    (root / "data" / "left" / "left.parquet").write_bytes(b"another")
    meta = root / "data" / "both" / "both_metadata.json"
    meta.write_text(json.dumps(json.loads(meta.read_text()) | {"content_hash": "f" * 64}))
    page = root / "models" / "model_config.yaml"
    page.write_text(page.read_text().replace("manifest_sha256: ", "manifest_sha256: 0"))
    params = yaml.safe_load((root / "params.yaml").read_text())
    params["stages"]["right"]["steps"][0]["name"] = "other"
    (root / "params.yaml").write_text(yaml.safe_dump(params))
    told = traced(capsys, root, "price@staging")
    found = states(told)
    for link in ("raw cases.csv", "stage left", "stage both", "data both", "stage right"):
        assert found[link] == "changed", link
    assert found["record models/model_config.yaml"] == "changed"
    assert found["data v0"] == "same"
    assert found["stage read"] == "changed", "it read the raw file"
    assert [one["state"] for one in told["links"] if one["kind"] == "configuration"] == ["changed"]
    assert "the file there is another" in told["links"][-1]["says"]
    (both,) = (one for one in told["links"] if one["name"] == "both" and one["kind"] == "data")
    assert both["says"].endswith("what follows is of the data that is here now")
    assert both["facts"]["here"]["content_hash"] == "f" * 64
    code, said, _ = call(capsys, root, "trace", "price@staging")
    assert code == 0
    assert "no longer as it was: " in said.splitlines()[-1]


def test_what_is_gone_is_named(root, capsys):
    """Data that was not pulled, the lock, the raw file, the page, files of the model."""
    (root / "cases.csv").unlink()
    shutil.rmtree(root / "data" / "both")
    (root / "models" / "model_config.yaml").unlink()
    git(root, "commit", "--quiet", "--allow-empty", "-m", "later")
    told = traced(capsys, root, "price/1")
    found = states(told)
    for link in ("raw cases.csv", "data both", "record models/model_config.yaml"):
        assert found[link] == "gone", link
    (commit,) = (one for one in told["links"] if one["kind"] == "commit")
    assert commit["state"] == "changed"
    assert f"checked out is {git(root, 'rev-parse', 'HEAD')[:12]}" in commit["says"]
    (root / "dvc.lock").write_text("schema: '2.0'\nstages:\n  read: [")
    assert states(traced(capsys, root, "price/1"))["stage dvc.lock"] == "gone"
    (root / "dvc.lock").unlink()
    assert states(traced(capsys, root, "price/1"))["stage ?"] == "gone"


def test_an_answer_of_another_model_of_that_number_is_told(root, capsys, request_of):
    """The digest decides, not the name."""
    told = traced(capsys, root, request_of(digest="e" * 64).id)
    assert told["broken"] == ["registry price/1"]
    assert f"the answer came from {'e' * 16}" in told["links"][0]["says"]
    assert told["model"]["digest"] == "e" * 64


def test_an_answer_of_a_model_that_is_gone_is_told(root, capsys, request_of):
    """What was kept is shown all the same."""
    told = traced(capsys, root, request_of(2, model="price/9").id)
    assert told["answer"]["prediction"] == 3.5
    assert told["broken"] == ["registry price/9"]
    assert "model 'price' has no version '9'" in told["links"][0]["says"]


def test_an_answer_of_a_folder_is_traced_to_it(root, capsys, request_of):
    """As long as it holds the files that answered."""
    one = request_of(3, model="models/model")
    told = traced(capsys, root, one.id)
    assert told["broken"] == []
    assert told["model"]["test"] == {"rmse": 0.25}
    (root / "models" / "model" / "model.skops").write_bytes(b"another")
    told = traced(capsys, root, one.id)
    assert told["broken"] == [f"files {root}/models/model"]
    (root / "models" / "model" / "manifest.json").write_bytes(b"{}")
    told = traced(capsys, root, one.id)
    assert "is not the manifest that was registered" in told["links"][0]["says"]
    assert told["model"] == {"name": "models/model", "digest": one.digest}


def test_an_id_that_is_kept_nowhere_says_where_was_looked(root, capsys, request_of):
    """And how many are there; exit 2."""
    request_of()
    code, said, fault = call(capsys, root, "trace", "0" * 32)
    assert (code, said) == (2, "")
    assert fault == (
        f"error: {root}: no answer '{'0' * 32}' is kept: predictions/requests.db holds 1 requests,"
        " predictions/predictions.db 0 predictions. An id is in the answer of `heddle serve` or"
        " `heddle predict --json`; a model is asked for as NAME@ALIAS or NAME/VERSION.\n"
    )
    code, _, fault = call(capsys, root, "trace", "prize@staging")
    assert code == 2
    assert "no registered model 'prize'; did you mean 'price'? Known: price" in fault


def test_tracing_writes_nothing(root, capsys, request_of):
    """No file comes, goes or changes."""
    one = request_of()

    def files() -> dict[str, bytes]:
        places = (p for p in root.rglob("*") if p.is_file() and ".git/" not in p.as_posix())
        return {p.relative_to(root).as_posix(): p.read_bytes() for p in places}

    before = files()
    traced(capsys, root, one.id)
    assert files() == before


def outcomes(capsys, root, file, *words: str) -> tuple[int, str, str]:
    return call(capsys, root, "outcomes", "add", str(file), *words)


def test_outcomes_are_joined_once(root, capsys, request_of, tmp_path):
    """Told twice nothing changes; ids that nobody knows are counted."""
    ids = [request_of(number).id for number in (1, 2)]
    file = tmp_path / "sold.csv"
    file.write_text(f"id,outcome\n{ids[0]},3.25\n{ids[1]},4\nnobody,5\n")
    code, said, _ = outcomes(capsys, root, file)
    assert (code, said) == (0, "2 joined, 0 already known, 1 of unknown ids\n")
    code, said, _ = outcomes(capsys, root, file, "--json")
    assert code == 0
    assert json.loads(said) == {
        "joined": 0, "known": 2, "replaced": 0, "unknown": ["nobody"], "differing": [], "bad": 0,
    }  # fmt: skip
    assert [one.outcome for one in make_request_log(root).rows()] == [3.25, 4.0]


def test_another_outcome_is_left_out_and_named(root, capsys, request_of, tmp_path):
    """Exit 3 until it is said that it replaces the first."""
    one, file = request_of().id, tmp_path / "sold.parquet"
    for value, words, code, kept in (
        (3.0, (), 0, 3.0),
        (4.0, (), 3, 3.0),
        (4.0, ("--replace",), 0, 4.0),
    ):
        pl.DataFrame({"request": [one], "price": [value]}).write_parquet(file)
        told = outcomes(capsys, root, file, "--id", "request", "--outcome", "price", *words)
        assert told[0] == code
        assert make_request_log(root).find(one).outcome == kept
        assert (
            f"1 outcomes differ from those told before, which stay: {one}. --re" in told[2]
        ) == (code == 3)
    assert told[1] == "0 joined, 0 already known, 1 replaced, 0 of unknown ids\n"


def test_bad_rows_are_refused_or_left_out(root, capsys, request_of, tmp_path):
    """Exit 3 with their lines and nothing written; `skip` takes the others."""
    one, file = request_of().id, tmp_path / "sold.csv"
    file.write_text(f"id,outcome\n{one},3\n{one},nan\n")
    code, said, fault = outcomes(capsys, root, file)
    assert (code, said) == (3, "")
    assert fault.startswith("error: sold.csv: 1 bad rows; line 3: outcome ")
    assert make_request_log(root).find(one).outcome is None
    code, said, noted = outcomes(capsys, root, file, "--on-error", "skip")
    assert (code, said) == (0, "1 joined, 0 already known, 0 of unknown ids\n")
    assert "1 bad rows were left out" in noted
    file.write_text("id,outcome\na,x\n")
    assert outcomes(capsys, root, file, "--on-error", "skip")[0] == 3, "only bad rows"
    code, _, fault = outcomes(capsys, root, file, "--on-error", "skp")
    assert (code, fault) == (
        2, "error: --on-error is not 'skp'; did you mean 'skip'? Known: fail, skip\n",
    )  # fmt: skip
    code, _, fault = call(capsys, root, "outcomes", "ad", str(file))
    assert (code, fault) == (
        2, "error: outcomes can do no 'ad'; did you mean 'add'? Known: add\n",
    )  # fmt: skip
