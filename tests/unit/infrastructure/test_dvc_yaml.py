"""How DVC reads and writes YAML beside how it does so by itself."""

from __future__ import annotations

from pathlib import Path
from types import SimpleNamespace

import pytest
from dvc import dvcfile
from dvc.utils.serialize import LOADERS, dump_yaml, load_yaml, modify_yaml
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from heddle.infrastructure.dvc_yaml import LockWriter, read_and_write_quickly
from heddle.pipeline.generated import HEAD
from heddle.pipeline.yaml_text import dump

TEXTS = st.text(st.characters(exclude_categories=["Cs", "Cc"]), max_size=8)
ODD = st.sampled_from(
    [
        *("no", "010", "12:30:45", "1e3", "1_000", "null", "~", "", "0x1f", ".5", "0o17", "y", "="),
        *("a: b", "- x", "#c", "a #b", "{x}", "[1]", "'q'", '"d"', "a\nb", "  a", "a ", "1.0"),
        *("<<", "!t", "&a", "*b", "@", "`", "%", "|", ">", "2020-01-01", "é" * 90, "word " * 40),
    ]
)
LEAVES = st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | TEXTS | ODD
VALUES = st.recursive(LEAVES, lambda v: st.lists(v, max_size=3) | st.dictionaries(ODD | TEXTS, v))


@pytest.fixture
def loader():
    """Return the loader that DVC uses then; its own one is put back."""
    before = LOADERS[".yaml"], dvcfile.modify_yaml
    read_and_write_quickly()
    yield LOADERS[".yaml"]
    LOADERS[".yaml"], dvcfile.modify_yaml = before


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


@settings(max_examples=400, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.dictionaries(TEXTS.filter(bool), VALUES, min_size=1, max_size=4), VALUES)
def test_a_lock_gets_the_bytes_that_dvc_writes_by_itself(tmp_path, values, more):
    """Property: an entry is replaced, the others stay, to the byte."""
    ours, theirs = tmp_path / "dvc.lock", tmp_path / "theirs.lock"
    for path in (ours, theirs):
        dump_yaml(path, {"schema": "2.0", "stages": values})
    with modify_yaml(theirs) as data:
        data["stages"]["new"] = more
    with LockWriter(modify_yaml)(ours) as data:
        data["stages"]["new"] = more
    assert ours.read_bytes() == theirs.read_bytes()


def test_a_lock_with_a_comment_keeps_it_and_a_missing_one_is_made(tmp_path):
    """A person may have written into it."""
    path = tmp_path / "dvc.lock"
    with LockWriter(modify_yaml)(path) as data:
        data["stages"] = {"a": 1}
    assert path.read_text() == "stages:\n  a: 1\n"
    path.write_text("# mine\nstages:\n  a: 1\n")
    with LockWriter(modify_yaml)(path) as data:
        data["stages"]["a"] = 2
    assert path.read_text() == "# mine\nstages:\n  a: 2\n"


def test_an_entry_that_cannot_be_replaced_leaves_the_lock(tmp_path):
    """As it was."""
    path = tmp_path / "dvc.lock"
    path.write_text("stages: {}\n")
    with pytest.raises(KeyError), LockWriter(modify_yaml)(path) as data:
        del data["stages"]["a"]
    assert path.read_text() == "stages: {}\n"


def test_both_are_set_once(loader):
    """However many repositories are opened."""
    writer = dvcfile.modify_yaml
    read_and_write_quickly()
    assert LOADERS[".yaml"] is loader
    assert dvcfile.modify_yaml is writer
    assert isinstance(writer, LockWriter)
