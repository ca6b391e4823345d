"""A model may bring training rows: they are checked like every file, and read on demand."""

import json
import shutil

import polars as pl
import pytest

from heddle.domain.errors import IntegrityError
from heddle.registry.manifest import digest
from heddle.registry.reference import HELD_OUT, encoded
from heddle.serving.loader import load_folder

ROWS = pl.DataFrame({"size": [20.0], "shore": ["far"], "price": [30.0], HELD_OUT: [31.0]})


def sealed(folder, content: bytes) -> None:
    """Put a reference into a folder and name it in the manifest."""
    told = json.loads((folder / "manifest.json").read_text())
    told["files"]["reference.parquet"] = digest(content)
    (folder / "manifest.json").write_text(json.dumps(told))
    (folder / "reference.parquet").write_bytes(content)


@pytest.fixture
def folder(saved, tmp_path):
    """A copy of the saved model that brings one training row."""
    shutil.copytree(saved[0], tmp_path / "model")
    sealed(tmp_path / "model", encoded(ROWS))
    return tmp_path / "model"


def test_a_model_with_and_one_without_a_reference_are_loaded(saved, folder):
    """Models that were registered before there were any still load."""
    assert load_folder(folder).reference().equals(ROWS)
    assert load_folder(saved[0]).reference() is None


def test_a_changed_reference_is_refused_when_the_model_is_loaded(folder):
    """As every other file is, whether or not it is read."""
    (folder / "reference.parquet").write_bytes(b"other")
    with pytest.raises(IntegrityError, match=r"reference\.parquet: differs from its manifest"):
        load_folder(folder)


def test_a_reference_that_changes_later_is_refused_when_it_is_read(folder):
    """It is checked again, since it is read again."""
    model = load_folder(folder)
    (folder / "reference.parquet").write_bytes(b"other")
    with pytest.raises(IntegrityError, match=r"reference\.parquet: differs from its manifest"):
        model.reference()
    (folder / "reference.parquet").unlink()
    with pytest.raises(IntegrityError, match="cannot be read: No such file"):
        model.reference()


@pytest.mark.parametrize(
    ("content", "words"),
    [(b"PAR1 no table", "is not a table"), (encoded(ROWS.drop("shore")), "no column 'shore'")],
)
def test_a_reference_of_another_shape_is_refused(folder, content, words):
    """A table with the manifest's columns, or an error that names the file."""
    sealed(folder, content)
    model = load_folder(folder)
    with pytest.raises(IntegrityError, match=rf"reference\.parquet: .*{words}"):
        model.reference()
