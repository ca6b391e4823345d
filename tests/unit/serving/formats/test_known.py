"""Models made elsewhere: the same predictions as their own library's, or a reason."""

import importlib
import pickle
import sys
from dataclasses import replace

import numpy as np
import polars as pl
import pytest

from heddle.domain.errors import IntegrityError
from heddle.evaluation.metrics import METRICS
from heddle.registry.manifest import Manifest, Split
from heddle.registry.model_files import save_bytes
from heddle.serving.formats import skops_file
from heddle.serving.formats.known import FORMATS, format_among, read_model
from heddle.serving.loader import load_folder
from heddle.serving.trust import Trust
from heddle.validation.contract import Column

DRAW = np.random.default_rng(7)
ROWS = pl.DataFrame(DRAW.normal(size=(80, 3)), schema=["a", "b", "c"])
TARGET = (2 * ROWS["a"] - ROWS["b"]).to_numpy()
ASKED = pl.DataFrame({"a": [0.5, None], "b": [1.0, -2.0], "c": [0.1, 3.0]})
SHOWN = np.array([[0.5, 1.0, 0.1], [np.nan, -2.0, 3.0]])
MANIFEST = Manifest(
    name="made",
    best_model="elsewhere",
    parameters={},
    target="y",
    columns={name: Column(type="float", nullable=True) for name in ROWS.columns},
    seen={},
    metric=next(iter(METRICS)),
    metrics={},
    interval=None,
    split=Split(hash="", strategy="", seed=0, train_rows=0, test_rows=0),
    data={},
    config_hash="",
    libraries={},
)


def lightgbm_text(names=None):
    import lightgbm

    data = lightgbm.Dataset(ROWS.to_numpy(), TARGET, feature_name=names or "auto")
    told = {"verbosity": -1, "num_leaves": 4, "min_data_in_leaf": 2, "num_threads": 1}
    made = lightgbm.train(told, data, 5)
    return made.model_to_string().encode(), made.predict(SHOWN)


def xgboost_file(form, names=None):
    import xgboost

    data = xgboost.DMatrix(ROWS.to_numpy(), TARGET, feature_names=names)
    made = xgboost.train({"max_depth": 2, "nthread": 1}, data, 5)
    return bytes(made.save_raw(form)), made.inplace_predict(SHOWN, validate_features=False)


def onnx_file(width=3, *, outside=False):
    from onnx import TensorProto, helper

    weights = [2.0, -1.0, 0.5][:width]
    held = helper.make_tensor("w", TensorProto.FLOAT, [width, 1], weights)
    if outside:
        held.ClearField("float_data")
        held.data_location = TensorProto.EXTERNAL
        where = held.external_data.add()
        where.key, where.value = "location", "/etc/passwd"
    asked = helper.make_tensor_value_info("x", TensorProto.FLOAT, [None, width])
    told = helper.make_tensor_value_info("y", TensorProto.FLOAT, [None, 1])
    node = helper.make_node("MatMul", ["x", "w"], ["y"])
    graph = helper.make_graph([node], "line", [asked], [told], [held])
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 13)], ir_version=8)
    shown = SHOWN[:, :width].astype(np.float32)
    return model.SerializeToString(), (shown @ np.float32(weights)[:, None])[:, 0]


def pickled():
    from sklearn.linear_model import LinearRegression

    made = LinearRegression().fit(ROWS.to_pandas(), TARGET)
    return pickle.dumps(made), made.predict(ASKED.fill_null(0.0).to_pandas())


@pytest.mark.parametrize(
    ("name", "make"),
    [
        ("model.txt", lightgbm_text),
        ("model.txt", lambda: lightgbm_text(["a", "b", "c"])),
        ("model.ubj", lambda: xgboost_file("ubj", ["a", "b", "c"])),
        ("model.json", lambda: xgboost_file("json")),
        ("model.onnx", onnx_file),
    ],
)
def test_a_model_says_what_its_own_library_says(name, make):
    """To the last bit that the library gives; nulls are missing values."""
    content, expected = make()
    model = read_model(name, content, MANIFEST, where=name)
    for frame in (ASKED, ASKED.to_pandas()):
        np.testing.assert_allclose(model.predict(frame), expected, rtol=1e-9, equal_nan=True)
    assert model.predict(ASKED.head(0)).shape == (0,)


