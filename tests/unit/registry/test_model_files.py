"""Saved models: bytes that depend on the model alone."""

import dataclasses
import json
import resource
import subprocess
import sys

import pandas as pd
import polars as pl
import pytest
import skops.io
from sklearn.base import BaseEstimator
from sklearn.ensemble import HistGradientBoostingRegressor
from sklearn.linear_model import Ridge

from heddle.domain.errors import ConfigError, IntegrityError, ResourceError
from heddle.evaluation.intervals import Interval
from heddle.models.trusted import TRUSTED_TYPES
from heddle.registry.manifest import Manifest, Split, digest, read_manifest
from heddle.registry.model_files import GOLDEN, canonical, golden_frame, save_model
from heddle.validation.contract import Column

ROWS = pl.DataFrame({"a": [1.0, 2.0, 3.0, 4.0], "b": [1.0, 0.0, 1.0, 5.0]})
MANIFEST_OF = Manifest(
    name="price",
    best_model="ridge",
    parameters={"ridge": {"alpha": 1.0}},
    target="y",
    columns={"b": Column(type="float"), "a": Column(type="float", nullable=True)},
    seen={},
    metric="wmape",
    metrics={"wmape": 12.0},
    interval=Interval(level=0.9, half=0.2, relative=True),
    split=Split(hash="s1", strategy="random", seed=42, train_rows=80, test_rows=20),
    data={"v1": {"content_hash": "d1"}},
    config_hash="c",
    libraries={"scikit-learn": "1.9.1"},
)
TRAIN = """
import sys, numpy as np, skops.io
from sklearn.ensemble import HistGradientBoostingRegressor, RandomForestRegressor, VotingRegressor
from heddle.registry.model_files import canonical
from heddle.registry.manifest import digest
rng = np.random.default_rng(0)
X = rng.normal(size=(300, 4))
model = VotingRegressor([
    ("a", HistGradientBoostingRegressor(max_iter=5, random_state=1)),
    ("b", RandomForestRegressor(5, random_state=1)),
]).fit(X, X[:, 0])
if sys.argv[1] == "shifted":
    import pickle
    junk = [bytearray(1000) for _ in range(999)]
    model = pickle.loads(pickle.dumps(model))  # as it comes back from another process
print(digest(canonical(skops.io.dumps(model))))
"""


def ridge() -> Ridge:
    return Ridge().fit(ROWS.select("b", "a"), ROWS["a"])


def test_the_same_model_has_the_same_bytes_in_every_process():
    """Two processes with other memory layouts train and save the same file."""
    said = {
        subprocess.run(
            [sys.executable, "-c", TRAIN, how], capture_output=True, text=True, check=True
        ).stdout
        for how in ("plain", "shifted")
    }
    assert len(said) == 1


def test_canonical_keeps_the_model_and_is_a_fixed_point():
    """The model predicts as before; canonical again changes nothing."""
    model = ridge()
    content = canonical(skops.io.dumps(model))
    assert canonical(content) == content
    again = skops.io.loads(content)
    rows = ROWS.select("b", "a")
    assert (again.predict(rows) == model.predict(rows)).all()


def test_shared_objects_stay_shared():
    """One array that is used twice is still one after the renumbering."""
    model = ridge()
    model.extra_ = [model.coef_, model.coef_]
    again = skops.io.loads(canonical(skops.io.dumps(model)))
    assert again.extra_[0] is again.extra_[1]
    assert again.extra_[0] is again.coef_


def test_a_saved_model_reads_back_its_manifest(tmp_path):
    """The manifest on disk is the one returned, with columns in their order and every hash."""
    made = save_model(tmp_path / "model", ridge(), MANIFEST_OF, ROWS, ())
    content = (tmp_path / "model" / "manifest.json").read_bytes()
    read = read_manifest(tmp_path / "model", expected=digest(content))
    assert read == made
    assert list(read.columns) == ["b", "a"]
    assert {p.name for p in (tmp_path / "model").iterdir()} == {*read.files, "manifest.json"}
    for name, sha256 in read.files.items():
        assert digest((tmp_path / "model" / name).read_bytes()) == sha256


def test_whole_numbers_with_gaps_are_kept_as_whole_numbers(tmp_path):
    """Of a training table in pandas they come as fractions; the stored rows predict as they did."""
    columns = {"b": Column(type="float"), "a": Column(type="int", nullable=True)}
    told = dataclasses.replace(MANIFEST_OF, columns=columns)
    from_pandas = pl.from_pandas(pd.DataFrame({"a": [1.0, None, 3.0], "b": [1.0, 0.0, 1.0]}))
    assert from_pandas["a"].dtype == pl.Float64
    model = HistGradientBoostingRegressor(max_iter=2).fit(from_pandas.select("b", "a"), [1, 2, 3])
    save_model(tmp_path / "model", model, told, from_pandas, TRUSTED_TYPES)
    golden = json.loads((tmp_path / "model" / GOLDEN).read_bytes())
    again = golden_frame(golden["rows"], columns)
    assert again["a"].to_list() == [1, None, 3]
    assert again.schema["a"] == pl.Int64
    assert model.predict(again).tolist() == golden["predicted"]


def test_saving_twice_gives_the_same_folder(tmp_path):
    """Nothing of the time or the process is in the files."""
    one = save_model(tmp_path / "one", ridge(), MANIFEST_OF, ROWS, ())
    (tmp_path / "two").mkdir()
    (tmp_path / "two" / "left over").write_text("x")
    assert save_model(tmp_path / "two", ridge(), MANIFEST_OF, ROWS, ()) == one
    assert not (tmp_path / "two" / "left over").exists()


def test_a_model_that_cannot_be_written_leaves_the_old_one(tmp_path):
    """Whole, and nothing beside it; a limit on the size of files stands for a full disk."""
    made = save_model(tmp_path / "model", ridge(), MANIFEST_OF, ROWS, ())
    before = {p.name: p.read_bytes() for p in (tmp_path / "model").iterdir()}
    limits = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (100, limits[1]))
    try:
        with pytest.raises(ResourceError, match=r"too large\. The old version is as it was"):
            save_model(tmp_path / "model", ridge(), MANIFEST_OF, ROWS, ())
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, limits)
    assert {p.name: p.read_bytes() for p in (tmp_path / "model").iterdir()} == before
    assert [p.name for p in tmp_path.iterdir()] == ["model"]
    assert read_manifest(tmp_path / "model") == made


class Stranger(Ridge, BaseEstimator):
    """A class that nobody reviewed."""


def test_a_type_that_is_not_trusted_is_refused_before_anything_is_written(tmp_path):
    """The error names the type and where to add it."""
    model = Stranger().fit(ROWS.select("b", "a"), ROWS["a"])
    with pytest.raises(ConfigError, match=r"not trusted: .*Stranger.*heddle\.models\.trusted"):
        save_model(tmp_path / "model", model, MANIFEST_OF, ROWS, ())
    assert not (tmp_path / "model").exists()


@pytest.mark.parametrize("content", [b"", b"{", b"[]", b'{"name": 1}', b'{"nam\xff": 1}'])
def test_what_is_no_manifest_is_refused(tmp_path, content):
    """Cut, foreign or undecodable files end in an integrity error, not in a traceback."""
    (tmp_path / "manifest.json").write_bytes(content)
    with pytest.raises(IntegrityError, match="is not a manifest"):
        read_manifest(tmp_path)
