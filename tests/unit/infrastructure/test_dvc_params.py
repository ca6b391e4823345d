"""How DVC reads generated parameters, beside how it reads them by itself."""

from __future__ import annotations

from pathlib import Path
from types import SimpleNamespace

import pytest
from dvc.utils.serialize import LOADERS, load_yaml
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from heddle.infrastructure.dvc_params import read_params_quickly
from heddle.pipeline.generated import HEAD
from heddle.pipeline.yaml_text import dump

TEXTS = st.text(st.characters(exclude_categories=["Cs", "Cc"]), max_size=8)
ODD = st.sampled_from(["no", "010", "12:30:45", "1e3", "1_000", "null", "~", "", "0x1f", ".5"])
LEAVES = st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | TEXTS | ODD
VALUES = st.recursive(LEAVES, lambda v: st.lists(v, max_size=3) | st.dictionaries(ODD | TEXTS, v))


@pytest.fixture
def loader():
    """Return the loader that DVC uses then; its own one is put back."""
    before = LOADERS[".yaml"]
    read_params_quickly()
    yield LOADERS[".yaml"]
    LOADERS[".yaml"] = before


@settings(max_examples=150, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.dictionaries(TEXTS, VALUES, min_size=1))
def test_generated_parameters_are_what_dvc_reads_by_itself(tmp_path, loader, values):
    """Property: types and values, words that YAML 1.1 takes for something else included."""
    path = tmp_path / "params.yaml"
    path.write_text(HEAD + dump(values), encoding="utf-8")
    found, wanted = loader(path), load_yaml(path)
    assert found == wanted
    assert repr(found) == repr(wanted)


def test_each_reader_gets_its_own_and_a_changed_file_is_read_again(tmp_path, loader):
    """DVC may change what it was given."""
    path = tmp_path / "params.yaml"
    path.write_text(HEAD + "a: {b: [1]}\n")
    loader(path)["a"]["b"].append(2)
    assert loader(path) == {"a": {"b": [1]}}
    path.write_text(HEAD + "a: 2\n")
    assert loader(path) == {"a": 2}


def test_other_files_go_the_usual_way(tmp_path, loader):
    """Those that a person wrote, and those of a past commit."""
    path = tmp_path / "params.yaml"
    path.write_text("a: 0o17\n")
    assert loader(path) == load_yaml(path) == {"a": 15}
    opened: list[str] = []

    def old(name: Path, **_: str) -> object:
        opened.append(str(name))
        return Path(name).open(encoding="utf-8")

    assert loader(path, fs=SimpleNamespace(protocol="git", open=old)) == {"a": 15}
    assert opened == [str(path)]


def test_it_is_set_once(loader):
    """However many repositories are opened."""
    read_params_quickly()
    assert LOADERS[".yaml"] is loader