def test_a_booster_in_a_folder_is_loaded_and_reproduces(tmp_path):
    """It is tried in another process first, then compared with its golden rows."""
    content, expected = lightgbm_text()
    model = read_model("model.txt", content, MANIFEST, where="")
    save_bytes(tmp_path / "m", ("model.txt", content), model, MANIFEST, ASKED)
    loaded = load_folder(tmp_path / "m")
    assert (loaded.format, loaded.compiled.how, loaded.unsafe) == (
        "LightGBM text",
        "pipeline",
        False,
    )
    said = loaded.predict_values(ASKED.to_dict(as_series=False))
    np.testing.assert_allclose(said, expected, rtol=1e-9)


def test_a_pickle_is_loaded_when_it_is_allowed_and_pinned(tmp_path):
    """And warns wherever it is asked what it is."""
    content, expected = pickled()
    model = read_model("model.pkl", content, MANIFEST, where="")
    rows = ASKED.fill_null(0.0)
    made = save_bytes(tmp_path / "m", ("model.pkl", content), model, MANIFEST, rows)
    from heddle.registry.manifest import digest

    pin = digest(made.encoded())
    loaded = load_folder(tmp_path / "m", expected=pin, trust=Trust(unsafe_pickle=True))
    np.testing.assert_allclose(loaded.predict(rows), expected, rtol=1e-9)
    assert loaded.unsafe
    assert "ran whatever its maker wanted" in loaded.warnings[0]


@pytest.mark.parametrize(
    ("name", "content", "words"),
    [
        ("model.txt", b"tree\nversion=v4\n", "cannot be read as a model: LightGBMError"),
        ("model.ubj", b"{Lnothing", "cannot be read as a model: XGBoostError"),
        ("model.json", b"{}", "cannot be read as a model: XGBoostError"),
        ("model.onnx", b"\x08nothing", "cannot be read as a model: InvalidProtobuf"),
        ("model.onnx", onnx_file(2)[0], r"asks for x: tensor\(float\) .*with 3 columns"),
        ("model.onnx", onnx_file(outside=True)[0], "cannot be read as a model: .*[Ee]xternal|path"),
        ("model.pkl", pickle.dumps("words"), "holds a str, which cannot predict"),
        ("model.txt", lightgbm_text(["c", "b", "a"])[0], "asks for c, b, a, the manifest's col"),
        ("model.ubj", xgboost_file("ubj", ["a", "b", "d"])[0], "asks for a, b, d, the manif"),
    ],
)
def test_a_file_that_is_no_such_model_is_refused(name, content, words):
    """In words, with the file's name before them."""
    with pytest.raises(IntegrityError, match=rf"the file: {words}"):
        read_model(name, content, MANIFEST, where="the file")


@pytest.mark.parametrize("name", ["model.txt", "model.ubj", "model.onnx"])
def test_only_numbers_are_taken(name):
    """A column of words needs a pipeline that knows what to make of them."""
    columns = {**MANIFEST.columns, "b": Column(type="string")}
    make = {"model.txt": lightgbm_text, "model.onnx": onnx_file}
    content, _ = make.get(name, lambda: xgboost_file("ubj"))()
    with pytest.raises(IntegrityError, match="takes numbers, and column 'b' is a string column"):
        read_model(name, content, replace(MANIFEST, columns=columns), where="m")


def test_one_file_is_the_model():
    """Neither none nor two."""
    assert format_among(["golden.json", "model.onnx"]) == "model.onnx"
    with pytest.raises(ValueError, match=r"none of model\.skops, model\.txt"):
        format_among(["golden.json"])
    with pytest.raises(ValueError, match=r"model\.json and model\.ubj of"):
        format_among(["model.ubj", "model.json"])
    assert [name for name, kind in FORMATS.items() if kind.unsafe] == ["model.pkl"]


def test_a_library_that_can_be_missed_is_left_out_meanwhile():
    """One that is loaded already stays; afterwards all can be had again."""
    with skops_file._left_out("pytest"):
        assert sys.modules["pytest"] is pytest
    assert "this" not in sys.modules
    with skops_file._left_out("this"), pytest.raises(ModuleNotFoundError):
        importlib.import_module("this")
    assert "this" not in sys.modules
