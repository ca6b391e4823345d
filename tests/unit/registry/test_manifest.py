"""The manifest beside a model, and the page about it that people keep in git."""

from __future__ import annotations

import json
from dataclasses import replace

import pytest

from heddle.domain.entities import ModelVersion
from heddle.domain.errors import IntegrityError
from heddle.evaluation.intervals import Interval
from heddle.registry.manifest import (
    MANIFEST,
    HistoryFacts,
    Manifest,
    Split,
    digest,
    model_config,
    read_manifest,
)
from heddle.validation.contract import Column

WHOLE = Manifest(
    name="price",
    best_model="ridge",
    parameters={"ridge": {"alpha": 1.0}},
    target="y",
    columns={"b": Column(type="float"), "a": Column(type="string", categories=("x",))},
    seen={"b": {"min": 0.0, "max": 1.0}},
    metric="wmape",
    metrics={"wmape": 12.0, "r2": 0.8},
    interval=Interval(level=0.9, half=0.2, relative=True),
    split=Split(hash="s1", strategy="random", seed=42, train_rows=80, test_rows=20),
    data={"v1": {"content_hash": "d1"}},
    config_hash="c",
    libraries={"numpy": "2"},
)
VERSION = ModelVersion(
    name="price", number=3, aliases=(), tags={}, description="", run_id="r", uri="models:/m-1"
)


def told(**changes):
    version = replace(VERSION, **changes)
    facts = {"git_commit": "abc", "git_dirty": True}
    return model_config(WHOLE, version, alias="staging", facts=facts, path="models/model")["model"]


def test_a_manifest_comes_back_as_it_went(tmp_path):
    """Columns keep their order, everything else stands sorted."""
    content = WHOLE.encoded()
    (tmp_path / MANIFEST).write_bytes(content)
    found = read_manifest(tmp_path, expected=digest(content))
    assert found == WHOLE
    assert list(found.columns) == ["b", "a"]
    assert found.contract.extra == "keep"
    turned = replace(WHOLE, metrics=dict(reversed(WHOLE.metrics.items())))
    assert turned.encoded() == content


def test_a_manifest_of_before_there_were_histories_is_read(tmp_path):
    """What it does not say is nothing; what a newer one says comes back."""
    values = json.loads(WHOLE.encoded())
    assert (values.pop("history"), values.pop("evidence")) == (None, {})
    (tmp_path / MANIFEST).write_text(json.dumps(values))
    assert read_manifest(tmp_path) == WHOLE
    facts = HistoryFacts(lookback=60, time="session", horizon=5)
    newer = replace(WHOLE, history=facts, evidence={"edge": False, "p_value": None})
    (tmp_path / MANIFEST).write_bytes(newer.encoded())
    assert read_manifest(tmp_path) == newer
    with pytest.raises(ValueError, match="lookback >= 0 and horizon >= 1 must hold"):
        HistoryFacts(lookback=-1, time="session", horizon=5)


def test_another_manifest_than_the_registered_one_is_refused(tmp_path):
    """Absent or changed: exit code 4, with both hashes."""
    with pytest.raises(IntegrityError, match="the model has no manifest"):
        read_manifest(tmp_path)
    (tmp_path / MANIFEST).write_bytes(WHOLE.encoded())
    with pytest.raises(
        IntegrityError, match=r"is not the manifest that was registered.*expected 0"
    ):
        read_manifest(tmp_path, expected="0" * 64)


def test_what_people_read_has_a_place_for_each_known_field():
    """What the project does not have is null, so that readers of the file need not guess."""
    model = told()
    assert (model["version"], model["stage"], model["local_path"]) == (
        "3",
        "staging",
        "models/model",
    )
    assert (model["r2_score"], model["mae"]) == (0.8, None)
    assert model["feature_columns"] == ["b", "a"]
    assert (model["git_commit"], model["git_dirty"], model["mlflow_run_id"]) == ("abc", True, "r")
    assert model["manifest_sha256"] == digest(WHOLE.encoded())
    assert model["sweep_id"] is None


@pytest.mark.parametrize(("uri", "cloud"), [("models:/m-1", None), ("gs://b/m", "gs://b/m")])
def test_an_address_in_the_cloud_is_told_as_one(uri, cloud):
    """Only where the registry keeps the files there."""
    model = told(uri=uri)
    assert (model["mlflow_model_uri"], model["gcs_model_uri"]) == (uri, cloud)
