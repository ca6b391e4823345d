"""Hostile and damaged folders: each is refused before it can do anything."""

import json
import pickle
import shutil
import zipfile
from dataclasses import replace
from pathlib import Path

import polars as pl
import pytest

from heddle.domain.entities import ModelPackage
from heddle.domain.errors import ConfigError, IntegrityError
from heddle.infrastructure.memory_registry import MemoryRegistry
from heddle.registry.manifest import digest
from heddle.serving.loader import load_folder, load_registered

MARKER = Path("/tmp/heddle-test-marker")


@pytest.fixture
def folder(saved, tmp_path):
    """A copy of the saved model, to be damaged."""
    shutil.copytree(saved[0], tmp_path / "model")
    return tmp_path / "model"


def reseal(folder: Path, **changes) -> None:
    """Write the manifest anew so that the folder agrees with itself, as an attacker would."""
    told = json.loads((folder / "manifest.json").read_text())
    for name in told["files"]:
        told["files"][name] = digest((folder / name).read_bytes())
    (folder / "manifest.json").write_text(json.dumps(told | changes))


def test_a_sound_folder_is_loaded(saved):
    """The pipeline predicts and the label is what was asked for."""
    folder, pin = saved
    model = load_folder(folder, expected=pin, label="price/1")
    assert model.label == "price/1"
    assert model.manifest.name == "price"


