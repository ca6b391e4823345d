"""A library that is not there: one line with what to install."""

import sys
import tomllib
from importlib.metadata import packages_distributions
from pathlib import Path

import pytest
from packaging.requirements import Requirement

from heddle.presentation.cli import run
from heddle.presentation.not_installed import TRAINING, lacking

PYPROJECT = Path(__file__).parents[3] / "pyproject.toml"


def test_the_libraries_are_those_of_the_extra():
    """Neither list knows one that the other does not."""
    extras = tomllib.loads(PYPROJECT.read_text())["project"]["optional-dependencies"]
    named = {Requirement(line).name for line in extras["train"]}
    installed = packages_distributions()
    brought = {library: {name.lower() for name in installed[library]} for library in TRAINING}
    assert named <= set().union(*brought.values())
    assert all(named & names for names in brought.values())


@pytest.mark.parametrize("library", TRAINING)
def test_a_library_that_trains_is_named_with_its_extra(library, monkeypatch):
    """Whichever part of it was asked for."""
    monkeypatch.setitem(sys.modules, library, None)
    told = lacking(ModuleNotFoundError("No module", name=f"{library}.part"))
    words = f"this needs {library}, and what trains is not installed here"
    assert str(told) == f"{words}. pip install 'heddle-ml[train]'"


def test_a_part_that_an_installed_library_lacks_is_another_fault():
    """Installing it once more would not help."""
    assert lacking(ModuleNotFoundError("No module", name="optuna.of_tomorrow")) is None


def test_a_command_that_trains_ends_with_2_and_one_line(tmp_path, monkeypatch, capsys):
    """No trace is shown."""
    (tmp_path / "configs").mkdir()
    (tmp_path / "configs" / "config.yaml").write_text("world: {}\n")
    monkeypatch.setitem(sys.modules, "hydra", None)
    assert run(["status", "-C", str(tmp_path)]) == 2
    words = (
        "this needs hydra, and what trains is not installed here. pip install 'heddle-ml[train]'"
    )
    assert capsys.readouterr().err == f"error: {words}\n"