@pytest.mark.parametrize("name", ["model.skops", "golden.json", "manifest.json"])
def test_one_flipped_bit_is_refused(saved, folder, name):
    """Whatever file it is in; file, expected and actual hash are named."""
    path = folder / name
    content = bytearray(path.read_bytes())
    content[len(content) // 2] ^= 1
    path.write_bytes(bytes(content))
    with pytest.raises(IntegrityError, match=rf"{name}.*sha256 {digest(bytes(content))}, expected"):
        load_folder(folder, expected=saved[1])
    assert IntegrityError.exit_code == 4


@pytest.mark.parametrize("name", ["model.skops", "golden.json", "manifest.json"])
def test_a_missing_file_is_refused(saved, folder, name):
    """The set of files is exact."""
    (folder / name).unlink()
    with pytest.raises(IntegrityError, match=r"has no manifest|holds .*, expected"):
        load_folder(folder, expected=saved[1])


def test_an_extra_file_is_refused(saved, folder):
    """A file that the manifest does not name may be anything."""
    (folder / "code.py").write_text("")
    with pytest.raises(IntegrityError, match=r"holds code\.py, golden\.json"):
        load_folder(folder, expected=saved[1])


def test_links_are_refused(saved, folder):
    """A link leads to bytes that may change after the check."""
    moved = folder.parent / "elsewhere"
    (folder / "model.skops").rename(moved)
    (folder / "model.skops").symlink_to(moved)
    with pytest.raises(IntegrityError, match="is not a plain file"):
        load_folder(folder, expected=saved[1])


def test_names_that_climb_out_are_refused(folder):
    """The manifest may not name a file outside its folder."""
    told = json.loads((folder / "manifest.json").read_text())
    told["files"] = {"../../etc/passwd": "0" * 64}
    (folder / "manifest.json").write_text(json.dumps(told))
    with pytest.raises(IntegrityError, match="expected"):
        load_folder(folder)


class Bomb:
    """Writes a marker when it is unpickled."""

    def __reduce__(self):
        return (MARKER.write_text, ("run",))


@pytest.mark.parametrize(
    "content",
    [
        pickle.dumps(Bomb()),
        b"",
        b"PK\x05\x06" + b"\0" * 18,  # an empty archive
    ],
)
def test_a_file_that_is_no_skops_is_refused(folder, content):
    """A pickle under the model's name is not opened, even if all hashes agree."""
    MARKER.unlink(missing_ok=True)
    (folder / "model.skops").write_bytes(content)
    reseal(folder)
    with pytest.raises(IntegrityError, match=r"model\.skops: (is not a skops|cannot be read)"):
        load_folder(folder)
    assert not MARKER.exists()


@pytest.mark.parametrize("loader", ["FunctionNode", "ObjectNode", "TypeNode", "OperatorFuncNode"])
def test_types_that_are_not_trusted_are_refused(folder, loader):
    """A schema that names a function of the system is refused by our list, not by the file's."""
    schema = {
        "__class__": "system",
        "__module__": "os",
        "__loader__": loader,
        "__id__": 1,
        "content": {"module_path": "os", "function": "system"},
        "protocol": 2,
        "_skops_version": "0.16.0",
    }
    with zipfile.ZipFile(folder / "model.skops", "w") as archive:
        archive.writestr("schema.json", json.dumps(schema))
    reseal(folder)
    with pytest.raises(IntegrityError, match=r"not trusted|cannot be read as a model"):
        load_folder(folder)


def test_packed_entries_are_refused(folder):
    """What unpacks to another size may unpack to any size."""
    content = (folder / "model.skops").read_bytes()
    plain = folder.parent / "plain.zip"
    plain.write_bytes(content)
    with (
        zipfile.ZipFile(plain) as old,
        zipfile.ZipFile(folder / "model.skops", "w", zipfile.ZIP_DEFLATED) as new,
    ):
        for name in old.namelist():
            new.writestr(name, old.read(name))
    reseal(folder)
    with pytest.raises(IntegrityError, match="holds packed entries"):
        load_folder(folder)


def test_another_library_is_refused(folder):
    """A model of another scikit-learn is not loaded; both versions are named."""
    told = json.loads((folder / "manifest.json").read_text())["libraries"]
    reseal(folder, libraries=told | {"scikit-learn": "1.3.2"})
    with pytest.raises(IntegrityError, match=r"made with scikit-learn 1\.3\.2, installed is 1\."):
        load_folder(folder)


def test_rows_that_do_not_reproduce_are_refused(folder):
    """Other predictions for the stored rows mean that it is not the same model here."""
    golden = json.loads((folder / "golden.json").read_text())
    golden["predicted"][0] += 0.1
    (folder / "golden.json").write_text(json.dumps(golden))
    reseal(folder)
    with pytest.raises(IntegrityError, match="for its stored rows, expected"):
        load_folder(folder)


@pytest.mark.parametrize("golden", ["[]", "{}", '{"rows": {"size": [1]}, "predicted": [1]}'])
def test_rows_that_are_none_are_refused(folder, golden):
    """Rubbish in place of the stored rows ends in an integrity error."""
    (folder / "golden.json").write_text(golden)
    reseal(folder)
    with pytest.raises(IntegrityError, match="its stored rows cannot be predicted"):
        load_folder(folder)


def test_a_registered_version_needs_its_pin(saved, tmp_path):
    """Only what was registered with a hash is loaded; an unknown alias lists the known."""
    registry = MemoryRegistry(tmp_path / "registry")
    folder, pin = saved
    for tags in ({}, {"manifest_sha256": pin}):
        registry.add(
            ModelPackage(
                name="price",
                folder=folder,
                model=None,
                example=None,
                run_id="",
                requirements=(),
                description="",
                tags=tags,
            )
        )
    with pytest.raises(IntegrityError, match="price/1: the version has no pinned hash"):
        load_registered(registry, "price", "1")
    assert load_registered(registry, "price", "2").label == "price/2"
    with pytest.raises(ConfigError, match="has no version 'production'"):
        load_registered(registry, "price", "production")


def test_a_loaded_model_is_compiled_and_told_from_its_pipeline_by_nothing_but_time(saved):
    """Frames and plain values; what is not compiled says so."""
    model = load_folder(saved[0], expected=saved[1])
    rows = pl.DataFrame({"size": [30.0, None], "shore": ["near", "never seen"]})
    assert model.compiled is not None
    assert (model.compiled.how, model.notice) == ("compiled", "")
    expected = model.pipeline.predict(rows).tolist()
    assert model.predict(rows).tolist() == expected
    assert model.predict_values({"size": [30, None], "shore": ["near", "?"]}).tolist() == expected
    slow = replace(model, compiled=None)
    assert slow.predict_values(rows.to_dict(as_series=False)).tolist() == expected
    told = replace(model, compiled=replace(model.compiled, members=(), reason="because"))
    assert told.notice == "not compiled, the pipeline itself predicts: because"
